"""A typed asyncio client of InstaDistro's HTTP API."""

from instadistro_client.client import InstaDistro
from instadistro_client.errors import (
    ApiError,
    ClientError,
    ConflictError,
    EventsLostError,
    Fault,
    InvalidRequestError,
    NoAnswerError,
    NotAllowedError,
    NotFoundError,
    Problem,
    RateLimitedError,
    UnavailableError,
    UnexpectedAnswerError,
)
from instadistro_client.events import Event, EventStream
from instadistro_client.pages import Listing, Page, Pagination
from instadistro_client.transport import Reply, Request, RetryPolicy
from instadistro_client.unset import UNSET

__all__ = [
    "UNSET",
    "ApiError",
    "ClientError",
    "ConflictError",
    "Event",
    "EventStream",
    "EventsLostError",
    "Fault",
    "InstaDistro",
    "InvalidRequestError",
    "Listing",
    "NoAnswerError",
    "NotAllowedError",
    "NotFoundError",
    "Page",
    "Pagination",
    "Problem",
    "RateLimitedError",
    "Reply",
    "Request",
    "RetryPolicy",
    "UnavailableError",
    "UnexpectedAnswerError",
]
