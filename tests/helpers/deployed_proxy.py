"""nginx and Caddy with the very files of deploy/, before processes on this machine.

In the files only this is replaced: the host's name, where the proxy and the two processes listen, and where nginx
finds its certificate and writes its log. Caddy is told by global options to make its certificate itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.helpers.built_image import ROOT, tool
from tests.helpers.free_port import free_port
from tests.helpers.running_collector import wait_for

STARTS_WITHIN = 30

_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/upstreams.conf;
  {server}
}}
"""
_SHOP = """
server {{
  listen 127.0.0.1:{port} ssl http2;
  server_name {host};
  ssl_certificate {folder}/fullchain.pem;
  ssl_certificate_key {folder}/privkey.pem;
  location / {{ return 404; }}
  include {folder}/visitor-monitor-path.conf;
}}
"""
"""A host that serves other things too."""


@dataclass(frozen=True)
class ProxiedPlace:
    """Where a proxy is to listen and to find the processes; below: a path such as "/monitor", or ""."""

    below: str = ""
    collector_port: int = field(default_factory=free_port)
    dashboard_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)

    @property
    def host(self) -> str:
        """The name in the file of deploy/, as this machine knows one."""
        return "shop.localhost" if self.below else "monitor.localhost"

    @property
    def origin(self) -> str:
        """Scheme, name and port."""
        return f"https://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where browsers find Visitor Monitor, without a closing slash."""
        return f"{self.origin}{self.below}"

    def client(
        self, address: str = "127.0.0.1", cookies: Mapping[str, str] | None = None
    ) -> httpx.Client:
        """An HTTP client that speaks from this address of this machine."""
        transport = _ToThisMachine(address)
        return httpx.Client(
            base_url=self.url, transport=transport, timeout=20, cookies=dict(cookies or {})
        )


@dataclass(frozen=True)
class ProxyCommands:
    """start: what runs it until it is ended. check: what says whether its files are right.

    variables: of both. logs: the files in which it writes what it is asked.
    """

    start: list[str]
    check: list[str]
    variables: Mapping[str, str]
    logs: list[Path]


PrepareProxy = Callable[[Path, ProxiedPlace], ProxyCommands]


def nginx(folder: Path, place: ProxiedPlace) -> ProxyCommands:
    """nginx with deploy/nginx/ in the folder."""
    _make_certificate(folder, place.host)
    given = {
        "listen [::]:": "listen 127.0.0.2:",
        "listen 80;": f"listen 127.0.0.1:{place.http_port};",
        "listen 443 ": f"listen 127.0.0.1:{place.port} ",
        ":80;": f":{place.http_port};",
        ":443 ": f":{place.port} ",
        "https://$host$": f"https://$host:{place.port}$",
        "monitor.example": place.host,
        f"/etc/letsencrypt/live/{place.host}": str(folder),
    }
    log = {"/var/log/nginx/error.log": str(folder / "error.log")}
    _copy(
        folder,
        "nginx/upstreams.conf",
        {"8600": str(place.collector_port), "8501": str(place.dashboard_port)},
    )
    if place.below:
        _copy(folder, "nginx/visitor-monitor-path.conf", log)
        server = _SHOP.format(folder=folder, port=place.port, host=place.host)
    else:
        server = f"include {_copy(folder, 'nginx/visitor-monitor.conf', given | log)};"
    main = folder / "nginx.conf"
    main.write_text(_NGINX.format(folder=folder, server=server), encoding="utf-8")
    start = [tool("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(main)]
    logs = [folder / "access.log", folder / "error.log", folder / "proxy.log"]
    return ProxyCommands(start, [*start, "-t"], {}, logs)


def caddy(folder: Path, place: ProxiedPlace) -> ProxyCommands:
    """Caddy with deploy/caddy/ in the folder."""
    options = (
        "admin off",
        "local_certs",
        "skip_install_trust",
        "default_bind 127.0.0.1",
        f"http_port {place.http_port}",
        f"https_port {place.port}",
    )
    file = _copy(
        folder,
        "caddy/Caddyfile.path" if place.below else "caddy/Caddyfile",
        {
            "\n{\n": "".join(("\n{\n", *(f"\t{option}\n" for option in options))),
            "127.0.0.1:8600": f"127.0.0.1:{place.collector_port}",
            "127.0.0.1:8501": f"127.0.0.1:{place.dashboard_port}",
        },
    )
    program = str(Path(sys.executable).with_name("caddy"))
    named = ["--config", str(file), "--adapter", "caddyfile"]
    variables = {"MONITOR_HOST": place.host, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    return ProxyCommands(
        [program, "run", *named], [program, "validate", *named], variables, [folder / "proxy.log"]
    )


@contextmanager
def running_proxy(folder: Path, commands: ProxyCommands, place: ProxiedPlace) -> Iterator[None]:
    """The proxy, once it answers; what it writes goes to proxy.log in the folder."""
    log = folder / "proxy.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            commands.start, env={**os.environ, **commands.variables}, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: process.poll() is not None or _answers(place), STARTS_WITHIN)
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield
    finally:
        process.terminate()
        process.wait()


def checked(commands: ProxyCommands) -> str:
    """What the proxy says of its files; it must take them."""
    done = subprocess.run(
        commands.check, env={**os.environ, **commands.variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


class _ToThisMachine(httpx.HTTPTransport):
    """Leads every name to this machine, as a browser does with names that end with .localhost."""

    def __init__(self, address: str) -> None:
        super().__init__(verify=False, local_address=address)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = request.url.host
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


def _answers(place: ProxiedPlace) -> bool:
    try:
        with place.client() as client:
            return client.get(place.origin + "/nothing").status_code > 0
    except httpx.HTTPError:
        return False


def _copy(folder: Path, name: str, replaced: Mapping[str, str]) -> Path:
    """The file of deploy/, in the folder; whatever is to be replaced must be there."""
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    for old, new in replaced.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    copied = folder / Path(name).name
    copied.write_text(text, encoding="utf-8")
    return copied


def _make_certificate(folder: Path, host: str) -> None:
    """A certificate of the host's own, where certbot would put one."""
    files = ("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem")
    named = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")
    subprocess.run(
        [tool("openssl"), "req", "-x509", *key, *named, *files], check=True, capture_output=True
    )
