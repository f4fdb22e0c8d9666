"""Boards as pictures, drawn from what an API of Prometheus answers."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from deploy.cli.boards import boards
from deploy.grafana import BOARDS, Board
from deploy.grafana.boards import OVERVIEW
from deploy.grafana.draw import PrometheusError, ask_board, draw_board
from deploy.grafana.draw.scale import time_marks, value_marks
from deploy.grafana.draw.svg import shorten, text_width
from deploy.grafana.draw.units import write
from shared.errors import InstaDistroError

_NOW = 1_800_000_000.0
_SVG = "{http://www.w3.org/2000/svg}"

Answer = Callable[[str], list[tuple[Mapping[str, str], float]]]


class _Prometheus:
    """The three answers that pictures need, made of one function from expressions to labelled values."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, str]] = []
        self.answer: Answer = lambda _: []

    async def config(self, _: web.Request) -> web.Response:
        return _success({"yaml": "global:\n  scrape_interval: 5s\n  scrape_timeout: 5s\n"})

    async def query(self, request: web.Request) -> web.Response:
        found = self._found(request)
        return _success({"result": [{"metric": labels, "value": [_NOW, str(value)]} for labels, value in found]})

    async def query_range(self, request: web.Request) -> web.Response:
        times = [_NOW - 60 + 15 * number for number in range(5)]
        return _success(
            {
                "result": [
                    {"metric": labels, "values": [[at, str(value)] for at in times]}
                    for labels, value in self._found(request)
                ]
            }
        )

    def _found(self, request: web.Request) -> list[tuple[Mapping[str, str], float]]:
        self.asked.append(request.query)
        return self.answer(request.query["query"])


def _success(data: Any) -> web.Response:
    return web.json_response({"status": "success", "data": data})


@pytest.fixture
async def prometheus() -> AsyncIterator[tuple[_Prometheus, str]]:
    """One that listens on loopback, and its address."""
    served = _Prometheus()
    app = web.Application()
    app.router.add_get("/api/v1/status/config", served.config)
    app.router.add_get("/api/v1/query", served.query)
    app.router.add_get("/api/v1/query_range", served.query_range)
    async with TestServer(app) as server:
        yield served, str(server.make_url("/"))


async def _picture(board: Board, url: str) -> str:
    window, answers = await ask_board(board, url=url, minutes=15, now=_NOW)
    return draw_board(board, answers, window)


def _words(picture: str) -> list[str]:
    """Every line of text in the picture."""
    return ["".join(text.itertext()) for text in ET.fromstring(picture).iter(f"{_SVG}text")]  # noqa: S314


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
async def test_a_picture_has_every_panel_and_says_where_there_are_no_data(board, prometheus):
    """Against an empty Prometheus each panel stands there with its title and "no data", and no word is cut."""
    _, url = prometheus

    words = _words(await _picture(board, url))

    assert [panel.title for panel in board.panels if panel.title not in words] == []
    assert words.count("no data") == len(board.panels)
    assert [line for line in words if "…" in line] == []


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
async def test_a_picture_shows_values_and_stays_within_its_edges(board, prometheus):
    """With many long series everywhere nothing is drawn outside, and nothing lacks data."""
    served, url = prometheus
    served.answer = lambda _: [
        ({"slo": f"objective-{n}", "queue": "q" * 40, "service": str(n), "priority": "<&>"}, 3.0**n) for n in range(30)
    ]

    picture = await _picture(board, url)

    root = ET.fromstring(picture)  # noqa: S314 - our own picture
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert "no data" not in _words(picture)
    assert len(list(root.iter(f"{_SVG}polyline"))) > 30
    for shape in root.iter():
        points = [(float(shape.attrib["x"]), float(shape.attrib["y"]))] if "x" in shape.attrib else []
        pairs = (pair.split(",") for pair in shape.attrib.get("points", "").split())
        points += [(float(x), float(y)) for x, y in pairs]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points), shape.attrib


async def test_numbers_bars_and_tables_show_their_values(prometheus):
    """Units are written as Grafana does, labels name what is meant."""
    served, url = prometheus
    served.answer = lambda expr: {
        "max(instadistro_publications_oldest_due_age_seconds)": [({}, 90.0)],
        "instadistro:slo_budget_left:ratio": [({"slo": "api_latency"}, 0.893)],
        OVERVIEW.rows[1].panels[2].queries[0].expr: [({"severity": "page", "alertname": "ServiceDown"}, 1.0)],
    }.get(expr, [])

    words = _words(await _picture(OVERVIEW, url))

    assert {"1.5 mins", "api_latency", "89.3%", "severity", "page", "ServiceDown"} <= set(words)


async def test_values_that_are_no_numbers_are_left_out(prometheus):
    """0/0 and infinity are no data."""
    served, url = prometheus
    served.answer = lambda _: [({}, math.nan), ({}, math.inf)]

    words = _words(await _picture(OVERVIEW, url))

    assert words.count("no data") == len(OVERVIEW.panels)


async def test_queries_are_asked_as_grafana_would(prometheus):
    """No variable is left over, rates span four scrapes, and variables stand for all."""
    served, url = prometheus

    for board in BOARDS:
        await _picture(board, url)

    expressions = [asked["query"] for asked in served.asked]
    assert [expr for expr in expressions if "$" in expr] == []
    assert any("[20s]" in expr for expr in expressions)
    assert any("[900s]" in expr for expr in expressions)
    assert any('priority=~".*"' in expr for expr in expressions)


async def test_the_same_answers_make_the_same_picture(prometheus):
    """Pictures of two runs differ only by what was measured."""
    served, url = prometheus
    served.answer = lambda _: [({"slo": name}, 1.0) for name in "bca"]

    assert await _picture(OVERVIEW, url) == await _picture(OVERVIEW, url)


async def test_a_refused_query_is_told(prometheus):
    """What Prometheus says of a query reaches the person who asked."""
    served, url = prometheus

    def refuse(_: str) -> list[tuple[Mapping[str, str], float]]:
        raise web.HTTPBadRequest(text='{"status": "error", "error": "parse error"}')

    served.answer = refuse

    with pytest.raises(PrometheusError, match=r"refused .*: parse error"):
        await ask_board(OVERVIEW, url=url, minutes=15, now=_NOW)


async def test_the_command_writes_one_picture_a_board(prometheus, tmp_path):
    """It makes the directory, and names the files."""
    _, url = prometheus
    directory = tmp_path / "new" / "pictures"

    done = await asyncio.to_thread(CliRunner().invoke, boards, [str(directory), "--prometheus", url, "--minutes", "5"])

    assert done.exit_code == 0, done.output
    assert done.output.split() == [str(directory / f"{board.name}.svg") for board in BOARDS]
    assert all(ET.parse(file).getroot().tag == f"{_SVG}svg" for file in directory.iterdir())  # noqa: S314


def test_a_prometheus_that_does_not_answer_is_told(tmp_path):
    """The command says where it asked, but no password, and how to have one; no picture is left half made."""
    done = CliRunner().invoke(boards, [str(tmp_path / "out"), "--prometheus", "http://me:hidden@127.0.0.1:9"])

    assert isinstance(done.exception, InstaDistroError)
    assert str(done.exception) == (
        "No Prometheus answers at http://127.0.0.1:9. "
        "Start one with `instadistro up --with prometheus`, or name another with --prometheus."
    )
    assert not (tmp_path / "out").exists()


async def test_something_else_that_answers_is_told():
    """A page of another server is not taken for data."""
    async with TestServer(web.Application()) as server:
        with pytest.raises(PrometheusError, match="is no Prometheus"):
            await ask_board(OVERVIEW, url=str(server.make_url("/")), minutes=15, now=_NOW)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0, "none", "0"),
        (12, "none", "12"),
        (1_234, "short", "1.23 K"),
        (2_500_000, "short", "2.5 Mil"),
        (0.0123, "s", "12.3 ms"),
        (0.00042, "s", "420 µs"),
        (59.99, "s", "1 min"),
        (5_400, "s", "1.5 hours"),
        (-90, "s", "-1.5 mins"),
        (0.9956, "percentunit", "99.6%"),
        (80, "percent", "80%"),
        (1_468_006, "bytes", "1.4 MiB"),
        (17.68, "reqps", "17.7 req/s"),
        (0.25, "cpm", "0.25 c/m"),
    ],
)
def test_values_are_written_as_grafana_does(value, unit, words):
    """Three digits that count, and the unit that fits."""
    assert write(value, unit) == words


@pytest.mark.parametrize("unit", ["none", "s", "bytes", "percentunit"])
@pytest.mark.parametrize("highest", [0, 0.0007, 0.3, 1, 7, 61, 950, 4_000, 1.3e9])
def test_an_axis_begins_at_zero_and_covers_the_highest_value(unit, highest):
    """Few marks, evenly apart."""
    marks = value_marks(highest, unit)

    assert marks[0] == 0
    assert marks[-1] >= highest * (1 - 1e-9)
    assert 2 <= len(marks) <= 6
    assert all(math.isclose(mark, marks[1] * number) for number, mark in enumerate(marks))


@pytest.mark.parametrize("minutes", [1, 15, 60, 1_440, 43_200])
def test_times_are_round_and_few(minutes):
    """Marks of time lie within what is drawn."""
    marks = time_marks(_NOW, _NOW + minutes * 60, most=8)

    assert 1 <= len(marks) <= 9
    assert all(_NOW <= at <= _NOW + minutes * 60 for at, _ in marks)
    assert all(re.fullmatch(r"\d\d:\d\d(:\d\d)?|\d\d \w{3}", name) for _, name in marks)


def test_words_that_are_too_long_are_cut():
    """What is left fits."""
    cut = shorten("a name that is much too long", 60, 12)

    assert cut.endswith("…")
    assert text_width(cut, 12) <= 60
