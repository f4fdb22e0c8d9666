"""The settings: missing, wrong, misspelled, at odds with each other."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields

from deploy.doctor.check import Area, Check
from deploy.doctor.entry import walk_in
from deploy.doctor.finding import Verdict, failed, ok, warning
from deploy.doctor.platform_host import is_real_platform
from deploy.doctor.secret_files import look_at_files
from deploy.doctor.secrets import look_at_secrets
from deploy.doctor.setup import Setup
from deploy.local.ports import NAMES, variable
from deploy.local.surroundings import is_given
from shared.settings import Settings

_REQUIRED = tuple(item.name.upper() for item in fields(Settings) if item.default is MISSING)
_KNOWN = tuple(item.name.upper() for item in fields(Settings))
_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")
_ALIKE = 0.88  # of 1: one letter wrong in ten
_SEE = "docs/configuration.md says what it may be."


async def look_at_values(setup: Setup) -> Verdict | list[Verdict]:
    """Every value that is missing or cannot be used, at once."""
    if setup.readable is not None:
        return ok(f"All {len(_KNOWN)} settings can be used.")
    if not any(is_given(setup.environ, name) for name in _REQUIRED):
        return failed(
            "No settings are given, and no system of this user runs on this machine.",
            do="Run `instadistro up` for a whole system on this machine. For servers of your own set "
            f"{', '.join(_REQUIRED[:-1])} and {_REQUIRED[-1]}; docs/configuration.md tells how.",
        )
    return [failed(_sentence(fault), do=_advice(fault)) for fault in setup.faults]


def _sentence(fault: str) -> str:
    return fault if fault.endswith(".") else f"{fault}."


def _advice(fault: str) -> str:
    name = fault.partition(" ")[0]
    if " is not set." in fault:
        return f"Set {name}, or {name}_FILE to the path of a file that holds it."
    if " cannot be read from " in fault:
        return f"Correct the path in {name}_FILE, or let the user of the services read the file."
    if " are both set" in fault:
        return f"Take {name} or {name}_FILE away."
    return f"Correct {name}. {_SEE}"


async def look_at_names(setup: Setup) -> Verdict | list[Verdict]:
    """Variables that look like a setting and are none."""
    taken = {*_KNOWN, *(variable(name) for name in NAMES)}
    found = []
    for name in sorted(setup.environ):
        plain = name.removesuffix("_FILE")
        if plain not in taken and (meant := difflib.get_close_matches(plain, _KNOWN, n=1, cutoff=_ALIKE)):
            do = f"Call it {meant[0]} if that is what is meant; {name} is read by nobody here."
            found.append(warning(f"{name} is no setting, and {meant[0]} is one.", do=do))
    return found or ok("No variable looks like a misspelled setting.")


async def look_at_agreement(setup: Setup) -> Verdict | list[Verdict]:
    """Values that are fine alone and wrong together."""
    found = list(_contradictions(setup.settings))
    return found or ok("The settings agree with each other.")


def _contradictions(settings: Settings) -> Iterator[Verdict]:
    if bool(settings.instagram_app_id) != bool(settings.instagram_app_secret):
        there, lacks = ("ID", "SECRET") if settings.instagram_app_id else ("SECRET", "ID")
        yield failed(
            f"INSTAGRAM_APP_{there} is set and INSTAGRAM_APP_{lacks} is not: no account can be connected.",
            do="Set both, from the app's page at Meta, or neither.",
        )
    if settings.api_port == settings.api_internal_port:
        yield failed(
            f"API_PORT and API_INTERNAL_PORT are both {settings.api_port}: the gateway cannot start.",
            do="Give one of them another port.",
        )
    if not _VERSION.fullmatch(settings.instagram_api_version):
        yield failed(
            f"INSTAGRAM_API_VERSION is {settings.instagram_api_version!r}: the platform knows no such version.",
            do="Give a version of the Graph API such as v25.0.",
        )
    if settings.kill_points_dir is not None and is_real_platform(settings):
        yield failed(
            "KILL_POINTS_DIR is set on a system that publishes to Instagram: processes may kill themselves.",
            do="Unset KILL_POINTS_DIR; it is for tests.",
        )


SETTINGS = Area(
    name="settings",
    enter=walk_in,
    needs=(),
    checks=(
        Check(name="settings.values", look=look_at_values),
        Check(name="settings.names", look=look_at_names),
        Check(name="settings.agreement", look=look_at_agreement, needs=("settings.values",)),
        Check(name="settings.files", look=look_at_files),
        Check(name="settings.secrets", look=look_at_secrets, needs=("settings.values",)),
    ),
)
