"""Asks a Prometheus by its HTTP API."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp


class RefusedError(Exception):
    """Prometheus does not understand the question; the text is its own."""


@dataclass(frozen=True)
class Prometheus:
    """One server."""

    http: aiohttp.ClientSession
    url: str

    async def values(self, expression: str) -> list[float]:
        """What the expression comes to now; what is not a number is left out.

        Raises:
            RefusedError: it cannot be parsed or evaluated.
        """
        found = await self._get("query", {"query": expression})
        pairs = [found["result"]] if found["resultType"] == "scalar" else [one["value"] for one in found["result"]]
        return [number for _, text in pairs if not math.isnan(number := float(text))]

    async def has_series(self, selector: str) -> bool:
        """Whether it ever stored a series that the selector matches.

        Raises:
            RefusedError: it is no selector.
        """
        return bool(await self._get("series", {"match[]": selector, "limit": "1"}))

    async def targets(self) -> list[dict[str, Any]]:
        """What it scrapes."""
        found: list[dict[str, Any]] = (await self._get("targets", {"state": "active"}))["activeTargets"]
        return found

    async def rules(self) -> list[dict[str, Any]]:
        """Its rules, recording and alerting, with their health."""
        return [rule for group in (await self._get("rules", {}))["groups"] for rule in group["rules"]]

    async def alerts(self) -> set[str]:
        """The names of the alerts that are pending or firing; those of objectives with it: `... of api_latency`."""
        labels = [alert["labels"] for alert in (await self._get("alerts", {}))["alerts"]]
        return {one["alertname"] + (f" of {one['slo']}" if "slo" in one else "") for one in labels}

    async def _get(self, what: str, parameters: Mapping[str, str]) -> Any:
        async with self.http.get(f"{self.url}/api/v1/{what}", params=parameters) as answer:
            said = await answer.json()
        if said["status"] != "success":
            raise RefusedError(said["error"])
        return said["data"]
