"""Publishing: from due to live, and what the platform answers."""

from __future__ import annotations

from typing import Final

from deploy.grafana.board import Board, Row
from deploy.grafana.panel import (
    PLAIN,
    Query,
    bars,
    falling,
    lines,
    percentile_by,
    percentiles,
    rate_by,
    rising,
    stat,
)

_ENDED = "instadistro_publications_ended_total"
_PLATFORM = "instadistro_platform_request_duration_seconds"

_NOW = Row(
    title="In the time shown, and now",
    panels=(
        stat(
            "Published",
            f'sum(increase({_ENDED}{{outcome="published"}}[$__range]))',
            unit="short",
            limits=PLAIN,
            instant=True,
            width=5,
            shows="Publications that went live in the time shown.",
            normal="What was planned for it.",
            otherwise="Fewer: see what ended otherwise beside it, and *Longest due* below for what still waits.",
        ),
        stat(
            "On time",
            '1 - instadistro:slo_error_ratio:rate1h{slo="published_on_time"}',
            unit="percentunit",
            limits=falling(red=0.99, green=0.995),
            width=5,
            shows="The share of the last hour's publications that were live within 60 s of their time.",
            normal="99.5 % and more.",
            otherwise="See *Lateness*, then the platform's answers, then the queue of the publisher.",
            alerts=(
                "ErrorBudgetBurnsFast",
                "ErrorBudgetBurnsSlowly",
            ),
        ),
        stat(
            "Failed or missed",
            f'sum(increase({_ENDED}{{outcome=~"failed|missed"}}[$__range])) or vector(0)',
            unit="short",
            limits=rising(orange=1, red=5),
            instant=True,
            width=5,
            shows="Publications that ended in the time shown without going live, for no fault of their content.",
            normal="0.",
            otherwise="`GET /v1/publications?state=failed` gives each with its error; `retry` sends it again.",
            alerts=("PublicationsMissed",),
        ),
        stat(
            "Outcome unknown",
            'max(instadistro_publications_open{state="outcome_unknown"})',
            unit="short",
            limits=rising(orange=1, red=10),
            width=5,
            shows=("Publications that were sent and nobody can tell whether they are live. They are never sent twice."),
            normal="0.",
            otherwise="Look at the account on Instagram, then `POST /v1/publications/{id}/resolve`.",
            alerts=("OutcomesUnknown",),
        ),
        stat(
            "Platform counts as down",
            "sum(instadistro_platform_breaker_open)",
            unit="none",
            limits=rising(red=1),
            shows=("Processes that leave the platform alone because it does not answer; one probe at a time tries it."),
            normal="0.",
            otherwise=(
                "Nothing is lost while it lasts. See *Calls that were not ok* and the platform's own status page."
            ),
            alerts=("PlatformDown",),
        ),
    ),
)

_ON_TIME = Row(
    title="On time",
    panels=(
        lines(
            "Lateness of what went live",
            *percentiles("instadistro_publication_lateness_seconds"),
            unit="s",
            series=("p50", "p95", "p99"),
            limits=rising(red=60),
            shows="From the time a publication was due to the time it was live.",
            normal="Under 60 s; videos take as long as the platform needs to look at them.",
            otherwise="Compare with *Time of a call* (the platform) and *Wait for a worker* (ours).",
            alerts=("ErrorBudgetBurnsFast",),
        ),
        lines(
            "Longest due",
            Query(expr="max(instadistro_publications_oldest_due_age_seconds)", legend="longest due"),
            unit="s",
            limits=rising(orange=60, red=300),
            shows="How long the longest due publication that may go on has waited for a worker.",
            normal="Under 10 s; under 60 s while many posts are due at once.",
            otherwise="Are publishers up, is the platform? More replicas help only while the app's limit has room.",
            alerts=("PublicationsStuck",),
        ),
        lines(
            "Results of tries",
            rate_by("state", "instadistro_publications_total", per_minute=True),
            unit="cpm",
            stacked=True,
            series=("published", "scheduled", "held", "failed", "outcome_unknown"),
            shows="Tries a minute, by the state they lead to; `scheduled` comes again.",
            normal="Published, and `scheduled` where the platform still prepares a video.",
            otherwise="Much `scheduled` and little published: see *Waits* and *Calls that were not ok*.",
        ),
    ),
)

_CALLS = Row(
    title="Calls to the platform",
    panels=(
        lines(
            "Calls",
            rate_by("operation", f"{_PLATFORM}_count"),
            unit="reqps",
            stacked=True,
            shows="Calls a second, by operation, of publisher and health.",
            normal="Two to four for each publication, and a few for the checks of accounts.",
            otherwise="Many `container_status` for each publication: the platform is slow to prepare media.",
        ),
        lines(
            "Calls that were not ok",
            rate_by("outcome", f"{_PLATFORM}_count", matcher='{outcome!="ok"}'),
            unit="reqps",
            series=("unclear", "unreachable", "failed"),
            shows="Calls a second that brought no success, by what that means (docs/platform-errors.md).",
            normal="Near 0; `not_ready` while videos are prepared.",
            otherwise=(
                "`transient`, `unreachable`: the platform. `reauth`: tokens. `throttled`: limits. `failed`: a defect."
            ),
            alerts=(
                "PlatformDown",
                "IncidentOpen",
            ),
        ),
        lines(
            "Time of a call (95th percentile)",
            percentile_by("operation", _PLATFORM),
            unit="s",
            shows="How long 95 % of the calls of an operation took at most.",
            normal="Under 2 s; up to 10 s for `publish_container`.",
            otherwise="The platform is slow. Workers wait for it, so lateness follows; nothing is to be done here.",
        ),
    ),
)

_LIMITS = Row(
    title="Limits",
    panels=(
        lines(
            "Waits",
            rate_by("reason", "instadistro_platform_waits_total", per_minute=True),
            unit="cpm",
            shows="Tries a minute that were not begun because the platform was not to be called.",
            normal="0.",
            otherwise=(
                "`throttled`: a limit of calls is used up, they go on later. `platform_down`: it does not answer."
            ),
        ),
        lines(
            "App's limit of calls in use",
            Query(expr="max(instadistro_platform_app_usage_percent)", legend="in use"),
            unit="percent",
            limits=rising(orange=80, red=90),
            highest=100,
            shows="What the platform last said of the app's hourly limit of calls, the highest any process heard.",
            normal="Under 80 %.",
            otherwise="Spread posts over more time. From 90 % on publications are held back, at 100 % all wait.",
            alerts=("AppUsageHigh",),
        ),
        bars(
            "Accounts by use of their publishing limit",
            Query(expr="max by (used) (instadistro_accounts_by_quota_use)", legend="{{used}}"),
            unit="short",
            series=("under_half", "over_half", "over_90", "full"),
            shows=("Accounts that published within a day, by the share of the platform's daily limit they have used."),
            normal="Most `under_half`, none `full`.",
            otherwise=("What is due on a full account waits until its limit has room: plan fewer posts a day for it."),
        ),
    ),
)

_WORKERS = Row(
    title="Workers",
    panels=(
        lines(
            "Wait for a worker",
            *percentiles("instadistro_job_wait_seconds", by='{type="post:publish"}'),
            unit="s",
            series=("p50", "p95", "p99"),
            limits=rising(orange=30),
            shows="From a job `post:publish` being due to its handler beginning.",
            normal="Under 2 s.",
            otherwise="All workers are busy: add publishers, if PostgreSQL and the app's limit have room.",
        ),
        lines(
            "Publications in work",
            Query(expr="sum(instadistro_leases_held)", legend="held by a worker"),
            Query(expr="max(instadistro_leases_lapsed)", legend="lapsed"),
            unit="short",
            shows="Publications that workers have claimed, and claims that nobody renews any more.",
            normal="Held up to 64 a publisher; lapsed 0, or some for seconds after a crash.",
            otherwise="Lapsed for longer: no publisher takes them over. Is one up, and its queue read?",
            alerts=("LeasesLapsed",),
        ),
        lines(
            "Claims lost, messages lost",
            Query(expr="60 * sum(rate(instadistro_leases_lost_total[$__rate_interval]))", legend="claims taken over"),
            Query(expr="60 * sum(rate(instadistro_rescued_total[$__rate_interval]))", legend="messages made again"),
            unit="cpm",
            shows=(
                "Claims that another worker took over, and publications without a message that were given one,"
                " a minute."
            ),
            normal="0; some after a crash.",
            otherwise=(
                "Steady claims lost: processes hang (event-loop lag). Steady messages made again: the broker"
                " loses some."
            ),
            alerts=("LeasesLost",),
        ),
    ),
)

PUBLISHING: Final = Board(
    name="publishing",
    title="Publishing",
    about=(
        "How posts go from due to live, and what Instagram answers on the way. **Normal:** 99.5 % are live within 60 s"
        " of their time, calls that are not ok are near 0, nothing waits for the platform.\n\n"
        "**How to read it:** late posts have one of three causes, told apart by a row each: the platform is slow or"
        " refuses (*Calls*), a limit is used up (*Limits*), or our workers do not come to it (*Workers*)."
    ),
    rows=(_NOW, _ON_TIME, _CALLS, _LIMITS, _WORKERS),
)
