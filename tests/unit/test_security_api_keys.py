from __future__ import annotations

from dataclasses import replace

import pytest

from shared.security import matches, new_api_key, parse_api_key

PEPPER = b"a-pepper-for-tests"


def test_a_new_key_is_accepted():
    """The text shown to the owner is parsed and matches what was stored."""
    made = new_api_key(PEPPER)

    parsed = parse_api_key(made.text)

    assert parsed is not None
    assert parsed.key_id == made.key_id
    assert matches(parsed, made.secret_hash, PEPPER)


def test_only_the_right_secret_id_and_pepper_match():
    """Another secret, another key's id, another pepper or a damaged hash is refused."""
    made, other = new_api_key(PEPPER), new_api_key(PEPPER)
    parsed, foreign = parse_api_key(made.text), parse_api_key(other.text)
    assert parsed
    assert foreign

    assert not matches(foreign, made.secret_hash, PEPPER)
    assert not matches(replace(parsed, key_id=other.key_id), made.secret_hash, PEPPER)
    assert not matches(parsed, made.secret_hash, b"another-pepper")
    assert not matches(parsed, made.secret_hash[:-1], PEPPER)


def test_keys_differ_and_are_not_stored():
    """No two keys share an id or secret, and the stored hash does not hold the secret."""
    made = [new_api_key(PEPPER) for _ in range(100)]

    assert len({key.key_id for key in made}) == len({key.text for key in made}) == 100
    assert all(key.text.split("_", 2)[2].encode() not in key.secret_hash for key in made)


def test_a_key_does_not_show_in_logs():
    """Neither form of a key shows its secret when printed."""
    made = new_api_key(PEPPER)
    secret = made.text.split("_", 2)[2]

    assert secret not in repr(made)
    assert secret not in repr(parse_api_key(made.text))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:0],
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text.upper(),
        lambda text: text.replace("ids_", "key_"),
        lambda text: text[:-1] + "é",
        lambda text: "ids_" + "A" * 16 + text[20:],
    ],
)
def test_what_is_no_key_is_not_looked_up(change):
    """Text of another form is no key at all."""
    assert parse_api_key(change(new_api_key(PEPPER).text)) is None
