"""How parts are kept running and ended, with tiny scripts in the place of real parts."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
from pathlib import Path

import pytest

from deploy.local import InstanceBusyError, Log, Part, PartFailedError, Patience, Ports, System, open_instance
from deploy.local.part import NotYetError
from deploy.local.process_identity import birth
from deploy.local.run_record import read_record

_QUICK = Patience(first_delay_s=0.01, longest_delay_s=0.05)
_DEADLINE_S = 20
_SLEEP = "import time; time.sleep(600)"
# Says when it starts and when it is told to stop.
_WITNESS = """
import signal, sys, time
def note(what):
    with open(sys.argv[1], "a") as file: file.write(what + " " + sys.argv[2] + "\\n")
def stop(*_):
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("started")
time.sleep(600)
"""


class Output(io.StringIO):
    """A log to wait on."""

    def __init__(self):
        super().__init__()
        self._changed = asyncio.Event()

    def write(self, text):
        self._changed.set()
        return super().write(text)

    async def until(self, text):
        async with asyncio.timeout(_DEADLINE_S):
            while text not in self.getvalue():
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
def output():
    return Output()


def part(name, script=_SLEEP, *arguments, **other):
    environment = {"PATH": os.environ["PATH"]}
    return Part(name=name, command=(sys.executable, "-c", script, *arguments), environment=environment, **other)


def system(instance, output, *parts, patience=_QUICK):
    return System(instance, Ports(), log=Log(output), parts=parts, patience=patience)


async def never():
    raise NotYetError


async def test_a_part_starts_after_those_it_needs_and_stops_before_them(instance, output, tmp_path):
    """The order of starting is that of the needs; the order of stopping is the reverse."""
    notes = tmp_path / "notes"

    def witness(name, *needs):
        return part(name, _WITNESS, str(notes), name, needs=needs, probe=contains(notes, f"started {name}"))

    async with system(instance, output, witness("server"), witness("service", "server"), witness("user", "service")):
        pass

    assert notes.read_text().splitlines() == [
        "started server",
        "started service",
        "started user",
        "stopped user",
        "stopped service",
        "stopped server",
    ]


def contains(path, text):
    async def probe():
        if text not in Path(path).read_text():  # noqa: ASYNC240 - a tiny file
            raise NotYetError

    return probe


async def test_a_killed_part_is_started_again(instance, output):
    """A death is followed by a new process of the same part, and only of that one."""
    async with system(instance, output, part("one"), part("other")) as running:
        before, other = running.pid("one"), running.pid("other")
        died, ready = running.expect("one", "died"), running.expect("one", "ready")

        running.kill("one")
        await died
        await ready
        await running.wait_ready()

        assert running.pid("one") != before
        assert running.pid("other") == other
    assert "one        | [ended with signal SIGKILL]" in output.getvalue()


async def test_five_deaths_within_a_minute_stop_everything(instance, output):
    """A part that cannot live takes the system down, with its last lines as the reason."""
    dying = part("dying", "print('no such table: posts'); raise SystemExit(3)", probe=never)
    running = system(instance, output, part("steady"), dying)
    steady = running.expect("steady", "ready")

    with pytest.raises(PartFailedError, match=r"(?s)dying died 5 times within 60 s.*no such table: posts"):
        async with running:
            pass

    assert output.getvalue().count("ended with status 3") == 5
    assert birth((await steady).pid) is None
    assert read_record(instance.run_file) is None


async def test_the_pause_before_a_restart_doubles_up_to_its_limit(instance, output):
    """Restarts come slower and slower: 0.1, 0.2, 0.4, 0.4 s, each within a fifth."""
    patience = Patience(first_delay_s=0.1, longest_delay_s=0.4)

    with pytest.raises(PartFailedError):
        async with system(instance, output, part("dying", "raise SystemExit(3)", probe=never), patience=patience):
            pass

    pauses = [float(text) for text in re.findall(r"starting again in ([\d.]+) s", output.getvalue())]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.4], abs=0.13)


async def test_deaths_for_want_of_a_server_do_not_count(instance, output):
    """A service that dies while its server is down waits for the server; such a death costs it nothing."""
    may_start = asyncio.Event()
    may_start.set()
    server, service = part("server", prepare=may_start.wait), part("service", needs=("server",))

    async with system(instance, output, server, service) as running:
        for _ in range(2):
            server_died, service_died = running.expect("server", "died"), running.expect("service", "died")
            again = running.expect("service", "ready")
            may_start.clear()
            running.kill("server")
            await server_died
            running.kill("service")
            await service_died
            may_start.set()
            await again

    assert "server     | [starting again" in output.getvalue()
    assert "service    | [starting again" not in output.getvalue()


async def test_a_part_that_ignores_the_polite_signal_is_killed(instance, output):
    """After its deadline a stubborn part ends anyway, and so do the children it left in its group."""
    stubborn = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True); "
        "time.sleep(600)"
    )
    found = asyncio.get_running_loop().create_future()

    async def probe():
        numbers = re.findall(r"stubborn   \| (\d+)", output.getvalue())
        if not numbers:
            raise NotYetError
        found.set_result(int(numbers[0]))

    async with system(instance, output, part("stubborn", stubborn, stop_deadline_s=0.1, probe=probe)) as running:
        pid = running.pid("stubborn")

    assert birth(pid) is None
    assert birth(await found) is None


async def test_a_second_signal_ends_the_patience(instance, output):
    """A stop that is told to hurry kills at once what would have had minutes."""
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )

    async with (
        asyncio.timeout(_DEADLINE_S),
        system(instance, output, part("stubborn", stubborn, stop_deadline_s=600)) as running,
    ):
        await output.until("deaf")
        pid = running.pid("stubborn")
        running.hurry()

    assert birth(pid) is None


async def test_a_one_shot_part_that_fails_stops_the_start(instance, output):
    """Nothing that needs the migrations runs if they fail, and the text says what they said."""
    failing = part("migrate", "print('cannot migrate'); raise SystemExit(1)", one_shot=True)
    service = part("service", needs=("migrate",))

    with pytest.raises(PartFailedError, match=r"(?s)migrate ended with status 1.*cannot migrate"):
        async with system(instance, output, failing, service):
            pass

    assert "service    | [ready]" not in output.getvalue()


async def test_a_part_that_never_becomes_ready_is_named_with_what_is_missing(instance, output):
    """The wait for readiness has an end, and its sentence says what was waited for."""
    slow = part("slow", probe=never, waits_for="a file called nowhere", ready_deadline_s=0.3)

    with pytest.raises(PartFailedError, match="slow did not become ready in 0 s; a file called nowhere is missing"):
        async with system(instance, output, slow):
            pass


async def test_only_one_system_runs_in_a_state_directory(instance, output):
    """A second start is refused while the first runs, and its processes are untouched."""
    async with system(instance, output, part("one")) as running:
        with pytest.raises(InstanceBusyError):
            async with system(instance, output, part("one")):
                pass

        assert birth(running.pid("one")) is not None


async def test_two_instances_run_side_by_side(enterable_directory, output):
    """Instances with different state directories know nothing of each other."""
    first, second = (open_instance({"INSTADISTRO_STATE": str(enterable_directory / f"side{i}")}) for i in (1, 2))
    async with system(first, output, part("one")) as one:
        async with system(second, output, part("one")):
            pass

        assert birth(one.pid("one")) is not None


async def test_lines_are_bounded_and_harmless(instance, output):
    """A part can neither flood a line without end nor steer the reader's terminal."""
    script = "import time; print('x' * 100_000); print('\\x1b[31mred\\x1b[0m text\\a', flush=True); time.sleep(600)"

    async def probe():
        if "text" not in output.getvalue():
            raise NotYetError

    async with system(instance, output, part("loud", script, probe=probe)):
        pass

    first, second = output.getvalue().splitlines()[:2]
    assert first == f"loud       | {'x' * 16_384} ... (83616 bytes cut)"
    assert second == "loud       | red text"


async def test_a_part_with_a_log_file_shows_only_its_problems(instance, output):
    """A server's lines go to its own file; what went wrong while it was ready is shown as well."""
    instance.create()
    script = (
        "import sys\nfor line in ('LOG: hello', 'go'):\n print(line, flush=True)\n"
        "import os, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
        "print('ERROR: broken', flush=True); print('LOG: bye', flush=True); time.sleep(600)"
    )
    flag, file = instance.directory / "flag", instance.logs / "server.log"
    server = part("server", script, str(flag), log_file=file, problems=re.compile("ERROR"))

    async with system(instance, output, server):
        flag.touch()
        await output.until("ERROR: broken")

    flag.unlink()
    assert "LOG" not in output.getvalue()
    assert file.read_text().splitlines()[:3] == ["LOG: hello", "go", "ERROR: broken"]
