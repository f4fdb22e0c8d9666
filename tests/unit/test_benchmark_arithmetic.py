"""What the suites of cache, pagination and indexes compute from what they measured, and the requests they make up."""

import random
from collections import Counter
from uuid import UUID

import pytest

from benchmarks.cache.mix import Tenant, everything, mixed
from benchmarks.cache.outage import waits
from benchmarks.indexes.large_database import slots
from benchmarks.indexes.queries import Outcome, rows_of, summary
from benchmarks.indexes.samples import arguments_of
from benchmarks.indexes.writes import costs, more_time
from benchmarks.pagination.pages import compared
from benchmarks.processes import BenchmarkError
from benchmarks.rows import ratios, row
from benchmarks.subjects import INSTADISTRO
from shared.database.catalogue import CataloguedQuery

MS = 1_000_000


def by_metric(rows):
    return {(one.case, one.subject, one.metric): one.value for one in rows}


def tenants(count, accounts):
    ids = iter(range(count * accounts))
    return [
        Tenant(api_key=f"key {number}", account_ids=[UUID(int=next(ids)) for _ in range(accounts)])
        for number in range(count)
    ]


def test_hits_are_compared_with_the_bare_library_and_with_the_best_rival():
    """The library that the cache stands on is told apart from those that compete with it."""
    figures = [
        row("hits", subject, "hits_per_s", "hits/s", [per_s])
        for subject, per_s in ((INSTADISTRO, 30.0), ("bare redis-py", 10.0), ("cashews", 20.0), ("aiocache", 5.0))
    ]

    assert {(one.metric, one.value) for one in ratios(figures)} == {
        ("ratio_to_bare", 3.0),
        ("ratio_to_best_rival", 1.5),
    }


def test_an_outage_is_the_longest_wait_in_flight_and_the_usual_one_afterwards():
    """What had ended before is left out, what was under way counts as in flight, what began late as later."""
    reads = [
        (0, 900 * MS),  # over before the outage
        (990 * MS, 95 * MS),  # in flight
        (1_100 * MS, 40 * MS),  # soon after: no more in flight, not yet late
        (1_300 * MS, 1 * MS),
        (1_400 * MS, 3 * MS),
    ]

    figures = waits(reads, struck_ns=1_000 * MS)

    assert figures["longest"] == 95
    assert figures["later_p50"] == 2
    assert 2.9 < figures["later_p99"] <= 3


def test_an_outage_without_a_later_read_has_no_figures():
    """Nothing is made up for readers that never came back."""
    with pytest.raises(BenchmarkError, match="No read began during the outage"):
        waits([(0, 2_000 * MS)], struck_ns=1_000 * MS)


def test_requests_are_reads_of_cached_routes_and_one_write_in_a_hundred():
    """The mix is what the hit rate is about: the same in every run, some tenants far more often than others."""
    users = tenants(50, 4)

    requests = list(mixed(users, 20_000, seed=1))

    assert requests == list(mixed(users, 20_000, seed=1))
    assert len(requests) == 20_000
    writes = [request for request in requests if request.method == "POST"]
    assert 0.008 < len(writes) / len(requests) < 0.012
    reads = {request.path for request in requests if request.method == "GET"}
    assert reads <= {request.path for request in everything(users)}
    often = Counter(request.tenant.api_key for request in requests)
    assert often["key 0"] > 1.5 * often["key 1"] > 10 * often["key 49"]


def test_a_paused_account_is_resumed_before_it_is_paused_again():
    """Each write really changes something, or nothing would be invalidated."""
    turns = [request.path.rsplit("/", 1) for request in mixed(tenants(1, 3), 5_000, seed=2) if request.method == "POST"]

    for account in {path for path, _ in turns}:
        order = [turn for path, turn in turns if path == account]
        assert order == [("pause", "resume")[number % 2] for number in range(len(order))]


def test_pages_are_compared_with_the_first_one_and_with_offset():
    """Depth costs what the deep page takes more than the first; OFFSET costs what it takes more than the cursor."""
    figures = by_metric(
        compared(1_000, first_ms=[1.0, 2.0, 1.0], deep_ms=[1.5, 1.5, 1.0], offset_ms=[300.0, 150.0, 9.0])
    )

    assert figures["page at depth 1,000", INSTADISTRO, "ratio_to_first_page"] == 1.5
    assert figures["page at depth 1,000", "OFFSET", "ratio_to_instadistro"] == 100
    assert figures["first page", INSTADISTRO, "page"] == 1


def outcome(name, with_ms, without_ms):
    return Outcome(query=catalogued(name), with_ms=with_ms, without_ms=without_ms)


def catalogued(name, arguments=()):
    return CataloguedQuery(name=name, source="nowhere:NOTHING", arguments=arguments, index="an_index")


def test_an_index_is_worth_the_share_of_the_time_it_saves():
    """90 % faster is a tenth of the time, and a ratio of ten."""
    figures = by_metric(rows_of(outcome("accounts.page", [1.0, 1.0, 4.0], [10.0, 20.0, 4.0])))

    assert figures["accounts.page", INSTADISTRO, "with_index"] == 1
    assert figures["accounts.page", INSTADISTRO, "without_index"] == 10
    assert figures["accounts.page", INSTADISTRO, "faster_by"] == 90
    assert figures["accounts.page", INSTADISTRO, "ratio_to_no_index"] == 10


def test_the_catalogue_is_as_much_faster_as_its_median_query():
    """A few queries that gain all or nothing do not decide it."""
    outcomes = [outcome("a", [1.0], [1000.0]), outcome("b", [1.0], [10.0]), outcome("c", [1.0], [1.0])]

    figure = summary(outcomes)

    assert (figure.case, figure.metric, figure.value) == ("median of 3 queries", "faster_by", 90)


def test_the_cost_of_indexes_is_the_time_that_rows_take_more():
    """Half as many rows a second with all indexes: they cost 2 x; three quarters more without one: it costs 75 %."""
    each = {"posts_page": [more_time(100.0, 175.0), more_time(100.0, 100.0), more_time(50.0, 100.0)]}

    figures = by_metric(costs("insert, posts", every=[100.0, 90.0, 110.0], none=[200.0] * 3, each=each))

    assert figures["insert, posts", INSTADISTRO, "ratio_of_cost"] == 2
    assert figures["insert, posts", INSTADISTRO, "cost of posts_page"] == 75


def test_arguments_are_samples_by_name_and_everything_else_as_it_is():
    """Texts name samples, in lists too where there is a sample of that name."""
    query = catalogued("any", ("user_id", ["account_id", None], ["ACTIVE"], 51))

    found = arguments_of(query, {"user_id": UUID(int=1), "account_id": UUID(int=2)})

    assert found == [UUID(int=1), [UUID(int=2), None], ["ACTIVE"], 51]


def test_a_large_database_is_made_of_whole_users():
    """Ten slots share a user, at every scale."""
    chance = random.Random(3)  # noqa: S311 - the same scales in every run

    assert slots(1.0) == 10_000
    assert all(slots(chance.uniform(0.0001, 2)) % 10 == 0 for _ in range(50))
