"""`instadistro up`: the whole system on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from deploy.cli.detach import start_detached
from deploy.cli.example_files import example_file
from deploy.cli.overview import overview
from deploy.local import BoundedFile, Instance, InstanceBusyError, Log, Ports, System, open_instance, read_ports
from deploy.local.ports import OFFSET_VARIABLE
from deploy.local.run_record import read_record

_PROMETHEUS = "prometheus"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option("--detach", is_flag=True, help="Run in the background; return once everything is ready.")
@click.option("--port-offset", type=int, help=f"Add this to every default port. Also: {OFFSET_VARIABLE}.")
@click.option(
    "--accounts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The emulator's accounts; default: examples/accounts.csv.",
)
@click.option(
    "--with", "extras", type=click.Choice([_PROMETHEUS]), multiple=True, help="Also run this, scraping all of it."
)
@click.option("--log-file", type=click.Path(path_type=Path), hidden=True, help="Write the log there, bounded.")
def up(
    *, detach: bool, port_offset: int | None, accounts: Path | None, extras: tuple[str, ...], log_file: Path | None
) -> None:
    """Run the whole system on this machine until Ctrl-C: private servers, migrations, emulator and services."""
    instance = open_instance(os.environ)
    ports = read_ports(os.environ, offset=port_offset)
    accounts = accounts or example_file("accounts.csv")
    with_prometheus = _PROMETHEUS in extras
    try:
        if detach:
            start_detached(instance, ports, accounts=accounts, with_prometheus=with_prometheus)
        else:
            run = _run(instance, ports, accounts=accounts, log_file=log_file, with_prometheus=with_prometheus)
            asyncio.run(run)
    except InstanceBusyError:
        # Somebody who asks for a running system and has one is not told of a failure.
        record = read_record(instance.run_file)
        click.echo(f"The system already runs{f' as process {record.pid}' if record is not None else ''}.")
        has_prometheus = record is not None and _PROMETHEUS in record.parts
        if with_prometheus and not has_prometheus:
            click.echo("It runs without Prometheus. To have it: instadistro down, then this command again.")
        ports = Ports(**record.ports) if record is not None else ports
        click.echo(overview(instance, ports, with_prometheus=has_prometheus))


async def _run(
    instance: Instance, ports: Ports, *, accounts: Path | None, log_file: Path | None, with_prometheus: bool
) -> None:
    instance.create()
    log = Log(file=BoundedFile(log_file)) if log_file is not None else Log()
    system = System(
        instance,
        ports,
        extra_environment=_for_people(os.environ),
        emulator_accounts=accounts,
        log=log,
        with_prometheus=with_prometheus,
    )
    serving = asyncio.create_task(_serve(system, overview(instance, ports, with_prometheus=with_prometheus)))
    stops = _stop_on_signals(serving, system, log)
    try:
        await serving
    except asyncio.CancelledError:
        if not stops:
            raise
    log.line("system", "stopped")


async def _serve(system: System, told: str) -> None:
    async with system:
        click.echo(told)
        await system.wait()


def _stop_on_signals(serving: asyncio.Task[None], system: System, log: Log) -> list[signal.Signals]:
    """The first signal ends the system in good order, the second kills what is left; returns the signals that came."""
    came: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        came.append(number)
        if len(came) == 1:
            log.line("system", f"{number.name}: stopping; once more to stop at once")
            serving.cancel()
        else:
            system.hurry()

    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    return came


def _for_people(environ: Mapping[str, str]) -> dict[str, str]:
    """The services write into pipes, so they cannot see that a person reads along."""
    return {"LOG_FORMAT": "console"} if sys.stdout.isatty() and not environ.get("LOG_FORMAT") else {}
