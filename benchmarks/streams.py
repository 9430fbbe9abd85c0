"""What open conversation streams cost the collector: memory for each, and CPU without messages."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure
from benchmarks.figure_table import print_figures
from benchmarks.history import fill
from benchmarks.servers import BenchmarkServer, collector
from core.agents import add_agent
from core.chat.conversations import open_as_visitor
from core.chat.messages import send_as_agent
from core.chat.store import find_by_token
from core.database import open_database, reading, writing
from core.tables import Conversation

SITE_ID = 1
SITE_KEY = "shop"
OPENED_AT_ONCE = 100
MESSAGES = 20

HeldStream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@click.command()
@click.option("--streams", default=5_000, show_default=True, help="Visitors with an open stream.")
@click.option("--seconds", default=30, show_default=True, help="How long the CPU is measured.")
@click.option("--database-url", default=None, help="Default: a SQLite file of its own.")
def main(**options: Any) -> None:
    """Print memory a stream, CPU with and without streams, and how long a message takes."""
    print_figures(lambda: measure(**options))


def measure(streams: int, seconds: int, database_url: str | None) -> list[Figure]:
    """Memory of a stream, CPU with and without streams, and how long a message takes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{Path(folder) / 'monitor.db'}"
        fill(url, history=0, live=streams, now=datetime.now(UTC))
        with collector(url) as server:
            engine = open_database(url)
            tokens = _open_conversations(engine, streams)
            return asyncio.run(_measure(server, engine, tokens, streams, seconds))


async def _measure(
    server: BenchmarkServer, engine: Engine, tokens: list[str], streams: int, seconds: int
) -> list[Figure]:
    idle = await _cpu_share(server, seconds)
    memory = server.resident()
    held: list[HeldStream] = []
    for start in range(0, len(tokens), OPENED_AT_ONCE):
        some = tokens[start : start + OPENED_AT_ONCE]
        held += await asyncio.gather(*(_open_stream(server.port, token) for token in some))
    await asyncio.sleep(2)
    each = (server.resident() - memory) / len(tokens)
    busy = await _cpu_share(server, seconds)
    passed = [await _time_message(engine, tokens[-1], held[-1], n) for n in range(MESSAGES)]
    return [
        Figure(f"memory of each of {streams:,} open streams", "KiB", [each / 1024]),
        Figure(
            f"{streams:,} silent streams, to none",
            "% of a core",
            [busy * 100],
            [max(idle, 0.0001) * 100],
        ),
        Figure(f"a message to one of {streams:,}", "s", passed, needs_quiet=True),
    ]


async def _cpu_share(server: BenchmarkServer, seconds: int) -> float:
    before = server.cpu()
    await asyncio.sleep(seconds)
    return (server.cpu() - before) / seconds


async def _open_stream(port: int, token: str) -> HeldStream:
    """The stream, once its first event has arrived."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"v": 1, "k": SITE_KEY, "c": token, "after": 0}).encode()
    head = (
        "POST /v1/conversation/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    stream = reader, writer  # a writer without a reference closes its connection
    await _await_text(stream, b"data:")
    return stream


async def _time_message(engine: Engine, token: str, stream: HeldStream, number: int) -> float:
    """Seconds from the commit of an agent's message to its arrival."""
    words = f"message {number} of the benchmark"
    await asyncio.to_thread(_say, engine, token, number, words)
    began = time.perf_counter()
    await _await_text(stream, words.encode())
    return time.perf_counter() - began


async def _await_text(stream: HeldStream, wanted: bytes) -> None:
    reader, _ = stream
    async with asyncio.timeout(30):
        while wanted not in (line := await reader.readline()):
            if not line:
                raise EOFError("the stream has ended")


def _open_conversations(engine: Engine, number: int) -> list[str]:
    """The tokens of this many open conversations, each of another live visit."""
    now = datetime.now(UTC)
    with reading(engine) as db:
        visits = db.exec_driver_sql("SELECT id FROM visit ORDER BY id").scalars().all()[:number]
    with writing(engine) as db:
        opened = [
            open_as_visitor(
                db,
                site_id=SITE_ID,
                visit_id=visit,
                tab="",
                client_id="benchmark0",
                text="Hello",
                is_offered=True,
                is_attended=True,
                now=now,
            )
            for visit in visits
        ]
    return [each.token for each in opened if isinstance(each, Conversation)]


def _say(engine: Engine, token: str, number: int, words: str) -> None:
    now = datetime.now(UTC)
    with writing(engine) as db:
        agent = add_agent(db, f"Agent {number}", now) if number == 0 else None
        conversation = find_by_token(db, SITE_ID, token)
        assert conversation is not None
        send_as_agent(
            db,
            conversation,
            agent_id=(agent.id or 0) if agent else conversation.agent_id,
            client_id=f"message{number:04d}",
            text=words,
            now=now,
        )


if __name__ == "__main__":
    main()
