"""The project's rules with short times: an alert counts at once, and every rule is evaluated each second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.observability.expressions import RULES


def write_shortened(target: Path, *, source: Path = RULES) -> Path:
    """Copy the rule files into `target`, which is returned. No expression, name, label or text is changed."""
    target.mkdir()
    for file in source.glob("*.yml"):
        rules = yaml.safe_load(file.read_text(encoding="utf-8"))
        (target / file.name).write_text(yaml.safe_dump(_shortened(rules), sort_keys=False), encoding="utf-8")
    return target


def _shortened(rules: dict[str, Any]) -> dict[str, Any]:
    groups = [
        {**group, "interval": "1s", "rules": [_at_once(rule) for rule in group["rules"]]} for group in rules["groups"]
    ]
    return {"groups": groups}


def _at_once(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in {"for", "keep_firing_for"}}
