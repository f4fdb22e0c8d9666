"""A whole system on this machine: private servers, migrations, emulator and services, started and stopped as one."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.happenings import Happening, Happenings
from deploy.local.instance import Instance
from deploy.local.instance_secrets import Secrets, load_secrets
from deploy.local.log_stream import Log
from deploy.local.orphans import end_orphans
from deploy.local.own_parts import SERVICES, emulator_part, migrate_part, service_part
from deploy.local.packages import PROMETHEUS, ensure_binaries
from deploy.local.part import Part
from deploy.local.patience import Patience
from deploy.local.ports import NAMES, Ports, check_free
from deploy.local.prometheus import RULES, prometheus_part
from deploy.local.rabbitmq import rabbitmq_data
from deploy.local.run_record import Recorder, new_record, read_record
from deploy.local.server_parts import server_parts
from deploy.local.supervisor import Supervisor
from deploy.local.surroundings import build_environment, private_parts
from shared.errors import NotReadyError

_ORPHAN_POLITE_S = 15.0
_EXPECT_DEADLINE_S = 60.0
_SUPERVISOR = "system"
_DEFAULT_PATIENCE = Patience()


class System:
    """Everything one instance runs. An async context manager: inside it all parts are ready, after it all have ended.

    Args:
        instance: where state is kept.
        ports: the listeners' ports.
        environ: the user's environment; None is that of this process.
        extra_environment: settings for the project's processes that win over everything else.
        emulator_accounts: a file of accounts the emulator begins with.
        log: where the parts' lines go; None is standard output.
        servers_only: run the private servers and nothing of the project's own.
        durable: False trades the database's safety in a power cut for speed; for tests.
        patience: when a part that dies is given up.
        with_prometheus: also run a Prometheus that scrapes all of it.
        scrape_every_s: how often that one asks its targets.
        prometheus_rules: the directory of the rule files it evaluates.
        parts: run these in place of all of the above; for tests of the supervision itself.
    """

    def __init__(
        self,
        instance: Instance,
        ports: Ports,
        *,
        environ: Mapping[str, str] | None = None,
        extra_environment: Mapping[str, str] | None = None,
        emulator_accounts: Path | None = None,
        log: Log | None = None,
        servers_only: bool = False,
        durable: bool = True,
        patience: Patience = _DEFAULT_PATIENCE,
        with_prometheus: bool = False,
        scrape_every_s: float = 5.0,
        prometheus_rules: Path = RULES,
        parts: Sequence[Part] | None = None,
    ) -> None:
        self.instance = instance
        self.ports = ports
        self.environment: dict[str, str] = {}
        self._environ = {**(os.environ if environ is None else environ), **(extra_environment or {})}
        self._emulator_accounts = emulator_accounts
        self._log = log or Log()
        self._servers_only = servers_only
        self._durable = durable
        self._patience = patience
        self._with_prometheus = with_prometheus
        self._scrape_every_s = scrape_every_s
        self._prometheus_rules = prometheus_rules
        self._parts = parts
        self._happenings = Happenings()
        self._supervisor: Supervisor | None = None
        self._held = ExitStack()

    async def __aenter__(self) -> Self:
        """Start everything and wait until it is ready.

        Raises:
            InstanceBusyError: this instance already runs.
            PortsTakenError: ports are somebody else's.
            PackagesMissingError: programs are missing and cannot be installed.
            StateDirectoryError: the state cannot be used.
            PartFailedError: a part did not start; everything was stopped again.
        """
        self.instance.create()
        self._held.enter_context(self.instance.lock())
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything in reverse order."""
        await self._stop()

    async def wait(self) -> None:
        """Wait until a part cannot be kept running.

        Raises:
            PartFailedError: that is the case; leave the context.
        """
        await self._running.wait()

    async def wait_ready(self, *, deadline_s: float = _EXPECT_DEADLINE_S) -> None:
        """Wait until every part is ready (again).

        Raises:
            NotReadyError: some were not within `deadline_s`.
            PartFailedError: a part cannot be kept running.
        """
        await self._running.wait_ready(deadline_s=deadline_s)

    def expect(self, part: str, state: str, *, deadline_s: float = _EXPECT_DEADLINE_S) -> asyncio.Future[Happening]:
        """The next time `part` is `died`, `ready`, ...; call it before what makes it happen, then await it."""
        return self._happenings.expect(part, state, deadline_s=deadline_s)

    def pid(self, part: str) -> int | None:
        """The process of `part` at this moment."""
        return self._running.keeper(part).pid

    def kill(self, part: str) -> None:
        """Make `part` end as in a crash (SIGKILL); it is started again."""
        self._running.keeper(part).kill()

    def wipe_rabbitmq(self) -> None:
        """Crash RabbitMQ and lose everything it kept; it starts again, empty."""
        keeper = self._running.keeper("rabbitmq")
        keeper.before_next_start = lambda: shutil.rmtree(rabbitmq_data(self.instance))
        keeper.kill()

    def hurry(self) -> None:
        """Stop without any more patience: what has not ended is killed."""
        if self._supervisor is not None:
            self._supervisor.hurry()

    @property
    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise NotReadyError("The system has not been started.")
        return self._supervisor

    async def _start(self) -> None:
        await self._end_orphans()
        secrets = load_secrets(self.instance)
        self.environment = build_environment(
            instance=self.instance, ports=self.ports, secrets=secrets, environ=self._environ
        )
        parts = await self._all_parts(secrets) if self._parts is None else self._parts
        check_free(self.ports, _listeners(parts))
        recorder = Recorder(self.instance.run_file, new_record(self.ports), complain=self._say)
        recorder.write()
        self._held.callback(recorder.remove)

        def report(name: str, *, state: str, pid: int | None, port: int | None) -> None:
            recorder.note(name, state=state, pid=pid, port=port)
            self._happenings.announce(Happening(part=name, state=state, pid=pid))

        self._supervisor = Supervisor(parts, log=self._log, report=report, patience=self._patience)
        await self._supervisor.start()
        recorder.note_ready()

    async def _stop(self) -> None:
        with self._held:
            if self._supervisor is not None:
                await self._supervisor.stop()

    async def _end_orphans(self) -> None:
        record = read_record(self.instance.run_file)
        orphans = record.orphans() if record is not None else []
        if orphans:
            self._say(f"stopping what a killed supervisor left: {', '.join(name for name, _, _ in orphans)}")
            await end_orphans(orphans, polite_s=_ORPHAN_POLITE_S)

    async def _all_parts(self, secrets: Secrets) -> list[Part]:
        private = private_parts(self._environ)
        servers = await asyncio.to_thread(
            server_parts,
            instance=self.instance,
            ports=self.ports,
            secrets=secrets,
            private=private,
            durable=self._durable,
            say=self._say,
        )
        if self._servers_only:
            return servers
        own = [migrate_part(self.environment)]
        if "emulator" in private:
            own.append(emulator_part(self.environment, port=self.ports.emulator, accounts=self._emulator_accounts))
        own += [service_part(name, self.environment, ports=self.ports) for name in SERVICES]
        if self._with_prometheus:
            own.append(await asyncio.to_thread(self._prometheus, with_rabbitmq="rabbitmq" in private))
        return [*servers, *own]

    def _prometheus(self, *, with_rabbitmq: bool) -> Part:
        binary = ensure_binaries([PROMETHEUS], say=self._say).prometheus
        assert binary is not None  # noqa: S101 - what was asked for is there, or an error was raised
        return prometheus_part(
            instance=self.instance,
            binary=binary,
            ports=self.ports,
            scrape_every_s=self._scrape_every_s,
            rules=self._prometheus_rules,
            with_rabbitmq=with_rabbitmq,
        )

    def _say(self, text: str) -> None:
        self._log.line(_SUPERVISOR, text)


def _listeners(parts: Sequence[Part]) -> list[str]:
    """The ports that `parts` will listen on."""
    names = {part.name for part in parts}
    return [
        name
        for name in NAMES
        if name in names
        or (name.startswith("rabbitmq_") and "rabbitmq" in names)
        or name.removesuffix("_internal") in names
    ]
