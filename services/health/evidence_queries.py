"""The statements behind `read_evidence`: a batch is of several tenants, and each row of the account's own.

What was published is found by the account alone: with its tenant the planner would read all there is of an account.
"""

from __future__ import annotations

#: The account and its token, what the last look at the platform found, what waits, and how it was judged. A finding is
#: of the token that was looked at: a newer token makes it void. What an incident did is nobody's fault: it is left out.
STANDINGS = """
    SELECT accounts.id AS account_id, accounts.user_id, accounts.state, accounts.caution,
           extract(epoch FROM accounts.token_expires_at - now())::float8 / 86400 AS token_days_left,
           tokens.refresh_failures,
           tokens.scopes IS NOT NULL AND NOT tokens.scopes @> $2::text[] AS publish_scope_lost,
           (SELECT count(*) FROM unnest($3::text[]) AS scope WHERE scope <> ALL (tokens.scopes)) AS missing_scopes,
           CASE WHEN checks.checked_at >= tokens.obtained_at
                     AND NOT EXISTS (
                         SELECT FROM incidents
                         WHERE error_class = CASE checks.finding WHEN 'checkpoint' THEN 'restricted' ELSE 'reauth' END
                           AND coalesce(closed_at, 'infinity') > now() - interval '1 day'
                           AND checks.refused_at >= opened_at - interval '15 minutes'
                           AND checks.checked_at <= coalesce(closed_at, now())
                     )
                THEN checks.finding END AS finding,
           -- Until the platform has been asked again, after it.
           accounts.state = 'NEEDS_REAUTH' AND EXISTS (
               SELECT FROM incidents
               WHERE error_class = 'reauth' AND coalesce(closed_at, 'infinity') > now() - interval '15 minutes'
                 AND accounts.flagged_at BETWEEN opened_at - interval '15 minutes' AND coalesce(closed_at, now())
           ) AS in_incident,
           greatest(
               CASE WHEN accounts.quota_until > now() THEN 1::float8
                    -- The platform's window is a day long, that of its limit of calls an hour.
                    WHEN checks.checked_at > now() - interval '24 hours'
                        THEN checks.quota_used::float8 / nullif(accounts.quota_total, 0) END,
               CASE WHEN checks.checked_at > now() - interval '1 hour' THEN checks.usage_percent / 100::float8 END
           ) AS used_share,
           greatest(1, (
               SELECT count(*) FROM publications
               WHERE publications.user_id = accounts.user_id AND publications.account_id = accounts.id
                 AND publications.state IN ('scheduled', 'held')
                 AND publications.publish_at < now() + interval '7 days'
           ))::integer AS exposure,
           (
               SELECT count(*) FROM publications
               WHERE publications.user_id = accounts.user_id AND publications.account_id = accounts.id
                 AND publications.state = 'outcome_unknown'
                 AND publications.updated_at < now() - interval '1 hour'
           ) AS unresolved,
           scores.score, scores.band, scores.gates, scores.reasons, scores.formula_version, scores.computed_at,
           scores.exposure AS stored_exposure, scores.rising_band, scores.rising_since,
           extract(epoch FROM now() - scores.rising_since)::float8 AS rising_for_s,
           extract(epoch FROM now() - scores.computed_at)::float8 AS judged_ago_s,
           noted.score AS noted_score, extract(epoch FROM now() - noted.computed_at)::float8 AS noted_ago_s
    FROM accounts
    LEFT JOIN account_tokens AS tokens ON tokens.user_id = accounts.user_id AND tokens.account_id = accounts.id
    LEFT JOIN health_checks AS checks ON checks.user_id = accounts.user_id AND checks.account_id = accounts.id
    LEFT JOIN health_scores AS scores ON scores.user_id = accounts.user_id AND scores.account_id = accounts.id
    LEFT JOIN LATERAL (
        SELECT score, computed_at FROM health_history
        WHERE health_history.user_id = accounts.user_id AND health_history.account_id = accounts.id
        ORDER BY health_history.computed_at DESC, health_history.id DESC
        LIMIT 1
    ) AS noted ON true
    WHERE accounts.id = ANY($1::uuid[]) AND accounts.removed_at IS NULL
    ORDER BY accounts.id
"""

#: What ended within $2 days, the newest $3 of each kind. What an incident did is nobody's fault: it is left out. No age
#: is below 0, whatever became of the clock.
HISTORIES = """
    WITH incident AS MATERIALIZED (
        SELECT error_class, opened_at - interval '15 minutes' AS begin, coalesce(closed_at, now()) AS until
        FROM incidents
        WHERE opened_at > now() - interval '30 days'
    )
    SELECT accounts.id AS account_id,
           ARRAY(
               SELECT greatest(extract(epoch FROM now() - published_at)::float8 / 86400, 0) FROM publications
               WHERE publications.account_id = accounts.id AND publications.state = 'published'
                 AND publications.published_at > now() - make_interval(days => $2)
               ORDER BY published_at DESC
               LIMIT $3
           ) AS published_days,
           failed.days AS failed_days, failed.classes AS failed_classes,
           failed.codes AS failed_codes, failed.subcodes AS failed_subcodes,
           refused.days AS refused_days, refused.classes AS refused_classes,
           refused.codes AS refused_codes, refused.subcodes AS refused_subcodes
    FROM accounts
    CROSS JOIN LATERAL (
        SELECT array_agg(greatest(extract(epoch FROM now() - ended_at)::float8 / 86400, 0)) AS days,
               array_agg(class) AS classes, array_agg(code) AS codes, array_agg(subcode) AS subcodes
        FROM (
            SELECT updated_at AS ended_at, error ->> 'class' AS class, (error ->> 'code')::integer AS code,
                   (error ->> 'subcode')::integer AS subcode
            FROM publications
            WHERE publications.user_id = accounts.user_id AND publications.account_id = accounts.id
              AND publications.state = 'failed' AND publications.updated_at > now() - make_interval(days => $2)
              AND NOT EXISTS (
                  SELECT FROM incident
                  WHERE error_class = publications.error ->> 'class' AND publications.updated_at BETWEEN begin AND until
              )
            ORDER BY publications.updated_at DESC
            LIMIT $3
        ) AS newest
    ) AS failed
    CROSS JOIN LATERAL (
        SELECT array_agg(greatest(extract(epoch FROM now() - ended_at)::float8 / 86400, 0)) AS days,
               array_agg(class) AS classes, array_agg(code) AS codes, array_agg(subcode) AS subcodes
        FROM (
            SELECT coalesce(ended_at, started_at) AS ended_at, error ->> 'class' AS class,
                   (error ->> 'code')::integer AS code, (error ->> 'subcode')::integer AS subcode
            FROM publication_attempts AS attempts
            WHERE attempts.user_id = accounts.user_id AND attempts.account_id = accounts.id
              AND attempts.error IS NOT NULL AND attempts.started_at > now() - make_interval(days => $2)
              AND NOT EXISTS (
                  SELECT FROM incident
                  WHERE error_class = attempts.error ->> 'class'
                    AND coalesce(attempts.ended_at, attempts.started_at) BETWEEN begin AND until
              )
            ORDER BY attempts.started_at DESC
            LIMIT $3
        ) AS newest
    ) AS refused
    WHERE accounts.id = ANY($1::uuid[])
"""

#: Followers of $2 days, day by day; and the median of interactions per reach of the posts of $3 days and of those
#: before, back to $4 days. Posts of two days and less are still to be seen by many.
TRENDS = """
    SELECT accounts.id AS account_id, followers.*, posts.*
    FROM accounts
    CROSS JOIN LATERAL (
        SELECT count(*) AS snapshots, (array_agg(followers ORDER BY until_day))[1] AS first_followers,
               (array_agg(followers ORDER BY until_day DESC))[1] AS last_followers
        FROM (
            SELECT until_day, (metrics ->> 'followers_count')::float8 AS followers FROM analytics_snapshots
            WHERE analytics_snapshots.user_id = accounts.user_id AND analytics_snapshots.account_id = accounts.id
              AND source = 'profile' AND publication_id IS NULL
              AND until_day > (now() AT TIME ZONE 'UTC')::date - $2::integer
        ) AS daily
        WHERE followers IS NOT NULL
    ) AS followers
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE is_newer) AS newer_posts, count(*) FILTER (WHERE NOT is_newer) AS older_posts,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY rate) FILTER (WHERE is_newer) AS newer_median,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY rate) FILTER (WHERE NOT is_newer) AS older_median
        FROM (
            SELECT published_at > now() - make_interval(days => $3) AS is_newer,
                   (numbers.metrics ->> 'total_interactions')::float8
                       / nullif((numbers.metrics ->> 'reach')::float8, 0) AS rate
            FROM publications
            CROSS JOIN LATERAL (
                SELECT metrics FROM analytics_snapshots
                WHERE analytics_snapshots.publication_id = publications.id
                ORDER BY due_age_s DESC
                LIMIT 1
            ) AS numbers
            WHERE publications.account_id = accounts.id AND publications.state = 'published'
              AND publications.published_at BETWEEN now() - make_interval(days => $4) AND now() - interval '2 days'
        ) AS measured
        WHERE rate IS NOT NULL
    ) AS posts
    WHERE accounts.id = ANY($1::uuid[])
"""
