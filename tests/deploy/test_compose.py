"""deploy/compose.yaml: what each profile starts, and its services started from the image."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from collector.server import DRAIN_WITHIN
from tests.helpers.built_image import ROOT, BuiltImage
from tests.helpers.compose_file import ComposeFile
from tests.helpers.container import Container
from tests.helpers.free_port import free_port
from tests.helpers.postgres_server import postgres_server

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]

OURS = ("collector", "dashboard")
ANSWERS = {"collector": "/readyz", "dashboard": "/_stcore/health"}
EXAMPLE = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
FOR_POSTGRES = dict(
    re.findall(
        r"^#(COMPOSE_PROFILES|MONITOR_DATABASE_URL|POSTGRES_PASSWORD)=(.*)$", EXAMPLE, re.MULTILINE
    )
)
"""The lines that env.example has its reader put in for Postgres."""

Configure = Callable[..., ComposeFile]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """The compose file as the example has it, but for these lines."""
    return lambda **settings: ComposeFile(tmp_path, settings)


def test_profiles_add_what_not_everybody_needs(configure: Configure) -> None:
    services = configure().read()["services"]
    assert {name: service.get("profiles") for name, service in services.items()} == {
        "collector": None,
        "dashboard": None,
        "caddy": ["caddy"],
        "postgres": ["postgres"],
    }
    assert re.search(r"^COMPOSE_PROFILES=caddy$", EXAMPLE, re.MULTILINE)
    assert FOR_POSTGRES["COMPOSE_PROFILES"] == "caddy,postgres"


def test_every_service_can_write_only_to_its_volumes_and_is_started_again(
    configure: Configure,
) -> None:
    for name, service in configure().read()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name
        assert service["logging"]["options"]["max-size"], name


def test_processes_have_the_time_to_drain_and_are_reached_through_a_proxy_alone(
    configure: Configure,
) -> None:
    read = configure().read()
    [network] = read["networks"]["default"]["ipam"]["config"]
    for name in OURS:
        service = read["services"][name]
        assert int(service["stop_grace_period"].removesuffix("s")) > DRAIN_WITHIN + 5
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["environment"]["MONITOR_TRUSTED_PROXIES"] == network["gateway"]


def test_host_and_path_make_the_addresses(configure: Configure) -> None:
    read = configure(MONITOR_HOST="shop.example", MONITOR_PATH="/monitor").read()
    for name in OURS:
        environment = read["services"][name]["environment"]
        assert environment["MONITOR_PUBLIC_URL"] == "https://shop.example/monitor"
        assert environment["MONITOR_DASHBOARD_URL"] == "https://shop.example/monitor"


def test_missing_host_is_refused_with_the_cure(configure: Configure) -> None:
    assert "Write it to deploy/.env" in configure(MONITOR_HOST="").fault()


def test_any_setting_in_the_file_reaches_both_processes(configure: Configure) -> None:
    read = configure(MONITOR_RETENTION_DAYS="7").read()
    for name in OURS:
        assert read["services"][name]["environment"]["MONITOR_RETENTION_DAYS"] == "7"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """The lines of .env for a database, and the variables that lead to one on this machine."""
    if request.param == "sqlite":
        yield {}, {}
        return
    port, password = free_port(), "of the database: @/%"
    with postgres_server(port) as server:
        server.execute(f"CREATE ROLE monitor LOGIN PASSWORD '{password}'")
        server.execute("CREATE DATABASE monitor OWNER monitor")
        yield FOR_POSTGRES | {"POSTGRES_PASSWORD": password}, {"PGPORT": str(port)}


def test_services_start_from_the_image_and_are_well(
    configure: Configure,
    database: tuple[dict[str, str], dict[str, str]],
    image: BuiltImage,
    volume: Path,
) -> None:
    settings, variables = database
    ports = {name: free_port() for name in OURS}
    variables |= {f"MONITOR_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    services = configure(**settings).read()["services"]
    with ExitStack() as stack:
        for name in OURS:
            container = container_of(services[name], image, volume, variables)
            running = stack.enter_context(container.running(services[name]["command"]))
            running.wait_for(f"http://127.0.0.1:{ports[name]}{ANSWERS[name]}")
            check = container.execute(*services[name]["healthcheck"]["test"][1:])
            assert check.returncode == 0, check.stderr
    assert (volume / "monitor.db").exists() == (not settings)


def container_of(
    service: Mapping[str, Any], image: BuiltImage, volume: Path, variables: Mapping[str, str]
) -> Container:
    """The service in a container; other ports, because all share this machine's network."""
    assert service["volumes"] == ["data:/data:rw"]
    assert [entry.split(":")[0] for entry in service["tmpfs"]] == ["/tmp"]
    return Container(image, volume, {**service["environment"], **variables}, hosts=["postgres"])
