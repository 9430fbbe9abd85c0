"""tests/helpers/engines/installed.py: an engine that is missing is a failure, never a skip."""

import pytest

from tests.helpers.engines.installed import open_engines


@pytest.mark.parametrize("name", ["Firefox", "WebKit"])
def test_missing_engine_fails_with_the_cure(name, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        open_engines("", tmp_path) as find,
        pytest.raises(pytest.fail.Exception, match="apt-get install firefox-esr webkit2gtk-driver"),
    ):
        find(name)
