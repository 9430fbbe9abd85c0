"""Who uses the dashboard during a soak: viewers as their browsers speak to it, and an agent who answers."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from time import monotonic

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.soak_visitors import SITE
from pages.server.access import COOKIE

DRAW_EVERY = 2.0
"""Seconds: the shortest that an agent may choose."""

HERE_EVERY = 10.0
"""Seconds between two signs that the agent's browser is awake."""

STAYS_FOR = 120.0
"""Seconds after which a viewer closes the page and opens it anew."""


@dataclass
class Audience:
    """How often pages were drawn and opened, what failed, and how many messages the agent has sent."""

    draws: int = 0
    opened: int = 0
    faults: int = 0
    replies: int = 0


async def watch(port: int, audience: Audience, is_over: asyncio.Event) -> None:
    """Look at the live page, which is drawn every DRAW_EVERY; come and go until the soak is over."""
    host = f"127.0.0.1:{port}"
    while not is_over.is_set():
        audience.opened += 1
        try:
            async with connect(
                f"ws://{host}/_stcore/stream",
                origin=f"http://{host}",  # pyright: ignore[reportArgumentType]
                subprotocols=["streamlit"],  # pyright: ignore[reportArgumentType]
                max_size=None,
            ) as socket:
                with suppress(TimeoutError):
                    async with asyncio.timeout(STAYS_FOR):
                        await _look(socket, audience, is_over)
        except (OSError, ConnectionClosed):
            audience.faults += 1
            await asyncio.sleep(DRAW_EVERY)


async def follow_changes(port: int, is_over: asyncio.Event) -> None:
    """Hold the stream from which the live page learns that its site has changed."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=None) as http:
        with suppress(httpx.HTTPError):
            async with http.stream("GET", "/changes") as answer:
                async for _ in answer.aiter_lines():
                    if is_over.is_set():
                        return


async def attend(port: int, secret: str, audience: Audience, is_over: asyncio.Event) -> None:
    """An agent who hears of every message, and answers each visitor's once."""
    numbers = count(1)
    address, cookies = f"http://127.0.0.1:{port}", {COOKIE: secret}
    own = {"Origin": address}
    here_at = 0.0
    async with httpx.AsyncClient(
        base_url=address, cookies=cookies, headers=own, timeout=None
    ) as http:
        while not is_over.is_set():
            with suppress(httpx.HTTPError):
                async with http.stream("GET", "/agent/stream") as answer:
                    async for line in answer.aiter_lines():
                        if is_over.is_set():
                            return
                        if monotonic() >= here_at + HERE_EVERY:
                            here_at = monotonic()
                            await http.post("/agent/here", json={})
                        for message in _messages(line):
                            await _reply(http, message, next(numbers), audience)
            await asyncio.sleep(1)


async def _look(socket: ClientConnection, audience: Audience, is_over: asyncio.Event) -> None:
    await socket.send(_run())
    fragment, page = "", ""
    redraw = asyncio.get_running_loop().time() + DRAW_EVERY
    while not is_over.is_set():
        wait = redraw - asyncio.get_running_loop().time()
        if wait <= 0:
            redraw += DRAW_EVERY
            if fragment:
                await socket.send(_run(fragment, page))
            continue
        try:
            async with asyncio.timeout(wait):
                sent = await socket.recv(decode=False)
        except TimeoutError:
            continue
        message = ForwardMsg.FromString(sent)
        kind = message.WhichOneof("type")
        if kind == "auto_rerun":
            fragment = message.auto_rerun.fragment_id
        elif kind == "new_session":
            page = message.new_session.page_script_hash
        elif kind == "script_finished":
            audience.draws += 1
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            audience.faults += 1


def _run(fragment: str = "", page: str = "") -> bytes:
    """What the browser sends to have the page, or its live part, drawn."""
    message = BackMsg()
    message.rerun_script.query_string = f"site={SITE}"
    message.rerun_script.page_script_hash = page
    message.rerun_script.fragment_id = fragment
    message.rerun_script.is_auto_rerun = bool(fragment)
    return message.SerializeToString()


def _messages(line: str) -> list[dict[str, object]]:
    """The visitors' messages in a line of the stream."""
    if not line.startswith("data: "):
        return []
    news = json.loads(line.removeprefix("data: "))
    return [each for each in news.get("messages", []) if each["author"] == "visitor"]


async def _reply(
    http: httpx.AsyncClient, message: dict[str, object], number: int, audience: Audience
) -> None:
    where = {"site": message["site"], "id": message["id"]}
    sent = {**where, "n": f"soakagent{number:06d}", "text": "We do, within three days."}
    answer = await http.post("/agent/send", json=sent)
    # 409: the visitor has ended the chat before the answer came.
    audience.faults += answer.status_code not in (200, 409)
    audience.replies += answer.status_code == 200
