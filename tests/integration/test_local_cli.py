"""The commands that start, stop and show a system, and what they do after a supervisor was killed."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
from dataclasses import asdict, replace

from deploy.local import Log, Part, Ports, System, free_ports
from deploy.local.private_file import write_private
from deploy.local.process_identity import birth
from deploy.local.run_record import PartRecord, RunRecord

_DEADLINE_S = 20
_SLEEP = "import time; time.sleep(600)"
_NEW = Part(name="new", command=(sys.executable, "-c", _SLEEP), environment={})
_SUPERVISOR = """
import asyncio, sys
from deploy.local import Part, Ports, System, open_instance
async def main():
    part = Part(name="left", command=(sys.executable, "-c", "import time; time.sleep(600)"), environment={})
    async with System(open_instance({"INSTADISTRO_STATE": sys.argv[1]}), Ports(), parts=[part]) as system:
        print(system.pid("left"), flush=True)
        await system.wait()
asyncio.run(main())
"""


async def killed_supervisor(instance):
    """Start a supervisor in a process of its own and kill it; the pid of the part it leaves behind."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SUPERVISOR, str(instance.directory), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(_DEADLINE_S):
        assert process.stdout is not None
        while not (line := await process.stdout.readline()).strip().isdigit():
            assert line, "the supervisor ended by itself"
        process.kill()
        await process.wait()
    return int(line)


async def test_the_next_start_ends_what_a_killed_supervisor_left(instance):
    """Orphans of kill -9 do not survive the next start."""
    orphan = await killed_supervisor(instance)
    assert birth(orphan) is not None

    async with System(instance, Ports(), log=Log(io.StringIO()), parts=[_NEW]):
        assert birth(orphan) is None


async def test_down_ends_what_a_killed_supervisor_left(instance):
    """`instadistro down` finds orphans by itself, and `status` tells of them."""
    orphan = await killed_supervisor(instance)

    told = await cli(instance, "status")
    stopped = await cli(instance, "down")
    again = await cli(instance, "down", "--wipe")

    assert (told[0], "left" in told[1]) == (3, True)
    assert (stopped, birth(orphan)) == ((0, "Stopped.\n"), None)
    assert again[1].startswith("Nothing was running.")
    assert not instance.directory.exists()


async def cli(instance, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "deploy.cli.main", *arguments),
        env={**os.environ, "INSTADISTRO_STATE": str(instance.directory)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(_DEADLINE_S):
        text, _ = await process.communicate()
    return process.returncode, text.decode()


async def test_a_stranger_with_a_recorded_pid_is_left_alone(instance):
    """A pid that was reused by somebody else's process is never signalled."""
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", _SLEEP)
    instance.create()
    parts = {"old": PartRecord(state="ready", pid=stranger.pid, born="another boot:1", since="")}
    record = RunRecord(pid=stranger.pid, born="another boot:1", started_at="", parts=parts)
    write_private(instance.run_file, json.dumps(asdict(record)))

    async with System(instance, Ports(), log=Log(io.StringIO()), parts=[_NEW]):
        pass
    await cli(instance, "down")

    assert stranger.returncode is None
    stranger.send_signal(signal.SIGKILL)
    await stranger.wait()


async def test_up_and_status_tell_of_a_system_that_runs(instance):
    """Who asks for a running system and has one is told where it is, not of an error."""
    async with System(instance, Ports(), log=Log(io.StringIO()), parts=[_NEW]) as running:
        up, detached, status = await asyncio.gather(
            cli(instance, "up"), cli(instance, "up", "--detach"), cli(instance, "status")
        )

        assert running.pid("new") is not None
    for code, text in (up, detached):
        assert code == 0
        assert text.startswith(f"The system already runs as process {os.getpid()}.")
        assert "http://127.0.0.1:8080" in text
    assert status[0] == 0
    assert str(running.instance.directory / "secrets.json") in status[1]
    assert "new" in status[1]
    assert "ready" in status[1]


async def test_who_asks_for_prometheus_and_has_a_system_without_it_is_told_how_to_get_it(instance):
    """A system that runs is not restarted for it."""
    async with System(instance, Ports(), log=Log(io.StringIO()), parts=[_NEW]):
        code, text = await cli(instance, "up", "--with", "prometheus")
        _, shown = await cli(instance, "status")

    assert code == 0
    assert "It runs without Prometheus. To have it: instadistro down, then this command again." in text
    assert "59090" not in text + shown


async def test_status_and_up_tell_where_prometheus_is(instance):
    """It is a part like any other."""
    prometheus = replace(_NEW, name="prometheus")
    with free_ports() as ports:
        async with System(instance, ports, log=Log(io.StringIO()), parts=[prometheus]):
            for command in ("up", "status"):
                _, text = await cli(instance, command)

                assert f"http://127.0.0.1:{ports.prometheus}" in text


async def test_status_and_down_say_so_when_nothing_runs(instance):
    """Neither command fails or creates anything where no system ever ran."""
    assert await cli(instance, "status") == (3, "Not running.\n")
    assert await cli(instance, "down") == (0, "Nothing was running.\n")
    assert not instance.directory.exists()


async def test_errors_are_sentences_and_exit_codes(instance):
    """Wrong settings end with 2, other faults with 1, and none with a traceback."""
    wrong = await cli(instance, "up", "--port-offset", "60000")
    instance.directory.write_text("not a directory", encoding="utf-8")
    failed = await cli(instance, "up")
    instance.directory.unlink()

    assert wrong[0] == 2
    assert wrong[1].startswith("instadistro: 14 setting(s) cannot be used:\n  - API_PORT would be 68080")
    assert failed[0] == 1
    assert failed[1].startswith("instadistro: ")
    assert "Traceback" not in failed[1] + wrong[1]


async def test_help_and_version_need_nothing_of_the_system(instance):
    """The commands can be listed on a machine where nothing is set up."""
    version = await cli(instance, "--version")
    listed = await cli(instance, "--help")

    assert version == (0, "instadistro 0.1.0\n")
    assert {"up", "down", "status", "migrate", "emulator"} <= set(listed[1].split())
