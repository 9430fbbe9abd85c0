"""What happened over time: trends of a site, its funnel, and what chats have to do with purchases."""

from core.funnel_steps import DEFAULT_STEPS, FunnelStep, read_funnel_steps
from core.rollups.dimensions import Returning
from core.rollups.site_counts import REST
from core.trends.cards import shortened
from core.trends.chat_effect import ChatEffect, chat_effect
from core.trends.filters import NO_FILTERS, TrendFilters
from core.trends.funnel import Funnel, funnel
from core.trends.period import Granularity, TrendPeriod, last_days, month_of, today
from core.trends.series_steps import day_label
from core.trends.site_trends import TOTALS, TellShare, Trends, trends
from core.trends.step_measures import StepMeasure, StepMeasures, step_measures

__all__ = [
    "DEFAULT_STEPS",
    "NO_FILTERS",
    "REST",
    "TOTALS",
    "ChatEffect",
    "Funnel",
    "FunnelStep",
    "Granularity",
    "Returning",
    "StepMeasure",
    "StepMeasures",
    "TellShare",
    "TrendFilters",
    "TrendPeriod",
    "Trends",
    "chat_effect",
    "day_label",
    "funnel",
    "last_days",
    "month_of",
    "read_funnel_steps",
    "shortened",
    "step_measures",
    "today",
    "trends",
]
