"""PostgreSQL, Redis and RabbitMQ in a process of their own, on free ports, for tests and whoever runs like one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_START_DEADLINE_S = 120
_STOP_DEADLINE_S = 60


@dataclass(frozen=True, kw_only=True)
class Servers:
    """URLs of the three private servers."""

    database: str
    redis: str
    amqp: str
    management: str


@contextmanager
def private_servers(state: Path) -> Iterator[Servers]:
    """The servers for as long as the context lasts; they end with this process, however it ends.

    Args:
        state: where they keep their data.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "deploy.local.servers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches pytest, which ends the servers when its fixtures are torn down
        env={**os.environ, "INSTADISTRO_STATE": str(state)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with ThreadPoolExecutor(2) as readers:
        said = readers.submit(process.stderr.read)
        try:
            answer = readers.submit(process.stdout.readline).result(_START_DEADLINE_S)
            if not answer:
                raise RuntimeError(f"The servers for the tests did not start:\n{said.result(_STOP_DEADLINE_S)}")
            yield Servers(**json.loads(answer))
        finally:
            process.stdin.close()
            try:
                process.wait(_STOP_DEADLINE_S)
            finally:
                process.kill()
                process.wait()
                said.result(_STOP_DEADLINE_S)
                process.stdout.close()
                process.stderr.close()
