"""What a person wants to know of a running system: where to look and what to do next."""

from __future__ import annotations

from deploy.local import Instance, Ports
from deploy.local.instance import SECRETS_FILE
from deploy.local.ports import LOOPBACK
from deploy.local.rabbitmq import USER


def overview(instance: Instance, ports: Ports, *, with_prometheus: bool = False) -> str:
    """The addresses and files of a system, one a line."""
    prometheus = [("Prometheus", f"http://{LOOPBACK}:{ports.prometheus}")] if with_prometheus else []
    lines = [
        ("API", f"http://{LOOPBACK}:{ports.api}"),
        ("emulator", f"http://{LOOPBACK}:{ports.emulator}/_emulator/"),
        ("RabbitMQ", f"http://{LOOPBACK}:{ports.rabbitmq_management} (user {USER}, password in the secrets)"),
        *prometheus,
        ("secrets", str(instance.directory / SECRETS_FILE)),
        ("logs", str(instance.logs)),
        ("a user", "instadistro users create you@example.com"),
        ("to stop", "instadistro down, or Ctrl-C where it runs"),
    ]
    return "\n".join(f"  {name:<11}{value}" for name, value in lines)
