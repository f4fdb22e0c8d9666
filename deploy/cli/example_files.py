"""Where the example files are: beside the code in a checkout, inside the package when installed."""

from __future__ import annotations

from pathlib import Path

_DEPLOY = Path(__file__).parents[1]


def example_file(name: str) -> Path:
    """The path of a file of `examples/`."""
    packaged = _DEPLOY / "examples" / name
    return packaged if packaged.exists() else _DEPLOY.parent / "examples" / name
