"""The theme is read once for all runs, and again after the configuration has changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.watcher import polling_path_watcher

from pages.server import streamlit_config

SECTIONS = ["theme", "theme.light", "theme.dark", "theme.sidebar", "theme.light.sidebar"]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The sections that Streamlit itself has read since."""
    reads: list[str] = []
    streamlits = streamlit_config._streamlits_populate

    def populate(msg: CustomThemeConfig, section: str) -> None:
        reads.append(section)
        streamlits(msg, section)

    monkeypatch.setattr(streamlit_config, "_streamlits_populate", populate)
    for module, name in [
        (app_session, "_populate_theme_msg"),
        (polling_path_watcher, "_POLLING_PERIOD_SECS"),
    ]:
        monkeypatch.setattr(module, name, getattr(module, name))
    streamlit_config._theme.cache_clear()
    streamlit_config.keep_config()
    yield reads
    streamlit_config._theme.cache_clear()


def _told(section: str) -> CustomThemeConfig:
    theme = CustomThemeConfig()
    app_session._populate_theme_msg(theme, section)
    return theme


@pytest.mark.parametrize("section", SECTIONS)
def test_theme_is_as_streamlit_tells_it_and_is_read_once(reads: list[str], section: str) -> None:
    streamlits = CustomThemeConfig()
    streamlit_config._streamlits_populate(streamlits, section)
    reads.clear()
    for _ in range(3):
        assert _told(section) == streamlits
    assert reads == [section]


def test_another_colour_of_the_configuration_is_told(reads: list[str]) -> None:
    _told("theme")
    before = config.get_option("theme.primaryColor")
    try:
        config.set_option("theme.primaryColor", "#123456")
        config._on_config_parsed.send()
        assert _told("theme").primary_color == "#123456"
    finally:
        config.set_option("theme.primaryColor", before)


def test_its_files_are_looked_at_rarely(reads: list[str]) -> None:
    assert polling_path_watcher._POLLING_PERIOD_SECS == streamlit_config.LOOK_EVERY
