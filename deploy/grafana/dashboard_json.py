"""A board in Grafana's JSON model of dashboards, as Grafana 11.6 and 12 write it themselves."""

from __future__ import annotations

import json
from typing import Any

from deploy.grafana.board import Board, Placed, Variable
from deploy.grafana.colours import PURPLE
from deploy.grafana.panel_json import DATASOURCE, panel_json

_SCHEMA = 41  # of Grafana 11.6 and 12.0; newer ones bring it to theirs when they load it
_TAG = "instadistro"
_BEGAN = (
    "sum by (service, version) (instadistro_build_info)"
    " unless sum by (service, version) (instadistro_build_info offset 5m)"
)


def dashboard_text(board: Board, boards: tuple[Board, ...]) -> str:
    """The file that Grafana reads: `board`, with links to the others of `boards`."""
    return json.dumps(dashboard_json(board, boards), indent=2, ensure_ascii=False) + "\n"


def dashboard_json(board: Board, boards: tuple[Board, ...]) -> dict[str, Any]:
    """The same as data."""
    return {
        "uid": board.uid,
        "title": f"InstaDistro / {board.title}",
        "description": board.about,
        "tags": [_TAG],
        "editable": False,
        "graphTooltip": 1,  # one crosshair over all panels
        "schemaVersion": _SCHEMA,
        "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"},
        "timepicker": {},
        "refresh": "30s",
        "fiscalYearStartMonth": 0,
        "links": [_link(other) for other in boards if other.uid != board.uid],
        "annotations": {"list": [_builtin_annotation(), _deployments()]},
        "templating": {"list": [_datasource(), *(_variable(variable) for variable in board.variables)]},
        "panels": [_placed(number, placed) for number, placed in enumerate(board.place(), start=1)],
    }


def _placed(number: int, placed: Placed) -> dict[str, Any]:
    position = {"x": placed.x, "y": placed.y, "w": placed.width, "h": placed.height}
    if placed.panel is None:
        return {
            "id": number,
            "type": "row",
            "title": placed.title,
            "collapsed": False,
            "gridPos": position,
            "panels": [],
        }
    return {"id": number, "gridPos": position, **panel_json(placed.panel)}


def _link(board: Board) -> dict[str, Any]:
    return {
        "type": "link",
        "title": board.title,
        "url": f"/d/{board.uid}",
        "icon": "dashboard",
        "tooltip": "",
        "tags": [],
        "asDropdown": False,
        "targetBlank": False,
        "keepTime": True,
        "includeVars": True,
    }


def _datasource() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": "Prometheus", "value": "prometheus"},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def _variable(variable: Variable) -> dict[str, Any]:
    everything = {"text": "All", "value": "$__all", "selected": True}
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "custom",
        "query": ",".join(variable.values),
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "options": [everything, *({"text": each, "value": each, "selected": False} for each in variable.values)],
    }


def _builtin_annotation() -> dict[str, Any]:
    return {
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }


def _deployments() -> dict[str, Any]:
    return {
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": PURPLE,
        "name": "Versions that begin to run",
        "expr": _BEGAN,
        "step": "60s",
        "titleFormat": "{{service}} {{version}}",
        "tagKeys": "service,version",
        "textFormat": "",
        "useValueForTime": False,
    }
