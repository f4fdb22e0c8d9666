"""The secrets a system makes up for itself at its first start and keeps beside the data they open."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass

from deploy.local.account import StateDirectoryError
from deploy.local.instance import SECRETS_FILE, Instance
from deploy.local.private_file import write_private

_RESTORE = "Put the file back, or start anew with `instadistro down --wipe`."
_OPENED_BY_SECRETS = ("postgres", "rabbitmq")


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What one system made up for itself at its first start."""

    postgres_password: str
    redis_password: str
    rabbitmq_password: str
    erlang_cookie: str
    token_keys: str  # as the setting TOKEN_KEYS
    cursor_secret: str
    api_key_pepper: str


def load_secrets(instance: Instance) -> Secrets:
    """The secrets of `instance`, made at the first call.

    Raises:
        StateDirectoryError: the file is damaged, or gone while data that need it are still there.
    """
    path = instance.directory / SECRETS_FILE
    try:
        return Secrets(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError) as error:
        raise StateDirectoryError(f"{path} cannot be used ({error}). {_RESTORE}") from error
    data = [name for name in _OPENED_BY_SECRETS if (instance.directory / name).exists()]
    if data:
        raise StateDirectoryError(f"{path} is gone, but data made with it are there ({', '.join(data)}). {_RESTORE}")
    made = _new_secrets()
    write_private(path, json.dumps(vars(made), indent=1))
    return made


def _new_secrets() -> Secrets:
    return Secrets(
        postgres_password=secrets.token_hex(16),
        redis_password=secrets.token_hex(16),
        rabbitmq_password=secrets.token_hex(16),
        erlang_cookie=secrets.token_hex(16),
        token_keys=f"local1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        cursor_secret=secrets.token_hex(32),
        api_key_pepper=secrets.token_hex(32),
    )
