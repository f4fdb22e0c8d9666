"""The list of events is that of the code, and docs/events.md shows it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from shared.accounts.states import ARROWS as ACCOUNT_ARROWS
from shared.outbox import EVENT_PATTERNS, EVENT_TYPES, is_wanted
from shared.publications.states import ARROWS as PUBLICATION_ARROWS
from shared.publications.states import PublicationState, event_of

CHECKOUT = Path(__file__).parents[2]
SOURCES = [path for room in ("services", "shared") for path in (CHECKOUT / room).rglob("*.py")]
_TYPE = re.compile(r"[a-z]+\.[a-z_]+", re.ASCII)
# The proxy's own states; an f-string makes the type.
_PROXIES = {"proxy.up", "proxy.down"}
_ALERTS = {event_type for event_type in EVENT_TYPES if event_type.startswith("alert.")}


def calls(tree, name):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def texts(tree):
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def told_by(tree):
    """Functions of a module that are given the type of the event that they record."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    return {node.name for node in functions if "type_" in {arg.arg for arg in node.args.args} and calls(node, "Event")}


def emitted():
    """The types of every module that makes events, as far as they stand in its text; and those of the states."""
    found = {arrow.event for arrow in ACCOUNT_ARROWS} | _PROXIES
    # A claim is no news.
    arrows = [arrow for arrow in PUBLICATION_ARROWS if arrow.target is not PublicationState.PUBLISHING]
    found |= {event_of(arrow.target, arrow.owner) for arrow in arrows}
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in calls(tree, "Event"):
            for keyword in call.keywords:
                if keyword.arg == "type":
                    found |= {text for text in texts(keyword.value) if _TYPE.fullmatch(text)}
        # A type that is handed on by name.
        for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
            if getattr(call.func, "id", "") in told_by(tree):
                found |= {text for argument in call.args for text in texts(argument) if _TYPE.fullmatch(text)}
        if path.parent.name == "alerts":
            # Each step of an alert hands on the type of the event that tells it.
            found |= {text for call in ast.walk(tree) if isinstance(call, ast.Call) for text in texts(call)} & _ALERTS
        if "event=_FAILED" in path.read_text(encoding="utf-8"):
            found |= {text for text in texts(tree) if text.endswith(".failed")}
    return found


def test_every_event_of_the_code_is_in_the_list_and_no_other():
    """A client that asks for a type can rely on its coming."""
    assert emitted() == set(EVENT_TYPES)


def test_the_page_shows_the_list():
    """docs/events.md has every type with what it tells."""
    page = (CHECKOUT / "docs" / "events.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| ([^|]+) \|$", page, re.MULTILINE)

    assert listed == list(EVENT_TYPES.items())


def test_a_kind_stands_for_all_its_types():
    """And nothing for everything."""
    assert is_wanted("publication.failed", ["publication.*"])
    assert is_wanted("publication.failed", [])
    assert not is_wanted("publication.failed", ["publication.held", "media.*"])
    assert "publication.*" in EVENT_PATTERNS
    assert "*" not in EVENT_PATTERNS
