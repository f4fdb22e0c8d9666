"""How many requests are being answered now, on a running gateway."""

from prometheus_client import REGISTRY

from tests.waiting import until


def in_progress():
    return REGISTRY.get_sample_value("instadistro_http_requests_in_progress")


async def test_a_request_is_in_progress_until_it_is_answered(alice):
    """An open stream of events is one too; a client that leaves is none any more."""
    headers = {"Authorization": f"Bearer {alice.api_key}"}
    before = in_progress()

    async with alice.http.get(f"{alice.url}/v1/events", headers=headers) as stream:
        assert stream.status == 200
        during = in_progress()

    async def none_left():
        return in_progress() == before

    await until(none_left, what="the end of the stream")
    assert during == before + 1
