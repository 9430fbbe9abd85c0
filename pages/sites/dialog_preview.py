"""What a visitor will see: the dialog itself, in a frame, with sample lines."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from core.chat.looks import payload_of
from core.settings import PROJECT_ROOT
from core.tables import ChatLook

_SCRIPT = Path(__file__).with_name("dialog_preview.js")
_DIALOG = PROJECT_ROOT / "embed" / "dist" / "visitor-monitor-chat.js"
_HEIGHT = 540
_PAGE = """<!doctype html><html lang="LANGUAGE"><meta charset="utf-8"><title>Preview of the chat dialog</title>
<style>:root { color-scheme: SCHEME; background: Canvas }</style>
<script type="module">SCRIPT</script></html>"""


def draw_preview(look: ChatLook, language: str) -> None:
    """Draw the dialog as this look makes it in the language, on a light page or on a dark one."""
    scheme = st.segmented_control(
        "Preview on a page that is",
        ["light", "dark"],
        default="light",
        required=True,
        key="preview scheme",
    )
    st.iframe(preview_page(look, language, scheme), height=_HEIGHT)


def preview_page(look: ChatLook, language: str, scheme: str) -> str:
    """The page of the frame. scheme: "light" or "dark"."""
    payload = payload_of(look, language)
    words = payload["words"]
    preview = {
        "look": payload,
        "scheme": scheme,
        "from": "Ann",
        "texts": [words["greeting"], words["message"], words["longer"]],
    }
    dialog = _DIALOG.read_text("utf-8").replace("export default", "const begin =", 1)
    words_as_text = json.dumps(preview).replace(
        "<", "\\u003c"
    )  # of the owner: never the frame's markup
    script = "\n".join((dialog, _SCRIPT.read_text("utf-8"), f"showDialog(begin, {words_as_text})"))
    page = _PAGE.replace("LANGUAGE", language).replace("SCHEME", scheme)
    return page.replace("SCRIPT", script)
