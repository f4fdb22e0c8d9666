"""What a Prometheus answers to the queries of a board."""

from __future__ import annotations

import asyncio
import json
import math
import re
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.grafana.board import Board
from deploy.grafana.panel import Panel, Query
from shared.errors import InstaDistroError

_DEADLINE_S = 20.0
_AT_ONCE = 4
_POINTS = 240
_DEFAULT_SCRAPE_S = 15.0
_OTHER = "Start one with `instadistro up --with prometheus`, or name another with --prometheus."
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class PrometheusError(InstaDistroError):
    """Prometheus did not answer, or refused a query. Its text says which; see that it runs, then try again."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time that is drawn, as seconds since 1970, and how finely."""

    start: float
    end: float
    scrape_s: float = _DEFAULT_SCRAPE_S

    @property
    def step_s(self) -> float:
        """From one point to the next."""
        return max(round((self.end - self.start) / _POINTS), 1)

    def fill(self, expr: str, board: Board) -> str:
        """`expr` with Grafana's variables put in, as Grafana chooses them; its own variables stand for all."""
        rate_s = round(max(self.step_s + self.scrape_s, 4 * self.scrape_s))
        expr = expr.replace("$__rate_interval", f"{rate_s}s").replace("$__range", f"{round(self.end - self.start)}s")
        for variable in board.variables:
            expr = expr.replace(f"${variable.name}", ".*")
        return expr


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series of an answer; points are (seconds since 1970, finite value), at least one."""

    name: str
    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]

    @property
    def highest(self) -> float:
        """The greatest value."""
        return max(value for _, value in self.points)


Answers = dict[str, list[Series]]  # by the panel's title


async def ask_board(board: Board, *, url: str, minutes: float, now: float) -> tuple[Window, Answers]:
    """The answers to all queries of `board`, over the last `minutes` before `now` (seconds since 1970).

    Raises:
        PrometheusError: there is none at `url`, it is not ready, or it refuses a query. Its text is for people.
    """
    timeout = aiohttp.ClientTimeout(total=_DEADLINE_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = _Client(session, url.rstrip("/"))
        window = Window(start=now - minutes * 60, end=now, scrape_s=await client.scrape_interval_s())
        answers = await asyncio.gather(*(client.ask(panel, board, window) for panel in board.panels))
    return window, dict(zip((panel.title for panel in board.panels), answers, strict=True))


class _Client:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._shown = re.sub(r"//[^/@]*@", "//", url)  # a password in it is not for errors
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def scrape_interval_s(self) -> float:
        """Of the server's configuration; Grafana is told it in the datasource."""
        config = (await self._get("status/config", {}))["yaml"]
        found = re.search(r"^  scrape_interval: (\d+)(ms|s|m|h)$", config, re.MULTILINE)
        return int(found[1]) * _SECONDS[found[2]] if found else _DEFAULT_SCRAPE_S

    async def ask(self, panel: Panel, board: Board, window: Window) -> list[Series]:
        series: list[Series] = []
        for query in panel.queries:
            found = await self._query(query, window.fill(query.expr, board), window, instant=panel.instant)
            series += sorted(found, key=lambda each: (-each.highest, each.name))
        return series

    async def _query(self, query: Query, expr: str, window: Window, *, instant: bool) -> list[Series]:
        if instant:
            answer = await self._get("query", {"query": expr, "time": f"{window.end:.3f}"})
        else:
            times = {"start": f"{window.start:.3f}", "end": f"{window.end:.3f}", "step": f"{window.step_s:g}"}
            answer = await self._get("query_range", {"query": expr, **times})
        found = (_series(query, result) for result in answer["result"])
        return [series for series in found if series is not None]

    async def _get(self, path: str, parameters: dict[str, str]) -> Any:
        try:
            async with (
                self._turns,
                self._session.get(f"{self._url}/api/v1/{path}", params=parameters) as response,
            ):
                answer = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise PrometheusError(f"No Prometheus answers at {self._shown}. {_OTHER}") from error
        except ValueError as error:
            raise PrometheusError(f"What answers at {self._shown} is no Prometheus. {_OTHER}") from error
        if not isinstance(answer, dict) or answer.get("status") != "success":
            reason = answer.get("error") if isinstance(answer, dict) else "it is no Prometheus"
            raise PrometheusError(f"Prometheus at {self._shown} refused {parameters.get('query', path)!r}: {reason}.")
        return answer["data"]


def _series(query: Query, result: dict[str, Any]) -> Series | None:
    labels = {name: value for name, value in result["metric"].items() if name != "__name__"}
    raw = result["values"] if "values" in result else [result["value"]]
    points = tuple((float(at), float(value)) for at, value in raw)
    finite = tuple((at, value) for at, value in points if math.isfinite(value))
    name = re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), query.legend)
    return Series(name=name.strip(), labels=labels, points=finite) if finite else None
