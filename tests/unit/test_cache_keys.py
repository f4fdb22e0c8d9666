from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cache import CacheKeyError, CacheNamespace, CacheService, CacheTTL
from shared.cache.keys import ROOT_GENERATION, account_generations, redis_pattern, user_generations

USER = UUID("018f0000-0000-7000-8000-00000000000a")
ACCOUNT = UUID("018f0000-0000-7000-8000-00000000000b")
PARTS = st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.uuids(), st.text(max_size=90)), max_size=4)

key = CacheService.key


def identity(part):
    """Two parts are the same if this is: a UUID is its text, True is not 1."""
    return str(part) if isinstance(part, UUID) else (type(part), part) if not isinstance(part, str) else part


def test_lifetimes_are_the_documented_seconds():
    """Every class of lifetime has the seconds that the guide promises."""
    assert {ttl.name: int(ttl) for ttl in CacheTTL} == {
        "VERY_SHORT": 60,
        "SHORT": 300,
        "MEDIUM": 900,
        "LONG": 3600,
        "VERY_LONG": 86400,
    }


@given(PARTS, PARTS)
def test_different_parts_never_make_the_same_key(left, right):
    """Whatever colons, stars, digests or types the parts hold, two keys are equal only if their parts are."""
    same_parts = [identity(part) for part in left] == [identity(part) for part in right]

    same_key = key(CacheNamespace.PROXY, USER, *left).text == key(CacheNamespace.PROXY, USER, *right).text

    assert same_key == same_parts


def test_a_part_never_reaches_into_another_namespace():
    """A health key whose first part is "swarm" is no key of the swarm's namespace."""
    assert key(CacheNamespace.HEALTH, "swarm", "x").text != key(CacheNamespace.HEALTH_SWARM, "x").text


def test_long_parts_become_digests_that_nobody_can_spell():
    """A long part is shortened, and its short form written as a part is another key."""
    long = key(CacheNamespace.GROUP, USER, "x" * 5000).text
    digest = long.rsplit(":", 1)[1]

    assert len(long) < 150
    assert key(CacheNamespace.GROUP, USER, digest).text != long


def test_an_id_is_the_same_however_it_is_spelled():
    """A UUID, its text and its text in capitals share a key and its generations."""
    spellings = [key(CacheNamespace.ACCOUNTS_LIST, spelled) for spelled in (USER, str(USER), str(USER).upper())]

    assert len(set(spellings)) == 1


@pytest.mark.parametrize("parts", [(), (USER,), (USER, ""), (USER, None), (USER, 7), ("", ACCOUNT)])
def test_a_key_without_its_owners_is_refused(parts):
    """An account's key that lacks its user or its account is never made."""
    with pytest.raises(CacheKeyError, match="begins with the ids of: user, account"):
        key(CacheNamespace.ACCOUNT, *parts)


def test_a_part_of_a_strange_type_is_refused():
    """A part whose text could differ between two runs is refused rather than guessed."""
    price: Any = 1.5

    with pytest.raises(CacheKeyError, match="not float"):
        key(CacheNamespace.PROTOCOL, price)


@pytest.mark.parametrize(
    ("namespace", "owners", "by_user", "by_account"),
    [
        (CacheNamespace.ACCOUNT, (USER, ACCOUNT), True, True),
        (CacheNamespace.ACCOUNTS_LIST, (USER,), True, True),
        (CacheNamespace.HEALTH, (USER, ACCOUNT), True, True),
        (CacheNamespace.HEALTH_SWARM, (USER,), True, True),
        (CacheNamespace.GROUP, (USER,), True, True),
        (CacheNamespace.SCHEDULE, (USER,), True, False),
        (CacheNamespace.PROXY, (USER,), True, False),
        (CacheNamespace.PROTOCOL, (), False, False),
    ],
)
def test_a_key_knows_what_voids_it(namespace, owners, by_user, by_account):
    """A change of a user or an account voids exactly the namespaces that show it, and the root voids all."""
    voided_by = set(key(namespace, *owners).generations)

    assert ROOT_GENERATION in voided_by
    assert bool(voided_by & set(user_generations(USER))) is by_user
    assert bool(voided_by & set(account_generations(ACCOUNT, user_id=USER))) is by_account
    assert not voided_by & {*user_generations(uuid4()), *account_generations(uuid4(), user_id=uuid4())}


def test_an_account_does_not_void_another_account_of_its_user():
    """A change of one account leaves its neighbour's own values alone."""
    neighbour = set(key(CacheNamespace.HEALTH, USER, uuid4()).generations)

    assert not neighbour & set(account_generations(ACCOUNT, user_id=USER))


@pytest.mark.parametrize("pattern", ["*", "", "acc*:x", "accounts", "account*", ":*", "gen:*"])
def test_a_pattern_without_a_namespace_is_refused(pattern):
    """Nobody sweeps all of Redis by a slip of the pen."""
    with pytest.raises(CacheKeyError, match="must begin with"):
        redis_pattern(pattern)
