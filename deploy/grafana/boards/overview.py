"""Overview: is everything well, and if not, on which board to go on."""

from __future__ import annotations

from typing import Final

from deploy.grafana.board import Board, Row
from deploy.grafana.panel import (
    Query,
    bars,
    falling,
    lines,
    percentiles,
    percentiles_of,
    rate_by,
    rising,
    stat,
    table,
)

_REQUESTS = "instadistro_http_request_duration_seconds_count"
_OF_CLIENTS = 'route!~"unmatched|/healthz|/readyz"'  # as the objective counts them

_NOW = Row(
    title="Now",
    panels=(
        stat(
            "Pages firing",
            'count(ALERTS{alertstate="firing", severity="page"}) or vector(0)',
            unit="none",
            limits=rising(red=1),
            shows="Alerts that are meant to wake somebody and fire now.",
            normal="0.",
            otherwise="See *What is wrong now* below, and open the page of the alert in docs/runbooks.",
        ),
        stat(
            "Tickets firing",
            'count(ALERTS{alertstate="firing", severity="ticket"}) or vector(0)',
            unit="none",
            limits=rising(orange=1),
            shows="Alerts that can wait for the working day and fire now.",
            normal="0.",
            otherwise="See *What is wrong now* below, and open the page of the alert in docs/runbooks.",
        ),
        stat(
            "Promises broken",
            "sum(max by (invariant) (instadistro_invariant_breaches))",
            unit="none",
            limits=rising(red=1),
            shows="Publications that are lost, live twice or live too early.",
            normal="0, always.",
            otherwise="Each is a defect or damaged data: the log of the scheduler names it (`publications.breach`).",
            alerts=("InvariantBroken",),
        ),
        stat(
            "Processes down",
            '(count(up{job="instadistro"} == 0) or vector(0))'
            ' + 4 - (count(count by (service) (up{job="instadistro"})) or vector(0))',
            unit="none",
            limits=rising(orange=1, red=2),
            shows="Processes that Prometheus cannot ask, and those of the four services of which it knows no process.",
            normal="0; 1 during an upgrade.",
            otherwise="`instadistro status`, then the log of the process that is missing.",
            alerts=(
                "ServiceDown",
                "TargetMissing",
            ),
        ),
        stat(
            "Longest due post",
            "max(instadistro_publications_oldest_due_age_seconds)",
            unit="s",
            limits=rising(orange=60, red=300),
            shows="How long the longest due publication that may go on has waited for a worker.",
            normal="Under 10 s; 60 s at a rush.",
            otherwise="See the board *Publishing*: are publishers up, and is the platform?",
            alerts=("PublicationsStuck",),
        ),
        stat(
            "Outbox behind by",
            "max(instadistro_outbox_oldest_due_age_seconds)",
            unit="s",
            limits=rising(orange=10, red=60),
            shows="How long the oldest due job has waited for the broker to take it.",
            normal="Under 2 s.",
            otherwise="See the board *Queues*: is a scheduler up, and does the broker take messages?",
            alerts=("OutboxStuck",),
        ),
    ),
)

_OBJECTIVES = Row(
    title="Objectives, over 30 days",
    panels=(
        bars(
            "Budget left",
            Query(expr="instadistro:slo_budget_left:ratio", legend="{{slo}}"),
            unit="percentunit",
            limits=falling(red=0, green=0.25),
            highest=1,
            shows=("What is left of the errors that an objective allows in 30 days. Below 0 the objective is missed."),
            normal="Over 25 %.",
            otherwise=("Let the cause be mended before new things are brought in; *Budget burnt* shows when it went."),
            alerts=(
                "ErrorBudgetBurnsFast",
                "ErrorBudgetBurnsSlowly",
            ),
        ),
        lines(
            "Budget burnt, times the speed that lasts 30 days",
            Query(
                expr="instadistro:slo_error_ratio:rate1h / on (slo) (1 - instadistro:slo_objective:ratio)",
                legend="{{slo}}",
            ),
            unit="short",
            limits=rising(orange=6, red=14.4),
            shows="The share of errors in the last hour, as a multiple of what would use up the budget in 30 days.",
            normal="Under 1; up to 6 for an hour at a time.",
            otherwise=(
                "At 14.4 the budget of 30 days is gone within two days, at 6 within five: follow the alert that fires."
            ),
            alerts=(
                "ErrorBudgetBurnsFast",
                "ErrorBudgetBurnsSlowly",
            ),
        ),
        table(
            "What is wrong now",
            'sort_desc(sum by (severity, alertname, service) (ALERTS{alertstate="firing"}))',
            shows="The alerts that fire, by severity and service.",
            normal="Empty.",
            otherwise="Each has a page of its name in docs/runbooks: what it means, what it does, how to mend it.",
        ),
    ),
)

_API = Row(
    title="API",
    panels=(
        lines(
            "Requests",
            *(
                Query(
                    expr=f'sum(rate({_REQUESTS}{{{_OF_CLIENTS}, code=~"{digit}.."}}[$__rate_interval]))',
                    legend=f"{digit}xx",
                )
                for digit in range(2, 6)
            ),
            unit="reqps",
            stacked=True,
            series=("2xx", "3xx", "4xx", "5xx"),
            shows="Requests of clients answered a second, by class of status; without probes and unknown paths.",
            normal="As much as your clients send; 4xx a small share.",
            otherwise=(
                "Many 4xx: a client sends what is refused (429: it asks too often). None at all: can it be reached?"
            ),
        ),
        lines(
            "Share of requests that failed",
            Query(expr='instadistro:slo_error_ratio:rate5m{slo="api_availability"}', legend="5xx"),
            unit="percentunit",
            series=("5xx",),
            limits=rising(red=0.001),
            shows="Requests of clients answered with a status of 500 or above, as a share of all, over 5 minutes.",
            normal="Under 0.1 %, which is the objective.",
            otherwise="503: see the board *Dependencies*, or the outbox is too old (*Queues*). 500: see the API's log.",
            alerts=("ErrorBudgetBurnsFast",),
        ),
        lines(
            "Time to answer",
            *percentiles_of("instadistro:http_request_duration_seconds_bucket:rate5m"),
            unit="s",
            series=("p50", "p95", "p99"),
            limits=rising(red=0.25),
            shows="From a request's headers to its answer, of what the objective counts: no streams or refusals.",
            normal="p99 under 0.25 s, which is the objective for 99 % of requests.",
            otherwise=("See the board *Dependencies*: waits for a connection, slow queries, event-loop lag, no cache."),
            alerts=(
                "ApiSlow",
                "ErrorBudgetBurnsFast",
            ),
        ),
    ),
)

_PUBLICATIONS = Row(
    title="Publications",
    panels=(
        lines(
            "Ended",
            rate_by("outcome", "instadistro_publications_ended_total", per_minute=True),
            unit="cpm",
            stacked=True,
            series=("published", "refused", "failed", "missed", "unknown"),
            shows=(
                "Publications that came to an end, a minute, by how. `refused` is the content's or its owner's fault."
            ),
            normal="Nearly all published.",
            otherwise=(
                "`failed` and `missed`: see the board *Publishing*. `unknown` waits for a person to resolve it."
            ),
        ),
        lines(
            "Lateness of what went live",
            *percentiles("instadistro_publication_lateness_seconds"),
            unit="s",
            series=("p50", "p95", "p99"),
            limits=rising(red=60),
            shows="From the time a publication was due to the time it was live.",
            normal="Under 60 s; videos as long as the platform needs.",
            otherwise="See the board *Publishing*: the platform's answers first, then the wait in the queue.",
            alerts=("ErrorBudgetBurnsFast",),
        ),
        lines(
            "Open",
            Query(expr="max by (state) (instadistro_publications_open)", legend="{{state}}"),
            unit="short",
            series=("scheduled", "publishing", "held", "outcome_unknown"),
            shows="Publications that are not at their end, by state; each counted up to 100,000.",
            normal="`held` and `outcome_unknown` near 0.",
            otherwise=(
                "`held` waits for an account or a person, `outcome_unknown` for a person: list them with the API."
            ),
            alerts=(
                "ManyHeld",
                "OutcomesUnknown",
            ),
        ),
    ),
)

_ACCOUNTS = Row(
    title="Accounts",
    panels=(
        bars(
            "Accounts by state",
            Query(expr="max by (state) (instadistro_accounts)", legend="{{state}}"),
            unit="short",
            width=12,
            series=("NEW", "WARMING_UP", "ACTIVE", "PAUSED", "NEEDS_REAUTH", "RESTRICTED", "DISCONNECTED"),
            shows="Accounts that are not removed, by state.",
            normal="Nearly all ACTIVE or WARMING_UP.",
            otherwise="NEEDS_REAUTH: their owners have to connect them again. RESTRICTED: the platform's decision.",
            alerts=("ManyAccountsNeedReauth",),
        ),
        bars(
            "Tokens that end within days",
            Query(expr="max by (within_days) (instadistro_tokens_ending)", legend="{{within_days}} d"),
            unit="short",
            width=12,
            limits=rising(orange=1),
            shows="Accounts in use whose token ends within so many days; each number contains the smaller ones.",
            normal="0: tokens are renewed from 30 days before their end on.",
            otherwise=(
                "`instadistro jobs dead --type token:refresh`; accounts that refuse need their owners to connect again."
            ),
            alerts=(
                "TokensEnding",
                "TokensDead",
            ),
        ),
    ),
)

OVERVIEW: Final = Board(
    name="overview",
    title="Overview",
    about=(
        "Whether the system keeps its promises, and what is wrong if not. **Normal:** the first row is green, budgets"
        " are over 25 %, nearly every publication that ends is published within 60 s of its time.\n\n"
        "**Where next:** *Publishing* when posts are late or fail, *Queues* when jobs wait, *Dependencies* when the API"
        " is slow or a server is away. Lines across a panel are new versions."
    ),
    rows=(_NOW, _OBJECTIVES, _API, _PUBLICATIONS, _ACCOUNTS),
)
