"""`instadistro jobs dead`, `redrive` and `discard`: looked at, sent again, thrown away with a yes."""

import json
import os
from datetime import timedelta
from uuid import uuid4


async def test_dead_jobs_are_listed_by_what_is_asked_for(operator):
    """Newest first; what came from outside cannot command the terminal."""
    old = await operator.bury(hours=5)
    new = await operator.bury(reason="deadline")
    await operator.bury(type_="unreadable", hours=48)

    _, text, _ = await operator.run("dead", "--limit", "2")
    _, listed = await operator.json("dead", "--type", "health:check", "--since", "1d", "--until", "1h")
    _, none, _ = await operator.run("dead", "--reason", "crash_loop")

    assert [line.split()[0] for line in text.splitlines() if "health:check" in line] == [new, old]
    assert "the platform [31m said no" in text
    assert text.splitlines()[-1] == "Shown: 2 of 3."
    assert [job["id"] for job in listed] == [old]
    assert none == "No dead jobs.\n"


async def test_one_dead_job_is_shown_with_all_that_is_known_of_it(operator):
    """Attempts, headers and payload, also where the payload is no JSON."""
    good, bad = await operator.bury(payload=b'{"a": 1}'), await operator.bury(payload=b"\xff")

    status, text, _ = await operator.run("show", good)
    _, whole = await operator.json("show", good)
    _, odd = await operator.json("show", bad)

    assert status == 0
    assert all(word in text for word in ("said no", "x-job-id", '{"a": 1}', "2026-01-31T12:00:00Z", "high"))
    assert whole["payload"] == {"a": 1}
    assert [failure["attempt"] for failure in whole["failures"]] == [1]
    assert (odd["payload"], odd["payload_base64"]) == (None, "/w==")


async def test_redriving_by_id_says_which_ids_are_wrong(operator):
    """Status 1 if any stays, each with its reason; the others go."""
    good, poison, unknown = await operator.bury(), await operator.bury(payload=b"no"), str(uuid4())

    dry = await operator.json("redrive", good, "--dry-run")
    (status, report) = await operator.json("redrive", good, poison, unknown)

    assert dry == (0, {"redriven": 1, "dry_run": True, "refused": []})
    assert (status, report["redriven"]) == (1, 1)
    assert {refused["id"] for refused in report["refused"]} == {poison, unknown}
    assert (await operator.dead(), await operator.waiting()) == ({poison}, {good})


async def test_redriving_by_filter_goes_as_fast_as_it_is_told(operator):
    """Only what is meant, the oldest first, so many a second."""
    ids = [await operator.bury(hours=hours) for hours in (4, 3, 2)]
    other = await operator.bury(reason="deadline", hours=9)

    status, said, _ = await operator.run("redrive", "--reason", "exhausted", "--limit", "2", "--rate", "0.5")

    due = await operator.pool.fetch("SELECT due_at FROM outbox ORDER BY due_at")
    assert (status, said) == (0, "Sent back: 2.\n")
    assert (await operator.dead(), await operator.waiting()) == ({ids[2], other}, set(ids[:2]))
    assert due[1]["due_at"] - due[0]["due_at"] == timedelta(seconds=2)


async def test_redriving_all_tells_people_what_stays_and_why(operator):
    """One line for each."""
    await operator.bury()
    poison = await operator.bury(type_="unreadable")

    dry = await operator.run("redrive", "--all", "--dry-run")
    done = await operator.run("redrive", "--all")

    assert (dry[0], "Would be sent back: 1." in dry[1]) == (1, True)
    assert done[1].splitlines() == [
        "Sent back: 1.",
        "Stay among the dead: 1.",
        f"  {poison}: it is no job that this version can read",
    ]


async def test_discarding_needs_a_yes(operator):
    """Where nobody can be asked, it must be said beforehand; a dry run only counts."""
    first, second = await operator.bury(), await operator.bury(reason="deadline")

    dry, asked = await operator.run("discard", "--all", "--dry-run"), await operator.run("discard", "--all")
    unknown = await operator.start("discard", first, str(uuid4()), "--yes")
    kept = await operator.dead()
    by_id = await operator.run("discard", first, "--yes")
    by_filter = await operator.run("discard", "--reason", "deadline", "--yes")

    assert dry == (0, "Would be discarded: 2.\n", "")
    assert (asked[0], "add --yes" in asked[2]) == (2, True)
    assert (unknown[0], "there is no dead job" in unknown[2]) == (1, True)
    assert kept == {first, second}
    assert by_id == by_filter == (0, "Discarded: 1.\n", "")
    assert await operator.dead() == set()


async def test_long_work_says_how_far_it_is(operator):
    """On standard error, so that what a program reads stays clean."""
    await operator.pool.execute(
        """
        INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers)
        SELECT gen_random_uuid(), 'unreadable', '', 'unreadable', 1, '', '{}' FROM generate_series(1, 1200)
        """
    )

    looked_at = await operator.run("redrive", "--all", "--json")
    discarded = await operator.run("discard", "--all", "--yes")

    assert len(json.loads(looked_at[1])["refused"]) == 1200
    assert [line.strip() for line in looked_at[2].splitlines()] == [
        f"looked at: {count} of 1200" for count in (500, 1000, 1200)
    ]
    assert discarded[1] == "Discarded: 1200.\n"
    assert "discarded: 1000 of 1200" in discarded[2]


async def test_discarding_on_a_terminal_asks_first(operator):
    """Only a yes deletes."""
    dead_id = await operator.bury()
    answers = {}
    for answer in ("n", "y"):
        ours, theirs = os.openpty()
        os.write(ours, f"{answer}\n".encode())
        answers[answer] = (await operator.start("discard", dead_id, stdin=theirs))[0], await operator.dead()
        os.close(ours)
        os.close(theirs)

    assert answers == {"n": (1, {dead_id}), "y": (0, set())}
