"""What logs must never show, in either format."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import structlog
from shared.logs import configure_logs

configure_logs(service="test", level="info", log_format=sys.argv[1])
log = structlog.get_logger()

def call():
    access_token = "SECRET-IN-A-LOCAL"
    raise ValueError("went wrong")

log.info("connected", access_token="SECRET-IN-A-FIELD", account="kept")
try:
    call()
except ValueError:
    log.exception("failed")
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_log_shows_events_and_traces_and_no_secret(log_format):
    """Neither a field named like a secret nor a local variable of a traceback."""
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM, log_format], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert "SECRET" not in said
    assert "kept" in said
    assert "ValueError: went wrong" in said
