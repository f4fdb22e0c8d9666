"""Finding the servers' programs, and what happens where they are missing."""

from __future__ import annotations

import io
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import packages
from deploy.local.binaries import Binaries, find_binaries
from deploy.local.packages import ALL, PackagesMissingError, ensure_binaries, install_privilege

_SCRIPT = Path(packages.__file__).with_name("install_packages.sh")
_NONE = Binaries(postgres=None, redis_server=None, rabbitmq_server=None, epmd=None, prometheus=None, promtool=None)
_SOME = Path("/somewhere")
_EVERYTHING = Binaries(
    postgres=_SOME, redis_server=_SOME, rabbitmq_server=_SOME, epmd=_SOME, prometheus=_SOME, promtool=_SOME
)


def program(path, text="#!/bin/sh\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_newest_postgresql_of_debian_is_taken(tmp_path):
    """Of several installed major versions the highest counts, by number and not by spelling."""
    for version in ("9.6", "15", "17", "100"):
        for name in ("postgres", "initdb"):
            program(tmp_path / f"usr/lib/postgresql/{version}/bin/{name}")

    assert find_binaries(root=tmp_path, search_path="").postgres == tmp_path / "usr/lib/postgresql/100/bin"


@pytest.mark.parametrize(("version", "found"), [("17.2", True), ("15beta1", True), ("14.9", False)])
def test_a_postgresql_on_the_path_must_be_new_enough(tmp_path, version, found):
    """Other distributions keep it on the PATH; before 15 it does not count."""
    program(tmp_path / "bin/postgres", f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Distro)'\n")
    program(tmp_path / "bin/initdb")

    binaries = find_binaries(root=tmp_path / "none", search_path=str(tmp_path / "bin"))

    assert binaries.postgres == (tmp_path / "bin" if found else None)


def test_debians_rabbitmq_wrapper_is_never_taken(tmp_path):
    """The wrapper on the PATH drops its arguments and changes accounts; the server's own script is used."""
    wrapper = program(tmp_path / "usr/lib/rabbitmq/bin/rabbitmq-script-wrapper")
    program(wrapper.with_name("rabbitmq-env"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/rabbitmq-server").symlink_to(wrapper)
    assert find_binaries(root=tmp_path / "none", search_path=str(tmp_path / "bin")).rabbitmq_server is None

    for version in ("3.10.8", "4.0.5", "3.9.13"):
        script = program(tmp_path / f"usr/lib/rabbitmq/lib/rabbitmq_server-{version}/sbin/rabbitmq-server")
        program(script.with_name("rabbitmq-env"))

    newest = tmp_path / "usr/lib/rabbitmq/lib/rabbitmq_server-4.0.5/sbin/rabbitmq-server"
    assert find_binaries(root=tmp_path, search_path=str(tmp_path / "bin")).rabbitmq_server == newest


def test_only_what_is_missing_and_wanted_is_installed(monkeypatch):
    """What is there stays as it is, and what an URL of the user replaces is not asked for."""
    commands = []
    answers = iter([replace(_EVERYTHING, redis_server=None, postgres=None), _EVERYTHING])
    monkeypatch.setattr(packages, "_install", lambda command, missing, _: commands.append((command[-1], missing)))
    said: list[str] = []

    found = ensure_binaries(["redis-server"], say=said.append, find=lambda: next(answers), privilege=lambda: ["sudo"])

    assert found == _EVERYTHING
    assert commands == [("redis-server", ["redis-server"])]
    assert said[0].startswith("packages: redis-server missing; installing")


def test_without_the_right_to_install_the_error_says_exactly_what_to_do():
    """An ordinary user without sudo gets the command to hand to an administrator, and the way by Compose."""
    with pytest.raises(PackagesMissingError) as caught:
        ensure_binaries(ALL, say=print, find=lambda: _NONE, privilege=lambda: None)

    text = str(caught.value)
    assert "sudo apt-get install --no-install-recommends postgresql redis-server rabbitmq-server prometheus" in text
    assert "docker compose up" in text


def test_sudo_is_used_only_if_it_can_work(monkeypatch, tmp_path):
    """Sudo that needs a password is no use without a terminal to type it in."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert install_privilege() is None
    program(tmp_path / "apt-get")
    assert install_privilege() is None
    sudo = program(tmp_path / "sudo", "#!/bin/sh\nexit 1\n")
    assert install_privilege() is None
    program(sudo)
    assert install_privilege() == [str(sudo), "-n"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert install_privilege() == []


@pytest.fixture
def debian(tmp_path):
    """A root directory for the installation script, with an apt-get that notes what it sees."""
    program(
        tmp_path / "bin/apt-get",
        '#!/bin/sh\necho "$@" >>"$INSTALL_ROOT/calls"\n'
        'sh "$INSTALL_ROOT/usr/sbin/policy-rc.d"; echo "policy $?" >>"$INSTALL_ROOT/calls"\n'
        'cat "$INSTALL_ROOT/etc/postgresql-common/createcluster.d/instadistro.conf" >>"$INSTALL_ROOT/calls"\n'
        'exit "${APT_STATUS:-0}"\n',
    )
    return tmp_path


def install(debian, **environment):
    path = f"{debian / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", str(_SCRIPT), "redis-server"],
        env={"PATH": path, "INSTALL_ROOT": str(debian), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("status", ["0", "100"])
def test_debian_is_kept_from_starting_servers_only_while_packages_are_installed(debian, status):
    """Servers stay off the standard ports, and nothing that held them back is left behind, even after a failure."""
    done = install(debian, APT_STATUS=status)

    calls = (debian / "calls").read_text(encoding="utf-8")
    assert done.returncode == int(status)
    assert "install -y -q --no-install-recommends redis-server" in calls
    assert "policy 101" in calls
    assert "create_main_cluster = false" in calls
    assert not (debian / "usr/sbin/policy-rc.d").exists()
    assert not list((debian / "etc/postgresql-common/createcluster.d").iterdir())


def test_an_administrators_own_policy_stays(debian):
    """A policy-rc.d that was there before is neither used for our ends nor removed."""
    policy = program(debian / "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 7\n")

    install(debian)

    assert policy.read_text(encoding="utf-8") == "#!/bin/sh\nexit 7\n"
    assert "policy 7" in (debian / "calls").read_text(encoding="utf-8")


def test_the_last_lines_of_a_failed_installation_are_told(tmp_path):
    """What apt-get said is in the error."""
    failing = program(tmp_path / "sudo", "#!/bin/sh\necho 'E: Unable to locate package'\nexit 100\n")

    with pytest.raises(PackagesMissingError, match=r"(?s)failed with status 100.*E: Unable to locate package"):
        ensure_binaries(ALL, say=print, find=lambda: _NONE, privilege=lambda: [str(failing)])
