"""The settings: documented, and refused in plain words."""

from pathlib import Path

import pytest

from core.settings import CURES, PROJECT_ROOT, RateLimit, Settings, SettingsError, settings

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def fresh_settings():
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented_and_has_a_cure(name):
    assert f"`MONITOR_{name.upper()}`" in DOCS.read_text()
    assert name in CURES


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "not a url"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///file::memory:?uri=true"),
        ("READ_DATABASE_URL", "sqlite:////srv/monitor.db"),
        ("READ_DATABASE_URL", "postgres://replica/monitor"),
        ("READ_DATABASE_URL", "not a url"),
        ("COLLECTOR_PORT", "0"),
        ("COLLECTOR_PORT", "65536"),
        ("COLLECTOR_PORT", "http"),
        ("PUBLIC_URL", "monitor.example"),
        ("PUBLIC_URL", "ftp://monitor.example"),
        ("TRUSTED_PROXIES", "10.0.0.1;10.0.0.2"),
        ("TRUSTED_PROXIES", "300.0.0.1"),
        ("COUNTRY_HEADER", "CF IPCountry"),
        ("GEOIP_DATABASE", "/no/such/file.mmdb"),
        ("PAGES_DIR", ""),
        ("PAGES_DIR", __file__),
        ("PAGES_DIR", "x" * 300),
        ("RETENTION_DAYS", "ten"),
        ("RETENTION_DAYS", "-1"),
        ("DEMO", "perhaps"),
        ("COUNT_BOTS", "2"),
        ("RATE_LIMIT", "fast"),
        ("RATE_LIMIT", "0/s"),
        ("RATE_LIMIT", "10/s burst 0"),
        ("NEW_VISITS", "120/min burst 0"),
        ("NEW_VISITS", "120"),
        ("NEW_VISITS", "１２０/min"),
        ("NEW_VISITS", "120/h"),
        ("NEW_VISITS", "0/min"),
        ("STREAMS", "0"),
        ("STREAMS", "many"),
        ("STREAMS_PER_ADDRESS", "0"),
        ("STREAMS_PER_ADDRESS", "off"),
        ("DASHBOARD_URL", "monitor.example"),
        ("LOG_FORMAT", "xml"),
        ("DASHBOARD_HOST", ""),
        ("DASHBOARD_PORT", "0"),
        ("DASHBOARD_PORT", "65536"),
        ("OIDC_ISSUER", "accounts.example"),
        ("OIDC_ISSUER", "http://accounts.example"),
        ("OIDC_ISSUER", "http://127.0.0.1.accounts.example"),
        ("SIGN_IN_HEADER", "X-Forwarded Email"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_its_value_and_the_cure(monkeypatch, name, value):
    monkeypatch.setenv(f"MONITOR_{name}", value)
    with pytest.raises(SettingsError) as refusal:
        settings()
    assert str(refusal.value) == f"MONITOR_{name} is '{value}': {CURES[name.lower()]}."


CLIENT = {"OIDC_CLIENT_ID": "monitor", "OIDC_CLIENT_SECRET": "secret"}
INCOMPLETE = [
    ("OIDC_ISSUER", "https://accounts.example", CLIENT, "OIDC_CLIENT_ID"),
    ("OIDC_ISSUER", "https://accounts.example", CLIENT, "OIDC_CLIENT_SECRET"),
    ("SIGN_IN_HEADER", "X-Forwarded-Email", {"TRUSTED_PROXIES": "10.0.0.1"}, "TRUSTED_PROXIES"),
]


@pytest.mark.parametrize(("name", "value", "others", "missing"), INCOMPLETE)
def test_a_way_to_sign_in_is_refused_without_what_makes_it_safe(
    monkeypatch, name, value, others, missing
):
    for each, given in {name: value, **others}.items():
        monkeypatch.setenv(f"MONITOR_{each}", given)
    settings()
    monkeypatch.delenv(f"MONITOR_{missing}")
    settings.cache_clear()
    with pytest.raises(SettingsError) as refusal:
        settings()
    cure = CURES[missing.lower()]
    assert str(refusal.value) == f"MONITOR_{name} needs MONITOR_{missing}, which is empty: {cure}."


@pytest.mark.parametrize("host", ["localhost:9400", "127.0.0.1", "[::1]:9400"])
def test_an_issuer_on_this_machine_may_do_without_tls(monkeypatch, host):
    for name, value in {"OIDC_ISSUER": f"http://{host}/realm/", **CLIENT}.items():
        monkeypatch.setenv(f"MONITOR_{name}", value)
    assert settings().oidc_issuer == f"http://{host}/realm"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgres://ada:s3cret@db.example/monitor", "postgres://ada:***@db.example/monitor"),
        ("mysql://ada:s3cret/@db.example/monitor", "mysql://ada:***@db.example/monitor"),
        ("mysql://ada:s3@cret@db.example/monitor", "***"),
        ("mysql://db.example/monitor?password=s3cret", "mysql://db.example/monitor"),
        ("postgresql+psycopg://ada:s3cret@db.example:port/monitor", "***"),
        ("//ada:s3cret@db.example/monitor", "***"),
        ("mysql:///monitor?user=ada&password=s3cret@", "***"),
    ],
)
def test_a_refused_database_url_does_not_show_its_password(monkeypatch, value, shown):
    monkeypatch.setenv("MONITOR_DATABASE_URL", value)
    with pytest.raises(SettingsError) as refusal:
        settings()
    assert str(refusal.value) == f"MONITOR_DATABASE_URL is '{shown}': {CURES['database_url']}."


def test_a_refused_address_of_a_replica_does_not_show_its_password(monkeypatch):
    monkeypatch.setenv("MONITOR_READ_DATABASE_URL", "postgres://ada:s3cret@replica/monitor")
    with pytest.raises(SettingsError) as refusal:
        settings()
    assert str(refusal.value) == (
        "MONITOR_READ_DATABASE_URL is 'postgres://ada:***@replica/monitor': "
        f"{CURES['read_database_url']}."
    )


@pytest.mark.parametrize(
    ("primary", "replica", "said"),
    [
        ("sqlite:////srv/monitor.db", "postgresql+psycopg://replica/monitor", "is for Postgres"),
        ("postgresql+psycopg://a:b@db/m", "postgresql+psycopg://a:b@db/m", "is the same as"),
    ],
)
def test_a_replica_of_sqlite_or_of_itself_is_refused(monkeypatch, primary, replica, said):
    monkeypatch.setenv("MONITOR_DATABASE_URL", primary)
    monkeypatch.setenv("MONITOR_READ_DATABASE_URL", replica)
    with pytest.raises(SettingsError, match=said) as refusal:
        settings()
    assert "leave it out" in str(refusal.value)
    assert "a:b" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///shop.db", f"{PROJECT_ROOT}/shop.db"),
        ("sqlite:///./data/shop.db", f"{PROJECT_ROOT}/data/shop.db"),
        ("sqlite:////srv/shop.db", "/srv/shop.db"),
    ],
)
def test_a_relative_database_is_below_the_projects_folder(monkeypatch, tmp_path, url, file):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    assert settings().database_url == f"sqlite:///{file}"


def test_a_relative_file_is_below_the_projects_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR_GEOIP_DATABASE", "README.md")
    assert settings().geoip_database == PROJECT_ROOT / "README.md"


def test_streamlits_variable_counts_where_ours_is_not_set(monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "9001")
    monkeypatch.setenv("MONITOR_DASHBOARD_PORT", "9002")
    assert (settings().dashboard_host, settings().dashboard_port) == ("0.0.0.0", 9002)


def test_a_wrong_value_of_streamlits_variable_is_refused_under_its_name(monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "eighty")
    with pytest.raises(SettingsError) as refusal:
        settings()
    assert str(refusal.value) == f"STREAMLIT_SERVER_PORT is 'eighty': {CURES['dashboard_port']}."


@pytest.mark.parametrize(
    ("url", "streamlits", "path"),
    [
        ("", "", ""),
        ("https://monitor.example", "", ""),
        ("https://monitor.example/", "", ""),
        ("https://shop.example/monitor", "", "/monitor"),
        ("https://shop.example/team/monitor/", "", "/team/monitor"),
        ("", "/team/", "/team"),
        ("https://monitor.example", "team", ""),
    ],
)
def test_the_dashboard_is_served_below_the_path_of_its_address(monkeypatch, url, streamlits, path):
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", url)
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", streamlits)
    assert settings().dashboard_path == path
    assert settings().local_dashboard == f"http://127.0.0.1:8501{path}"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("::1", "http://[::1]:8600"),
        ("2001:db8::1", "http://[2001:db8::1]:8600"),
        ("::", "http://[::1]:8600"),
        ("0.0.0.0", "http://127.0.0.1:8600"),
        ("monitor.example", "http://monitor.example:8600"),
    ],
)
def test_the_public_address_is_one_that_a_browser_can_open(monkeypatch, host, address):
    monkeypatch.setenv("MONITOR_COLLECTOR_HOST", host)
    assert settings().public_address == address


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RETENTION_DAYS", "0", 0),
        ("COLLECTOR_PORT", "65535", 65535),
        ("PUBLIC_URL", "https://monitor.example/", "https://monitor.example"),
        ("RATE_LIMIT", "off", None),
        ("RATE_LIMIT", "5/s", RateLimit(5, 5)),
        ("RATE_LIMIT", "10/s burst 40", RateLimit(10, 40)),
        ("RATE_LIMIT", "90/min", RateLimit(1.5, 90)),
        ("NEW_VISITS", "off", None),
        ("NEW_VISITS", "120/min burst 300", RateLimit(2, 300)),
        ("NEW_VISITS", "30/min", RateLimit(0.5, 30)),
        ("STREAMS", "500", 500),
        ("STREAMS_PER_ADDRESS", "1", 1),
        ("DEMO", "off", False),
    ],
)
def test_a_good_value_is_read(monkeypatch, name, value, expected):
    monkeypatch.setenv(f"MONITOR_{name}", value)
    assert getattr(settings(), name.lower()) == expected


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("", ""),
        ("https://monitor.example", ""),
        ("https://monitor.example/", ""),
        ("https://shop.example/monitor", "/monitor"),
        ("https://shop.example:8443/our/monitor/", "/our/monitor"),
    ],
)
def test_the_public_path_is_that_of_the_public_address(monkeypatch, address, path):
    monkeypatch.setenv("MONITOR_PUBLIC_URL", address)
    assert settings().public_path == path


def test_lists_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("MONITOR_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16,::1")
    assert [str(network) for network in settings().trusted_proxies] == [
        "10.0.0.1/32",
        "10.1.0.0/16",
        "::1/128",
    ]


def test_the_collector_is_reached_at_its_own_port_by_default(monkeypatch):
    monkeypatch.setenv("MONITOR_COLLECTOR_PORT", "8601")
    assert settings().public_address == "http://127.0.0.1:8601"
