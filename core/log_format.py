"""The log of a process: one line for each fact on stderr, as text or as a JSON object."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from enum import StrEnum

from core.log_handler import LogHandler

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_OURS = ("collector", "core", "pages", "supervision")
"""Whose facts are told; of libraries only the warnings: httpx tells each address that it asks."""


class LogFormat(StrEnum):
    """What a line of the log is."""

    TEXT = "text"
    JSON = "json"


class JsonFormatter(logging.Formatter):
    """A line is an object: time (UTC), level, logger, message, and of a fault the traceback.

    Nothing else that a record carries: what a library adds to one may quote a visitor.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line; what would break it is escaped."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def start_log(chosen: LogFormat, file: int | None = None) -> None:
    """Have every logger of this process written to stderr, or to the open file with that number.

    A process calls it once, at its start.
    """
    handler = LogHandler(sys.stderr.fileno() if file is None else file)
    handler.setFormatter(JsonFormatter() if chosen is LogFormat.JSON else logging.Formatter(_TEXT))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    if chosen is LogFormat.JSON:
        logging.captureWarnings(True)
        sys.excepthook = lambda _kind, fault, _trace: _log_uncaught(fault)
        threading.excepthook = lambda thread: _log_uncaught(thread.exc_value)


def is_json() -> bool:
    """Whether the log of this process has been started, and is JSON."""
    return any(isinstance(each.formatter, JsonFormatter) for each in logging.getLogger().handlers)


def _log_uncaught(fault: BaseException | None) -> None:
    logging.getLogger("core").critical("uncaught fault=%s", type(fault).__name__, exc_info=fault)
