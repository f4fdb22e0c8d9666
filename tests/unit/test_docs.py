"""What the documents say is so: links lead somewhere, commands exist, tables are those of the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from deploy.cli.main import cli
from deploy.local import Ports
from deploy.local.ports import variable
from services.api.app import ROUTES
from services.api.http.problems import KINDS

CHECKOUT = Path(__file__).parents[2]
ROOMS = [entry for entry in CHECKOUT.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
PAGES = sorted([*CHECKOUT.glob("*.md"), *(page for room in ROOMS for page in room.rglob("*.md"))])
_FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PLACES = re.compile(r"(?:deploy|docs|examples|services|shared|tests)/[\w./-]*\w/?")


def page_name(page):
    return str(page.relative_to(CHECKOUT))


def modules(room):
    return sorted((CHECKOUT / room).rglob("*.py"))


def prose_of(page):
    return _SPAN.sub("", _FENCED.sub("", page.read_text(encoding="utf-8")))


def code_of(page):
    """What a reader would type or look up: every fenced line and every code span."""
    text = page.read_text(encoding="utf-8")
    spans = _SPAN.findall(_FENCED.sub("", text))
    return [line for block in _FENCED.findall(text) for line in block.splitlines()] + spans


def anchors_of(page):
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_relative_link_leads_somewhere(page):
    """A link to a file or to a heading of one is never dead."""
    dead = []
    for link in _LINK.findall(prose_of(page)):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_path_that_is_named_exists(page):
    """A file that a page names by its path from the checkout is there."""
    named = [code for code in code_of(page) if _PLACES.fullmatch(code)]

    assert [path for path in named if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_make_target_that_is_named_exists(page):
    """`make X` works for each X that a page tells the reader to type."""
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = [target for code in code_of(page) for target in re.findall(r"\bmake (?:[A-Z]+=\S+ )*([a-z][a-z-]*)", code)]

    assert [target for target in named if target not in targets] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_command_that_is_named_exists_with_its_options(page):
    """`instadistro X --option` works as a page writes it."""
    calls = [call for code in code_of(page) for call in re.findall(r"\binstadistro ([a-z][^|;)#]*)", code)]

    assert [call for call in calls if not is_command(call)] == []


def is_command(call):
    """Whether these words name a command of the console script, and only options that it has."""
    command: click.Command | None = cli
    for word in call.split():
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), word)
        if command is None:
            return False
        options = {name for parameter in command.params for name in parameter.opts}
        if word.startswith("--") and word not in options:
            return False
    return not isinstance(command, click.Group)


def test_the_routes_are_the_gateway_s_own():
    """docs/api.md lists every route with its scope, in the code's order, and no other."""
    page = (CHECKOUT / "docs" / "api.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `([A-Z]+) (/v1/[^`]*)` \| (\w+) \|", page, re.MULTILINE)

    assert listed == [(route.method, route.path, "none" if route.public else route.scope.value) for route in ROUTES]


def test_the_problems_are_the_gateway_s_own():
    """docs/api.md lists every code with what it means."""
    page = (CHECKOUT / "docs" / "api.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `(\w+)` \| (\d{3}) \| ([^|]+) \| (yes)? ?\|$", page, re.MULTILINE)

    kinds = [(code, str(kind.status), kind.title, "yes" if kind.retryable else "") for code, kind in KINDS.items()]
    assert listed == kinds


def test_every_kill_point_has_its_crash_told():
    """docs/lifecycle.md says for each kill point of the code what heals a death there."""
    sources = [path.read_text(encoding="utf-8") for room in ("services", "shared") for path in modules(room)]
    points = {point for text in sources for point in re.findall(r'\bkill_point\("([\w.]+)"\)', text)}
    page = (CHECKOUT / "docs" / "lifecycle.md").read_text(encoding="utf-8")

    told = set(re.findall(r"^\| `(\w+\.\w+)`", page, re.MULTILINE))

    assert points
    assert told == points


def test_the_ports_are_the_system_s_own():
    """docs/local.md lists every port with its variable."""
    page = (CHECKOUT / "docs" / "local.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| (\d+) \| [^|]+ \| `(\w+)` \|$", page, re.MULTILINE)

    assert listed == [(str(item.default), variable(item.name)) for item in fields(Ports)]
