"""Pages by number, for small lists that hardly change: a far page costs, and may miss, what a cursor never does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.pagination.limits import parse_limit, parse_page, sanitize_limit, sanitize_page


@dataclass(frozen=True, kw_only=True)
class PageParams:
    """What a client asked for by page number."""

    limit: int  # rows, 1 to 100
    page: int  # from 1
    offset: int  # rows before the page


def parse_pagination_params(query: Mapping[str, str]) -> PageParams:
    """Read `limit` and `page` of a request. For small lists only: a far page costs all rows before it.

    Raises:
        PaginationError: one of them is no whole number (`invalid_limit`, `invalid_page`). Answer 400.
    """
    limit, page = parse_limit(query), parse_page(query)
    return PageParams(limit=limit, page=page, offset=(page - 1) * limit)


def create_paginated_response(rows: Sequence[Any], total: int, page: int, limit: int) -> dict[str, Any]:
    """The answer for one numbered page: `data`, and as `pagination` page, limit, total, total_pages and has_more."""
    page, limit = sanitize_page(page), sanitize_limit(limit)
    return {
        "data": list(rows),
        "pagination": {
            "page": page,
            "limit": limit,
            "total": total,
            "total_pages": -(-total // limit),
            "has_more": page * limit < total,
        },
    }
