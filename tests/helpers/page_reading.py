"""The content of a page, read from a run of it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest


def texts(page: AppTest) -> str:
    """All literal text of the page, a line for each element."""
    parts = [element.value for element in page.text]
    parts += [_of_html(element.proto.body) for element in page.get("html")]
    return "\n".join(parts)


def tables(page: AppTest) -> dict[str, Any]:
    """The tables of the page by name: what was sent, with `rows` as a frame."""
    sent = {data["table"]["name"]: data for data in _sent(page, "visitor_monitor_table")}
    for data in sent.values():
        data["rows"] = _frame(data["rows"])
    return sent


def pulse(page: AppTest) -> dict[str, Any]:
    """What the pulse of the page was sent."""
    [data] = [
        json.loads(element.proto.json or element.proto.mixed.json)
        for element in page.get("bidi_component")
        if element.proto.component_name == "visitor_monitor_pulse"
    ]
    return data


def visitors(page: AppTest) -> pd.DataFrame:
    """The rows of Active visitors."""
    return tables(page)["Active visitors"]["rows"]


def breakdowns(page: AppTest) -> dict[str, pd.DataFrame]:
    """The rows of each breakdown, by its label."""
    shown: dict[str, pd.DataFrame] = {}
    for sent in _sent(page, "visitor_monitor_breakdowns"):
        for each in sent["breakdowns"]:
            rows = _frame(each["shares"])
            is_chosen = rows["value"] == sent["chosen"].get(each["column"])
            shown[each["label"]] = rows.assign(pressed=is_chosen)
    return shown


def metrics(page: AppTest) -> dict[str, str]:
    """The numbers of a page by their label."""
    shown = {metric.label: metric.value for metric in page.metric}
    return shown | {label: number["value"] for label, number in numbers(page).items()}


def numbers(page: AppTest) -> dict[str, dict[str, str]]:
    """The numbers of the live page by their label: value, note and rule."""
    sent = _sent(page, "visitor_monitor_numbers")
    return {number["label"]: number for row in sent for number in row["numbers"]}


def _sent(page: AppTest, component: str) -> list[Any]:
    return [
        json.loads(element.proto.bytes or element.proto.json)
        for element in page.get("bidi_component")
        if element.proto.component_name == component
    ]


def _frame(ready: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(ready["data"], columns=ready["columns"])


def _of_html(body: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", body))
