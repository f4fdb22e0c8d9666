"""Write what is made from the routes, as the code has them now: `python -m services.api.openapi`.

docs/openapi.json, docs/problems.md, and the shapes of the Python client.
"""

from __future__ import annotations

from pathlib import Path

from services.api.app import ROUTES
from services.api.openapi.client_shapes import client_shapes
from services.api.openapi.document import describe, encode
from services.api.openapi.problems_page import problems_page

_CHECKOUT = Path(__file__).parents[3]
_DOCS = _CHECKOUT / "docs"
_SHAPES = _CHECKOUT / "client" / "instadistro_client" / "shapes.py"

if __name__ == "__main__":
    document = describe(ROUTES)
    (_DOCS / "openapi.json").write_bytes(encode(document))
    _SHAPES.write_text(client_shapes(document), encoding="utf-8")
    (_DOCS / "problems.md").write_text(problems_page(), encoding="utf-8")
