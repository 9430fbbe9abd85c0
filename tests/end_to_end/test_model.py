"""Random visits over HTTP under a controlled clock: the page equals the simple model, always."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from core.database import reading, writing
from core.frames import picture_at
from core.moment import from_milliseconds
from core.sites import add_site
from tests.helpers.model import MINUTE, SECOND, Model, ModelEvent

ZONE = "Asia/Kathmandu"
STEPS = 140
BROWSERS = {
    "Chrome": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/154.0.0.0 Safari/537.36",
    "Firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:156.0) Gecko/20100101 Firefox/156.0",
    "Safari": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/27.0 Mobile/15E148 Safari/604.1",
}
SYSTEMS = {"Chrome": "Windows", "Firefox": "Linux", "Safari": "iOS"}
COUNTRIES = {"Europe/Berlin": "DE", "Asia/Tokyo": "JP", "America/New_York": "US"}
REFERRERS = {"": "Direct", "https://www.google.com/": "Google", "https://t.co/x": "X (Twitter)"}
PAGES = {
    "/": "",
    "/about": "",
    "/cart": "Cart",
    "/products/cup": "Product",
    "/collections/tea": "Collection",
    "/checkout": "In Checkout",
    "/checkout/thank-you": "Purchased",
}
WAITS = (0, 1, 5, 20, 59, 60, 61, 89, 90, 91, 300, 599, 600, 1199, 1200, 1799, 1800, 1801, 4000)
WAIT_WEIGHTS = (20, 20, 20, 20, 4, 4, 4, 4, 4, 4, 3, 2, 2, 2, 2, 1, 1, 1, 1)


@dataclass
class ModelBrowser:
    """A simulated browser with its tabs."""

    visit_id: str
    name: str
    zone: str
    referrer: str
    tabs: dict[str, str] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[str, int, list[dict[str, Any]]]] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, str]:
        return {
            "browser": self.name,
            "os": SYSTEMS[self.name],
            "country": COUNTRIES[self.zone],
            "source": REFERRERS[self.referrer],
        }


class ModelStory:
    """Drives browsers against the collector and the model alike."""

    def __init__(self, seed: int, collector: Any, site_key: str) -> None:
        self.random = random.Random(seed)
        self.collector = collector
        self.site_key = site_key
        self.http = httpx.Client(base_url=collector.url)
        self.model = Model(ZONE)
        self.browsers = [self._browser(number) for number in range(6)]

    def step(self) -> None:
        self.collector.clock.advance(self.random.choices(WAITS, WAIT_WEIGHTS)[0] * SECOND)
        browser = self.random.choice(self.browsers)
        act = self.random.choices(
            [self.view, self.stay, self.hide, self.chat, self.repeat, self.hold, self.several],
            [30, 30, 10, 8, 8, 5, 9],
        )[0]
        act(browser)

    def view(self, browser: ModelBrowser) -> None:
        self._send(browser, *self._view(browser))

    def stay(self, browser: ModelBrowser) -> None:
        tab = self._tab(browser)
        event = {"e": "p", "u": browser.tabs[tab], "f": self.random.choice((0, 1))}
        self._send(browser, tab, [event | {"a": self.random.choice((0, 3, 30, 300, 700, 2000))}])

    def hide(self, browser: ModelBrowser) -> None:
        tab = self._tab(browser)
        idle = self.random.choice((0, 5, 120))
        self._send(browser, tab, [{"e": "h", "u": browser.tabs[tab], "a": idle}])

    def chat(self, browser: ModelBrowser) -> None:
        report = self.random.choice(("start", "message", "message", "end"))
        self._send(browser, self._tab(browser), [{"e": "c", "s": report}])

    def several(self, browser: ModelBrowser) -> None:
        """A page view and leaving it, in one envelope."""
        tab, views = self._view(browser)
        self._send(browser, tab, [*views, {"e": "h", "u": browser.tabs[tab], "a": 0}])

    def hold(self, browser: ModelBrowser) -> None:
        """An envelope that cannot be sent now: it comes late, behind newer ones of its tab."""
        tab, events = self._view(browser)
        self._number(browser, tab, events)
        browser.kept.append((tab, self._now, events))

    def repeat(self, browser: ModelBrowser) -> None:
        """A retry of what was sent or held before."""
        if not browser.kept:
            return
        tab, since, events = self.random.choice(browser.kept)
        late = (self._now - since) // SECOND
        self._deliver(browser, tab, [event | {"o": event["o"] + late} for event in events])

    @property
    def _now(self) -> int:
        return self.collector.clock.now

    def _browser(self, number: int) -> ModelBrowser:
        return ModelBrowser(
            visit_id=f"visit{number:015d}",
            name=self.random.choice(list(BROWSERS)),
            zone=self.random.choice(list(COUNTRIES)),
            referrer=self.random.choice(list(REFERRERS)),
        )

    def _view(self, browser: ModelBrowser) -> tuple[str, list[dict[str, Any]]]:
        tab = f"tab{self.random.randrange(5)}"
        browser.tabs[tab] = self.random.choice(list(PAGES))
        return tab, [{"e": "v", "u": browser.tabs[tab], "r": browser.referrer, "f": 1}]

    def _tab(self, browser: ModelBrowser) -> str:
        if not browser.tabs:
            browser.tabs["tab0"] = "/"
        return self.random.choice(list(browser.tabs))

    def _send(self, browser: ModelBrowser, tab: str, events: list[dict[str, Any]]) -> None:
        self._number(browser, tab, events)
        browser.kept.append((tab, self._now, events))
        self._deliver(browser, tab, events)

    def _number(self, browser: ModelBrowser, tab: str, events: list[dict[str, Any]]) -> None:
        for event in events:
            browser.numbers[tab] += 1
            event.update(n=browser.numbers[tab], o=self.random.choice((0, 0, 0, 2, 45)))

    def _deliver(self, browser: ModelBrowser, tab: str, events: list[dict[str, Any]]) -> None:
        visit_id = browser.visit_id
        beacon = {
            "v": 1,
            "k": self.site_key,
            "s": visit_id,
            "t": tab,
            "b": [event | {"z": browser.zone} for event in events],
        }
        answer = self.http.post(
            "/v1/beacon",
            content=json.dumps(beacon),
            headers={"User-Agent": BROWSERS[browser.name], "Content-Type": "text/plain"},
        )
        model_events = [self._model_event(tab, event) for event in events]
        if not self.model.accepts(visit_id, model_events):
            known = visit_id in self.model.visits
            assert answer.status_code == 204
            assert answer.headers["X-Drop-Reason"] == ("visit_over" if known else "no_visit")
            return
        assert answer.status_code == 200, (answer.headers, beacon, self._now)
        answered_id = answer.json()["s"]
        self.model.take(visit_id, model_events, browser.facts, answered_id)
        if self.random.random() < 0.8:
            browser.visit_id = answered_id

    def _model_event(self, tab: str, event: dict[str, Any]) -> ModelEvent:
        at = self._now - min(event["o"], 1800) * SECOND
        has_activity = event["e"] in "vph"
        return ModelEvent(
            kind=event["e"],
            tab=tab,
            number=event["n"],
            at=at,
            active_at=at - event.get("a", 0) * SECOND if has_activity else 0,
            path=event.get("u", ""),
            context=PAGES.get(event.get("u", ""), ""),
            focused=event.get("f") == 1,
            chat=event.get("s", "") if event["e"] == "c" else "",
        )


@pytest.mark.parametrize(
    "database_url, seed",
    [
        ("sqlite", 0),
        ("postgres", 2),
        pytest.param("sqlite", 1, marks=pytest.mark.long),
        pytest.param("postgres", 3, marks=pytest.mark.long),
    ],
    indirect=["database_url"],
)
def test_every_card_share_and_row_equals_the_model(collector, seed):
    collector.clock.now = int(datetime(2026, 3, 31, 17, 30, tzinfo=UTC).timestamp()) * SECOND
    with writing(collector.engine) as db:
        site = add_site(db, name="Shop", key="shop", time_zone=ZONE, now=datetime.now(UTC))
    collector.refresh_sites()
    story = ModelStory(seed, collector, "shop")
    for number in range(STEPS):
        story.step()
        if number % 4 == 0:
            later = collector.clock.now + story.random.choice((0, 0, SECOND, 89 * SECOND, MINUTE))
            compare(collector, site, story.model, later)


def compare(collector: Any, site: Any, model: Model, now: int) -> None:
    with reading(collector.engine) as db:
        moment = from_milliseconds(now)
        picture = picture_at(db, [site], moment, moment)
    expected = model.rows(now)
    shown = picture.visitors.to_dict("records")
    assert [row["id"] for row in shown] == [row["id"] for row in expected]
    for is_row, should_row in zip(shown, expected, strict=True):
        assert {name: is_row[name] for name in should_row} == should_row
    assert vars(picture.cards) == model.cards(now)
    days = {
        str(day)[:10]: visits
        for day, visits in zip(picture.days.date, picture.days.visits, strict=True)
    }
    assert days == model.days(now)
    for by in ("browser", "os", "country"):
        table = getattr(picture.breakdowns, by)
        counts = Counter(row[by] for row in expected)
        assert dict(zip(table.value, table.visits, strict=True)) == counts
        assert table.share.tolist() == [counts[value] / len(expected) for value in table.value]
