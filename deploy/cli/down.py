"""`instadistro down`: stop what `up` started, even after a supervisor that was killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import click

from deploy.local import Instance, open_instance
from deploy.local.instance import InstanceBusyError
from deploy.local.orphans import end_orphans
from deploy.local.process_identity import birth, send_signal
from deploy.local.run_record import RunRecord, read_record
from shared.errors import InstaDistroError

_SUPERVISOR_DEADLINE_S = 120.0
_ORPHAN_POLITE_S = 15.0
_LOOK_EVERY_S = 0.1


class NotAllowedError(InstaDistroError):
    """The processes belong to another user. Run the command as the user who started them."""


@click.command()
@click.option("--wipe", is_flag=True, help="Also remove all data, logs and secrets of this system.")
def down(*, wipe: bool) -> None:
    """Stop everything `up` started and nothing else."""
    instance = open_instance(os.environ)
    record = read_record(instance.run_file)
    try:
        stopped = record is not None and _stop(record)
    except PermissionError as error:
        raise NotAllowedError(
            f"The system of {instance.directory} runs as another user; stop it as that user."
        ) from error
    click.echo("Stopped." if stopped else "Nothing was running.")
    if instance.is_ours:
        _tidy(instance, wipe=wipe)
    elif wipe and instance.directory.exists():
        instance.wipe()  # refuses, and says why


def _stop(record: RunRecord) -> bool:
    """Stop the supervisor, which stops its parts; then whatever is left. Was there anything?"""
    supervised = send_signal(record.pid, record.born, signal.SIGTERM)
    if supervised:
        click.echo("Stopping ...")
        _wait_for_end(record)
    orphans = record.orphans()
    if orphans:
        asyncio.run(end_orphans(orphans, polite_s=_ORPHAN_POLITE_S))
    return supervised or bool(orphans)


def _wait_for_end(record: RunRecord) -> None:
    deadline = time.monotonic() + _SUPERVISOR_DEADLINE_S
    while birth(record.pid) == record.born:
        if time.monotonic() > deadline:
            click.echo(f"The supervisor did not stop within {_SUPERVISOR_DEADLINE_S:g} s; killing it.", err=True)
            send_signal(record.pid, record.born, signal.SIGKILL)
            return
        time.sleep(_LOOK_EVERY_S)


def _tidy(instance: Instance, *, wipe: bool) -> None:
    try:
        with instance.lock():
            instance.run_file.unlink(missing_ok=True)
            if wipe:
                instance.wipe()
                click.echo(f"Removed the state in {instance.directory}.")
    except InstanceBusyError as error:
        raise InstanceBusyError(f"Somebody started the system of {instance.directory} again meanwhile.") from error
