"""The environment the project's own processes get: built from the instance and its ports; the user's own values win."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.local.instance import Instance
from deploy.local.instance_secrets import Secrets
from deploy.local.ports import LOOPBACK, Ports
from deploy.local.postgres import postgres_url
from deploy.local.rabbitmq import amqp_url, management_url
from deploy.local.redis import redis_url

# The setting that, when the user gives it, takes the place of a private part.
REPLACED_BY = {
    "postgres": "DATABASE_URL",
    "redis": "REDIS_URL",
    "rabbitmq": "AMQP_URL",
    "emulator": "INSTAGRAM_GRAPH_URL",
}


def is_given(environ: Mapping[str, str], name: str) -> bool:
    """Does `environ` set the setting `name`, directly or by a file?"""
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))


def private_parts(environ: Mapping[str, str]) -> set[str]:
    """Which of PostgreSQL, Redis, RabbitMQ and the emulator this system runs itself."""
    return {part for part, setting in REPLACED_BY.items() if not is_given(environ, setting)}


def build_environment(
    *, instance: Instance, ports: Ports, secrets: Secrets, environ: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment for a process of the project.

    Args:
        instance: where media are kept.
        ports: of this run; they win over `environ`, which they were read from.
        secrets: of the instance.
        environ: the user's own; a setting given there stays as it is.
    """
    built = {
        "DATABASE_URL": postgres_url(port=ports.postgres, password=secrets.postgres_password),
        "REDIS_URL": redis_url(port=ports.redis, password=secrets.redis_password),
        "AMQP_URL": amqp_url(port=ports.rabbitmq, password=secrets.rabbitmq_password),
        "TOKEN_KEYS": secrets.token_keys,
        "CURSOR_SECRET": secrets.cursor_secret,
        "API_KEY_PEPPER": secrets.api_key_pepper,
        "PUBLIC_URL": f"http://{LOOPBACK}:{ports.api}",
        "INSTAGRAM_GRAPH_URL": f"http://{LOOPBACK}:{ports.emulator}",
        "MEDIA_STORE": str(instance.media),
    }
    if not is_given(environ, "AMQP_URL"):  # another broker has a management API of its own, or none
        built["AMQP_MANAGEMENT_URL"] = management_url(
            port=ports.rabbitmq_management, password=secrets.rabbitmq_password
        )
    if not is_given(environ, "INSTAGRAM_GRAPH_URL"):  # the emulator knows every app
        built |= dict.fromkeys(("INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET"), "emulator")
    missing = {name: value for name, value in built.items() if not is_given(environ, name)}
    return {**environ, **missing, **ports.environment(), "PYTHONUNBUFFERED": "1"}
