"""The one place where what went wrong becomes an answer."""

from __future__ import annotations

import structlog
from aiohttp import web

from services.api.http.identity import Handler, request_id_of
from services.api.http.problems import ProblemError, problem_of_status, problem_response
from shared.errors import NotReadyError
from shared.pagination import PaginationError

log = structlog.get_logger()
_RETRY_AFTER_S = "1"
_KEPT_HEADERS = ("Allow",)


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a route raises into a problem; a crash tells the client nothing of the inside."""
    try:
        return await handler(request)
    except Exception as error:
        if request.writer.output_size > 0:
            # No second answer after a part of one: the connection ends here.
            raise ConnectionAbortedError("the answer broke off half-way") from error
        return problem_response(_problem(error), request_id=request_id_of(request))


def _problem(error: Exception) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, web.HTTPException):
        kept = {name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers}
        return problem_of_status(error.status, headers=kept)
    if isinstance(error, PaginationError):
        return ProblemError(error.code, str(error))
    if isinstance(error, web.RequestPayloadError | ConnectionError):  # cut off: most often nobody is there to read this
        return problem_of_status(web.HTTPBadRequest.status_code)
    if isinstance(error, NotReadyError):
        log.warning("request.not_ready", error=str(error), cause=repr(error.__cause__))
        detail = "A server this one needs does not answer. Try again shortly."
        return ProblemError("not_ready", detail, headers={"Retry-After": _RETRY_AFTER_S})
    log.error("request.crashed", exc_info=error)
    return problem_of_status(web.HTTPInternalServerError.status_code)
