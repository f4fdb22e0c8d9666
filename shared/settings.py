"""Settings: read from the environment once, validated together, passed on as arguments.

Every field of `Settings` is one environment variable with the same name in upper case. A name with `_FILE` appended
gives a file to read the value from, which is how Compose and Kubernetes hand over secrets. `python -m shared.settings`
prints the table of docs/configuration.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from shared import setting_values as value
from shared.errors import SettingsError


def _setting(parse: Callable[[str], Any], doc: str, *, default: Any = MISSING, secret: bool = False) -> Any:
    metadata = {"parse": parse, "doc": doc, "secret": secret}
    # A secret stays out of the repr, which ends up in logs and tracebacks.
    return field(default=default, metadata=metadata, repr=not secret)


_PORT = value.whole(1, 65535)
_RATE = value.whole(0, 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a process can be told. Times are seconds; a secret has no default."""

    database_url: str = _setting(value.url("postgresql", "postgres"), "PostgreSQL 15 or newer.", secret=True)
    redis_url: str = _setting(
        value.url("redis", "rediss"), "Redis, for the cache, the platform gate and the rate limits.", secret=True
    )
    amqp_url: tuple[str, ...] = _setting(
        value.url_list("amqp", "amqps"), "RabbitMQ; several URLs parted by commas are tried in turn.", secret=True
    )
    amqp_management_url: str | None = _setting(
        value.url("http", "https"),
        "RabbitMQ's management API, with user and password: with it the depth of queues is known by priority.",
        default=None,
        secret=True,
    )
    token_keys: dict[str, bytes] = _setting(
        value.token_keys,
        "Key ring for access tokens at rest, `NAME:BASE64[,...]`. The first encrypts, all decrypt.",
        secret=True,
    )
    cursor_secret: bytes = _setting(value.secret, "Signs pagination cursors.", secret=True)
    api_key_pepper: bytes = _setting(value.secret, "Keys the HMAC under which API keys are stored.", secret=True)

    public_url: str = _setting(
        value.url("http", "https"),
        "Where the platform reaches this system's `/media/`.",
        default="http://127.0.0.1:8080",
    )
    instagram_graph_url: str = _setting(
        value.url("http", "https"),
        "The Graph API. Point it at the emulator for development.",
        default="https://graph.instagram.com",
    )
    instagram_api_version: str = _setting(str, "Graph API version in every path.", default="v25.0")
    instagram_app_id: str | None = _setting(
        str, "The app's id at Instagram: with it accounts can be connected through OAuth.", default=None
    )
    instagram_app_secret: str | None = _setting(
        str, "The app's secret at Instagram; needed with the id.", default=None, secret=True
    )
    public_fetch_test: str = _setting(
        value.one_of("on", "off"),
        "Whether media is fetched through PUBLIC_URL before it is planned on; `off` where this network cannot.",
        default="on",
    )
    webhook_private_networks: str = _setting(
        value.one_of("on", "off"),
        "Whether webhooks may lead into private networks and to http://; `on` only where every tenant is trusted.",
        default="off",
    )
    media_store: str = _setting(
        value.media_store,
        "Directory, or `s3://BUCKET/PREFIX` (credentials from the usual AWS variables).",
        default="/var/lib/instadistro/media",
    )

    bind_host: str = _setting(str, "Address that the HTTP listeners bind.", default="127.0.0.1")
    api_port: int = _setting(_PORT, "The gateway.", default=8080)
    api_internal_port: int = _setting(_PORT, "Probes and metrics of the api service.", default=9100)
    scheduler_internal_port: int = _setting(_PORT, "Probes and metrics of the scheduler.", default=9101)
    publisher_internal_port: int = _setting(_PORT, "Probes and metrics of the publisher.", default=9102)
    health_internal_port: int = _setting(_PORT, "Probes and metrics of the health service.", default=9103)
    log_format: str = _setting(
        value.one_of("auto", "json", "console"), "`auto`: people's format on a terminal, else JSON.", default="auto"
    )
    log_level: str = _setting(
        value.one_of("debug", "info", "warning", "error"), "Least level that is logged.", default="info"
    )

    lease_s: float = _setting(
        value.seconds(1, 600), "How long a claim on a publication lasts without renewal.", default=20.0
    )
    lease_renew_s: float = _setting(value.seconds(0.1, 300), "How often live claims are renewed.", default=5.0)
    rescue_sweep_s: float = _setting(
        value.seconds(0.1, 300), "How often forgotten publications are looked for.", default=5.0
    )
    rescue_after_s: float = _setting(
        value.seconds(1, 3600), "How long past due a publication waits before it is rescued.", default=60.0
    )
    platform_deadline_s: float = _setting(
        value.seconds(0.1, 300), "Deadline of one call to the platform.", default=30.0
    )
    publish_deadline_s: float = _setting(value.seconds(0.1, 300), "Deadline of the publish call.", default=60.0)
    poll_in_worker_s: float = _setting(
        value.seconds(0, 300), "How long a worker polls a container before it lets go.", default=15.0
    )
    publisher_slots: int = _setting(value.whole(1, 1000), "Publications one publisher works on at once.", default=64)
    health_slots: int = _setting(value.whole(1, 1000), "Checks one health process works on at once.", default=16)
    rate_limit_key_per_s: int = _setting(
        _RATE,
        "Units per second of one API key, twice as many at once; most requests cost one. 0: no limit.",
        default=100,
    )
    rate_limit_tenant_per_s: int = _setting(_RATE, "The same for all keys of a user together.", default=200)
    rate_limit_address_per_s: int = _setting(
        _RATE,
        "Requests per second without a valid key from one address, twice as many at once; 0: no limit.",
        default=10,
    )
    outbox_max_age_s: float = _setting(
        value.seconds(0, 86400),
        "While the oldest unsent outbox row is overdue for longer, nothing more is accepted; 0: always accepted.",
        default=300.0,
    )
    relay_batch: int = _setting(value.whole(1, 1000), "Outbox rows sent in one transaction.", default=500)
    drain_s: float = _setting(
        value.seconds(0, 600), "How long a stopping worker may finish what it began.", default=25.0
    )
    health_check_every_s: float = _setting(
        value.seconds(1, 86400),
        "How often the platform is asked for an account without a problem; for others more often.",
        default=21600.0,
    )
    analytics: str = _setting(
        value.one_of("on", "off"),
        "Whether the numbers of accounts and posts are collected; `off` saves their calls to the platform.",
        default="on",
    )
    cleanup_every_s: float = _setting(
        value.seconds(1, 86400), "Rhythm of the cleanup of finished rows.", default=3600.0
    )
    archive_after_days: int = _setting(
        value.whole(60, 36500),
        "How long a finished publication stays among the others before it is archived; scores look 56 days back.",
        default=90,
    )
    archive_keep_days: int = _setting(
        value.whole(0, 36500), "How long the archive keeps a publication; 0: for ever.", default=730
    )
    kill_points_dir: Path | None = _setting(
        value.directory,
        "Tests only: a file named after a kill point makes the process kill itself there.",
        default=None,
    )


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read and validate all settings.

    Args:
        environ: the process environment, or a stand-in for it.

    Raises:
        SettingsError: one or more values are missing or wrong; the message lists all of them. Exit with status 2.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for item in fields(Settings):
        name = item.name.upper()
        try:
            text = _read(environ, name)
            if text is not None:
                values[item.name] = item.metadata["parse"](text)
            elif item.default is MISSING:
                faults.append(f"{name} is not set. {item.metadata['doc']}")
        except ValueError as error:
            faults.append(f"{name} {error}")
    if not faults and values.get("lease_renew_s", 5.0) * 2 > values.get("lease_s", 20.0):
        faults.append("LEASE_RENEW_S must be at most half of LEASE_S, or a live claim can lapse between two renewals")
    if faults:
        raise SettingsError(faults)
    return Settings(**values)


def _read(environ: Mapping[str, str], name: str) -> str | None:
    file_name = environ.get(f"{name}_FILE")
    if file_name:
        if environ.get(name):
            raise ValueError(f"and {name}_FILE are both set; keep one")
        if "://" in file_name:  # the value itself, and with it a password: not to be repeated
            raise ValueError(f"cannot be read: {name}_FILE must be the path of a file, not an address")
        try:
            return Path(file_name).read_text(encoding="utf-8").strip() or None
        except OSError as error:
            raise ValueError(f"cannot be read from {name}_FILE: {error.strerror} ({file_name})") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"cannot be read from {name}_FILE: it is not UTF-8 text ({file_name})") from error
    return environ.get(name) or None


def settings_table() -> str:
    """The Markdown table of all settings, as docs/configuration.md shows it."""
    rows = ["| setting | default | what it does |", "| --- | --- | --- |"]
    rows += [f"| `{item.name.upper()}` | {_default_text(item)} | {item.metadata['doc']} |" for item in fields(Settings)]
    return "\n".join(rows)


def _default_text(item: Field[Any]) -> str:
    if item.default is MISSING:
        return "required, secret" if item.metadata["secret"] else "required"
    if item.default is None:
        return "unset, secret" if item.metadata["secret"] else "unset"
    return f"`{item.default}`"


if __name__ == "__main__":
    print(settings_table())
