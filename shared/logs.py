"""Logs: one event a line, JSON for machines, a readable form on a terminal; never a token, a key or a body."""

from __future__ import annotations

import json
import logging
import math
import sys
import threading
from collections.abc import Mapping, MutableMapping
from datetime import date
from enum import Enum
from types import TracebackType
from typing import Any

import msgspec
import structlog
from structlog.typing import Processor

from shared.redaction import MASK, is_secret_name, redact
from shared.trace import add_trace_id

_FORMATS = ("auto", "json", "console")
# A line is never longer: log collectors cut at 16 KiB, and half an object is none.
LINE_BYTES_MAX = 16_000
_TEXT_CHARS_MAX = 2_000
_EXCEPTION_CHARS_MAX = 8_000
_LOOKED_THROUGH_MAX = 64_000
_GAP = " … "
_FIRST = ("ts", "level", "event", "service")
# What a line cannot do without, and what is always short.
_KEPT = (*_FIRST, "request_id", "trace_id", "job_id", "job_type", "attempt", "subject", "error", "exception")
# Shorter fields of our own are ids, names and routes; looking through each would cost every request.
_PLAIN_CHARS_MAX = 40
_FREE_TEXT = frozenset({"error", "exception", "cause", "first", "stack", "reason", "url"})
_AS_THEY_ARE = frozenset({int, float, bool, type(None)})
_DEPTH_MAX = 8
_LEFT_OUT_MAX = 20
_CUT_TO = (_TEXT_CHARS_MAX // 4, 50)  # twelve bytes a character, at worst
_INT_BITS_MAX = 1_024

log = structlog.get_logger()
_Event = MutableMapping[str, Any]


def begin_logs(*, service: str, environ: Mapping[str, str]) -> bool:
    """Set up logging before the settings are read, so that what is wrong with them is a line too.

    Returns:
        Whether lines are JSON: whoever has a text for people on a terminal may print it otherwise.
    """
    wished = environ.get("LOG_FORMAT") or "auto"
    return configure_logs(service=service, level="info", log_format=wished if wished in _FORMATS else "auto")


def configure_logs(*, service: str, level: str, log_format: str) -> bool:
    """Set up logging of this process: our own lines, those of libraries, warnings, and what nobody caught.

    Args:
        service: name on every line.
        level: `debug`, `info`, `warning` or `error`. Libraries are never heard below `info`: at `debug` some of them
            write what they send.
        log_format: `json`, `console`, or `auto` (console on a terminal).

    Returns:
        Whether lines are JSON.
    """
    as_json = log_format == "json" or (log_format == "auto" and not sys.stdout.isatty())

    def add_service(_logger: Any, _method: str, event: _Event) -> _Event:
        event.setdefault("service", service)
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_service,
        add_trace_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        # Without local variables: tokens are among them.
        structlog.processors.format_exc_info,
        _make_safe,
    ]
    renderer: Any = _to_json if as_json else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    # Every request is a line. As JSON it goes straight to the output: the standard library would take a fifth of the
    # request's time for it.
    structlog.configure(
        processors=[*shared, renderer if as_json else structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout) if as_json else structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _listen_to_libraries(shared, renderer, level=level)
    _catch_the_uncaught()
    return as_json


def _listen_to_libraries(shared: list[Processor], renderer: Any, *, level: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level.upper()]))
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a library's faulty call would be told in lines of no form
    # Their own lines on lost connections only repeat what ours say with more context.
    for name in ("aio_pika", "aiormq", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _catch_the_uncaught() -> None:
    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("process.crashed", exc_info=(kind, error, trace))

    def thread_crashed(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log.critical("thread.crashed", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    def not_raised(args: sys.UnraisableHookArgs) -> None:
        log.error("error.not_raised", error=args.err_msg, exc_info=args.exc_value)

    sys.excepthook = crashed
    threading.excepthook = thread_crashed
    sys.unraisablehook = not_raised


def _make_safe(_logger: Any, _method: str, event: _Event) -> _Event:
    is_foreign = "_record" in event  # a library's own words
    for key, value in event.items():
        kind = type(value)
        if is_secret_name(key):
            event[key] = MASK
        elif kind is str:
            if len(value) > _PLAIN_CHARS_MAX or key in _FREE_TEXT or is_foreign:
                event[key] = _safe_text(value, _EXCEPTION_CHARS_MAX if key == "exception" else _TEXT_CHARS_MAX)
        elif kind not in _AS_THEY_ARE and key != "_record":
            event[key] = _safe_inside(value, _DEPTH_MAX)
    return event


def _safe_inside(value: Any, depth: int) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, str):
        return _safe_text(str(value), _TEXT_CHARS_MAX)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    if not isinstance(value, dict | list | tuple | set | frozenset):
        return _safe_text(_shown(value), _TEXT_CHARS_MAX)
    if depth == 0:
        return _GAP.strip()
    if isinstance(value, dict):
        # A name may be wrong as well: half a character, or a text of others.
        named = ((_safe_text(_shown(key), _TEXT_CHARS_MAX), item) for key, item in value.items())
        return {key: MASK if is_secret_name(key) else _safe_inside(item, depth - 1) for key, item in named}
    return [_safe_inside(item, depth - 1) for item in value]


def _shown(value: Any) -> str:
    try:
        if isinstance(value, Enum | date):
            return str(value.value if isinstance(value, Enum) else value.isoformat())
        return repr(value) if isinstance(value, BaseException) else str(value)
    except Exception:  # noqa: BLE001 - whatever somebody's class does: a line must never fail
        return f"a {type(value).__name__} that cannot be shown"


def _safe_text(text: str, most: int) -> str:
    text = redact(_cut(text, _LOOKED_THROUGH_MAX))  # before it is cut short: half a secret looks like none
    return _cut(text, most)


def _cut(text: str, most: int) -> str:
    """The end tells most: of a traceback the error, of an error its cause."""
    return text if len(text) <= most else text[: most // 4] + _GAP + text[-(most - most // 4) :]


def _to_json(_logger: Any, _method: str, event: _Event) -> str:
    get = event.get
    ordered = {"ts": get("ts"), "level": get("level"), "event": get("event"), "service": get("service"), **event}
    line = _encode(ordered)
    if len(line) * 4 > LINE_BYTES_MAX and len(line.encode()) > LINE_BYTES_MAX:
        line = _shortened(ordered)
    return line


def _shortened(event: Mapping[str, Any]) -> str:
    kept = {name: event[name] for name in _KEPT if name in event}
    left_out = sorted(str(name)[:_PLAIN_CHARS_MAX] for name in event if name not in kept)[:_LEFT_OUT_MAX]
    line = ""
    for most in _CUT_TO:
        line = _encode({name: _short(value, most) for name, value in kept.items()} | {"left_out": left_out})
        if len(line.encode()) <= LINE_BYTES_MAX:
            break
    return line


def _short(value: Any, most: int) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    return _cut(value if isinstance(value, str) else _encode(value), most)


def _encode(event: Any) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=_shown).decode()
    except (TypeError, ValueError):  # half a character, a number without end: a line must never fail
        return json.dumps(_with_sound_numbers(event))


def _with_sound_numbers(value: Any) -> Any:
    """The standard library writes numbers that JSON has not, and refuses to write the longest ones."""
    if isinstance(value, dict):
        return {key: _with_sound_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_sound_numbers(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and value.bit_length() > _INT_BITS_MAX:
        return f"a number of {value.bit_length()} bits"
    return value
