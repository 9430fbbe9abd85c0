"""What every table is built on: moments, JSON as text, and the base class."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from sqlalchemy import BigInteger, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import declared_attr, registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from core.moment import from_milliseconds, to_milliseconds


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime in Python, whole milliseconds since the epoch in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_milliseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_milliseconds(value)


class JsonText(TypeDecorator[Any]):
    """A JSON value kept as text, so that both databases store the same characters."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return json.loads(value) if value else None


class Named(SQLModel):
    """What is named after its class."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """PageView -> page_view."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class Table(Named, registry=registry()):
    """The base of every table; its own registry lets Streamlit reload this module."""

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Self:
        """The row as an object to read. The constructor, which prepares it for an ORM session, takes
        thirty times as long."""
        return cls.model_construct(**row)


def moment(**options: Any) -> Any:
    """The field of a moment; options as for `Field`."""
    return Field(sa_type=Moment, **options)
