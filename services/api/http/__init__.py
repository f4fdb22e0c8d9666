"""What every route needs of HTTP: who asks, what it says, how it is answered."""

from services.api.http.answers import answer, created, no_content
from services.api.http.auth import Authenticator, Caller, Scope
from services.api.http.bodies import Body, decode_json, read_bytes, read_json, read_optional_json, too_large
from services.api.http.pages import PageRequest, answer_page, fetch_page, read_page
from services.api.http.problems import Fault, ProblemError, invalid, not_found
from services.api.http.queries import choice_of, flag_of, path_id, read_query, time_of, uuid_of
from services.api.http.times import NAIVE_MESSAGE, aware, parse_time

__all__ = [
    "NAIVE_MESSAGE",
    "Authenticator",
    "Body",
    "Caller",
    "Fault",
    "PageRequest",
    "ProblemError",
    "Scope",
    "answer",
    "answer_page",
    "aware",
    "choice_of",
    "created",
    "decode_json",
    "fetch_page",
    "flag_of",
    "invalid",
    "no_content",
    "not_found",
    "parse_time",
    "path_id",
    "read_bytes",
    "read_json",
    "read_optional_json",
    "read_page",
    "read_query",
    "time_of",
    "too_large",
    "uuid_of",
]
