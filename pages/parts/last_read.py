"""What a session has read last of the thing that it looks at: shown on while the database is away."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from core.database import Connection
from core.deadline import DatabaseUnavailable, read

Answer = TypeVar("Answer")


def read_or_last(
    place: str, key: Hashable, question: Callable[[Connection], Answer]
) -> tuple[Answer | None, str]:
    """The answer, and ""; while the database does not answer, the last answer to this key and the fault.

    A place keeps the answer to one key, the newest: a session that looks at a thousand visitors in a
    day holds one of them. None: nothing is kept of this key.
    """
    try:
        answer = read(question)
    except DatabaseUnavailable as error:
        kept_key, last = st.session_state.get(place, (None, None))
        return (last if kept_key == key else None), str(error)
    st.session_state[place] = (key, answer)
    return answer, ""
