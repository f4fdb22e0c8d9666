"""Logs: one event a line, JSON for machines, a readable form on a terminal; never a token, a key or a body."""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog
from structlog.typing import Processor

from shared.trace import add_trace_id

# A last line of defence: fields by these names are masked whatever was passed. Code does not log secrets to begin with.
_SECRET_WORDS = ("token", "secret", "password", "authorization", "api_key", "pepper")


def configure_logs(*, service: str, level: str, log_format: str) -> None:
    """Set up logging of this process, standard library loggers of dependencies included.

    Args:
        service: name on every line.
        level: `debug`, `info`, `warning` or `error`.
        log_format: `json`, `console`, or `auto` (console on a terminal).
    """
    as_json = log_format == "json" or (log_format == "auto" and not sys.stdout.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        _mask_secrets,
    ]
    to_json: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_encode)]
    renderers: list[Any] = (
        to_json
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(),
                # The default shows local variables where rich is installed: tokens among them.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    # Every request is a line. As JSON it goes straight to the output: the standard library would take a fifth of the
    # request's time for it.
    last = to_json if as_json else [structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout) if as_json else structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Their own lines on lost connections only repeat what ours say with more context.
    for name in ("aio_pika", "aiormq", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.contextvars.bind_contextvars(service=service)


def _mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if _is_secret(key):
            event[key] = "***"
    return event


@functools.lru_cache(maxsize=1_000)
def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRET_WORDS)


def _encode(event: Any, **_: Any) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=repr).decode()
    except (TypeError, ValueError):  # half a character, or a key that is no text: a line must never fail
        return json.dumps(event, default=repr)
