"""The catalogue as tables for people."""

from __future__ import annotations

from shared.database.catalogue import CATALOGUE, INDEXES


def catalogue_tables() -> str:
    """Markdown: the indexes with what they are for, then the queries with their indexes."""
    return "\n".join([*_indexes(), "", *_queries()])


def _indexes() -> list[str]:
    lines = ["| index | table | kind | why | queries |", "|---|---|---|---|---|"]
    for index in sorted(INDEXES, key=lambda index: (index.table, index.name)):
        serves = sum(index.name in query.indexes for query in CATALOGUE)
        lines.append(f"| `{index.name}` | {index.table} | {index.kind} | {index.why} | {serves or ''} |")
    return lines


def _queries() -> list[str]:
    lines = ["| query | statement | index |", "|---|---|---|"]
    for query in sorted(CATALOGUE, key=lambda query: query.name):
        served = ", ".join(f"`{name}`" for name in query.indexes) or query.whole
        lines.append(f"| {query.name} | `{query.source}` | {served} |")
    return lines
