"""wrk, a load generator that is kept and costs little: how many requests a second a server answers."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import BenchmarkError

_CONNECTIONS = 16
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
_SCRIPT = """
local requests = {}
local next = 0
init = function()
    for line in io.lines("%s") do
        local path, key = line:match("([^\\t]+)\\t(.*)")
        wrk.headers["Authorization"] = key ~= "" and "Bearer " .. key or nil
        requests[#requests + 1] = wrk.format("GET", path)
    end
end
request = function()
    next = next %% #requests + 1
    return requests[next]
end
"""


async def requests_per_s(origin: str, requests: Sequence[tuple[str, str]], *, seconds: float) -> float:
    """Send requests one after the other over 16 connections, from the first again after the last.

    Args:
        origin: `http://host:port`.
        requests: path and API key of each; without a key it is empty.
        seconds: for how long, in whole seconds.

    Raises:
        BenchmarkError: wrk is not installed, or a request was refused: the figure would be void.
    """
    program = shutil.which("wrk")
    if program is None:
        raise BenchmarkError("wrk is not installed. Install the package wrk of your distribution, and run again.")
    with tempfile.TemporaryDirectory(prefix="instadistro-bench-") as place:
        script = await asyncio.to_thread(_write, Path(place), requests)
        process = await asyncio.create_subprocess_exec(
            *(program, "-t1", f"-c{_CONNECTIONS}", f"-d{seconds:g}s", "-s", str(script), origin),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), seconds + 60)
    text = said.decode()
    rate = _RATE.search(text)
    if rate is None or _REFUSED.search(text):
        raise BenchmarkError(f"wrk gave no clean figure:\n{text}")
    return float(rate[1])


def _write(place: Path, requests: Sequence[tuple[str, str]]) -> Path:
    listed, script = place / "requests.txt", place / "requests.lua"
    listed.write_text("".join(f"{path}\t{key}\n" for path, key in requests), encoding="utf-8")
    script.write_text(_SCRIPT % listed, encoding="utf-8")
    return script
