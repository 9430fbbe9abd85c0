"""The visitors of one day by minute, beside those of the day before: read once for all viewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import cast

import numpy as np
import pandas as pd

from core.database import Connection
from core.deadline import DatabaseUnavailable, database_url
from core.frames import online_by_minute
from core.moment import utc_now
from core.settings import settings
from core.sites import list_sites
from core.tables import Site
from core.visits.calendar import Period, day_period
from core.visits.past_moments import known_since
from pages.parts.charts import ReadyFrame, arrow_of, ready_frame
from pages.parts.viewer import viewer_of_run
from pages.server.recent_answers import RecentAnswers
from pages.server.shared import Shared

LABELS = {
    "clock": "Time",
    "online": "Online",
    "before": "The day before",
    "chatting": "Chatting",
}

MINUTE = timedelta(minutes=1)

DAY_KEPT_FOR = timedelta(seconds=55)
"""How old the day may be: the page asks for it each minute."""

DAY_BEFORE_KEPT_FOR = timedelta(minutes=10)

MOST_KEPT = 60
"""Days that are kept, of all sites and viewers; a day is 60 kB."""

_TOLD_EVERY = 60
"""Minutes between two rows of the table for who does not see the chart."""


@dataclass(frozen=True)
class OnlineDay:
    """A local day in minutes. ready: the rows of `day_frame` as a chart gets them. peak: the most visitors of a minute, and its
    clock time; 0 and "" while there were none."""

    period: Period
    site_ids: frozenset[int]
    ready: ReadyFrame
    peak: int
    peak_at: str


def online_day(site: Site, sites: Sequence[Site], day: date) -> OnlineDay | None:
    """The day in the time zone of the site, or of All sites; the last one that was read while the database does not
    answer; None without one."""
    try:
        seen = viewer_of_run().seen_of(sites)
        url = database_url()
    except DatabaseUnavailable:
        return None
    ids = frozenset(cast(int, each.id) for each in seen)
    key = (url, site.key, site.time_zone, ids)
    day_before = day_period(day - timedelta(days=1), site.time_zone)
    before = _days_before.find(
        (*key, day),
        partial(
            Shared[pd.DataFrame],
            partial(read_day, ids=ids, period=day_before),
            DAY_BEFORE_KEPT_FOR,
            from_replica=True,
        ),
    )

    def read(db: Connection, now: datetime) -> OnlineDay | None:
        period = day_period(day, site.time_zone)
        frame = read_day(db, now, ids, period)
        return (
            None if frame is None else _online_day(frame, before.last, period, site.time_zone, ids)
        )

    now = utc_now()
    before.latest(now)
    shared = _days.find(
        (*key, day), partial(Shared[OnlineDay], read, DAY_KEPT_FOR, from_replica=True)
    )
    return shared.latest(now)[0]


def day_frame(
    day: pd.DataFrame, before: pd.DataFrame | None, period: Period, time_zone: str
) -> pd.DataFrame:
    """A row for each minute of the day: minute (from its begin, 0 to 1439, or as long as the day is), clock ("14:03"), online
    and chatting (NaN where they are to come), before (online at the same clock time of the day before, NaN
    without one), peak (the most, in words, at its first minute, else "")."""
    length = (period.until_at - period.from_at) // MINUTE
    online = _padded(day["online"], length)
    clocks = _clocks(period.from_at, length, time_zone)
    return pd.DataFrame(
        {
            "minute": np.arange(length, dtype="int16"),
            "clock": clocks,
            "online": online,
            "before": _at_same_time(clocks, before, time_zone),
            "chatting": _padded(day["chatting"], length),
            "peak": _peak(online),
        }
    )


def clear_days() -> None:
    """Have everything read again."""
    _days.clear()
    _days_before.clear()


def read_day(
    db: Connection, now: datetime, ids: frozenset[int], period: Period
) -> pd.DataFrame | None:
    """As `online_by_minute`; NaN where the past is not known any more."""
    sites = [site for site in list_sites(db) if site.id in ids]
    if not sites:
        return None
    frame = online_by_minute(db, sites, *period, now)
    since = known_since(db, sorted(ids), timedelta(days=settings().retention_days), now)
    is_known = frame["minute"] >= since if since else pd.Series(False, frame.index)
    return frame.assign(**{name: frame[name].where(is_known) for name in ("online", "chatting")})


def _online_day(
    day: pd.DataFrame,
    before: pd.DataFrame | None,
    period: Period,
    time_zone: str,
    ids: frozenset[int],
) -> OnlineDay:
    frame = day_frame(day, before, period, time_zone)
    hours = frame[(frame["minute"] % _TOLD_EVERY == 0) & frame["online"].notna()]
    told = ready_frame(hours.astype({"online": int, "chatting": int}), LABELS).told
    peak = frame[frame["peak"] != ""]
    return OnlineDay(
        period,
        ids,
        ReadyFrame(arrow_of(frame), told),
        0 if peak.empty else int(peak["online"].iloc[0]),
        "" if peak.empty else peak["clock"].iloc[0],
    )


def _padded(numbers: pd.Series[int], length: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    padded = np.full(length, np.nan, dtype="float32")
    padded[: len(numbers)] = numbers[:length]
    return padded


def _clocks(since: datetime, length: int, time_zone: str) -> pd.Index[str]:
    return pd.date_range(since, periods=length, freq="min").tz_convert(time_zone).strftime("%H:%M")


def _at_same_time(
    clocks: pd.Index[str], before: pd.DataFrame | None, time_zone: str
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    if before is None or before.empty:
        return np.full(len(clocks), np.nan, dtype="float32")
    then = before["minute"].dt.tz_convert(time_zone).dt.strftime("%H:%M")
    by_clock = pd.Series(before["online"].to_numpy("float32"), then)
    by_clock = by_clock[~by_clock.index.duplicated()]
    return by_clock.reindex(clocks).to_numpy("float32")


def _peak(online: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[str]:
    """The words stand at one minute of those with the most, the first one."""
    marks = [""] * len(online)
    known = np.nan_to_num(online, nan=0)
    if known.size and known.max() > 0:
        first = int(known.argmax())
        marks[first] = f"{int(known[first]):,}"
    return marks


_days = RecentAnswers[OnlineDay](MOST_KEPT)
_days_before = RecentAnswers[pd.DataFrame](MOST_KEPT)
"""By the database's address, whose it is, its time zone, the sites, and the day."""
