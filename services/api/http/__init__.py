"""What every route needs of HTTP: who asks, what it says, how it is answered."""

from services.api.http.answers import Answer, answer, created, no_content
from services.api.http.auth import Authenticator
from services.api.http.bodies import JSON_BYTES_MAX, NEEDED, Body, FilePart, decode_json, read_bytes, too_large
from services.api.http.caller import Caller, Scope
from services.api.http.identity import remember_caller, request_id_of
from services.api.http.pages import (
    NEWEST_FIRST,
    CreatedSort,
    Order,
    Page,
    PageRequest,
    Pagination,
    answer_page,
    fetch_page,
    read_page,
)
from services.api.http.problems import Fault, ProblemError, invalid, not_found
from services.api.http.queries import NoQuery, PageQuery, Query, RemovalQuery, path_id, read_query
from services.api.http.times import NAIVE_MESSAGE, aware, parse_time

__all__ = [
    "JSON_BYTES_MAX",
    "NAIVE_MESSAGE",
    "NEEDED",
    "NEWEST_FIRST",
    "Answer",
    "Authenticator",
    "Body",
    "Caller",
    "CreatedSort",
    "Fault",
    "FilePart",
    "NoQuery",
    "Order",
    "Page",
    "PageQuery",
    "PageRequest",
    "Pagination",
    "ProblemError",
    "Query",
    "RemovalQuery",
    "Scope",
    "answer",
    "answer_page",
    "aware",
    "created",
    "decode_json",
    "fetch_page",
    "invalid",
    "no_content",
    "not_found",
    "parse_time",
    "path_id",
    "read_bytes",
    "read_page",
    "read_query",
    "remember_caller",
    "request_id_of",
    "too_large",
]
