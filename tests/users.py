"""A user made as an operator makes one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from uuid import uuid4

_DEADLINE_S = 60.0


async def make_user(environment: Mapping[str, str], *, operator: bool = False) -> str:
    """The API key of a new user."""
    options = ("--json", "--operator") if operator else ("--json",)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "deploy.cli.main", "users", "create", f"{uuid4().hex}@example.com", *options),
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), _DEADLINE_S)
    assert process.returncode == 0
    key: str = json.loads(said)["api_key"]
    return key
