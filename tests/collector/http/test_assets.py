"""/embed/* and /demo/*: what is served, how it is cached, and what is not served."""

import gzip
from hashlib import sha256

import pytest

from collector.http import assets
from collector.http.assets import BUILT, find_asset
from collector.http.demo_shop import DEMO

SCRIPT = "/embed/visitor-monitor.js"


@pytest.fixture
def get(collector):
    def get(path, **headers):
        headers = {"Accept-Encoding": "identity"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return collector.http.get(path, headers=headers)

    return get


def test_script_is_the_built_one(get):
    built = (BUILT / "visitor-monitor.js").read_bytes()

    answer = get(SCRIPT)

    assert answer.status_code == 200
    assert answer.content == built
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


def test_script_may_be_loaded_by_any_page(get):
    headers = get(SCRIPT).headers

    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_script_may_be_loaded_with_any_header(collector):
    """A page's service worker may add headers to what the script loads."""
    answer = collector.http.options(
        "/embed/visitor-monitor-chat.js",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "traceparent",
        },
    )

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "*, Authorization"


def test_script_comes_compressed(collector):
    with collector.http.stream("GET", SCRIPT, headers={"Accept-Encoding": "gzip, br"}) as answer:
        raw = b"".join(answer.iter_raw())

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == (BUILT / "visitor-monitor.js").read_bytes()


def test_script_is_cached_for_minutes_and_by_its_version_for_ever(get):
    version = sha256((BUILT / "visitor-monitor.js").read_bytes()).hexdigest()[:12]

    assert "max-age=300" in get(SCRIPT).headers["cache-control"]
    assert "max-age=300" in get(f"{SCRIPT}?v=0").headers["cache-control"]
    assert "max-age=31536000, immutable" in get(f"{SCRIPT}?v={version}").headers["cache-control"]


def test_version_to_pin_is_the_etag_of_the_head(collector):
    head = collector.http.head(SCRIPT, headers={"Accept-Encoding": "identity"})
    version = head.headers["etag"].strip('"')

    pinned = collector.http.get(f"{SCRIPT}?v={version}")

    assert "immutable" in pinned.headers["cache-control"]


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip", "gzip"),
        ("br, GZIP;q=0.5", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("gzip;q=0", None),
        ("br, gzip ; q=0.000", None),
        ("gzipped", None),
        ("br", None),
        ("", None),
    ],
)
def test_script_is_compressed_only_for_those_who_take_it(get, accepted, sent):
    assert get(SCRIPT, Accept_Encoding=accepted).headers.get("content-encoding") == sent


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/embed/", 404), ("GET", "/embed/a/b.js", 404), ("POST", SCRIPT, 405)],
)
def test_refusal_may_be_read_by_any_page(collector, method, path, status):
    answer = collector.http.request(method, path)

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert status != 405 or "GET" in answer.headers["Allow"]


def test_fault_may_be_read_by_any_page(collector, monkeypatch):
    monkeypatch.setattr("collector.http.assets.gzip", None)
    monkeypatch.setattr("collector.http.assets._load", assets._load.__wrapped__)

    answer = collector.http.get(SCRIPT)

    assert answer.status_code == 500
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_script_that_has_not_changed_is_not_sent_again(get, encoding):
    etag = get(SCRIPT, Accept_Encoding=encoding).headers["etag"]

    answer = get(SCRIPT, Accept_Encoding=encoding, If_None_Match=f'"other", W/{etag}')

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_etag_differs_by_encoding(get):
    plain, zipped = (
        get(SCRIPT, Accept_Encoding=encoding).headers["etag"] for encoding in ("identity", "gzip")
    )

    assert plain != zipped


@pytest.mark.parametrize(
    "path",
    [
        "/embed/build.py",
        "/embed/nothing.js",
        "/embed/",
        "/embed",
        "/embed/dist/visitor-monitor.js",
        "/embed/demo/demo.js",
        "/embed/..%2fcore%2fsettings.py",
        "/embed/%2e%2e/pyproject.toml",
        "/embed/.js",
        "/embed/visitor-monitor.js%00",
        "/embed/visitor-monitor.js/",
    ],
)
def test_nothing_else_is_served(get, path):
    assert get(path).status_code == 404


def test_name_with_a_way_out_is_no_asset():
    assert find_asset("../demo/demo.js") is None
    assert find_asset("visitor-monitor.js\n") is None


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/demo/", "index.html"),
        ("/demo/cart", "cart.html"),
        ("/demo/checkout/thank-you", "checkout/thank-you.html"),
        ("/demo/products/reed-cup", "products/reed-cup.html"),
        ("/demo/guide", "guide/index.html"),
        ("/demo/guide/", "guide/index.html"),
        ("/demo/guide/water", "guide/water.html"),
        ("/demo/demo.css", "demo.css"),
        ("/demo/cart?from=mail", "cart.html"),
    ],
)
def test_shop_page_is_served(get, path, file):
    answer = get(path)

    assert answer.status_code == 200
    assert answer.content == (DEMO / file).read_bytes()
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/demo/nothing",
        "/demo/404",
        "/demo/404.html",
        "/demo/404/",
        "/demo/build.py",
        "/demo/templates/base.jinja",
        "/demo/templates",
        "/demo/products",
        "/demo/..%2f..%2fREADME.md",
        "/demo/%2e%2e/%2e%2e/pyproject.toml",
        "/demo//etc/passwd",
        "/demo/cart.html/x",
        "/demo/%00",
    ],
)
def test_unknown_shop_page_is_the_shops_own_404(get, path):
    answer = get(path)

    assert answer.status_code == 404
    assert answer.content == (DEMO / "404.html").read_bytes()


def test_demo_without_its_slash_leads_to_the_shop(get):
    answer = get("/demo?utm_source=mail")

    assert (answer.status_code, answer.headers["location"]) == (307, "/demo/?utm_source=mail")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200),
        ("/our%20monitor/healthz", 200),
        ("/our%20monitor/embed/visitor-monitor.js", 200),
        ("/our%20monitor/v1/beacon", 405),
        ("/our%20monitor/v1/conversation/poll", 405),
        ("/our%20monitor", 404),
        ("/our%20monitors/healthz", 404),
        ("/our%20monitor/our%20monitor/healthz", 404),
    ],
)
def test_collector_answers_at_the_root_and_below_its_public_path(
    run_collector, sqlite_url, path, status
):
    collector = run_collector(sqlite_url, public_url="https://shop.example/our%20monitor")

    assert collector.http.get(path).status_code == status


def test_links_of_the_shop_are_below_the_public_path(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, public_url="https://shop.example/monitor")
    page = collector.http.get("/demo/").text

    assert 'src="/monitor/embed/visitor-monitor.js"' in page
    assert 'href="/monitor/demo/cart"' in page
    assert '="/demo' not in page
    assert collector.http.get("/demo").headers["location"] == "/monitor/demo/"


def test_shop_is_not_served_where_the_owner_wants_none(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, demo=False)

    assert collector.http.get("/demo/").status_code == 404
