"""What is large: an import of ten thousand accounts, and the plan of a distribution to all of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from benchmarks.api.ground import GatewayProcess, Tenant, add_tenants, gateway_process
from benchmarks.bench import UNITS, Bench
from benchmarks.processes import CHECKOUT, BenchmarkError
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO
from shared.database import create_pool

_ACCOUNTS = 10_000
_CALL = aiohttp.ClientTimeout(total=120)
_PICTURE = CHECKOUT / "examples" / "picture.jpg"
_METRICS = ("import", "import_again", "plan", "distribute")


async def bulk(bench: Bench) -> list[Row]:
    """A new tenant each time: import, the same import again, the plan alone, and the distribution as it is accepted."""
    count = bench.scaled(_ACCOUNTS)
    figures: dict[str, list[float]] = {name: [] for name in _METRICS}
    async with await create_pool(bench.servers.database, application_name="bench", max_size=2) as pool:
        tenants = await add_tenants(pool, users=bench.runs, accounts=0)
    async with gateway_process(bench.servers) as gateway, aiohttp.ClientSession(timeout=_CALL) as http:
        bench.report.begin("bulk", trials=bench.runs)
        for tenant in tenants:
            took = await _Bulk(http, gateway, tenant).run(count)
            for name, seconds in took.items():
                figures[name].append(seconds)
            bench.report.tell(", ".join(f"{name} {seconds:.2f} s" for name, seconds in took.items()))
    return [row("bulk", INSTADISTRO, name, UNITS["burst_s"], figures[name]) for name in _METRICS]


class _Bulk:
    """One tenant's calls."""

    def __init__(self, http: aiohttp.ClientSession, gateway: GatewayProcess, tenant: Tenant) -> None:
        self._http, self._gateway, self._tenant = http, gateway, tenant

    async def run(self, count: int) -> dict[str, float]:
        """Seconds by what was asked."""
        lines = [f"bench_{number},{17_000_000_000 + number},TOKEN-{number}-of-the-benchmark" for number in range(count)]
        file = "\n".join(["username,instagram_user_id,access_token", *lines]).encode()
        headers = {"Content-Type": "text/csv"}
        made, first_s = await self._timed("POST", "/v1/accounts/import", data=file, headers=headers)
        _, again_s = await self._timed("POST", "/v1/accounts/import", data=file, headers=headers)
        group, _ = await self._timed("POST", "/v1/groups", json={"name": "all", "account_ids": made["accounts"]})
        wish = await self._wish(group["id"])
        planned, plan_s = await self._timed("POST", "/v1/distributions?dry_run=true", json=wish)
        if planned["publications"] != count:
            raise BenchmarkError(f"The plan is for {planned['publications']} of {count} accounts.")
        _, distribute_s = await self._timed("POST", "/v1/distributions", json=wish | {"seed": planned["seed"]})
        return {"import": first_s, "import_again": again_s, "plan": plan_s, "distribute": distribute_s}

    async def _wish(self, group_id: str) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("file", _PICTURE.read_bytes(), filename="picture.jpg")
        media, _ = await self._timed("POST", "/v1/media", data=form)
        post, _ = await self._timed("POST", "/v1/posts", json={"caption": "All", "media_ids": [media["id"]]})
        begin = datetime.now(UTC) + timedelta(days=1)
        window = {"from": begin.isoformat(), "to": (begin + timedelta(hours=12)).isoformat()}
        return {"post_id": post["id"], "group_id": group_id, "window": window}

    async def _timed(self, method: str, path: str, **request: Any) -> tuple[Any, float]:
        headers = {"Authorization": f"Bearer {self._tenant.api_key}", **request.pop("headers", {})}
        began = time.perf_counter()
        async with self._http.request(method, self._gateway.origin + path, headers=headers, **request) as answer:
            body = await answer.json(content_type=None)
        if not answer.ok:
            raise BenchmarkError(f"{method} {path} answered {answer.status}: {str(body)[:500]}")
        return body, time.perf_counter() - began
