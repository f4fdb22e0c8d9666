"""The console script `instadistro`: one file a command, each imported only when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass

import click

from shared.errors import InstaDistroError, SettingsError

_FAILED = 1
_WRONG_SETTINGS = 2


@dataclass(frozen=True, kw_only=True)
class _Entry:
    module: str  # holds a click command or group with the same name as the command
    summary: str


_COMMANDS = {
    "up": _Entry(module="deploy.cli.up", summary="Run the whole system on this machine until Ctrl-C."),
    "down": _Entry(module="deploy.cli.down", summary="Stop what `up` started."),
    "status": _Entry(module="deploy.cli.status", summary="Show what runs."),
    "doctor": _Entry(module="deploy.cli.doctor", summary="Say what is wrong with a set-up, and what to do."),
    "demo": _Entry(
        module="deploy.cli.demo", summary="Publish a post of each format to 25 emulated accounts and show the figures."
    ),
    "users": _Entry(module="deploy.cli.users", summary="Make, list and erase users."),
    "accounts": _Entry(module="deploy.cli.accounts", summary="Import accounts."),
    "tokens": _Entry(module="deploy.cli.tokens", summary="Bring stored secrets under a new key."),
    "jobs": _Entry(
        module="deploy.cli.jobs", summary="Look at jobs, send dead ones back, pause and run recurring ones."
    ),
    "cleanup": _Entry(module="deploy.cli.cleanup", summary="Let go what is older than it is kept."),
    "backup": _Entry(module="deploy.cli.backup", summary="Keep database and media in a directory."),
    "restore": _Entry(module="deploy.cli.restore", summary="Bring database and media back from a backup."),
    "migrate": _Entry(module="deploy.cli.migrate", summary="Bring database and broker to this version."),
    "boards": _Entry(module="deploy.cli.boards", summary="Draw Grafana's boards from a running Prometheus."),
    "bench": _Entry(module="deploy.cli.bench", summary="Measure the system beside its rivals."),
    "emulator": _Entry(module="deploy.cli.emulator", summary="Run the Graph API emulator alone."),
}


class _LazyGroup(click.Group):
    """Imports a command's module at its first use: `--help` stays fast, and one broken module breaks one command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for name, entry in _COMMANDS.items() if importlib.util.find_spec(entry.module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = getattr(importlib.import_module(_COMMANDS[cmd_name].module), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name].summary) for name in self.list_commands(ctx)])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="instadistro", prog_name="instadistro", message="%(prog)s %(version)s")
def cli() -> None:
    """Publish one post to many Instagram professional accounts, on time and exactly once."""


def main() -> None:
    """Run one command. Exit status: 0 done, 1 failed, 2 wrong settings or usage."""
    try:
        cli.main(prog_name="instadistro")
    except SettingsError as error:
        _fail(error, _WRONG_SETTINGS)
    except InstaDistroError as error:
        _fail(error, _FAILED)


def _fail(error: InstaDistroError, status: int) -> None:
    print(f"instadistro: {error}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
