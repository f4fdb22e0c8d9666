"""Boards as pictures: one SVG a board, drawn from what a running Prometheus answers to the panels' own queries."""

from deploy.grafana.draw.page import draw_board
from deploy.grafana.draw.prometheus import Answers, PrometheusError, Window, ask_board

__all__ = ["Answers", "PrometheusError", "Window", "ask_board", "draw_board"]
