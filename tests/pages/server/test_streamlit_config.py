"""The theme is read once for all runs, and again after the configuration has changed."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, sleep

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig, NewSession
from streamlit.runtime import app_session
from streamlit.watcher.polling_path_watcher import PollingPathWatcher

from pages.server import streamlit_config
from pages.server.streamlit_config import keep_config


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The sections that Streamlit itself has read since."""
    reads: list[str] = []
    streamlits = streamlit_config._streamlits_populate

    def populate(msg: CustomThemeConfig, section: str) -> None:
        reads.append(section)
        streamlits(msg, section)

    monkeypatch.setattr(streamlit_config, "_streamlits_populate", populate)
    for kind, name in [(app_session, "_populate_theme_msg"), (PollingPathWatcher, "_schedule")]:
        monkeypatch.setattr(kind, name, getattr(kind, name))
    streamlit_config._theme.cache_clear()
    keep_config()
    yield reads
    streamlit_config._theme.cache_clear()


def _told(populate=None) -> NewSession:
    """As Streamlit fills the message that begins a run."""
    populate = populate or app_session._populate_theme_msg
    session = NewSession()
    theme = session.custom_theme
    populate(theme, "theme")
    populate(theme.light, "theme.light")
    populate(theme.dark, "theme.dark")
    populate(theme.sidebar, "theme.sidebar")
    populate(theme.light.sidebar, "theme.light.sidebar")
    populate(theme.dark.sidebar, "theme.dark.sidebar")
    return session


def test_theme_is_told_as_streamlit_tells_it_and_each_section_is_read_once(
    reads: list[str],
) -> None:
    streamlits = _told(streamlit_config._streamlits_populate).SerializeToString(deterministic=True)
    reads.clear()
    for _ in range(3):
        assert _told().SerializeToString(deterministic=True) == streamlits
    assert len(reads) == len(set(reads)) == 6
    assert not _told().custom_theme.HasField("sidebar")


def test_another_colour_of_the_configuration_is_told(reads: list[str]) -> None:
    _told()
    before = config.get_option("theme.primaryColor")
    try:
        config.set_option("theme.primaryColor", "#123456")
        config._on_config_parsed.send()
        assert _told().custom_theme.primary_color == "#123456"
    finally:
        config.set_option("theme.primaryColor", before)


def test_file_is_looked_at_again_and_no_thread_of_streamlits_waits_for_it(
    reads: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setattr(streamlit_config, "LOOK_EVERY", 0.05)
    changes: list[str] = []
    file = tmp_path / "config.toml"
    threads = len(PollingPathWatcher._executor._threads)
    watcher = PollingPathWatcher(str(file), changes.append, allow_nonexistent=True)
    file.write_text("[theme]")
    until = monotonic() + 10
    while not changes and monotonic() < until:
        sleep(0.05)
    watcher.close()
    assert changes == [str(file)]
    assert len(PollingPathWatcher._executor._threads) == threads
