"""A warning of the Health page, and the rule that finds it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct

Measured = TypeVar("Measured")


class Severity(StrEnum):
    """How bad it is: visitors or their data are being lost, or are going to be if nobody sees to it."""

    BAD = "bad"
    WARN = "warn"


class HealthWarning(NamedTuple):
    """What is wrong, in one sentence, and what to do. The code is for programs and never changes."""

    code: str
    severity: Severity
    text: str
    cure: str


class HealthRule(Struct, Generic[Measured], frozen=True):
    """find: what is wrong in what was measured, or None."""

    code: str
    severity: Severity
    find: Callable[[Measured], str | None]
    cure: str

    def apply(self, measured: Measured) -> HealthWarning | None:
        """The warning, or None while all is well."""
        text = self.find(measured)
        return HealthWarning(self.code, self.severity, text, self.cure) if text else None
