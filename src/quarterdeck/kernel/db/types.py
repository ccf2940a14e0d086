"""Column types that read the same on SQLite and PostgreSQL, and the base of every table."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Dialect, Integer, MetaData, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from quarterdeck.kernel.clock import instant, micros

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit key; SQLite only numbers rows by itself in a column declared INTEGER."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds since the epoch."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else instant(value)


Json = JSON().with_variant(JSONB(), "postgresql")
"""Any JSON value. Replace it as a whole: changes inside it are not seen."""

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table of the program. Table names are `<package>_<plural>` (`deploy_resources`)."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy
        datetime: Instant,
        dict[str, Any]: Json,
        list[Any]: Json,
        list[str]: Json,
    }


class Identified:
    """The two names of a row: `id` inside, `uid` (UUIDv7) outside."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)


def encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def decode(text: str | bytes) -> Any:
    return msgspec.json.decode(text)


__all__ = ["Base", "BigId", "Identified", "Instant", "Json", "Mapped", "decode", "encode"]
