"""`/openapi.json` for programs, and `/docs` that shows it to people; neither needs a key."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec
from aiohttp import hdrs, web

from services.api.openapi.document import describe
from services.api.routing import JSON, Route

# It is imported for its files alone, which need nothing of what the package itself needs.
_ASSETS_PACKAGE = "flask_swagger_ui"
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>InstaDistro API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon-32x32.png">
</head>
<body style="margin: 0">
<div id="docs"></div>
<noscript><p>This page needs JavaScript. The description itself: <a href="openapi.json">openapi.json</a>.</p></noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
});
"""
# The page loads from this server and calls this server; the viewer sets styles inline.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CACHING = "public, no-cache"


def add_description(app: web.Application, routes: Sequence[Route]) -> None:
    """Add the description of `routes`."""

    @cache
    def document() -> bytes:  # made when somebody asks
        return msgspec.json.encode(describe(routes))

    app.router.add_get("/openapi.json", _sending(document, JSON), allow_head=False)
    app.router.add_get("/docs", _sending(_PAGE.encode, "text/html; charset=utf-8"), allow_head=False)
    app.router.add_get("/docs/start.js", _sending(_START.encode, "text/javascript; charset=utf-8"), allow_head=False)
    app.router.add_get("/docs/{asset}", _send_asset, allow_head=False)


def _sending(content: Callable[[], bytes], kind: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def send(request: web.Request) -> web.StreamResponse:
        body = content()
        tag = hashlib.blake2b(body, digest_size=16).hexdigest()
        known = any(one.value in {tag, "*"} for one in request.if_none_match or ())
        response = web.Response(status=304) if known else web.Response(body=body, headers={hdrs.CONTENT_TYPE: kind})
        response.headers.update({hdrs.CACHE_CONTROL: _CACHING, "Content-Security-Policy": _POLICY})
        response.etag = tag
        return response

    return send


async def _send_asset(request: web.Request) -> web.StreamResponse:
    name = request.match_info["asset"]
    if name not in _ASSETS:
        raise web.HTTPNotFound
    headers = {hdrs.CONTENT_TYPE: _ASSETS[name], hdrs.CACHE_CONTROL: _CACHING}
    return web.FileResponse(_assets_directory() / name, headers=headers)


@cache
def _assets_directory() -> Path:
    spec = find_spec(_ASSETS_PACKAGE)
    if spec is None or spec.origin is None:
        raise web.HTTPNotFound
    return Path(spec.origin).parent / "dist"
