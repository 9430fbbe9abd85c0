"""A real nginx for the tests, which signs people in and names them to the dashboard by a header.

It speaks to the dashboard from an address of its own on this machine: so the dashboard can tell it from
everybody else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.free_port import free_port
from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import answers

NGINX_ADDRESS = "127.0.0.2"
"""From where it speaks to the dashboard."""

HEADER = "X-Forwarded-Email"
PROXY_PASSWORD = "of the proxy"

_STARTS_WITHIN = 20
_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  proxy_bind {from_address};
  proxy_http_version 1.1;
  proxy_set_header {header} $remote_user;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
  proxy_buffering off;
  proxy_read_timeout 1h;
  server {{
    listen 127.0.0.1:{port};
    auth_basic "The team's proxy";
    auth_basic_user_file {folder}/people;
    location / {{ proxy_pass {dashboard}; }}
    location = /health {{ auth_basic off; return 200; }}
  }}
  server {{
    listen 127.0.0.1:{open_port};
    location / {{ proxy_pass {dashboard}; }}
  }}
}}
"""


class RunningNginx:
    """address: where people sign in first. open_address: the same without, where it names nobody."""

    def __init__(self, port: int, open_port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.open_address = f"http://127.0.0.1:{open_port}"


@contextmanager
def running_nginx(folder: Path, dashboard: str, *people: str) -> Iterator[RunningNginx]:
    """An nginx before the dashboard; people: their e-mail addresses, all with PROXY_PASSWORD."""
    lines = "".join(f"{person}:{{PLAIN}}{PROXY_PASSWORD}\n" for person in people)
    (folder / "people").write_text(lines, encoding="utf-8")
    ports = free_port(), free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            from_address=NGINX_ADDRESS,
            header=HEADER,
            port=ports[0],
            open_port=ports[1],
            dashboard=dashboard,
        ),
        encoding="utf-8",
    )
    nginx = RunningNginx(*ports)
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(
            [_nginx(), "-c", configuration, "-p", folder, "-e", "stderr"], stdout=log, stderr=log
        )
    try:
        wait_for(lambda: answers(f"{nginx.address}/health"), _STARTS_WITHIN)
        yield nginx
    finally:
        process.terminate()
        process.wait()


def _nginx() -> str:
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("nginx", path=places)
    if found is None:
        pytest.fail("No nginx: run apt-get install nginx-light.", pytrace=False)
    return found
