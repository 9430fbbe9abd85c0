"""pulse_types.d.ts names what component.py gives the pulse."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from pages.parts.pulse.pulse import MomentLine
from tests.helpers.page_reading import pulse
from tests.helpers.seed import make_site, make_visits
from tests.helpers.type_declarations import declared_keys
from tests.pages.conftest import Database, OpenPage

TYPES = "parts/pulse/client/pulse_types.d.ts"


def test_what_the_pulse_gets_is_declared_as_it_is(database: Database, open_page: OpenPage) -> None:
    make_visits(database.engine, make_site(database.engine), 1, now=datetime.now(UTC))
    assert declared_keys(TYPES, "PulseData") == set(pulse(open_page()))
    assert declared_keys(TYPES, "LineJson") == {field.name for field in fields(MomentLine)}
