"""What Streamlit does again and again with its configuration, done as rarely as the configuration changes.

It writes the theme, 60 options, into the first message of each run, also of each refresh of a part of a page: a sixth of
what a refresh took. And it looks five times a second whether each of its files has changed, which took as much
processor time as the rest of a dashboard at which nobody looks.
"""

from __future__ import annotations

from functools import cache
from threading import Timer

from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig, NewSession
from streamlit.runtime import app_session
from streamlit.watcher.polling_path_watcher import PollingPathWatcher

LOOK_EVERY = 5.0
"""Seconds between two looks whether a file of the configuration has changed."""


def keep_config() -> None:
    """From now on it is read once for all runs, and again after it has changed. To be called at the start."""
    app_session._populate_theme_msg = _populate  # pyright: ignore[reportPrivateUsage]
    config.on_config_parsed(_theme.cache_clear, force_connect=True)
    PollingPathWatcher._schedule = _look_later  # pyright: ignore[reportPrivateUsage]


_streamlits_populate = app_session._populate_theme_msg  # pyright: ignore[reportPrivateUsage]


def _populate(msg: CustomThemeConfig, section: str = "theme") -> None:
    theme = _theme(section)
    if theme is not None:
        msg.MergeFrom(theme)


@cache
def _theme(section: str) -> CustomThemeConfig | None:
    """What Streamlit makes of a section; None where it has nothing to tell, and the message stays without it."""
    session = NewSession()
    _streamlits_populate(session.custom_theme, section)
    return session.custom_theme if session.HasField("custom_theme") else None


def _look_later(self: PollingPathWatcher) -> None:
    """Not by Streamlit's own threads: they sleep, and the process would wait for them when it ends."""
    timer = Timer(LOOK_EVERY, self._check_if_path_changed)  # pyright: ignore[reportPrivateUsage]
    timer.daemon = True
    timer.start()
