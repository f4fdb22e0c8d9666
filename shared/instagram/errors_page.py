"""The platform's errors as tables in Markdown, as docs/platform-errors.md shows them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.instagram.error_rules import (
    CODE_ONLY_RULES,
    CODE_REFUSED,
    CONTAINER_FAILED,
    FLAGGED,
    GENERAL_RULES,
    NEW_SUBCODE,
    NO_IDEA,
    NOT_ALLOWED,
    NOT_ON_APP,
    OBSERVED,
    OBSERVED_RULES,
    PERMISSION,
    PUBLISHING_RULES,
    SERVER,
    THROTTLE_RULES,
    TIMED_OUT,
    TOO_FEW_VIEWERS,
    TOO_MANY,
    ErrorRule,
)

_Rows = Sequence[tuple[tuple[int | str | None, ...], ErrorRule]]

_TABLES = (
    ("Publishing", PUBLISHING_RULES),
    ("Publishing, seen but not documented", OBSERVED_RULES),
    ("Publishing, without a subcode", CODE_ONLY_RULES),
    ("Any call", GENERAL_RULES),
    ("Limits of calls", THROTTLE_RULES),
)
_ON_SOME_CALLS = (
    ("code 10 on the insights of a story", TOO_FEW_VIEWERS),
    ("code 100 of type `IGApiException` on the profile, the exchange or the refresh of a token", NOT_ON_APP),
    ("any refusal of an OAuth code but HTTP 429", CODE_REFUSED),
    ("a container in state ERROR whose text has no number known here", CONTAINER_FAILED),
)
_OTHERWISE = (
    ("subcode 2207000 to 2207999, unless the code is 102 or 190", NEW_SUBCODE),
    ("code 200 to 299", PERMISSION),
    ("`is_transient`", FLAGGED),
    ("HTTP 401", NOT_ALLOWED),
    ("HTTP 408", TIMED_OUT),
    ("HTTP 429", TOO_MANY),
    ("HTTP 500 to 599", SERVER),
    ("anything else", NO_IDEA),
)


def errors_page() -> str:
    """Every row, each with the source it is numbered by."""
    by_code: list[tuple[str, _Rows]] = [
        (title, [((rule.code, rule.subcode), rule) for rule in rules]) for title, rules in _TABLES
    ]
    by_words: list[tuple[str, _Rows]] = [
        ("On some calls only", [((when,), rule) for when, rule in _ON_SOME_CALLS]),
        ("Where no row fits, in this order", [((when,), rule) for when, rule in _OTHERWISE]),
    ]
    rules = [rule for _, rows in (*by_code, *by_words) for _, rule in rows]
    sources = sorted({rule.source for rule in rules} - {OBSERVED})
    parts = [_table(title, ["code", "subcode"], rows, sources) for title, rows in by_code]
    parts += [_table(title, ["when"], rows, sources) for title, rows in by_words]
    listed = [f"{number}. developers.facebook.com`{source}`" for number, source in enumerate(sources, 1)]
    return "\n\n".join([*parts, "## Sources", "\n".join(listed)])


def _table(title: str, keys: list[str], rows: _Rows, sources: list[str]) -> str:
    columns = [*keys, "meaning", "class", "live?", "what to do", "source"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for key, rule in rows:
        number = OBSERVED if rule.source == OBSERVED else str(sources.index(rule.source) + 1)
        cells = [
            *("any" if part is None else str(part) for part in key),
            rule.meaning,
            f"`{rule.error_class}`",
            "look" if rule.may_be_live else "no",
            rule.advice,
            f"{number}, {rule.seen}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([f"## {title}", "", *lines])
