"""The private servers an instance runs itself, as parts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from deploy.local.instance import Instance
from deploy.local.instance_secrets import Secrets
from deploy.local.packages import POSTGRES, PROMETHEUS, RABBITMQ, REDIS, ensure_binaries
from deploy.local.part import Part
from deploy.local.ports import Ports
from deploy.local.postgres import postgres_part
from deploy.local.rabbitmq import epmd_part, rabbitmq_part
from deploy.local.redis import redis_part
from deploy.local.surroundings import private_parts

PACKAGES = {"postgres": POSTGRES, "redis": REDIS, "rabbitmq": RABBITMQ, "prometheus": PROMETHEUS}


def ensure_private_servers(
    environ: Mapping[str, str], *, say: Callable[[str], None], with_prometheus: bool = False
) -> None:
    """Find the programs of the servers this environment does not bring itself, installing what is missing.

    Raises:
        PackagesMissingError: programs are missing and cannot be installed; the text says which packages to install.
    """
    wanted = private_parts(environ) | ({"prometheus"} if with_prometheus else set())
    ensure_binaries([package for part, package in PACKAGES.items() if part in wanted], say=say)


def server_parts(
    *,
    instance: Instance,
    ports: Ports,
    secrets: Secrets,
    private: Collection[str],
    durable: bool,
    say: Callable[[str], None],
) -> list[Part]:
    """Describe those of the three servers that are in `private`, in an order in which they can start.

    Raises:
        PackagesMissingError: programs are missing and cannot be installed.
        StateDirectoryError: data are there that the installed programs cannot read.
    """
    binaries = ensure_binaries([package for part, package in PACKAGES.items() if part in private], say=say)
    parts = []
    if "postgres" in private and binaries.postgres is not None:
        password = secrets.postgres_password
        parts.append(
            postgres_part(
                instance=instance, binaries=binaries.postgres, port=ports.postgres, password=password, durable=durable
            )
        )
    if "redis" in private and binaries.redis_server is not None:
        parts.append(
            redis_part(
                instance=instance, binary=binaries.redis_server, port=ports.redis, password=secrets.redis_password
            )
        )
    if "rabbitmq" in private and binaries.rabbitmq_server is not None and binaries.epmd is not None:
        parts.append(epmd_part(instance=instance, binary=binaries.epmd, port=ports.epmd))
        parts.append(
            rabbitmq_part(
                instance=instance,
                script=binaries.rabbitmq_server,
                erlang=Path(shutil.which("erl") or binaries.epmd).parent,
                ports=ports,
                password=secrets.rabbitmq_password,
                cookie=secrets.erlang_cookie,
                durable=durable,
            )
        )
    return parts
