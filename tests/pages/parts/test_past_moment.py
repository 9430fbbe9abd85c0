"""The moment in a page's address: read, and written so that it is read as the same one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pages.parts.past_moment import moment_of, next_second, text_of


@pytest.mark.parametrize(
    "text, time_zone, wanted",
    [
        ("2026-11-29T14:03:05", "Europe/Berlin", "2026-11-29T13:03:05"),
        ("2026-11-29T14:03", "Asia/Kathmandu", "2026-11-29T08:18:00"),
        ("2026-11-29 14:03", "UTC", "2026-11-29T14:03:00"),
        ("2026-11-29T14:03:05Z", "Europe/Berlin", "2026-11-29T14:03:05"),
        ("2026-11-29T14:03+05:30", "UTC", "2026-11-29T08:33:00"),
        ("2026-11-29T14:03 05:30", "UTC", "2026-11-29T08:33:00"),
        # The clock shows it twice, and never.
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00"),
    ],
)
def test_moment_is_read_in_the_sites_time(text: str, time_zone: str, wanted: str) -> None:
    assert moment_of(text, time_zone) == datetime.fromisoformat(f"{wanted}+00:00")


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2026-11-29", "14:03", "2026-13-29T14:03", "2026-11-31T14:03"),
        *("2026-11-29T25:03", "2026-11-29T14:03:05.5", "2026-11-29T14:03+99:00", "20261129T140305"),
        *(
            "0001-01-01T00:00+12:00",
            "9999-12-31T23:59-12:00",
            "0001-01-01T12:00",
            "9999-12-31T23:59",
            "2026-11-29T14:03<b>",
            "٢٠٢٦-11-29T14:03",
        ),
    ],
)
def test_anything_else_names_no_moment(text: str) -> None:
    assert moment_of(text, "Europe/Berlin") is None


@pytest.mark.parametrize(
    "time_zone", ["UTC", "Europe/Berlin", "Pacific/Chatham", "America/St_Johns"]
)
@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 11, 1)]
)
def test_moment_is_read_as_it_was_written(day: datetime, time_zone: str) -> None:
    for minutes in range(0, 1500, 15):
        moment = day.replace(tzinfo=UTC) + timedelta(minutes=minutes)
        assert moment_of(text_of(moment, time_zone), time_zone) == moment


def test_next_second_shows_what_happened() -> None:
    whole = datetime(2026, 11, 29, 14, 3, 5, tzinfo=UTC)
    assert next_second(whole) == whole
    assert next_second(whole + timedelta(milliseconds=1)) == whole + timedelta(seconds=1)
