"""Receiving an import: rows are read and checked while the rest is on its way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from services.api.http import ProblemError, read_bytes
from services.api.http.bodies import BODY_DEADLINE_S, receive_bytes
from services.api.imports.read_csv import CsvRows
from services.api.imports.read_list import read_list
from services.api.imports.receive_form import receive_form
from shared.accounts.imports import AccountRow

# Ten thousand rows with long tokens.
IMPORT_BYTES_MAX = 8 * 1024 * 1024
# What is worth a thread's turn.
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Received:
    """An import whose every row is good."""

    rows: list[AccountRow]
    digest: bytes  # of what was sent


async def receive_rows(request: web.Request) -> Received:
    """The rows of the request's body.

    Raises:
        ProblemError: it is no import, too large, too slow, or has rows with faults.
    """
    match request.content_type:
        case "application/json":
            content = await read_bytes(request, limit=IMPORT_BYTES_MAX)
            rows = await asyncio.to_thread(read_list, content)
            return Received(rows=rows, digest=hashlib.sha256(content).digest())
        case "multipart/form-data":
            return await _receive_csv(receive_form(request, limit=IMPORT_BYTES_MAX))
        case "text/csv":
            return await _receive_csv(receive_bytes(request, limit=IMPORT_BYTES_MAX))
    detail = "Send text/csv, application/json (a list), or multipart/form-data with the field 'file'."
    raise ProblemError("unsupported_media_type", detail)


async def _receive_csv(arriving: AsyncIterator[bytes]) -> Received:
    file, digest = CsvRows(), hashlib.sha256()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for piece in _gather(arriving):
                digest.update(piece)
                await asyncio.to_thread(file.feed, piece)
    except TimeoutError as error:
        raise ProblemError("request_timeout", f"The file did not arrive within {BODY_DEADLINE_S:g} s.") from error
    return Received(rows=await asyncio.to_thread(file.finish), digest=digest.digest())


async def _gather(arriving: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    gathered = bytearray()
    async for piece in arriving:
        gathered += piece
        if len(gathered) >= _PIECE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)
