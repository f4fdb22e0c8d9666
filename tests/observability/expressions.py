"""Every expression that the project ships: of boards, recording rules and alerts; and the selectors in them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

_DEPLOY = Path(__file__).parents[2] / "deploy"
BOARDS = _DEPLOY / "grafana" / "dashboards"
RULES = _DEPLOY / "prometheus" / "rules"
_VARIABLES = {"__rate_interval": "5m", "__interval": "5s", "__range": "5m"}
_ANY = ".*"  # what a variable of a board stands for when all of it is chosen
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")


@dataclass(frozen=True)
class Expression:
    """One expression and where it stands."""

    where: str  # "panel overview / Published", "rule instadistro:...", "alert ..."; a second of the name: "... (2)"
    text: str


def panels(directory: Path = BOARDS) -> list[Expression]:
    """What the panels of the boards show, with their variables filled in."""
    return _told_apart(
        Expression(f"panel {name} / {panel['title']}", _filled(target["expr"]))
        for name, board in _boards(directory)
        for panel in _panels(board)
        for target in panel.get("targets", ())
    )


def marks(directory: Path = BOARDS) -> list[Expression]:
    """What marks the boards' times."""
    return _told_apart(
        Expression(f"annotation {name} / {annotation['name']}", _filled(annotation["expr"]))
        for name, board in _boards(directory)
        for annotation in board["annotations"]["list"]
        if "expr" in annotation
    )


def recording_rules(directory: Path = RULES) -> list[Expression]:
    """What is recorded."""
    return _told_apart(
        Expression(f"rule {_name(rule)}", rule["expr"].strip()) for rule in _rules(directory) if "record" in rule
    )


def alerts(directory: Path = RULES) -> list[Expression]:
    """What is watched."""
    return _told_apart(
        Expression(f"alert {rule['alert']}", rule["expr"].strip()) for rule in _rules(directory) if "alert" in rule
    )


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:(?:by|without|on|ignoring)\s*\([^()]*\)|group_(?:left|right)\b(?:\s*\([^()]*\))?)")
_SELECTOR = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)(?:\s*(\{[^{}]*\})|(?!\s*\())(?![\w:])")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"})


def selectors(expression: str) -> set[str]:
    """The selectors of series in an expression, each as it could be asked for by itself."""
    strings: list[str] = []

    def put_away(found: re.Match[str]) -> str:
        strings.append(found[0])
        return f'"{len(strings) - 1}"'

    bare = "\n".join(line.split("#")[0] for line in _STRING.sub(put_away, expression).splitlines())
    bare = _GROUPING.sub(" ", bare)
    found = {name + (matchers or "") for name, matchers in _SELECTOR.findall(bare) if name.lower() not in _WORDS}
    return {re.sub(r'"(\d+)"', lambda number: strings[int(number[1])], one) for one in found}


def _boards(directory: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(directory.glob("*.json")):
        yield file.stem, json.loads(file.read_text(encoding="utf-8"))


def _panels(holder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in holder.get("panels", ()):
        yield panel
        yield from _panels(panel)


def _told_apart(expressions: Iterable[Expression]) -> list[Expression]:
    """Number those that stand at the same place."""
    seen: Counter[str] = Counter()
    found = []
    for one in expressions:
        seen[one.where] += 1
        found.append(replace(one, where=f"{one.where} ({seen[one.where]})") if seen[one.where] > 1 else one)
    return found


def _filled(text: str) -> str:
    return _VARIABLE.sub(lambda found: _VARIABLES.get(found[1] or found[2], _ANY), text).strip()


def _rules(directory: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(directory.glob("*.yml")):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def _name(rule: dict[str, Any]) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(rule.get("labels", {}).items()))
    return f"{rule['record']} {{{labels}}}" if labels else str(rule["record"])
