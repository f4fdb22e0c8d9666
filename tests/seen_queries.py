"""Every statement that the product's code sends while the tests run: each must be in the index catalogue.

What a test sends itself is none of the product's. So a statement counts by who called the driver: the nearest caller
that is neither the driver nor the library of pools and batches, if that is code of the product.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy

from shared.database.catalogue import known_statements

_CHECKOUT = Path(__file__).parents[1]
_PRODUCT = tuple(f"{_CHECKOUT / room}/" for room in ("services", "shared", "deploy"))
_THROUGH = (f"{_CHECKOUT / 'shared' / 'database'}/", f"{Path(asyncpg.__file__).parent}/")
_QUERY = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b")
# Without a table there is nothing to look for, and so no index.
_TABLE = re.compile(r"\b(FROM|INTO|UPDATE)\b")
# What it asks to learn the types of columns and parameters.
_DRIVERS_OWN = {"_introspect_types", "copy_records_to_table"}
_ADVICE = """\
The product sent statements that the index catalogue does not know. Give each an entry in shared/database/catalogue,
with the index that serves it; docs/database.md says how, in five minutes. A statement that stands in a call becomes a
constant first, so that the catalogue can name it."""


class SeenQueries:
    """Notes the statements, of all workers together, and fails the session if one is not catalogued."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.unknown: list[str] = []

    def watch(self) -> None:
        """Note every statement that the product's code sends in this process, but for COPY, which looks for nothing."""
        for sender, name in ((asyncpg.Connection, "_get_statement"), (PoolConnectionProxy, "execute")):
            setattr(sender, name, self._noting(getattr(sender, name)))

    def _noting(self, send: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(send)
        def noting(connection: Any, query: str, *args: Any, **options: Any) -> Any:
            if query not in self.seen and is_query(query) and _is_ours(sys._getframe(1)):  # noqa: SLF001 - who asks
                self.seen.add(query)
            return send(connection, query, *args, **options)

        return noting

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker has seen."""
        self.seen.update(getattr(node, "workeroutput", {}).get("queries", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over what was seen, or judge it, once every worker has ended."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["queries"] = sorted(self.seen)
            return
        self.unknown = uncatalogued(self.seen) if self.seen else []
        if self.unknown and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which, and what to do."""
        if self.unknown:
            terminalreporter.section("queries without an index entry", red=True)
            terminalreporter.line(_ADVICE)
            for statement in self.unknown:
                terminalreporter.line(f"  {statement}")


def uncatalogued(statements: set[str]) -> list[str]:
    """Those of these statements that the index catalogue does not know, each on one line."""
    return sorted(" ".join(statement.split()) for statement in statements - set(known_statements()))


def is_query(text: str) -> bool:
    """Whether a text is a statement that reads or writes a table."""
    return _QUERY.match(text) is not None and _TABLE.search(text) is not None


def _is_ours(frame: FrameType | None) -> bool:
    for code in _callers(frame):
        if code.co_name in _DRIVERS_OWN:
            return False
        if not code.co_filename.startswith(_THROUGH):
            return code.co_filename.startswith(_PRODUCT)
    return False


def _callers(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back
