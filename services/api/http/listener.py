"""The listener: aiohttp's server, except that even what is no HTTP is answered with a problem."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import LineTooLong

from services.api.http.identity import SERVER, request_id_of
from services.api.http.problems import problem_of_status, problem_response
from shared.errors import InstaDistroError
from shared.performance import tell_response_time

log = structlog.get_logger()
_BACKLOG = 1024
_KEEPALIVE_S = 75.0
_LINE_BYTES_MAX = 8190  # of the request line, and of each header
_HEADERS_MAX = 64


class _Connection(web.RequestHandler):
    """One connection of a client."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what reached no route: broken HTTP, or a failure of the server itself."""
        del message  # the parser's, which quotes what was sent
        if _is_too_large(exc):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if request.writer.output_size > 0:
            raise ConnectionAbortedError("the answer broke off half-way") from exc
        request_id = request_id_of(request)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request.crashed", request_id=request_id, exc_info=exc)
        else:
            log.info("request.malformed", request_id=request_id, error=type(exc).__name__)
        response = problem_response(problem_of_status(status), request_id=request_id)
        response.headers.update({"X-Request-ID": request_id, hdrs.SERVER: SERVER})
        tell_response_time(request, response)
        response.force_close()
        return response


def _is_too_large(error: BaseException | None) -> bool:
    # The parser has no class of its own for too many headers.
    return isinstance(error, LineTooLong) or "Too many headers" in str(error)


@asynccontextmanager
async def listen(app: web.Application, *, host: str, port: int, drain_s: float) -> AsyncIterator[int]:
    """Serve `app` while the context lasts; yields the port, which is chosen if 0 was given.

    At the end nothing new is accepted, and what runs has `drain_s` seconds to finish.

    Raises:
        InstaDistroError: the port is taken. Choose another one.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=drain_s)
    await runner.setup()
    loop = asyncio.get_running_loop()
    manager = runner.server
    if manager is None:
        raise InstaDistroError("the application did not start; its log says why")
    try:
        server = await loop.create_server(
            lambda: _Connection(
                manager,
                loop=loop,
                keepalive_timeout=_KEEPALIVE_S,
                auto_decompress=False,
                max_line_size=_LINE_BYTES_MAX,
                max_field_size=_LINE_BYTES_MAX,
                max_headers=_HEADERS_MAX,
            ),
            host,
            port,
            backlog=_BACKLOG,
        )
    except OSError as error:
        await runner.cleanup()
        raise InstaDistroError(
            f"port {port} on {host} cannot be used: {error.strerror}. Choose another one."
        ) from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()
