"""The frames that the pages draw: the public entry for charts, and the only place for pandas."""

from core.frames.answer import answer_frame
from core.frames.breakdown import OTHER, OTHER_LABEL
from core.frames.csv_export import csv_of, without_names
from core.frames.journey import Journey, visitor_journey
from core.frames.narrow import Filters, narrow
from core.frames.order import count_pages, order_by, page_of
from core.frames.parquet_export import parquet_of
from core.frames.picture import Breakdowns, Cards, Picture, live_picture, picture_of_sites
from core.frames.transcripts import conversations_frame, messages_frame
from core.frames.visitors import UNKNOWN

__all__ = [
    "OTHER",
    "OTHER_LABEL",
    "UNKNOWN",
    "Breakdowns",
    "Cards",
    "Filters",
    "Journey",
    "Picture",
    "answer_frame",
    "conversations_frame",
    "count_pages",
    "csv_of",
    "live_picture",
    "messages_frame",
    "narrow",
    "order_by",
    "page_of",
    "parquet_of",
    "picture_of_sites",
    "visitor_journey",
    "without_names",
]
