"""The detector behind tests/e2e/test_secrecy.py: it must find what is planted, or its silence says nothing."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from tests.told_secrets import Detector

SECRET = 'Sec/ret+of "one" & user: 9f3c'
DETECTOR = Detector({"the key": SECRET})


@pytest.mark.parametrize(
    "planted",
    [
        SECRET,
        SECRET[:16] + "...",
        "..." + SECRET[-16:],
        quote(SECRET),
        quote(SECRET, safe=""),
        json.dumps({"key": SECRET}),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(b"user:" + SECRET.encode()).decode(),
        base64.urlsafe_b64encode(b"a name:" + SECRET.encode() + b"more").decode(),
    ],
)
def test_a_planted_secret_is_found(planted):
    """Plain, cut short, or in an encoding that it may travel in."""
    assert DETECTOR.told(f'{{"event": "request.done", "error": "{planted}"}}') == {"the key"}


def test_a_line_without_one_is_clean():
    """Nothing is found where nothing is."""
    assert DETECTOR.told('{"event": "request.done", "route": "/v1/posts", "secret": "***"}') == set()
