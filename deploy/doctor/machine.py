"""This machine: ports that `up` needs, space, open files."""

from __future__ import annotations

import re
import resource

from deploy.doctor.check import Area, Check
from deploy.doctor.entry import walk_in
from deploy.doctor.finding import Verdict, failed, ok, skipped, warning
from deploy.doctor.setup import Setup
from deploy.doctor.space import judge_space
from deploy.local.ports import NAMES, PortsTakenError, check_free, read_ports
from deploy.local.state_directory import state_directory
from deploy.local.surroundings import REPLACED_BY, is_given
from shared.errors import SettingsError

# Besides two for each publication: pools of PostgreSQL, of Redis, the broker, the log, the listeners.
_FILES_BESIDES = 200
_FILES_EACH = 2
_OPTIONAL = {"prometheus"}
_BELONGS_TO = {"epmd": "rabbitmq"}
_HOLDER = re.compile(r"^  - (?P<port>\d+) \((?P<variable>\w+)\) is (?P<held>held by .+)$", re.MULTILINE)


async def look_at_ports(setup: Setup) -> Verdict | list[Verdict]:
    """Whether `instadistro up` would find its ports free."""
    if setup.record is not None:
        return skipped("The private system runs and has its ports.")
    if is_given(setup.environ, "DATABASE_URL"):
        return skipped("The settings are those of a system of its own; ports matter to `instadistro up`.")
    try:
        check_free(read_ports(setup.environ), [name for name in NAMES if _is_needed(name, setup)])
    except PortsTakenError as error:
        return [
            failed(
                f"Port {found['port']}, which `instadistro up` needs, is {found['held']}.",
                do=f"Stop it, set {found['variable']} to another port, or move all ports with --port-offset N.",
            )
            for found in _HOLDER.finditer(str(error))
        ]
    except SettingsError as error:
        return [
            failed(f"{fault}.", do="Correct the variable it names; docs/local.md lists them.") for fault in error.faults
        ]
    return ok("The ports that `instadistro up` needs are free.")


def _is_needed(name: str, setup: Setup) -> bool:
    part = _BELONGS_TO.get(name, name.partition("_")[0])
    return name not in _OPTIONAL and not (part in REPLACED_BY and is_given(setup.environ, REPLACED_BY[part]))


async def look_at_space(setup: Setup) -> Verdict:
    """Whether the disk of the state directory has room."""
    if setup.record is None and is_given(setup.environ, "DATABASE_URL"):
        return skipped("The settings are those of a system of its own; it keeps no state here.")
    directory = state_directory(setup.environ)
    existing = next(step for step in (directory, *directory.parents) if step.exists())
    return judge_space(setup.free_bytes(existing), place=f"the state directory {directory}")


async def look_at_open_files(setup: Setup) -> Verdict:
    """Whether a publisher may open as many files as its slots can need."""
    slots = setup.settings.publisher_slots
    needed = slots * _FILES_EACH + _FILES_BESIDES
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY or limit >= needed:
        return ok(f"A process may open {limit} files, and a publisher with {slots} slots needs up to {needed}.")
    return warning(
        f"A process of this user may open {limit} files, and a publisher with {slots} slots can need {needed}.",
        do=f"Raise the limit (`ulimit -n {needed}`, up to {most}; LimitNOFILE= in systemd), or lower PUBLISHER_SLOTS.",
    )


MACHINE = Area(
    name="machine",
    enter=walk_in,
    needs=(),
    checks=(
        Check(name="machine.ports", look=look_at_ports),
        Check(name="machine.space", look=look_at_space),
        Check(name="machine.files", look=look_at_open_files, needs=("settings.values",)),
    ),
)
