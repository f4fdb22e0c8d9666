"""Starts `instadistro up` in the background and waits until it is ready."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from deploy.cli.overview import overview
from deploy.local import Instance, Ports
from deploy.local.run_record import read_record
from deploy.local.server_parts import ensure_private_servers
from shared.errors import InstaDistroError, NotReadyError

_READY_DEADLINE_S = 300.0
_STOP_DEADLINE_S = 120.0
_LOOK_EVERY_S = 0.2
_LAST_LINES = 20
_ERROR_LINES = 60


class NotStartedError(InstaDistroError):
    """The background system ended before it was ready. The text carries its last lines."""


def start_detached(instance: Instance, ports: Ports, *, accounts: Path | None, with_prometheus: bool = False) -> None:
    """Start the system in a session of its own and return once it is ready.

    Raises:
        InstanceBusyError: it already runs and is ready.
        NotStartedError: it ended; the text says with what.
        NotReadyError: it did not become ready in time and was stopped.
    """
    instance.create()
    with instance.lock():
        pass  # only to see that nobody else has it
    # Here, where a person may be asked for a password.
    ensure_private_servers(os.environ, say=click.echo, with_prometheus=with_prometheus)
    log = instance.logs / "up.log"
    options = ["--accounts", str(accounts.absolute())] if accounts is not None else []
    options += ["--with", "prometheus"] if with_prometheus else []
    with _background(instance, ports, log=log, options=options) as (process, output):
        _wait_ready(process, instance, output=output, log=log)
    click.echo(f"The system runs as process {process.pid}.")
    click.echo(overview(instance, ports, with_prometheus=with_prometheus))


@contextmanager
def _background(
    instance: Instance, ports: Ports, *, log: Path, options: Sequence[str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    output = instance.logs / "up.out"  # little: the log proper goes into the bounded file
    command = [sys.executable, "-P", "-m", "deploy.cli.main", "up", "--log-file", str(log), *options]
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - this very program
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **ports.environment()},
        )
    try:
        yield process, output
    except BaseException:
        _end(process)
        raise


def _wait_ready(process: subprocess.Popen[bytes], instance: Instance, *, output: Path, log: Path) -> None:
    deadline = time.monotonic() + _READY_DEADLINE_S
    while time.monotonic() < deadline:
        record = read_record(instance.run_file)
        if record is not None and record.pid == process.pid and record.ready:
            return
        try:
            process.wait(_LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            continue
        said = _tail(output, _ERROR_LINES) or _tail(log, _LAST_LINES)
        raise NotStartedError(
            f"The system did not come up (status {process.returncode}).\n{said}\nThe whole log: {log}"
        )
    raise NotReadyError(f"The system was not ready within {_READY_DEADLINE_S:g} s and was stopped. See {log}.")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tail(path: Path, lines_max: int) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-lines_max:])
