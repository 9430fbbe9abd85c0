"""Visitors of a site through the writer's own code under a controlled clock, and what the page showed meanwhile.

Hidden and several tabs, other pages and titles of them, carts, names, chats of both kinds, visits that end and are
followed by others. Where it may be late: events that come after others, and activity that is told later.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine

from collector.writing.hit_batch import commit_hits
from collector.writing.statements import Statements
from collector.writing.visit_cache import VisitCache
from core.agents import add_agent
from core.chat.closing import close_due
from core.chat.conversations import end, open_as_visitor
from core.chat.invitations import accept, dismiss, invite, mark_delivered, mark_shown
from core.chat.messages import send_as_agent, send_as_visitor
from core.chat.queries import open_by_visit
from core.chat.states import ClosedBy
from core.database import reading, writing
from core.frames import Journey, Picture, picture_at, visitor_at
from core.moment import from_milliseconds, to_milliseconds
from core.sites import add_site
from core.visits.hit import Accepted, Cart, ChatReport, Event, EventKind, Hit, Opening

SECOND = 1_000
MINUTE = 60 * SECOND
LATEST = 30 * MINUTE
"""What is older is told as of so long ago (docs/beacon.md)."""

START = to_milliseconds(datetime(2026, 3, 31, 17, 30, tzinfo=UTC))
ZONE = "Asia/Kathmandu"
WAITS = (0, 1, 5, 20, 45, 59, 60, 61, 89, 90, 91, 300, 599, 600, 1199, 1200, 1799, 1800, 4000)
WAIT_WEIGHTS = (20, 20, 20, 20, 9, 4, 4, 4, 4, 4, 4, 3, 2, 2, 2, 2, 1, 1, 1)
PAGES = (
    ("/", "Tea", ""),
    ("/cart", "Cart", "Cart"),
    ("/products/cup", "Cup", "Product"),
    ("/checkout", "", "In Checkout"),
    ("/checkout/thank-you", "Thanks", "Purchased"),
)


@dataclass
class PastTab:
    """A tab of a browser; page: the number of the view whose page it shows."""

    number: int = 0
    page: int = 0
    shown: tuple[str, str, str] = PAGES[0]


@dataclass
class PastBrowser:
    """A simulated browser."""

    visit_id: str
    opening: Opening
    zone: tuple[str, str]
    tabs: dict[str, PastTab] = field(default_factory=dict)
    kept: list[tuple[str, Event]] = field(default_factory=list)


class Kept(NamedTuple):
    """What the pages showed at a moment: that of the site, and that of one of its visits."""

    moment: datetime
    picture: Picture
    journey: Journey | None


class Late(NamedTuple):
    """From when on something had happened of a visit, and when it arrived."""

    visit_id: str
    since: int
    until: int


class PastStory:
    """Drives the browsers; `kept` are pictures, `late` what came late."""

    def __init__(self, engine: Engine, seed: int, *, is_late: bool) -> None:
        self.random = random.Random(seed)
        self.engine = engine
        self.is_late = is_late
        self.now = START
        self.key = f"shop{seed}"
        self.kept: list[Kept] = []
        self.late: list[Late] = []
        self._statements = Statements(engine)
        self._cache = VisitCache()
        with writing(engine) as db:
            self.site = add_site(
                db, name="Shop", key=self.key, time_zone=ZONE, now=from_milliseconds(START)
            )
            self.agent = add_agent(db, "Ann", from_milliseconds(START)).id or 0
        self.browsers = [self._browser(number) for number in range(6)]

    @property
    def moment(self) -> datetime:
        """Now."""
        return from_milliseconds(self.now)

    def run(self, steps: int) -> None:
        """So many steps, with a picture after some of them."""
        for _ in range(steps):
            self.step()
            if self.random.random() < 0.4:
                self.keep()

    def step(self) -> None:
        """Some time goes by, and one visitor does something."""
        wait = self.random.choices(WAITS, WAIT_WEIGHTS)[0] * SECOND
        self._go_on(wait + self.random.choice((0, 0, 1, 997, 400)))
        browser = self.random.choice(self.browsers)
        act = self.random.choices(
            [self.view, self.stay, self.hide, self.report, self.identify, self.chat, self.repeat],
            [26, 30, 12, 8, 4, 14, 6],
        )[0]
        act(browser)

    def keep(self) -> None:
        """Remember what the page shows now, or in a moment."""
        self._go_on(self.random.choice((0, 0, 1, SECOND, 30 * SECOND, MINUTE)))
        moment, visit = self.moment, self.random.choice(self.browsers).visit_id
        with reading(self.engine) as db:
            picture = picture_at(db, [self.site], moment, moment)
            self.kept.append(
                Kept(moment, picture, visitor_at(db, self.site, visit, moment, moment))
            )
        self._go_on(1)  # what happens in the same millisecond belongs to that moment, too

    def view(self, browser: PastBrowser) -> None:
        name = f"tab{self.random.randrange(4)}"
        tab = browser.tabs.setdefault(name, PastTab())
        tab.shown = self.random.choice(PAGES)
        event = self._event(EventKind.VIEW, tab, cart=self._cart())
        tab.page = event.number
        if self.is_late and self.random.random() < 0.15:
            browser.kept.append((name, event))
            return
        self._send(browser, name, event)

    def stay(self, browser: PastBrowser) -> None:
        name, tab = self._tab(browser)
        if self.random.random() < 0.3:
            _, title, context = self.random.choice(PAGES)
            tab.shown = (tab.shown[0], title, context)
        event = self._event(
            EventKind.PRESENCE,
            tab,
            focused=self.random.random() < 0.5,
            sets_context=True,
            page=tab.page,
            cart=self._cart(),
        )
        self._send(browser, name, event)

    def hide(self, browser: PastBrowser) -> None:
        name, tab = self._tab(browser)
        self._send(browser, name, self._event(EventKind.HIDDEN, tab, page=tab.page))

    def report(self, browser: PastBrowser) -> None:
        name, tab = self._tab(browser)
        report = self.random.choice((*ChatReport, ChatReport.MESSAGE))
        self._send(browser, name, self._event(EventKind.CHAT, tab, chat=report))

    def identify(self, browser: PastBrowser) -> None:
        name, tab = self._tab(browser)
        told = {self.random.choice(("name", "email", "plan")): self.random.choice(("Ada", "Bea"))}
        self._send(browser, name, self._event(EventKind.IDENTIFY, tab, attributes=told))

    def repeat(self, browser: PastBrowser) -> None:
        """Something comes late, or once more."""
        browser.kept = [each for each in browser.kept if each[1].at > self.now - LATEST]
        if browser.kept and self.is_late:
            self._send(browser, *self.random.choice(browser.kept))

    def chat(self, browser: PastBrowser) -> None:
        """One side does something in our own chat."""
        now = self.moment
        site_id = self.site.id or 0
        with writing(self.engine) as db:
            found = open_by_visit(db, site_id).get(browser.visit_id)
            if found is None:
                if self.random.random() < 0.5:
                    invite(
                        db,
                        site_id=site_id,
                        visit_id=browser.visit_id,
                        agent_id=self.agent,
                        text="Hello",
                        now=now,
                    )
                else:
                    open_as_visitor(
                        db,
                        site_id=site_id,
                        visit_id=browser.visit_id,
                        tab="",
                        client_id=f"open{self.random.getrandbits(40)}",
                        text="Hello",
                        is_offered=True,
                        is_attended=self.random.random() < 0.8,
                        now=now,
                    )
                return
            said = {"client_id": f"said{self.random.getrandbits(40)}", "text": "Yes", "now": now}
            act = self.random.randrange(10)
            if found.state == "open":
                if act < 4:
                    send_as_visitor(db, found, **said)
                elif act < 8:
                    send_as_agent(db, found, agent_id=self.agent, **said)
                else:
                    end(db, found, self.random.choice((ClosedBy.AGENT, ClosedBy.VISITOR)), now)
            elif act < 3:
                mark_delivered(db, site_id, found.id, "", now)
            elif act < 6:
                mark_shown(db, found, now)
            elif act < 9:
                accept(db, found, now)
            else:
                dismiss(db, found, now)

    def late_visits(self, moment: datetime) -> set[str]:
        """Of which something had happened by then that the page could not know yet."""
        at = to_milliseconds(moment)
        return {late.visit_id for late in self.late if late.since <= at < late.until}

    def _go_on(self, milliseconds: int) -> None:
        self.now += milliseconds
        if milliseconds < SECOND:
            return
        with writing(self.engine) as db:
            close_due(db, self.moment)

    def _browser(self, number: int) -> PastBrowser:
        kind = self.random.choice(("Chrome", "Firefox", "Safari"))
        opening = Opening(
            source=self.random.choice(("Direct", "Google")),
            browser=kind,
            os="Linux",
            device="desktop",
            country=self.random.choice(("", "", "DE")),
        )
        zone = self.random.choice((("", ""), ("Asia/Tokyo", "JP")))
        return PastBrowser(f"visit{number:015d}", opening, zone)

    def _tab(self, browser: PastBrowser) -> tuple[str, PastTab]:
        if not browser.tabs:
            browser.tabs["tab0"] = PastTab()
        name = self.random.choice(list(browser.tabs))
        return name, browser.tabs[name]

    def _cart(self) -> Cart | None:
        if self.random.random() < 0.8:
            return None
        return self.random.choice((Cart(0.0, ""), Cart(12.5, "EUR"), Cart(40.0, "EUR")))

    def _event(self, kind: EventKind, tab: PastTab, **more: Any) -> Event:
        tab.number += 1
        at = self.now
        if self.is_late and self.random.random() < 0.3:
            at -= self.random.choice((1, 2 * SECOND, 45 * SECOND))
        active_at = at
        if kind is not EventKind.VIEW:
            quiet = (None, 0, 3, 30, 700, 2000) if self.is_late else (None, None, 0)
            ago = self.random.choice(quiet)
            active_at = 0 if ago is None else at - ago * SECOND
        path, title, context = tab.shown
        page = (path, title, context) if kind.value in "vph" else ("", "", "")
        return Event(kind, tab.number, at, active_at, *page, **more)

    def _send(self, browser: PastBrowser, tab: str, event: Event) -> None:
        is_zone_told = self.random.random() < 0.4
        hit = Hit(
            site_id=self.site.id or 0,
            visit_ids=(browser.visit_id,),
            is_derived=False,
            tab=tab,
            received_at=self.now,
            events=(event,),
            opening=browser.opening if event.kind is EventKind.VIEW else None,
            time_zone=browser.zone[0] if is_zone_told else "",
            zone_country=browser.zone[1] if is_zone_told else "",
        )
        (answer,) = commit_hits(self.engine, self._statements, self._cache, [hit])
        visits = {browser.visit_id}
        if isinstance(answer, Accepted):
            visits.add(answer.visit_id)
            if self.random.random() < 0.9:
                browser.visit_id = answer.visit_id
        since = min(event.at, event.active_at or event.at)
        self.late += [Late(visit, since, self.now) for visit in visits]
        if self.random.random() < 0.2:
            browser.kept.append((tab, event))
