"""Simulated visitors of the demo shop, sent over HTTP to a running collector: `make traffic`.

They are real beacons, and the visits they make are not marked as simulated: send them only to a site
that is there for testing. All come from this machine's address, so their countries come from the
time zones that they send.
"""

from __future__ import annotations

import heapq
import json
import random
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.settings import settings

BEACONS_PER_SECOND = 8
"""Under the collector's default rate limit for one address, 10 a second."""

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36 Edg/154.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:156.0) Gecko/20100101 Firefox/156.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/27.0 Safari/605.1.15",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/27.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:156.0) Gecko/20100101 Firefox/156.0",
)
AGENT_WEIGHTS = (26, 10, 7, 9, 11, 20, 14, 3)

ZONES = (
    *("America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/Berlin"),
    *("Europe/London", "Europe/Paris", "Europe/Amsterdam", "Europe/Stockholm", "Asia/Tokyo"),
    *("Asia/Kolkata", "Australia/Sydney", "America/Sao_Paulo", "America/Toronto", "Europe/Madrid"),
)

ORIGINS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"r": "https://www.google.com/"},
    {"r": "https://www.google.de/"},
    {"r": "https://www.bing.com/"},
    {"r": "https://chatgpt.com/"},
    {"r": "https://l.instagram.com/"},
    {"r": "https://www.reddit.com/r/tea/"},
    {"r": "https://www.google.com/", "j": "gclid"},
    {"c": "newsletter", "m": "email", "g": "november"},
)

NAMES = ("Ann Sample", "Ben Example", "Chiara Prova", "Dmitri Primer", "Emi Rei")

PRODUCTS = {
    "hillside-green": "Hillside Green",
    "amber-oolong": "Amber Oolong",
    "night-train": "Night Train",
    "reed-cup": "Reed Cup",
    "wave-cup": "Wave Cup",
    "moon-bowl": "Moon Bowl",
}
PRICES = (8, 12, 24, 26, 32)
"""Of one item in a cart, in euros."""
SHOP = "Blue Kettle"


@dataclass
class SimulatedVisitor:
    """One simulated browser: what it sends, and what the collector has answered."""

    site: str
    agent: str
    zone: str
    visit_id: str = field(default_factory=lambda: secrets.token_hex(10))
    tab: str = field(default_factory=lambda: secrets.token_hex(4))
    number: int = 0
    zone_wanted: bool = False

    def envelope(self, event: dict[str, Any]) -> bytes:
        """The next beacon of this browser, as JSON."""
        self.number += 1
        event = {"n": self.number, "o": 0, "a": 0, "f": 1} | event
        if self.zone_wanted:
            event["z"] = self.zone
        beacon = {"v": 1, "k": self.site, "s": self.visit_id, "t": self.tab, "b": [event]}
        return json.dumps(beacon).encode()


TrafficStep = tuple[float, dict[str, Any]]
"""Seconds to wait, then the event to send."""


@click.command()
@click.option("--visitors", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--seconds", default=120, show_default=True, type=click.IntRange(5, 3600))
@click.option("--site", default="demo", show_default=True, help="The key of the site.")
@click.option("--url", default=None, help="The collector's address.")
def main(visitors: int, seconds: int, site: str, url: str | None) -> None:
    """Send simulated visitors to a running collector for a bounded time."""
    url = (url or settings().public_address).rstrip("/")
    sent = refused = 0
    with click.progressbar(length=seconds, label=f"{visitors} visitors") as progress:
        began = time.monotonic()
        for visitor, event in _schedule(visitors, seconds, site):
            if _send(url, visitor, event):
                sent += 1
            else:
                refused += 1
            progress.update(int(time.monotonic() - began) - progress.pos)
        progress.update(seconds - progress.pos)
    click.echo(f"{sent} beacons accepted, {refused} refused. They fade away within 30 minutes.")


def _schedule(
    visitors: int, seconds: int, site: str
) -> Iterator[tuple[SimulatedVisitor, dict[str, Any]]]:
    """Yield each visitor's next event when it is due, never faster than the rate limit allows."""
    began = time.monotonic()
    turns: list[tuple[float, int]] = []
    crowd = [_visitor(site) for _ in range(visitors)]
    steps = [_journey(visitor) for visitor in crowd]
    upcoming: dict[int, dict[str, Any]] = {}

    def plan(who: int, after: float) -> None:
        step = next(steps[who], None)
        if step is not None:
            upcoming[who] = step[1]
            heapq.heappush(turns, (after + step[0], who))

    for who in range(visitors):
        plan(who, who / BEACONS_PER_SECOND)
    while turns:
        due, who = heapq.heappop(turns)
        if due > seconds:
            break
        time.sleep(max(0.0, began + due - time.monotonic()) + 0.2 / BEACONS_PER_SECOND)
        yield crowd[who], upcoming[who]
        spacing = len(crowd) / BEACONS_PER_SECOND
        plan(who, max(time.monotonic() - began, due + spacing))


def _visitor(site: str) -> SimulatedVisitor:
    agent = random.choices(AGENTS, AGENT_WEIGHTS)[0]
    return SimulatedVisitor(site=site, agent=agent, zone=random.choice(ZONES))


def _journey(visitor: SimulatedVisitor) -> Iterator[TrafficStep]:
    """From the home page as far as this visitor's interest goes, then presence on the last page."""
    interest = random.random()
    product = random.choice(list(PRODUCTS))
    collection = random.choice(("tea", "cups"))
    yield _view(0, "/demo/", "Tea and cups", **random.choice(ORIGINS))
    if interest > 0.15:
        yield _view(_reading(), f"/demo/collections/{collection}", collection.capitalize())
    if interest > 0.30:
        yield _view(_reading(), f"/demo/products/{product}", PRODUCTS[product])
    if random.random() < 0.15:
        yield _view(_reading(), "/demo/search", "Search", q="q")
    if random.random() < 0.10:
        yield 1, {"e": "i", "u": "/demo/", "i": {"name": random.choice(NAMES)}}
    if interest > 0.55:
        worth = sum(random.choices(PRICES, k=random.randint(1, 5)))
        yield _view(_reading(), "/demo/cart", "Cart", cv=worth, cc="EUR")
    if random.random() < 0.12:
        yield 2, {"e": "c", "s": "start", "u": "/demo/cart"}
    if interest > 0.72:
        yield _view(_reading(), "/demo/checkout/information", "Checkout")
    if interest > 0.85:
        yield _view(_reading(), "/demo/checkout/payment", "Payment")
    if interest > 0.93:
        yield _view(_reading(), "/demo/checkout/thank-you", "Thank you")
    yield from _presence()


def _presence() -> Iterator[TrafficStep]:
    """Presence until the end; some visitors hide the page, some become idle."""
    hides = random.random() < 0.2
    idles = random.random() < 0.3
    idle = 0
    while True:
        idle = idle + 20 if idles else 0
        if hides:
            yield 20, {"e": "h", "u": "/demo/", "a": idle}
            return
        yield 20, {"e": "p", "u": "/demo/", "a": idle}


def _view(wait: float, path: str, title: str, **more: str | int) -> TrafficStep:
    return wait, {"e": "v", "u": path, "d": f"{title} · {SHOP}", **more}


def _reading() -> float:
    return random.uniform(3, 15)


def _send(url: str, visitor: SimulatedVisitor, event: dict[str, Any]) -> bool:
    request = Request(
        f"{url}/v1/beacon",
        data=visitor.envelope(event),
        headers={
            "Content-Type": "text/plain",
            "Origin": "{0.scheme}://{0.netloc}".format(urlsplit(url)),
            "User-Agent": visitor.agent,
        },
    )
    try:
        with _send_when_allowed(request) as answer:
            accepted = json.loads(answer.read() or b"{}")
            visitor.visit_id = accepted.get("s", visitor.visit_id)
            visitor.zone_wanted = accepted.get("z") == 1
            return answer.status == 200
    except HTTPError as refusal:
        reason = refusal.read().decode(errors="replace")[:200] or refusal.reason
        raise click.ClickException(f"The collector answers {refusal.code}: {reason}") from None
    except (URLError, OSError) as fault:
        raise click.ClickException(
            f"No collector answers at {url} ({fault}): start it first: make run"
        ) from None


def _send_when_allowed(request: Request) -> Any:
    """The answer; what is too much for one address is sent again when the collector says, as browsers do."""
    while True:
        try:
            return urlopen(request, timeout=10)
        except HTTPError as refusal:
            if refusal.code != 429:
                raise
            time.sleep(float(refusal.headers.get("Retry-After", "1")))


if __name__ == "__main__":
    main()
