"""Jobs that end their worker are parked, and nobody else is harmed."""

from tests.faults.worker import Errand


async def test_a_job_that_kills_its_worker_is_parked_at_its_third_start_and_harms_nobody(ground):
    """It really starts twice; all that ran beside it end, and what comes meanwhile and afterwards is served."""
    ground.hold()
    neighbours = await ground.add(*[Errand(holds=True)] * 15)
    [killer] = await ground.add(Errand(dies=True))
    neighbours += await ground.add(*[Errand(holds=True)] * 20)

    async with ground.kept(slots=40):
        await ground.until_started(36)
        ground.let_die()
        await ground.until_lives(2)
        meanwhile = await ground.add(*[Errand()] * 10)
        ground.release()
        [dead] = await ground.dead(1)
        afterwards = await ground.add(*[Errand()] * 10)
        await ground.until_ended([*neighbours, *meanwhile, *afterwards])

    assert (str(dead["id"]), dead["reason"]) == (killer, "crash_loop")
    assert ground.counts("started")[killer] == 2
    assert [process.returncode for process in ground.lives] == [-9, -9, 0]
    assert len(await ground.dead()) == 1
    assert await ground.suspects() == 0
