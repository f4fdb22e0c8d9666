"""What uploads may cost: disk, time and memory are bounded, and nothing is left behind."""

from __future__ import annotations

import asyncio
import io
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from yarl import URL

from services.api.media import pace, spool
from services.api.media.run_confined import ConfinedError, run_confined
from tests.waiting import until

REEL = Path("examples/reel.mp4").read_bytes()
HALF = REEL + bytes(2 * 1024 * 1024)  # of a file that is never sent to its end


def stored_files(gateway) -> list[Path]:
    return list(Path(gateway.deps.settings.media_store).iterdir())


def reserved(gateway) -> int:
    """Bytes that count as being received."""
    number: int = gateway.deps.spool._reserved  # noqa: SLF001 - what is counted is promised, not how
    return number


async def until_reserved(gateway, least: int, most: int) -> None:
    async def is_so() -> bool:
        return least <= reserved(gateway) <= most

    await until(is_so, what=f"from {least} to {most} bytes are on their way in")


@pytest.fixture
def reel_file():
    with Path("examples/reel.mp4").open("rb") as file:
        yield file


@asynccontextmanager
async def half_an_upload(client):
    """The first half of an upload has arrived, and nothing follows; gives the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(client.url).port)
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="reel.mp4"\r\n\r\n' + HALF
    head = (
        f"POST /v1/media HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {client.api_key}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {2 * len(HALF)}\r\n\r\n"
    )
    try:
        writer.write(head.encode() + part)
        await writer.drain()
        yield reader, writer
    finally:
        writer.close()


async def test_a_file_on_its_way_in_has_no_name(alice, gateway):
    """While a file arrives none is to be seen, so a kill leaves none; a client that goes away gives its room back."""
    async with half_an_upload(alice) as (_, writer):
        await until_reserved(gateway, len(HALF) // 2, len(HALF))

        assert stored_files(gateway) == []
        writer.close()
        await until_reserved(gateway, 0, 0)


async def test_a_stalled_upload_is_given_up(alice, gateway, monkeypatch):
    """Who stops in the middle is told so, and holds nothing any longer."""
    monkeypatch.setattr(pace, "_STALL_S", 0.3)
    async with half_an_upload(alice) as (reader, _):
        answer = await reader.readuntil(b"\r\n")

    assert b" 408 " in answer
    await until_reserved(gateway, 0, 0)


async def test_a_full_disk_is_told(alice, gateway, refused, monkeypatch):
    """Where there is no room the client learns that it was not its file; with room again it is taken."""
    with monkeypatch.context() as full:
        full.setattr(tempfile, "TemporaryFile", lambda **_: io.FileIO("/dev/full", "r+"))
        answer = await alice.upload(REEL)
        await refused(answer, "storage_full", 507)
        assert answer.body["retryable"]
        assert answer.headers["Retry-After"]

    assert (await alice.upload(REEL)).status == 201
    assert reserved(gateway) == 0


async def test_files_on_their_way_in_share_a_bounded_room(alice, gateway, refused, monkeypatch):
    """When all room is taken the next upload is told to come back; what it held is free again."""
    with monkeypatch.context() as little:
        little.setattr(spool, "SPOOL_BYTES_MAX", len(REEL) - 1)
        await refused(await alice.upload(REEL), "not_ready", 503)

    assert reserved(gateway) == 0
    assert (await alice.upload(REEL)).status == 201


@pytest.mark.parametrize("module", ["services.api.media.no_such_module", "services.api.media.confinement"])
async def test_a_process_that_gives_no_answer_is_an_error_of_its_file(module, reel_file):
    """A process that crashes, or ends without a word, says nothing about this one."""
    with pytest.raises(ConfinedError):
        await run_confined(module, reel_file)


async def test_a_process_that_takes_too_long_is_ended(monkeypatch, reel_file):
    """Whatever a file makes it do, it ends at its deadline."""
    monkeypatch.setattr("services.api.media.run_confined._DEADLINE_S", 0.001)

    with pytest.raises(ConfinedError):
        await run_confined("services.api.media.probe_video", reel_file)
