"""Writes dashboards/*.json: `python -m deploy.grafana`."""

from __future__ import annotations

from pathlib import Path

from deploy.grafana.boards import BOARDS
from deploy.grafana.dashboard_json import dashboard_text

DIRECTORY = Path(__file__).with_name("dashboards")


def main() -> None:
    """Write every board and name the files."""
    DIRECTORY.mkdir(exist_ok=True)
    for board in BOARDS:
        file = DIRECTORY / f"{board.name}.json"
        file.write_text(dashboard_text(board, BOARDS), encoding="utf-8")
        print(file)


if __name__ == "__main__":
    main()
