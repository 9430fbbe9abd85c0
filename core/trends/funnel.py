"""How many visits reached each step of a funnel, one after the other, and how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select
from sqlmodel import col

from core.enrich.country import UNKNOWN_NAME
from core.enrich.page_context import path_fits
from core.funnel_steps import FunnelStep
from core.rollups.dimensions import Dimension
from core.rollups.site_counts import REST
from core.tables import Page, Site
from core.trends.cards import REST_LABEL
from core.trends.chunk_arrays import read_chunks
from core.trends.column_texts import Integers
from core.trends.counted_days import CountedSite
from core.trends.filters import NO_FILTERS, TrendFilters
from core.trends.period import TrendPeriod
from core.trends.side_by_side import read_parts
from core.trends.site_trends import TellShare
from core.trends.visit_parts import VisitPart, parts_of
from core.trends.visit_views import (
    VisitSources,
    VisitViews,
    read_shown,
    read_sources,
    shown_of,
)

LISTED = 100
"""The most sources that have a row of their own; the rest is summed in one more."""


@dataclass(frozen=True, eq=False)
class Funnel:
    """How far visits came that began in a period. It is equal to itself only.

    visits: how many there were in all. steps: a row for each step, in order. Columns: step (1, 2 ...), label, visits
    (that reached it, after the step before), share (of all visits), share_of_before (of those that reached the step
    before; of the first: of all visits), dropped (visits that reached the step before and not this one), and
    median_seconds (from the step before to this one; NaN of the first, and where nobody reached it).
    by_source: a row for each source, that with most visits at the first step first, LISTED of them, then the
    rest in one. Columns: value, label, step_1, step_2 ... (visits), share (of its first step's visits, that
    reached the last), is_rest.
    """

    visits: int
    steps: pd.DataFrame
    by_source: pd.DataFrame


def funnel(
    db: Connection,
    site: Site,
    period: TrendPeriod,
    steps: Sequence[FunnelStep],
    filters: TrendFilters = NO_FILTERS,
    progress: TellShare | None = None,
) -> Funnel:
    """How many visits of the site that began in the period reached each of the steps in this order.

    A step is reached by the first view of one of its pages after the view that reached the step before. Visits
    that retention has deleted are not told of. steps: at least one.
    """
    assert site.id is not None
    pages = _pages_of_steps(db, site.id, steps)
    of_steps = np.unique(np.concatenate(pages))
    known = CountedSite.read(db, site)
    parts = parts_of(db, known, period.bounds, filters)
    total = max(sum(part.visits for part in parts), 1)
    visits, done = 0, 0
    reached = pd.DataFrame()
    waits: list[list[Integers]] = [[] for _ in steps]
    read = partial(_read_part, site.id, of_steps)
    for part, (sources, shown) in read_parts(db, parts, read, is_level=known.is_level):
        visits += len(sources.visits)
        if shown:
            passed = _passed(shown, pages)
            reached = _added(reached, _by_source(shown, passed, sources))
            for place in range(1, len(steps)):
                came = passed[place] >= 0
                waits[place].append(
                    shown.at[passed[place][came]] - shown.at[passed[place - 1][came]]
                )
        done += part.visits
        if progress:
            progress(done / total)
    if progress and not parts:
        progress(1.0)
    return Funnel(
        visits, _steps_frame(steps, reached, waits, visits), _source_frame(reached, steps)
    )


def _read_part(
    site_id: int, pages: Integers, db: Connection, part: VisitPart
) -> tuple[VisitSources, VisitViews | None]:
    if part.asked is not None:
        of_these = (Dimension.SOURCE, Dimension.PAGE)
        return shown_of(read_chunks(db, part.chunks, part.asked, of_these), pages)
    sources = read_sources(db, part.wanted)
    shown = read_shown(db, site_id, sources.visits, pages) if len(sources.visits) else None
    return sources, shown


def _pages_of_steps(db: Connection, site_id: int, steps: Sequence[FunnelStep]) -> list[Integers]:
    """Of each step the ids of its pages, in ascending order."""
    columns = (col(Page.id), col(Page.path), col(Page.page_context))
    rows = db.execute(select(*columns).where(col(Page.site_id) == site_id)).tuples().all()
    return [
        np.array(sorted(id for id, path, context in rows if _is_of(step, path, context)), np.int64)
        for step in steps
    ]


def _is_of(step: FunnelStep, path: str, context: str) -> bool:
    return path_fits(step.pattern, path) if step.pattern else context == step.page_context


def _passed(shown: VisitViews, pages: Sequence[Integers]) -> list[Integers]:
    """Of each step, by visit, the place of the view that reached it; -1: none."""
    total = len(shown.page)
    after = np.searchsorted(shown.visit, shown.visits)  # where its first view stands
    until = np.searchsorted(shown.visit, shown.visits, side="right")
    places: list[Integers] = []
    for of_step in pages:
        fits = np.isin(shown.page, of_step)
        at = np.append(np.where(fits, np.arange(total), total), total)
        # The next view that fits, from each place on.
        following = np.minimum.accumulate(at[::-1])[::-1]
        found = following[np.minimum(after, total)]
        is_reached = found < until
        places.append(np.where(is_reached, found, -1))
        after = np.where(is_reached, found + 1, total)
    return places


def _by_source(
    shown: VisitViews, passed: Sequence[Integers], sources: VisitSources
) -> pd.DataFrame:
    """Visits that reached each step, by source: each source of these visits, also of those that reached none."""
    codes = sources.codes[np.searchsorted(sources.visits, shown.visits)]
    came = {
        f"step_{place}": np.bincount(codes[of_step >= 0], minlength=len(sources.names))
        for place, of_step in enumerate(passed, 1)
    }
    return pd.DataFrame(came, index=pd.Index([*sources.names]))


def _added(sums: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    return sums.add(more, fill_value=0) if len(sums) else more


def _steps_frame(
    steps: Sequence[FunnelStep],
    reached: pd.DataFrame,
    waits: Sequence[Sequence[Integers]],
    visits: int,
) -> pd.DataFrame:
    came = [
        int(reached[f"step_{step}"].sum()) if len(reached) else 0 for step, _ in enumerate(steps, 1)
    ]
    before = [visits, *came[:-1]]
    medians = [
        float(np.median(np.concatenate(of_step)) / 1000) if sum(map(len, of_step)) else np.nan
        for of_step in waits
    ]
    return pd.DataFrame(
        {
            "step": range(1, len(steps) + 1),
            "label": [step.label for step in steps],
            "visits": came,
            "share": [number / max(visits, 1) for number in came],
            "share_of_before": [
                number / max(earlier, 1) for number, earlier in zip(came, before, strict=True)
            ],
            "dropped": [earlier - number for number, earlier in zip(came, before, strict=True)],
            "median_seconds": medians,
        }
    )


def _source_frame(reached: pd.DataFrame, steps: Sequence[FunnelStep]) -> pd.DataFrame:
    names = [f"step_{place}" for place in range(1, len(steps) + 1)]
    if not len(reached):
        return pd.DataFrame(columns=["value", "label", *names, "share", "is_rest"])
    frame = reached.astype("int64").rename_axis("value").reset_index()
    frame = frame.assign(label=[value or UNKNOWN_NAME for value in frame["value"]], is_rest=False)
    frame = frame.sort_values([names[0], "label"], ascending=[False, True])
    rest = frame.iloc[LISTED:]
    frame = frame.iloc[:LISTED]
    if len(rest):
        sums: dict[str, Any] = {name: [int(rest[name].sum())] for name in names}
        last = {"value": [REST], "label": [REST_LABEL], **sums, "is_rest": [True]}
        frame = pd.concat([frame, pd.DataFrame(last)])
    share = frame[names[-1]] / frame[names[0]].clip(lower=1)
    return frame.assign(share=share)[["value", "label", *names, "share", "is_rest"]].reset_index(
        drop=True
    )
