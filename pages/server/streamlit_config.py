"""What Streamlit does again and again with its configuration, done as rarely as the configuration changes.

It writes the theme, 60 options, into the first message of each run, also of each refresh of a part of a page: a sixth of
what a refresh took. And it looks five times a second whether each of its files has changed, which took as much
processor time as the rest of a dashboard at which nobody looks.
"""

from __future__ import annotations

from functools import cache

from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.watcher import polling_path_watcher

LOOK_EVERY = 5.0
"""Seconds between two looks whether a file of the configuration has changed."""


def keep_config() -> None:
    """From now on it is read once for all runs, and again after it has changed. To be called at the start."""
    app_session._populate_theme_msg = _populate  # pyright: ignore[reportPrivateUsage]
    config.on_config_parsed(_theme.cache_clear, force_connect=True)
    polling_path_watcher._POLLING_PERIOD_SECS = LOOK_EVERY


_streamlits_populate = app_session._populate_theme_msg  # pyright: ignore[reportPrivateUsage]


def _populate(msg: CustomThemeConfig, section: str = "theme") -> None:
    msg.MergeFrom(_theme(section))


@cache
def _theme(section: str) -> CustomThemeConfig:
    """What Streamlit makes of a section, in a message of its own."""
    theme = CustomThemeConfig()
    _streamlits_populate(theme, section)
    return theme
