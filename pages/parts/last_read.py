"""What a session has read last of the thing that it looks at: shown on while the database is away."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from core.accounts.identity import Role
from core.database import Connection
from core.deadline import DatabaseUnavailable
from core.tables import Site
from pages.parts.viewer import NotAllowed, read_as

Answer = TypeVar("Answer")


def read_or_last(
    place: str,
    key: Hashable,
    role: Role,
    question: Callable[[Connection], Answer],
    site: Site | None = None,
) -> tuple[Answer | None, str]:
    """The answer, and ""; while the database does not answer, the last answer to this key and the fault.

    It is read as by `read_as`. A place keeps the answer to one key, the newest: a session that looks at a thousand visitors in a
    day holds one of them. None: nothing is kept of this key.
    """
    try:
        answer = read_as(role, question, site)
    except NotAllowed:
        st.rerun()  # changed since this run began: the whole page says so
    except DatabaseUnavailable as error:
        kept_key, last = st.session_state.get(place, (None, None))
        return (last if kept_key == key else None), str(error)
    st.session_state[place] = (key, answer)
    return answer, ""
