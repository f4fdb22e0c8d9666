"""Pictures and videos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import aiohttp

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Media as Medium
from instadistro_client.shapes import Removed
from instadistro_client.transport import Request


class Media(Resource):
    """`/v1/media`."""

    def list(self, *, kind: str | None = None, sha256: str | None = None, sort: str | None = None) -> Listing[Medium]:
        """The media, newest first; `sha256` is of the bytes as they are kept."""
        return self._list("/v1/media", Medium, kind=kind, sha256=sha256, sort=sort)

    async def get(self, media_id: Id) -> Medium:
        """One medium, with a new address."""
        return await self._get(f"/v1/media/{media_id}", Medium)

    async def upload(self, file: Path | str, *, convert: bool = False) -> Medium:
        """Keep a file; with `convert` a picture is made what the platform takes. The file is sent piece by piece.

        Raises:
            InvalidRequestError: it is no picture or video that the platform takes.
            OSError: it cannot be read.
        """

        @contextmanager
        def form() -> Iterator[aiohttp.FormData]:
            with Path(file).open("rb") as content:
                data = aiohttp.FormData()
                data.add_field("convert", "true" if convert else "false")
                data.add_field("file", content, filename=Path(file).name, content_type="application/octet-stream")
                yield data

        return await self._transport.call(Request(method="POST", path="/v1/media", content=form), Medium)

    async def fetch(self, url: str, *, convert: bool = False) -> Medium:
        """Keep the file at a public address."""
        body = {"url": url, "convert": convert}
        return cast("Medium", await self._post("/v1/media/from-url", Medium, body=body))

    async def remove(self, media_id: Id, *, cancel: bool = False) -> Removed:
        """Remove a medium; with `cancel` what waits to show it is canceled, without it that refuses the removal."""
        query = {"cancel": cancel}
        return cast("Removed", await self._delete(f"/v1/media/{media_id}", Removed, query=query))
