"""The content of a page, read from a run of it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pandas as pd
import pyarrow as pa
from streamlit.testing.v1 import AppTest


def texts(page: AppTest) -> str:
    """All literal text of the page, a line for each element."""
    parts = [element.value for element in page.text]
    parts += [_of_html(element.proto.body) for element in page.get("html")]
    return "\n".join(parts)


def tables(page: AppTest) -> dict[str, Any]:
    """The tables of the page by name: what was sent, with `rows` as a frame."""
    sent: dict[str, Any] = {}
    for element in page.get("bidi_component"):
        if element.proto.component_name != "visitor_monitor_table":
            continue
        mixed = element.proto.mixed
        data = json.loads(mixed.json)
        blob = mixed.arrow_blobs[data["rows"]["__streamlit_arrow_ref__"]].data
        data["rows"] = pa.ipc.open_stream(blob).read_pandas()
        sent[data["table"]["name"]] = data
    return sent


def visitors(page: AppTest) -> pd.DataFrame:
    """The rows of Active visitors."""
    return tables(page)["Active visitors"]["rows"]


def metrics(page: AppTest) -> dict[str, str]:
    """The cards by their label."""
    return {metric.label: metric.value for metric in page.metric}


def _of_html(body: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", body))
