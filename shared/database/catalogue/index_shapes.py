"""How an entry of the list of indexes is made, and those that every table has alike."""

from __future__ import annotations

from shared.database.catalogue.query import Index, Kind

_NAMES_IT = "Names the row."
_PARENT = (
    "Children refer to it by tenant and id, so that none can point into another tenant; a tenant's row is found by it."
)


def primary(*tables: str) -> tuple[Index, ...]:
    """The primary keys of these tables."""
    return tuple(Index(name=f"{table}_pkey", table=table, kind=Kind.PRIMARY, why=_NAMES_IT) for table in tables)


def parent(*tables: str) -> tuple[Index, ...]:
    """The keys by which children refer to them."""
    return tuple(Index(name=f"{table}_user_id_id_key", table=table, kind=Kind.UNIQUE, why=_PARENT) for table in tables)


def page(*tables: str) -> tuple[Index, ...]:
    """The indexes of these tables' lists."""
    return tuple(
        Index(name=f"{table}_page", table=table, kind=Kind.COMPOSITE, why="The tenant's list, in its order.")
        for table in tables
    )


def index(name: str, table: str, kind: Kind, why: str) -> Index:
    """An index of its own."""
    return Index(name=name, table=table, kind=kind, why=why)
