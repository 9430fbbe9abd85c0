"""What every table is built on: moments, JSON as text, and the base class."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import ConfigDict
from sqlalchemy import BigInteger, ColumnElement, Index, Text, TextClause
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


class PartialIndex(Index):
    """An index of the rows for which a condition holds.

    Of the dialects only that of the database in use is loaded for it: Index(postgresql_where=...) would load
    Postgres' at once, 4 MB.
    """

    inherit_cache = True

    def __init__(
        self,
        name: str,
        *columns: str,
        where: ColumnElement[bool] | TextClause,
        unique: bool = False,
    ) -> None:
        super().__init__(name, *columns, unique=unique)
        self._where = where

    def _kw_reg_for_dialect_cls(self, dialect_name: str) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Its options for a dialect, which SQLAlchemy asks for when it writes the statement."""
        options: Any = super()._kw_reg_for_dialect_cls(dialect_name)
        options["where"] = self._where
        return options


class Table(Named, registry=registry()):
    """The base of every table; its own registry lets Streamlit reload this module."""

    # A third of the time that the tables take to load: few of them are ever validated or dumped.
    model_config = ConfigDict(defer_build=True)  # pyright: ignore[reportAssignmentType]

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Self:
        """The row as an object to read. The constructor, which prepares it for an ORM session, takes
        thirty times as long."""
        return cls.model_construct(**row)


def moment(**options: Any) -> Any:
    """The field of a moment; options as for `Field`."""
    return Field(sa_type=Moment, **options)
