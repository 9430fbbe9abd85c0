"""The log: text, or JSON with one object a line."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from core.log_format import JsonFormatter

ROOT = Path(__file__).parents[2]


def formatted(message: str, *values: object, fault: BaseException | None = None, **extra: object):
    record = logging.getLogger("collector.writer").makeRecord(
        "collector.writer", logging.WARNING, "", 0, message, values,
        (type(fault), fault, fault.__traceback__) if fault else None, extra=extra,
    )  # fmt: skip
    return JsonFormatter().format(record)


def log_of(code: str, *modules: str) -> list[str]:
    """The lines on stderr of a process that runs the code."""
    names = "\n".join(f"import {module}" for module in ("logging", "sys", *modules))
    done = subprocess.run(
        [sys.executable, "-c", f"{names}\n{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stderr.splitlines()


def test_line_has_time_level_logger_and_message_and_nothing_that_a_library_adds():
    line = json.loads(formatted("site=%s", "shop1", color_message="a visitor's text"))
    assert datetime.fromisoformat(line.pop("time")).utcoffset() is not None
    assert line == {"level": "WARNING", "logger": "collector.writer", "message": "site=shop1"}


def test_whatever_the_message_is_it_stays_one_line_of_ascii():
    line = formatted("%s", 'two\nlines "quoted" \x1b[31m é \ud83d')
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line)["message"].startswith('two\nlines "quoted"')


def test_fault_has_its_traceback_as_one_string():
    try:
        raise ValueError("broken")
    except ValueError as fault:
        line = json.loads(formatted("x", fault=fault))
    assert line["traceback"].startswith("Traceback (most recent call last)")
    assert line["traceback"].endswith("ValueError: broken")


def test_json_has_ours_from_info_on_warnings_of_libraries_and_what_nobody_catches():
    lines = log_of(
        """
from core.log_format import LogFormat, start_log
start_log(LogFormat.JSON)
logging.getLogger("collector.writer").info("ours")
logging.getLogger("httpx").info("GET https://issuer.example/?code=secret")
logging.getLogger("httpx").warning("theirs")
warnings.warn("old")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise KeyError("x")
""",
        "threading",
        "warnings",
    )
    found = [json.loads(line) for line in lines]
    assert [(line["logger"], line["message"]) for line in found[:2]] == [
        ("collector.writer", "ours"),
        ("httpx", "theirs"),
    ]
    assert found[2]["logger"] == "py.warnings"
    assert [line["message"] for line in found[3:]] == [
        "uncaught fault=ZeroDivisionError",
        "uncaught fault=KeyError",
    ]
    assert all("traceback" in line for line in found[3:])


def test_text_is_as_before():
    [line] = log_of(
        "from core.log_format import LogFormat, start_log\n"
        "start_log(LogFormat.TEXT)\nlogging.getLogger('core.feed').info('feed_is_back')"
    )
    assert line.endswith(" INFO core.feed feed_is_back")


def test_streamlits_and_uvicorns_lines_are_json_too_and_name_no_browser():
    lines = log_of(
        """
from core.log_format import LogFormat
from pages.server.dashboard_log import start_dashboard_log
logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
start_dashboard_log(LogFormat.JSON)
streamlit.logger.get_logger("streamlit.loaded_later").warning("late")
streamlit.logger.update_formatter()
logging.getLogger("streamlit.runtime").error("early")
logging.getLogger("uvicorn.error").info('203.0.113.9 - "WebSocket /_stcore/stream" [accepted]')
logging.getLogger("uvicorn.error").error("fault")
""",
        "logging.config",
        "uvicorn",
        "streamlit",
    )
    found = [json.loads(line) for line in lines]
    assert [line["message"] for line in found] == ["late", "early", "fault"]
