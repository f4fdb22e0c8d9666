"""What lines of the log are made of, whoever wrote them, and what they must never show, in either format."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.jobs import JobType, new_job
from shared.jobs.follow_up import dead_headers
from shared.jobs.outcomes import Dead
from shared.jobs.payloads import MonitorSwarm
from shared.logs import LINE_BYTES_MAX
from shared.redaction import redact

_BEGIN = """
import asyncio, logging, sys, threading, warnings
import structlog
from shared.logs import configure_logs

configure_logs(service="test", level=sys.argv[2], log_format=sys.argv[1])
log = structlog.get_logger()
"""
_SECRETIVE = """
def call():
    access_token = "SECRET-IN-A-LOCAL"
    raise ValueError("went wrong at https://user:SECRET-IN-A-URL@host/?access_token=SECRET-IN-A-QUERY")

log.info("connected", access_token="SECRET-IN-A-FIELD", account="kept", inside={"password": "SECRET-INSIDE"})
logging.getLogger("some.library").warning("sent Authorization: Bearer SECRET-OF-A-LIBRARY")
try:
    call()
except ValueError:
    log.exception("failed")
"""


def run(program, *, log_format="json", level="info"):
    """Run a program that logs; what it wrote to its output and to its error output."""
    command = [sys.executable, "-c", _BEGIN + program, log_format, level]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout, done.stderr


def lines(program, **how):
    """The lines of a program that writes nothing but lines of JSON."""
    said, beside = run(program, **how)
    assert beside == ""
    return [json.loads(line) for line in said.splitlines()]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_log_shows_events_and_traces_and_no_secret(log_format):
    """Neither a field named like a secret, nor a traceback's local variable, nor what an error or a library quotes."""
    said, _ = run(_SECRETIVE, log_format=log_format)

    assert "SECRET" not in said
    assert "kept" in said
    assert "ValueError: went wrong at https://***@host/" in said


def test_every_line_begins_with_what_one_reads_first():
    """Time, level, event and service, in that order; an exception is a field of its line."""
    told = lines(_SECRETIVE)

    assert [list(line)[:4] for line in told] == [["ts", "level", "event", "service"]] * 3
    assert {line["service"] for line in told} == {"test"}
    assert "Traceback" in told[-1]["exception"]


def test_libraries_warnings_and_tasks_write_lines_too():
    """Of the standard library's loggers, of asyncio, of warnings, and of threads and tasks whose errors nobody took."""
    told = lines("""
logging.getLogger("some.library").error("lost %s", "a line", exc_info=ValueError("of a library"))
warnings.warn("this will be gone")
async def main():
    async def fail():
        raise ValueError("of a task")
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
asyncio.run(main())
def fail():
    raise ValueError("of a thread")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
class Dying:
    def __del__(self):
        raise ValueError("of a finalizer")
Dying()
raise ValueError("of the program")
""")

    exceptions = [line.get("exception", "") for line in told]
    for origin in ("library", "task", "thread", "finalizer"):
        assert any(f"of a {origin}" in text for text in exceptions), origin
    assert any("this will be gone" in line["event"] for line in told)
    assert (told[-1]["event"], told[-1]["level"]) == ("process.crashed", "critical")
    assert "ValueError: of the program" in told[-1]["exception"]


def test_libraries_are_never_heard_at_debug():
    """Some write there what they send, headers and all."""
    told = lines('logging.getLogger("http").debug("Bearer x")\nlog.debug("ours")', level="debug")

    assert [line["event"] for line in told] == ["ours"]


def test_a_line_is_bounded_whatever_it_was_given():
    """A megabyte in an error, in a traceback, in many fields and in signs that take six bytes each."""
    said, _ = run("""
log.error("long", error="begin " + "x" * 1_000_000 + " end")
try:
    raise ValueError("y" * 1_000_000)
except ValueError:
    log.exception("crashed")
log.error("many", **{f"field_{index}": "z" * 10_000 for index in range(1_000)})
log.error("wide", error="\\x01" * 100_000, exception="\\x01" * 100_000)
log.error("half a character", error="\\ud800")
""")
    raw = said.splitlines()
    told = [json.loads(line) for line in raw]

    assert [line["event"] for line in told] == ["long", "crashed", "many", "wide", "half a character"]
    assert all(len(line.encode()) <= LINE_BYTES_MAX for line in raw)
    assert told[0]["error"].startswith("begin x")
    assert told[0]["error"].endswith("x end")
    assert "field_0" in told[2]["left_out"]


def test_a_line_is_sound_whatever_value_it_was_given():
    """Values without an end, without a form in JSON, or that cannot even be shown; and what they quote is masked."""
    said, _ = run("""
class Stubborn:
    def __repr__(self):
        raise RuntimeError("no")
endless = {}
endless["itself"] = endless
for name, value in {
    "endless": endless, "stubborn": Stubborn(), "number": 10 ** 10_000, "error": ValueError("redis://u:SECRET@h"),
    "bytes": b"SECRET", "nan": [float("nan"), "\\ud800"], "names": {(1, 2): 3}, "times": [{"token": "SECRET"}],
}.items():
    log.info(name, value=value)
try:
    raise ExceptionGroup("several", [ValueError("one"), ExceptionGroup("more", [KeyError("two")])])
except ExceptionGroup:
    log.exception("group")
""")

    def sound(constant):
        raise AssertionError(constant)

    told = {line["event"]: line for line in (json.loads(text, parse_constant=sound) for text in said.splitlines())}
    assert len(told) == 9
    assert "SECRET" not in said
    assert told["error"]["value"] == "ValueError('redis://***@h')"
    assert told["nan"]["value"][0] is None
    assert "KeyError: 'two'" in told["group"]["exception"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("host=db password=hidden user=x", "host=db password=*** user=x"),
        ("proxy http://user:p@ss@host:1/a@b", "proxy http://***@host:1/a@b"),
        ("Authorization: hidden, Accept: x", "Authorization: ***, Accept: x"),
        ("Bearer authentication is required", "Bearer authentication is required"),
        ("amqp://user:pass@host:5672/", "amqp://***@host:5672/"),
        ("Proxy-Authorization: Basic dXNlcjpwYXNz", "Proxy-Authorization: Basic ***"),
        ("ids_0123456789abcdef_AbCdEf-_0123", "ids_0123456789abcdef_***"),
        ("token IGAAK" + "x9" * 20 + " has expired", "token *** has expired"),
        ("/callback?state=s&code=abc#_", "/callback?state=s&code=***#_"),
        ("/media/a.jpg?expires=1&signature=0af7", "/media/a.jpg?expires=1&signature=***"),
        ('{"access_token": "abc", "id": "1"}', '{"access_token": "***", "id": "1"}'),
        ("App(client_secret='abc', id='1')", "App(client_secret='***', id='1')"),
        ("refused\nDETAIL:  Failing row contains (a\ncaption).", "refused\nDETAIL:  ***"),
        (
            "invalid input for query argument $2: 'a caption' (expected int)",
            "invalid input for query argument $2: *** (expected int)",
        ),
        ("TOKEN_KEYS is not set. Tokens: 3 of 4 renewed.", "TOKEN_KEYS is not set. Tokens: 3 of 4 renewed."),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_the_rest_stays(text, left):
    """Enough is left to know the thing by."""
    assert redact(text) == left


def test_what_is_kept_of_a_dead_job_is_masked_too():
    """Its error and the tale of its attempts are stored and shown, and hold no more than a log does."""
    error = "refused by https://user:hidden@host\nDETAIL:  Failing row contains (hidden)."
    job = new_job(JobType.HEALTH_MONITOR, MonitorSwarm(user_id=UUID(int=1)))

    headers = dead_headers(job, Dead(reason="exhausted", error=error), routing_key="", at=datetime.now(UTC))

    assert "hidden" not in str(headers)
    assert "https://***@host" in headers["x-dead-error"]
