"""Where state is kept, who can read it, and what a wipe removes."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from deploy.local import Instance, open_instance
from deploy.local.account import Account, StateDirectoryError, check_enterable, server_account
from deploy.local.instance import SERVERS
from deploy.local.instance_secrets import load_secrets
from deploy.local.state_directory import state_directory
from shared.settings import load_settings


@pytest.fixture(autouse=True)
def _made(instance):
    instance.create()


@pytest.fixture
def ordinary_user(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)


def test_root_keeps_state_where_the_servers_account_can_enter(monkeypatch):
    """The home of root is closed to every other account, so its systems live under /var/lib."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert state_directory({"HOME": "/root"}) == Path("/var/lib/instadistro")


@pytest.mark.usefixtures("ordinary_user")
def test_an_ordinary_users_state_follows_the_xdg_rules(tmp_path):
    """XDG_STATE_HOME counts if it is absolute; otherwise it is ~/.local/state."""
    home, state = str(tmp_path), str(tmp_path / "state")

    assert state_directory({"HOME": home, "XDG_STATE_HOME": state}) == tmp_path / "state" / "instadistro"
    assert state_directory({"HOME": home, "XDG_STATE_HOME": "state"}) == tmp_path / ".local/state/instadistro"
    assert state_directory({"HOME": home}) == tmp_path / ".local/state/instadistro"
    assert state_directory({"HOME": home, "INSTADISTRO_STATE": "/elsewhere"}) == Path("/elsewhere")


@pytest.mark.usefixtures("ordinary_user")
def test_without_a_home_state_goes_only_where_it_is_surely_ones_own(monkeypatch, tmp_path):
    """A user without HOME and passwd entry gets a private directory, never one that somebody else made."""
    made = tmp_path / "instadistro-12345"
    monkeypatch.setattr("deploy.local.state_directory._FALLBACK", str(tmp_path / "instadistro-{uid}"))
    monkeypatch.setattr(Path, "lstat", lambda path: _owned(os.lstat(path), 12_345))

    assert state_directory({"HOME": ""}) == made
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    made.chmod(0o755)
    with pytest.raises(StateDirectoryError, match="is not this user's alone"):
        state_directory({})


def _owned(found, uid):
    values = list(found)
    values[stat.ST_UID] = uid
    return os.stat_result(values)


def test_a_directory_the_servers_cannot_enter_is_refused_with_its_name(tmp_path):
    """The error names the directory on the way that is closed."""
    closed = tmp_path / "closed"
    (closed / "state").mkdir(parents=True)
    closed.chmod(0o700)
    stranger = Account(name="stranger", uid=54_321, gid=54_321, switch=True)

    with pytest.raises(StateDirectoryError, match="stranger, which cannot enter"):
        check_enterable(closed / "state", stranger)


def test_root_lends_the_servers_an_unprivileged_account(monkeypatch):
    """PostgreSQL refuses root; the servers run as postgres if there is one, else as nobody."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", _only_nobody)

    account = open_instance({}).account

    assert (account.name, account.uid, account.switch) == ("nobody", 65_534, True)


def _only_nobody(name):
    if name != "nobody":
        raise KeyError(name)
    return pwd.struct_passwd(("nobody", "x", 65_534, 65_534, "", "/", "/bin/false"))


def test_secrets_are_made_once_fit_the_settings_and_are_for_the_owner_alone(instance):
    """The second start finds the secrets of the first, in a file nobody else can read."""
    first = load_secrets(instance)
    servers = {
        "DATABASE_URL": f"postgresql://u:{first.postgres_password}@h/d",
        "REDIS_URL": f"redis://:{first.redis_password}@h/0",
        "AMQP_URL": f"amqp://u:{first.rabbitmq_password}@h/",
    }

    load_settings(
        {
            **servers,
            "TOKEN_KEYS": first.token_keys,
            "CURSOR_SECRET": first.cursor_secret,
            "API_KEY_PEPPER": first.api_key_pepper,
        }
    )
    assert load_secrets(instance) == first
    assert stat.S_IMODE((instance.directory / "secrets.json").stat().st_mode) == 0o600


def test_lost_secrets_are_not_replaced_while_data_need_them(instance):
    """New secrets would lock the owner out of the old data; the error says what to do."""
    instance.server_directory("postgres")

    with pytest.raises(StateDirectoryError, match="data made with it are there"):
        load_secrets(instance)


def test_damaged_secrets_are_an_error_and_stay_as_they_are(instance):
    """A file that cannot be read is never overwritten."""
    path = instance.directory / "secrets.json"
    path.write_text("{", encoding="utf-8")

    with pytest.raises(StateDirectoryError, match="cannot be used"):
        load_secrets(instance)
    assert path.read_text(encoding="utf-8") == "{"


def test_a_wipe_removes_our_files_and_nobody_elses(instance):
    """A state directory that holds other things keeps them."""
    load_secrets(instance)
    for name in SERVERS:
        instance.server_directory(name)
    foreign = instance.directory / "holiday.jpg"
    foreign.touch()

    instance.wipe()

    assert [path.name for path in instance.directory.iterdir()] == ["holiday.jpg"]
    with pytest.raises(StateDirectoryError, match="was not made by instadistro; nothing was removed"):
        instance.wipe()
    assert foreign.exists()


def test_a_directory_of_somebody_else_is_neither_used_nor_wiped(enterable_directory):
    """What lies in folders called redis or media need not be ours."""
    directory = enterable_directory / "foreign"
    (directory / "redis").mkdir(parents=True)
    (directory / "redis" / "dump.rdb").touch()
    foreign = Instance(directory=directory, account=server_account())

    with pytest.raises(StateDirectoryError, match="is not empty and was not made by instadistro"):
        foreign.create()
    with pytest.raises(StateDirectoryError, match="nothing was removed"):
        foreign.wipe()

    assert [path.name for path in directory.rglob("*")] == ["redis", "dump.rdb"]


def test_a_strict_umask_does_not_close_the_directory_to_the_servers(enterable_directory):
    """Root with umask 077 can start a system."""
    before = os.umask(0o077)
    try:
        found = open_instance({"INSTADISTRO_STATE": str(enterable_directory / "strict")})
        found.create()
    finally:
        os.umask(before)

    expected = 0o711 if found.account.switch else 0o700
    assert stat.S_IMODE(found.directory.stat().st_mode) == expected
    found.wipe()
