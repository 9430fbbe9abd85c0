"""The log of the dashboard's process, with what Streamlit and uvicorn have to say in it."""

from __future__ import annotations

import logging

import streamlit.logger

from core.log_format import LogFormat, start_log

_SERVERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets")


def start_dashboard_log(chosen: LogFormat) -> None:
    """Have every line of this process written in one format, and by nobody who waits for the reader.

    Streamlit gives each of its loggers a handler of its own, those of modules that it loads later too.
    uvicorn tells the address of each browser that opens a page; only its warnings are told here.
    """
    start_log(chosen)
    streamlit.logger.setup_formatter = _leave_to_root
    streamlit.logger.update_formatter()
    for name in _SERVERS:
        server = logging.getLogger(name)
        server.setLevel(logging.WARNING)
        _leave_to_root(server)


def _leave_to_root(logger: logging.Logger) -> None:
    logger.handlers.clear()
    logger.propagate = True
