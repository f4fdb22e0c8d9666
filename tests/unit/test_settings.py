from __future__ import annotations

import base64
from dataclasses import MISSING, fields

import pytest

from shared.errors import SettingsError
from shared.settings import Settings, load_settings

KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()
PASSWORD = "made-up-password"
REQUIRED = {
    "DATABASE_URL": f"postgresql://app:{PASSWORD}@db.example/app",
    "REDIS_URL": f"redis://:{PASSWORD}@cache.example/0",
    "AMQP_URL": f"amqp://app:{PASSWORD}@broker.example/",
    "TOKEN_KEYS": f"one:{KEY}",
    "CURSOR_SECRET": f"cursor-{PASSWORD}",
    "API_KEY_PEPPER": f"pepper-{PASSWORD}",
}


def faults_of(environ):
    """The faults that the settings are refused for."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return caught.value.faults


def test_only_what_has_no_default_must_be_set():
    """The required settings alone make a whole configuration, with every other one at its default."""
    settings = load_settings(REQUIRED)

    for item in fields(Settings):
        assert (item.default is MISSING) == (item.name.upper() in REQUIRED)
        if item.default is not MISSING:
            assert getattr(settings, item.name) == item.default


@pytest.mark.parametrize(
    "item", [item for item in fields(Settings) if item.default not in {MISSING, None}], ids=lambda item: item.name
)
def test_a_default_could_have_been_typed(item):
    """Every default passes the check that a typed value passes, and means the same."""
    settings = load_settings({**REQUIRED, item.name.upper(): str(item.default)})

    assert getattr(settings, item.name) == item.default


def test_no_secret_has_a_default():
    """A secret is given, or it is unset."""
    assert {item.default for item in fields(Settings) if item.metadata["secret"]} <= {MISSING, None}


def test_all_faults_are_told_at_once():
    """One message names every value that is missing or wrong, in the order of the documentation."""
    environ = {
        **REQUIRED,
        "DATABASE_URL": "",
        "REDIS_URL": "http://cache.example",
        "API_PORT": "0",
        "LOG_LEVEL": "loud",
    }
    del environ["CURSOR_SECRET"]

    with pytest.raises(SettingsError) as caught:
        load_settings(environ)

    assert [fault.split()[0] for fault in caught.value.faults] == [
        "DATABASE_URL",
        "REDIS_URL",
        "CURSOR_SECRET",
        "API_PORT",
        "LOG_LEVEL",
    ]
    assert all(fault in str(caught.value) for fault in caught.value.faults)
    assert str(caught.value).startswith("5 setting(s)")


def test_an_empty_value_counts_as_unset():
    """A line of .env left empty gives the default."""
    assert load_settings({**REQUIRED, "LOG_LEVEL": "", "LOG_LEVEL_FILE": ""}).log_level == "info"


def test_a_value_is_read_from_a_file(tmp_path):
    """NAME_FILE names a file whose content, without the white space around it, is the value."""
    file = tmp_path / "secret"
    file.write_text(f"  {REQUIRED['CURSOR_SECRET']}\n", encoding="utf-8")
    environ = {**REQUIRED, "CURSOR_SECRET": "", "CURSOR_SECRET_FILE": str(file)}

    assert load_settings(environ).cursor_secret == REQUIRED["CURSOR_SECRET"].encode()


def test_an_empty_file_counts_as_unset(tmp_path):
    """A secret that may be missing can be mounted all the same."""
    file = tmp_path / "secret"
    file.write_text("\n", encoding="utf-8")

    assert load_settings({**REQUIRED, "INSTAGRAM_APP_SECRET_FILE": str(file)}).instagram_app_secret is None


def test_a_value_and_its_file_exclude_each_other(tmp_path):
    """Setting both NAME and NAME_FILE is refused, since nobody could tell which one holds."""
    file = tmp_path / "secret"
    file.write_text(REQUIRED["CURSOR_SECRET"], encoding="utf-8")

    assert faults_of({**REQUIRED, "CURSOR_SECRET_FILE": str(file)}) == [
        "CURSOR_SECRET and CURSOR_SECRET_FILE are both set; keep one"
    ]


def test_an_address_in_place_of_a_file_is_not_repeated():
    """Whoever puts the value itself into NAME_FILE is told so, and its password stays out of the message."""
    environ = {name: value for name, value in REQUIRED.items() if name != "DATABASE_URL"}

    faults = faults_of(environ | {"DATABASE_URL_FILE": REQUIRED["DATABASE_URL"]})

    assert faults == ["DATABASE_URL cannot be read: DATABASE_URL_FILE must be the path of a file, not an address"]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """A missing file, a directory and bytes that are no text are faults with the file's name in them."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    files = {"CURSOR_SECRET": tmp_path / "absent", "API_KEY_PEPPER": tmp_path, "TOKEN_KEYS": binary}
    environ = REQUIRED | dict.fromkeys(files, "") | {f"{name}_FILE": str(path) for name, path in files.items()}

    faults = faults_of(environ)

    assert len(faults) == len(files)
    assert all(f"{name} cannot be read from {name}_FILE" in "\n".join(faults) for name in files)
    assert all(f"({path})" in "\n".join(faults) for path in files.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", f"mysql://app:{PASSWORD}@db.example/app"),
        ("DATABASE_URL", f"app:{PASSWORD}@db.example/app"),
        ("DATABASE_URL", "postgresql:///app"),
        ("DATABASE_URL", f"postgresql://app:{PASSWORD}@[db.example/app"),
        ("DATABASE_URL", f"postgresql://app:{PASSWORD}\u2100@db.example/app"),
        ("REDIS_URL", f"http://:{PASSWORD}@cache.example"),
        ("AMQP_URL", f"amqp://broker-1.example,redis://:{PASSWORD}@broker-2.example"),
        ("PUBLIC_URL", "posts.example.com"),
        ("INSTAGRAM_GRAPH_URL", "ftp://graph.example"),
    ],
)
def test_a_wrong_url_is_refused_without_repeating_it(name, value):
    """A URL of another kind, without a host or out of shape is one fault that says only what is expected."""
    (fault,) = faults_of({**REQUIRED, name: value})

    assert fault.startswith(f"{name} must be a URL that begins with")
    assert PASSWORD not in fault


def test_several_brokers_are_tried_in_turn():
    """AMQP_URL takes a list; its order is kept and a trailing slash dropped."""
    settings = load_settings({**REQUIRED, "AMQP_URL": "amqp://one.example/, amqps://two.example/prod,"})

    assert settings.amqp_url == ("amqp://one.example", "amqps://two.example/prod")


def test_the_key_ring_keeps_its_order():
    """The first key of the ring stays the first: it is the one that encrypts."""
    settings = load_settings({**REQUIRED, "TOKEN_KEYS": f"new:{OTHER_KEY}, old:{KEY}"})

    assert list(settings.token_keys.items()) == [("new", b"o" * 32), ("old", b"k" * 32)]


@pytest.mark.parametrize(
    "ring",
    [
        KEY,  # no name
        f":{KEY}",
        "one:",
        f"one:{base64.b64encode(b'short').decode()}",
        f"one:{base64.b64encode(b'l' * 33).decode()}",
        f"one:{KEY[:-2]}!!",
        f"one:{KEY[:-1]}\u00e9",
        f"one:{KEY},",
        f"one:{KEY},one:{OTHER_KEY}",
    ],
)
def test_a_broken_key_ring_is_refused_without_repeating_it(ring):
    """Keys without a name, of another length, not in base64 or named twice are one fault that shows no key."""
    (fault,) = faults_of({**REQUIRED, "TOKEN_KEYS": ring})

    assert fault.startswith(("TOKEN_KEYS must be NAME:KEY", "TOKEN_KEYS names the key 'one' twice"))
    assert KEY[:8] not in fault


@pytest.mark.parametrize("name", ["CURSOR_SECRET", "API_KEY_PEPPER"])
def test_a_short_secret_is_refused_without_repeating_it(name):
    """A secret below 16 bytes is a fault that tells how to make a better one."""
    (fault,) = faults_of({**REQUIRED, name: "fifteen-bytes-x"})

    assert fault == f"{name} must be at least 16 bytes long; make one with: openssl rand -hex 32"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("API_PORT", "65536", "must be a whole number from 1 to 65535"),
        ("API_PORT", "-1", "must be a whole number from 1 to 65535"),
        ("API_PORT", "8080.5", "must be a whole number from 1 to 65535"),
        ("PUBLISHER_SLOTS", "many", "must be a whole number from 1 to 1000"),
        ("LEASE_S", "0.5", "must be seconds from 1 to 600"),
        ("LEASE_S", "nan", "must be seconds from 1 to 600"),
        ("LEASE_S", "20s", "must be seconds from 1 to 600"),
        ("DRAIN_S", "inf", "must be seconds from 0 to 600"),
        ("LOG_FORMAT", "xml", "must be one of: auto, json, console"),
        ("MEDIA_STORE", "media", "must be an absolute directory path or s3://BUCKET/PREFIX"),
        ("MEDIA_STORE", "gs://bucket", "must be a directory or s3://BUCKET/PREFIX"),
        ("KILL_POINTS_DIR", "/nowhere/at/all", "must be a directory that exists"),
    ],
)
def test_a_value_out_of_bounds_is_refused(name, value, said):
    """A number, choice or path that cannot be used is one fault that tells what can."""
    assert faults_of({**REQUIRED, name: value}) == [f"{name} {said}"]


@pytest.mark.parametrize(("lease", "renew", "fits"), [("20", "10", True), ("20", "10.1", False), ("9.9", "", False)])
def test_a_claim_is_renewed_twice_in_its_lease(lease, renew, fits):
    """Renewing less than twice within a lease is refused, whichever of the two settings was given."""
    environ = {**REQUIRED, "LEASE_S": lease, "LEASE_RENEW_S": renew}

    if fits:
        assert load_settings(environ).lease_s == float(lease)
    else:
        assert [fault.split()[0] for fault in faults_of(environ)] == ["LEASE_RENEW_S"]


def test_settings_do_not_show_their_secrets():
    """The repr, which logs and tracebacks may carry, has every setting but the secret ones."""
    shown = repr(load_settings(REQUIRED))

    assert "api_port=8080" in shown
    for item in fields(Settings):
        assert (f"{item.name}=" in shown) != item.metadata["secret"]
    assert PASSWORD not in shown
    assert repr(b"k" * 32) not in shown
