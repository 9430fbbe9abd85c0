"""The real dashboard for the tests: `streamlit run app.py` on a free port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from tests.helpers.collector_heartbeats import heartbeats_of_a_collector
from tests.helpers.free_port import free_port
from tests.helpers.preloaded import start_preloaded
from tests.helpers.running_collector import wait_for
from tests.helpers.running_monitor import answers

STARTS_WITHIN = 90
ENDS_WITHIN = 20


@contextmanager
def running_dashboard(
    database_url: str,
    port: int | None = None,
    below: str = "",
    *,
    has_collector: bool = True,
    **variables: str,
) -> Iterator[str]:
    """The address of a dashboard on this database; `port`: a given one instead of a free one.

    below: the path on its host that it is served below, without slashes. To the dashboard a collector
    records there, unless it has none.
    """
    port = port or free_port()
    process = start_preloaded(
        "streamlit",
        ["run", "app.py", "--server.port", str(port)],
        {
            **os.environ,
            "MONITOR_DATABASE_URL": database_url,
            "STREAMLIT_SERVER_BASE_URL_PATH": below,
            **variables,
        },
    )
    address = f"http://127.0.0.1:{port}{f'/{below}' if below else ''}"
    try:
        wait_for(lambda: answers(f"{address}/_stcore/health"), STARTS_WITHIN)
        with heartbeats_of_a_collector(database_url) if has_collector else nullcontext():
            yield address
    finally:
        process.terminate()
        process.join(ENDS_WITHIN)
        assert process.exitcode is not None, "the dashboard did not stop"
