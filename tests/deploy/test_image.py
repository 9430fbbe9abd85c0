"""The image: it answers, stores, drains and says whether it is well, with a root that nobody can write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from threading import Thread

import httpx
import pytest

from core.database import open_database, reading
from tests.helpers.built_image import BuiltImage
from tests.helpers.container import Container, RunningContainer
from tests.helpers.free_port import free_port
from tests.helpers.running_collector import CHROME, ORIGIN, view, wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]

SANE_SIZE = 900_000_000
"""Bytes that the image may add to its base: pyarrow, pandas and numpy are half of them."""
HOST = "monitor.example"


class Processes:
    """Both processes of one installation: a container each, on ports of their own."""

    def __init__(self, image: BuiltImage, volume: Path, stack: ExitStack) -> None:
        ports = {"collector": free_port(), "dashboard": free_port()}
        self.addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self.container = Container(
            image,
            volume,
            {
                **{f"MONITOR_{name.upper()}_PORT": str(port) for name, port in ports.items()},
                "MONITOR_DASHBOARD_URL": f"https://{HOST}",
                "MONITOR_TRUSTED_PROXIES": "127.0.0.1",
            },
        )
        self._stack = stack

    def start(self, name: str) -> RunningContainer:
        """Returns once it answers."""
        running = self._stack.enter_context(self.container.running(name))
        running.wait_for(self.addresses[name] + HEALTH[name])
        return running


HEALTH = {"collector": "/readyz", "dashboard": "/_stcore/health"}


@pytest.fixture
def processes(image: BuiltImage, volume: Path) -> Iterator[Processes]:
    with ExitStack() as stack:
        yield Processes(image, volume, stack)


def test_image_is_small_and_has_only_what_it_runs(
    image: BuiltImage, record_property: Callable[[str, object], None]
) -> None:
    record_property("image size", f"{image.own_bytes / 1e6:.0f} MB above its base")
    assert image.own_bytes < SANE_SIZE
    packages = {file.name for file in image.root.glob("venv/lib/*/site-packages/*")}
    assert "streamlit" in packages
    assert packages.isdisjoint({"pip", "pytest", "playwright", "ruff"})
    program = {file.name for file in (image.root / "app").iterdir()}
    assert program.isdisjoint({"tests", "docs", "benchmarks", ".git", ".venv", "data"})


def test_its_user_is_not_root_and_owns_only_its_data(image: BuiltImage) -> None:
    assert image.user == 10001
    owned = [file for file in image.root.rglob("*") if file.lstat().st_uid == image.user]
    assert owned == [image.root / "data"]


def test_collector_serves_the_script_and_stores_a_beacon(
    processes: Processes, volume: Path
) -> None:
    processes.start("collector")
    address = processes.addresses["collector"]
    script = httpx.get(f"{address}/embed/visitor-monitor.js")
    assert script.status_code == 200
    assert "javascript" in script.headers["Content-Type"]
    assert send_view(httpx.Client(), address, 1, "/cart").is_success
    assert stored_paths(volume) == ["/cart"]
    assert {file.stat().st_uid for file in volume.iterdir()} == {10001}


def stored_paths(volume: Path) -> list[str]:
    """The paths of the page views in the volume's database."""
    engine = open_database(f"sqlite:///{volume / 'monitor.db'}")
    with reading(engine) as db:
        paths = list(db.exec_driver_sql("SELECT path FROM page_view").scalars())
    engine.dispose()
    return paths


def test_dashboard_is_for_whoever_has_signed_in_once_a_command_made_an_account(
    processes: Processes,
) -> None:
    processes.start("collector")
    dashboard = processes.start("dashboard")
    page = processes.addresses["dashboard"] + "/sign-in"
    through_proxy = {"Host": HOST, "X-Forwarded-For": "203.0.113.5", "X-Forwarded-Proto": "https"}

    def answer() -> int:
        return httpx.get(page, headers=through_proxy).status_code

    assert answer() == 403
    command = "python -m core agent add Ann --email ann@shop.example --role admin --link"
    added = processes.container.execute(*command.split())
    assert added.returncode == 0, added.stderr
    assert f"https://{HOST}/" in added.stdout
    wait_for(lambda: answer() == 200)
    assert "Traceback" not in dashboard.log.read_text(encoding="utf-8")


def test_collector_has_stored_what_it_acknowledged_when_it_is_stopped(
    processes: Processes, volume: Path
) -> None:
    """SIGTERM meets it at work; a request of which a part is missing is not waited for."""
    collector = processes.start("collector")
    acknowledged: list[str] = []
    address = processes.addresses["collector"]
    sending = Thread(target=send_until_refused, args=(address, acknowledged))
    sending.start()
    wait_for(lambda: len(acknowledged) > 5)
    collector.ask_to_end()
    sending.join()
    assert collector.exit_code() == 0
    assert set(acknowledged) <= set(stored_paths(volume))


def send_until_refused(address: str, acknowledged: list[str]) -> None:
    """Page views one after the other, until nobody answers."""
    with suppress(httpx.TransportError), httpx.Client() as client:
        for number in count(1):
            path = f"/products/{number}"
            if send_view(client, address, number, path).status_code == 200:
                acknowledged.append(path)


def send_view(client: httpx.Client, address: str, number: int, path: str) -> httpx.Response:
    """The answer to a page view of the demo site's only visitor."""
    visit = {"v": 1, "k": "demo", "s": "a1b2c3d4e5f6g7h8", "t": "tab00001"}
    return client.post(
        f"{address}/v1/beacon",
        content=json.dumps({**visit, "b": [view(number, path)]}),
        headers={"Origin": ORIGIN, "User-Agent": CHROME},
    )


def test_dashboard_ends_when_it_is_stopped(processes: Processes) -> None:
    processes.start("collector")
    dashboard = processes.start("dashboard")
    dashboard.ask_to_end()
    assert dashboard.exit_code() == 0


@pytest.mark.parametrize("name", ["collector", "dashboard"])
def test_health_check_says_whether_the_process_answers(
    image: BuiltImage, processes: Processes, name: str
) -> None:
    of_this_one = [*image.health_check[:2], name]
    before = processes.container.execute(*of_this_one)
    assert before.returncode == 1
    assert f"{processes.addresses[name]}" in before.stderr
    assert "Traceback" not in before.stderr
    running = processes.start(name)
    for command in (of_this_one, image.health_check):
        well = processes.container.execute(*command)
        assert well.returncode == 0, well.stderr
    running.ask_to_end()
    running.exit_code()
    assert processes.container.execute(*image.health_check).returncode == 1


def test_container_without_a_command_says_what_it_may_be(processes: Processes) -> None:
    refused = processes.container.execute("/app/deploy/image/entrypoint.sh")
    assert refused.returncode == 64
    assert refused.stderr == "Say what to run: collector or dashboard.\n"
