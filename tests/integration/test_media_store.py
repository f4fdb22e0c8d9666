"""The media store's promises, kept by a directory and by an S3 server alike."""

from __future__ import annotations

import hashlib
import io
import os
import time
from urllib.request import Request, urlopen

import obstore
import pytest
from moto.server import ThreadedMotoServer

from services.api.http import ProblemError
from services.api.media import media_store
from services.api.media.disk_full import is_disk_full
from services.api.media.file_types import KEPT_TYPES
from services.api.media.media_store import new_key, open_media_store
from shared.errors import NotReadyError

MP4 = KEPT_TYPES[".mp4"]
# More than two parts of an upload to S3.
LARGE = hashlib.shake_256(b"large").digest(11 * 1024 * 1024)


@pytest.fixture(scope="module")
def s3_server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["directory", "s3"])
def place(request, tmp_path, monkeypatch):
    """MEDIA_STORE, with the variables of the environment that its server needs."""
    if request.param == "directory":
        return str(tmp_path / "media")
    server = request.getfixturevalue("s3_server")
    bucket = f"bucket-{os.urandom(4).hex()}"
    with urlopen(Request(f"{server}/{bucket}", method="PUT"), timeout=20):  # noqa: S310 - made above
        pass
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "name",
        "AWS_SECRET_ACCESS_KEY": "secret of the tests",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return f"s3://{bucket}/some/prefix"


@pytest.fixture
def store(place):
    return open_media_store(place)


async def put(store, content: bytes) -> str:
    key = new_key(MP4)
    await store.put(key, io.BytesIO(content), size=len(content))
    return key


async def read(store, key: str, **options) -> bytes:
    found = await store.read(key, **options)
    return b"".join([piece async for piece in found.chunks])


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
async def test_what_is_put_is_read(store, content):
    """A file of any size comes back as it was, under its key and no other."""
    key = await put(store, content)

    assert await store.size(key) == len(content)
    assert await read(store, key) == content
    other = new_key(MP4)
    assert (await store.size(other), await store.read(other)) == (None, None)


async def test_a_file_is_put_from_its_beginning(store):
    """Where a file was left off after it was looked into does not matter."""
    key, file = new_key(MP4), io.BytesIO(b"from the start")
    file.seek(5)

    await store.put(key, file, size=14)

    assert await read(store, key) == b"from the start"


async def test_a_part_is_read_alone(store):
    """A part has its own bytes and tells the size of the whole."""
    key = await put(store, LARGE)

    assert await read(store, key, part=(0, 1)) == LARGE[:1]
    assert await read(store, key, part=(6_000_000, 6_500_000)) == LARGE[6_000_000:6_500_000]
    found = await store.read(key, part=(len(LARGE) - 1, len(LARGE)))
    assert found.size == len(LARGE)
    assert [piece async for piece in found.chunks] == [LARGE[-1:]]


async def test_a_large_file_comes_in_pieces(store):
    """Nobody holds a whole video in memory to send it."""
    found = await store.read(await put(store, LARGE))

    sizes = [len(piece) async for piece in found.chunks]

    assert len(sizes) > 10
    assert max(sizes) <= 5 * 1024 * 1024


async def test_what_is_dropped_is_gone(store):
    """To drop what is not there is no error."""
    key = await put(store, b"content")

    await store.drop(key)
    await store.drop(key)

    assert await store.size(key) is None


async def test_no_key_leads_out_of_the_store(store):
    """What is no key of this system is not even looked for."""
    for key in ("../secret.jpg", "A" * 32, "A" * 32 + ".png", "A" * 32 + ".jpg/../x.jpg", ""):
        assert (await store.size(key), await store.read(key)) == (None, None)


async def test_a_storage_that_does_not_answer_in_time_is_told(store, monkeypatch):
    """Each way to the storage ends at its deadline with an error that is answered with 503."""
    key = await put(store, LARGE)
    monkeypatch.setattr(media_store, "_PUT_RATE_MIN", 10**12)
    with monkeypatch.context() as hurried:
        hurried.setattr(media_store, "_DEADLINE_S", 0.0)
        with pytest.raises(NotReadyError):
            await put(store, LARGE)

    assert await read(store, key) == LARGE


async def test_an_s3_server_that_is_away_is_told(monkeypatch):
    """Without its server the gateway is not ready; it does not crash."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "name")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret of the tests")

    with pytest.raises(NotReadyError):
        await put(open_media_store("s3://bucket"), b"content")


def test_what_a_killed_process_left_is_removed_at_the_start(tmp_path):
    """Half-written files go once nobody can be writing them any more; whole ones and young ones stay."""
    key = new_key(MP4)
    old, young = tmp_path / f"{key}#1", tmp_path / f"{new_key(MP4)}#1"
    for path in (old, young, tmp_path / key):
        path.write_bytes(b"content")
    for path in (old, tmp_path / key):
        os.utime(path, (time.time() - 86_400, time.time() - 86_400))

    open_media_store(str(tmp_path))

    assert {path.name for path in tmp_path.iterdir()} == {young.name, key}


async def test_a_full_disk_is_told_from_one_that_fails(tmp_path, monkeypatch):
    """The library's error holds the system's only as text."""
    store = open_media_store(str(tmp_path))

    async def fail(*_args, **_options):
        raise OSError("Generic LocalFileSystem error: No space left on device (os error 28)")

    monkeypatch.setattr(obstore, "put_async", fail)
    with pytest.raises(ProblemError) as full:
        await put(store, b"content")

    assert full.value.code == "storage_full"
    assert not is_disk_full(OSError("permission denied (os error 13)"))
