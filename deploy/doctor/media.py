"""Where media are kept: a directory, or a bucket."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from deploy.doctor.check import Area, Check
from deploy.doctor.entry import walk_in
from deploy.doctor.finding import Verdict, failed, ok, skipped
from deploy.doctor.setup import Setup
from deploy.doctor.space import judge_space

_BUCKET = "s3://"


async def look_at_store(setup: Setup) -> Verdict:
    """Whether media can be kept in MEDIA_STORE."""
    place = setup.settings.media_store
    return await _look_at_bucket(place) if place.startswith(_BUCKET) else _look_at_directory(Path(place))


def _look_at_directory(directory: Path) -> Verdict:
    existing = next(step for step in (directory, *directory.parents) if step.exists())
    if not existing.is_dir():
        return failed(
            f"MEDIA_STORE {directory} cannot be used: {existing} is a file.",
            do="Move that file away, or set MEDIA_STORE to a directory.",
        )
    if not _is_writable(existing):
        what = "is there, but this user may not write into it" if existing == directory else "cannot be made"
        return failed(
            f"The directory {directory} of MEDIA_STORE {what} (user id {os.geteuid()}).",
            do=f"Give the user of the gateway the right to write in {existing}, or set MEDIA_STORE to another one.",
        )
    if existing == directory:
        return ok(f"The directory {directory} can be written to.")
    return ok(f"The directory {directory} is not there yet; the gateway makes it.")


def _is_writable(directory: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=directory):  # without a name where the disk can do that
            return True
    except OSError:
        return False


async def _look_at_bucket(place: str) -> Verdict:
    bucket = urlsplit(place).hostname or ""
    store = S3Store(
        bucket,
        client_options={"allow_http": True, "connect_timeout": "4s", "timeout": "6s"},
        retry_config={"max_retries": 0},
    )
    prefix = urlsplit(place).path.strip("/") or None
    try:
        await anext(obstore.list(store, prefix=prefix, chunk_size=1), None)
    except NotFoundError:
        return failed(
            f"There is no bucket {bucket!r}.", do="Make it, or correct MEDIA_STORE, AWS_ENDPOINT_URL or AWS_REGION."
        )
    except (PermissionDeniedError, UnauthenticatedError):
        return failed(
            f"The bucket {bucket!r} refuses the credentials.",
            do="Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or allow their owner s3:ListBucket on it.",
        )
    except (BaseError, OSError) as error:
        if "NoSuchBucket" in str(error):
            return failed(f"There is no bucket {bucket!r}.", do="Make it, or correct MEDIA_STORE or AWS_REGION.")
        return failed(
            f"The storage of the bucket {bucket!r} cannot be asked ({type(error).__name__}).",
            do="See whether its server runs; correct AWS_ENDPOINT_URL and AWS_REGION; look at network and firewall.",
        )
    return ok(f"The bucket {bucket!r} answers.")


async def look_at_room(setup: Setup) -> Verdict:
    """Whether there is room for more media."""
    place = setup.settings.media_store
    if place.startswith(_BUCKET):
        return skipped("A bucket has no disk to look at.")
    existing = next(step for step in (Path(place), *Path(place).parents) if step.exists())
    return judge_space(setup.free_bytes(existing), place=f"MEDIA_STORE {place}")


MEDIA = Area(
    name="media",
    enter=walk_in,
    checks=(
        Check(name="media.store", look=look_at_store),
        Check(name="media.space", look=look_at_room, needs=("media.store",)),
    ),
)
