from __future__ import annotations

from http import HTTPStatus

import aiohttp

from deploy.emulator.errors import FETCH_FAILED, FETCH_TOO_SLOW, IMAGE_TOO_LARGE, GraphError
from deploy.emulator.inspection import InspectedImage, Inspector, MediaRules

_CHUNK = 64 * 1024


async def fetch_image(
    session: aiohttp.ClientSession, url: str, *, inspector: Inspector, rules: MediaRules, deadline_s: float
) -> InspectedImage:
    """Get the image as the platform would, without login, and inspect it.

    Redirects are not followed: whether the platform does is not known, and they are a usual cause of its failures.

    Raises:
        GraphError: it cannot be fetched in time, or breaks a rule; give it to the client.
    """
    if not (url.isascii() and url.isprintable() and url.startswith(("http://", "https://"))):
        raise GraphError(FETCH_FAILED)
    try:
        content = await _download(session, url, bytes_max=rules.bytes_max, deadline_s=deadline_s)
    except TimeoutError as error:
        raise GraphError(FETCH_TOO_SLOW) from error
    except (aiohttp.ClientError, ValueError, OSError) as error:
        raise GraphError(FETCH_FAILED) from error
    return await inspector.inspect(content, rules)


async def _download(session: aiohttp.ClientSession, url: str, *, bytes_max: int, deadline_s: float) -> bytes:
    timeout = aiohttp.ClientTimeout(total=deadline_s)
    async with session.get(url, timeout=timeout, allow_redirects=False) as response:
        if response.status != HTTPStatus.OK or response.content_type == "text/html":
            raise GraphError(FETCH_FAILED)
        if (response.content_length or 0) > bytes_max:
            raise GraphError(IMAGE_TOO_LARGE)
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            content += chunk
            if len(content) > bytes_max:
                raise GraphError(IMAGE_TOO_LARGE)
        return bytes(content)
