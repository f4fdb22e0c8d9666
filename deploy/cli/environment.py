"""Where a command finds its settings: in the environment, or in the private system that runs on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping


def find_environment() -> Mapping[str, str]:
    """The environment, and what is missing there from the running private system, unless DATABASE_URL is given."""
    from deploy.local import Ports, open_instance  # noqa: PLC0415 - only commands that need it pay for the imports
    from deploy.local.instance_secrets import load_secrets  # noqa: PLC0415
    from deploy.local.run_record import read_record  # noqa: PLC0415
    from deploy.local.surroundings import build_environment, is_given  # noqa: PLC0415

    if is_given(os.environ, "DATABASE_URL"):
        return os.environ
    instance = open_instance(os.environ)
    record = read_record(instance.run_file)
    if record is None or not record.alive:
        return os.environ
    ports = Ports(**record.ports)
    return build_environment(instance=instance, ports=ports, secrets=load_secrets(instance), environ=os.environ)
