"""Settings that are missing, wrong, weak or at odds, and a machine that is not fit; no server is asked."""

from __future__ import annotations

import base64
import os
import resource
import secrets
import socket
from dataclasses import replace

import pytest

from deploy.doctor import AREAS, Level, examine, read_setup
from deploy.local.ports import free_ports

ROOM = 10**11
RANDOM_KEY = base64.b64encode(os.urandom(32)).decode()
GOOD = {
    "DATABASE_URL": f"postgresql://instadistro:{secrets.token_hex(16)}@db.invalid/instadistro",
    "REDIS_URL": f"redis://:{secrets.token_hex(16)}@cache.invalid/0",
    "AMQP_URL": f"amqp://instadistro:{secrets.token_hex(16)}@broker.invalid/%2F",
    "TOKEN_KEYS": f"k1:{RANDOM_KEY}",
    "CURSOR_SECRET": secrets.token_hex(32),
    "API_KEY_PEPPER": secrets.token_hex(32),
    "MEDIA_STORE": "/var/tmp",  # noqa: S108 - nothing is written
}
SAME = secrets.token_hex(32)


async def ills(environ, area="settings", **changes):
    """What is not well in one area."""
    setup = replace(read_setup(environ), **{"free_bytes": lambda _: ROOM, **changes})
    findings = await examine(setup, [each for each in AREAS if each.name in {"settings", area}])
    return [each for each in findings if each.level in {Level.WARNING, Level.FAILED}]


async def test_good_settings_have_no_finding():
    """Nothing is found where nothing is wrong."""
    assert await ills(GOOD) == []


async def test_no_settings_at_all_are_one_finding():
    """Who has set nothing is told how to begin, and not six times what is missing."""
    [finding] = await ills({"PATH": "/usr/bin"})

    assert finding.check == "settings.values"
    assert "instadistro up" in finding.do
    assert "DATABASE_URL" in finding.do


async def test_every_fault_is_told_at_once(tmp_path):
    """Missing, wrong, unreadable and double settings, each with its own advice."""
    broken = {
        **GOOD,
        "REDIS_URL": "",
        "API_PORT": "eighty",
        "CURSOR_SECRET_FILE": str(tmp_path / "secret"),
        "API_KEY_PEPPER": "",
        "API_KEY_PEPPER_FILE": str(tmp_path / "missing"),
    }

    found = await ills(broken)

    assert {each.check for each in found} == {"settings.values"}
    said = {each.says.split()[0]: each for each in found}
    assert set(said) == {"REDIS_URL", "API_PORT", "CURSOR_SECRET", "API_KEY_PEPPER"}
    assert said["REDIS_URL"].do == "Set REDIS_URL, or REDIS_URL_FILE to the path of a file that holds it."
    assert "docs/configuration.md" in said["API_PORT"].do
    assert said["CURSOR_SECRET"].do == "Take CURSOR_SECRET or CURSOR_SECRET_FILE away."
    assert str(tmp_path / "missing") in said["API_KEY_PEPPER"].says


async def test_a_secret_in_place_of_a_path_is_not_repeated():
    """Who puts the URL where its file belongs sees the mistake, without the password."""
    password = secrets.token_hex(8)
    broken = {**GOOD, "DATABASE_URL": "", "DATABASE_URL_FILE": f"postgresql://me:{password}@db/name"}

    [finding] = await ills(broken)

    assert finding.says.startswith("DATABASE_URL cannot be read: DATABASE_URL_FILE must be the path of a file")
    assert password not in finding.says + finding.do


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        ({"LEASE_S": "5", "LEASE_RENEW_S": "4"}, "settings.values", "LEASE_RENEW_S must be at most half"),
        ({"PUBLISHER_SLOT": "8"}, "settings.names", "PUBLISHER_SLOT is no setting, and PUBLISHER_SLOTS is one."),
        ({"INSTAGRAM_APP_ID": "42"}, "settings.agreement", "INSTAGRAM_APP_SECRET is not"),
        ({"API_PORT": "9100"}, "settings.agreement", "are both 9100"),
        ({"INSTAGRAM_API_VERSION": "25"}, "settings.agreement", "knows no such version"),
        ({"KILL_POINTS_DIR": "/"}, "settings.agreement", "kill themselves"),
        ({"CURSOR_SECRET": "please-change-me-please"}, "settings.secrets", "CURSOR_SECRET is no random text."),
        ({"API_KEY_PEPPER": "abababababababab"}, "settings.secrets", "API_KEY_PEPPER is no random text."),
        (
            {"TOKEN_KEYS": f"old:{base64.b64encode(b'k' * 32).decode()},k1:{RANDOM_KEY}"},
            "settings.secrets",
            "The key 'old' of TOKEN_KEYS is no random bytes.",
        ),
        ({"AMQP_URL": "amqp://guest:guest@broker/"}, "settings.secrets", "The password in AMQP_URL is easily guessed."),
        ({"CURSOR_SECRET": SAME, "API_KEY_PEPPER": SAME}, "settings.secrets", "are the same secret"),
    ],
)
async def test_a_wrong_setting_is_found(change, check, words):
    """One thing is wrong, one finding says so."""
    [finding] = await ills({**GOOD, **change})

    assert finding.check == check
    assert words in finding.says
    assert finding.do


async def test_a_secret_file_that_everybody_can_read_is_found(enterable_directory):
    """A secret is open if its file and every directory above it are."""
    file = enterable_directory / "pepper"
    file.write_text(GOOD["API_KEY_PEPPER"], encoding="utf-8")
    environ = {**GOOD, "API_KEY_PEPPER": "", "API_KEY_PEPPER_FILE": str(file)}

    file.chmod(0o600)
    assert await ills(environ) == []
    file.chmod(0o644)
    [finding] = await ills(environ)

    assert (finding.check, finding.level) == ("settings.files", Level.WARNING)
    assert str(file) in finding.says


async def test_a_port_that_somebody_holds_is_found_before_up():
    """The finding names the port, who holds it, and the variable that moves it."""
    with free_ports() as ports, socket.socket() as holder:
        holder.bind(("127.0.0.1", ports.emulator))
        holder.listen()

        found = await ills(ports.environment(), "machine")

    [finding] = [each for each in found if each.check == "machine.ports"]
    assert f"Port {ports.emulator}" in finding.says
    assert str(os.getpid()) in finding.says
    assert "EMULATOR_PORT" in finding.do


async def test_a_low_limit_of_open_files_is_found():
    """A publisher with many slots needs more files than a usual shell allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        [finding] = await ills({**GOOD, "PUBLISHER_SLOTS": "1000"}, "machine")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert finding.check == "machine.files"
    assert "PUBLISHER_SLOTS" in finding.do


@pytest.mark.parametrize(("free", "level"), [(10**8, Level.FAILED), (10**9, Level.WARNING)])
async def test_a_full_disk_is_found(free, level):
    """Little room is a warning, next to none a failure, for the state directory as for the media."""
    state = await ills({}, "machine", free_bytes=lambda _: free)
    [media] = await ills(GOOD, "media", free_bytes=lambda _: free)

    assert [each.level for each in state if each.check == "machine.space"] == [level]
    assert (media.check, media.level) == ("media.space", level)


@pytest.mark.parametrize("place", ["/proc/instadistro", "/etc/hostname", "/etc/hostname/media"])
async def test_a_media_directory_that_cannot_be_written_is_found(place):
    """Not even root writes there."""
    [finding] = await ills({**GOOD, "MEDIA_STORE": place}, "media")

    assert finding.check == "media.store"
    assert "MEDIA_STORE" in finding.says


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://posts.example.com", "http://"), ("https://192.168.0.7", "not on the public internet")],
)
async def test_an_address_that_instagram_would_not_fetch_from_is_found(url, words):
    """With Instagram itself only https on the public internet will do; nothing is sent to find that out."""
    [finding] = await ills({**GOOD, "PUBLIC_URL": url}, "public")

    assert finding.check == "public.fetch"
    assert words in finding.says
    assert "https://" in finding.do
