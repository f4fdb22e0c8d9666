"""Grafana's boards as code: `python -m deploy.grafana` writes dashboards/*.json, which Grafana reads as they are.

`panel` and `board` are the words a board is written in, `boards` holds one module a board, `dashboard_json` puts them
into Grafana's JSON model and `draw` into pictures. docs/monitoring.md says how to change a board.
"""

from deploy.grafana.board import Board, Placed, Row, Variable
from deploy.grafana.boards import BOARDS
from deploy.grafana.panel import Panel, Query

__all__ = ["BOARDS", "Board", "Panel", "Placed", "Query", "Row", "Variable"]
