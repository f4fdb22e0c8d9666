"""A system that is given an unmistakable secret wherever it takes one, and everything it then writes."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from deploy.local import BoundedFile, Instance, Log, System, free_ports
from tests.told_secrets import Detector
from tests.users import make_user

_LOG_BYTES_MAX = 200_000_000
_SETTINGS = {
    "LOG_LEVEL": "debug",
    "LOG_FORMAT": "json",
    "HEALTH_CHECK_EVERY_S": "5",
    "PLATFORM_DEADLINE_S": "3",
    "WEBHOOK_PRIVATE_NETWORKS": "on",
}


@dataclass
class Bearer:
    """The running system, the secrets it holds, and what it answered with an error."""

    system: System
    http: aiohttp.ClientSession
    log_file: Path
    secrets: dict[str, str]
    errors: list[str] = field(default_factory=list)  # bodies and headers of every answer from 400 on

    def secret(self, name: str) -> str:
        """The secret of this name, made up at the first call."""
        return self.secrets.setdefault(name, f"{secrets.token_hex(12)}-Geheim.{len(self.secrets)}")

    def know(self, name: str, value: str) -> str:
        """Remember a secret that the system made."""
        return self.secrets.setdefault(name, value)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.system.ports.api}"

    async def call(self, method, path, *, key="api key", **request):
        """Ask the gateway; the answer's JSON, whatever its status."""
        headers = {"Authorization": f"Bearer {self.secrets[key]}", **request.pop("headers", {})}
        async with self.http.request(method, f"{self.url}{path}", headers=headers, **request) as answer:
            text = await answer.text()
            if answer.status >= 400:
                self.errors.append(f"{method} {path.partition('?')[0]}: {answer.status} {dict(answer.headers)} {text}")
            return json.loads(text) if text else None

    async def order_fault(self, **fault):
        url = f"http://127.0.0.1:{self.system.ports.emulator}/_emulator/faults"
        async with self.http.post(url, json=fault) as answer:
            assert answer.ok, await answer.text()

    async def execute(self, statement, *values):
        connection = await asyncpg.connect(self.system.environment["DATABASE_URL"])
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def metrics(self, service):
        port = getattr(self.system.ports, f"{service}_internal")
        async with self.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            return await answer.text()

    def lines(self, *names):
        """The lines of these parts so far, with the part's name apart; notes of the supervisor stand in brackets."""
        parts = [line.partition("| ") for line in self.log_file.read_text(encoding="utf-8").splitlines()]
        return [(name.strip(), text) for name, _, text in parts if name.strip() in names and not text.startswith("[")]

    @property
    def detector(self) -> Detector:
        return Detector(self.secrets)


@asynccontextmanager
async def bearing_system(instance: Instance, accounts: Path) -> AsyncIterator[Bearer]:
    """A whole system of its own, every secret of its settings made up here or read from what it was given."""
    made = {
        "token key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "cursor secret": secrets.token_hex(24),
        "pepper": secrets.token_hex(24),
        "app secret": secrets.token_hex(16),
    }
    settings = {
        **_SETTINGS,
        "TOKEN_KEYS": f"local1:{made['token key']}",
        "CURSOR_SECRET": made["cursor secret"],
        "API_KEY_PEPPER": made["pepper"],
        "INSTAGRAM_APP_ID": "1234567890",
        "INSTAGRAM_APP_SECRET": made["app secret"],
    }
    instance.create()
    log_file = instance.logs / "all.log"
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(free_ports())
        file = stack.enter_context(closing(BoundedFile(log_file, bytes_max=_LOG_BYTES_MAX)))
        system = System(
            instance,
            ports,
            extra_environment=settings,
            emulator_accounts=accounts,
            log=Log(file=file),
            durable=False,
        )
        await stack.enter_async_context(system)
        for name in ("DATABASE_URL", "REDIS_URL", "AMQP_URL"):
            made[name] = urlsplit(system.environment[name]).password or ""
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)))
        made["api key"] = await make_user(system.environment, operator=True)
        yield Bearer(system=system, http=http, log_file=log_file, secrets=made)
