"""A publication whose worker always dies is ended, told as it is, and harms no other."""

from collections import Counter

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_publication_that_kills_its_workers_fails_and_a_retry_brings_it(live):
    """Two deaths, and it is not begun a third time; a person who has found the cause sends it again."""
    caption, distribution_id, victim = await distributed(live)

    await kill_workers_of(live, victim, "publisher.received", "publisher.received")
    third = live.arm("publisher.received", subject=victim)
    publications = await live.settled(distribution_id)

    assert third.exists()
    third.unlink()
    assert outcomes(publications) == {("published", None): len(publications) - 1, ("failed", "crash_loop"): 1}
    assert outcome(publications, victim) == ("failed", "crash_loop")
    await live.call("POST", f"/v1/publications/{victim}/retry")
    await live.proven(caption, distribution_id)


async def test_a_publication_that_kills_its_workers_after_the_publish_mark_is_told_as_unknown(live):
    """The call may have had effect, so nobody calls it a failure; the others are live once."""
    caption, distribution_id, victim = await distributed(live)

    await kill_workers_of(live, victim, "publisher.publish_committed", "publisher.claimed")
    publications = await live.settled(distribution_id)

    assert outcome(publications, victim) == ("outcome_unknown", "crash_loop")
    assert outcomes(publications)["published", None] == len(publications) - 1
    assert set((await live.live_counts(caption)).values()) == {1}


async def distributed(live):
    """A distribution under way, and one of its publications that is due in the midst of it."""
    caption, distribution_id = await live.distribute()
    page = await live.call("GET", f"/v1/publications?distribution_id={distribution_id}&limit=100")
    in_order = sorted(page["data"], key=lambda publication: publication["publish_at"])
    return caption, distribution_id, in_order[len(in_order) // 2]["id"]


async def kill_workers_of(live, publication_id, *points):
    """Whoever works on this publication dies at the first point, whoever comes next at the second."""
    for point in points:
        died = live.system.expect("publisher", "died")
        armed = live.arm(point, subject=publication_id)
        await died
        assert not armed.exists()


def outcome(publications, publication_id):
    [found] = [publication for publication in publications if publication["id"] == publication_id]
    return found["state"], found["reason"]


def outcomes(publications):
    return Counter((publication["state"], publication["reason"]) for publication in publications)
