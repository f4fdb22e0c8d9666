"""Lists in pages that cost the same however deep they lie and show every row once, though rows come and go."""

from __future__ import annotations

from shared.pagination.cursor import Cursor, SortColumn, SortDirection, cursor_scope
from shared.pagination.errors import InvalidCursorError, PaginationError
from shared.pagination.limits import PAGINATION_LIMITS, sanitize_limit, sanitize_page
from shared.pagination.numbered import PageParams, create_paginated_response, parse_pagination_params
from shared.pagination.pages import (
    CursorParams,
    CursorQuery,
    build_count_query,
    build_cursor_query,
    create_cursor_paginated_response,
    link_header,
    parse_cursor_pagination_params,
)

__all__ = [
    "PAGINATION_LIMITS",
    "Cursor",
    "CursorParams",
    "CursorQuery",
    "InvalidCursorError",
    "PageParams",
    "PaginationError",
    "SortColumn",
    "SortDirection",
    "build_count_query",
    "build_cursor_query",
    "create_cursor_paginated_response",
    "create_paginated_response",
    "cursor_scope",
    "link_header",
    "parse_cursor_pagination_params",
    "parse_pagination_params",
    "sanitize_limit",
    "sanitize_page",
]
