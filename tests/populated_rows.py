"""The rows of the populated database, as statements that are run in this order."""

from __future__ import annotations

# Accounts 1 to 1,000, publications 1 to 5,000 and so on are the big tenant's.
STATEMENTS = (
    "CREATE FUNCTION pg_temp.id(word text, n bigint) RETURNS uuid LANGUAGE sql AS 'SELECT md5(word || n)::uuid'",
    """
    CREATE FUNCTION pg_temp.ago(n bigint) RETURNS timestamptz LANGUAGE sql AS $$SELECT now() - n * interval '1 minute'$$
    """,
    # Whose a row is: the big tenant's up to `most`, then one of a thousand others'.
    """
    CREATE FUNCTION pg_temp.owner(n bigint, most bigint) RETURNS uuid LANGUAGE sql
    AS $$SELECT pg_temp.id('user', CASE WHEN n <= most THEN 1 ELSE 2 + n % 1000 END)$$
    """,
    """
    INSERT INTO users (id, email) SELECT pg_temp.id('user', n), n || '@example.com' FROM generate_series(1, 1001) AS n
    """,
    """
    INSERT INTO api_keys (id, user_id, key_id, secret_hash, scopes)
    SELECT pg_temp.id('key', n), pg_temp.owner(n, 100), 'key' || n, '', '{read}' FROM generate_series(1, 1001) AS n
    """,
    """
    INSERT INTO accounts (id, user_id, instagram_user_id, username, state, paused_from, tags, created_at)
    SELECT pg_temp.id('account', n), pg_temp.owner(n, 1000), n::text, 'name' || n,
           CASE n % 10 WHEN 0 THEN 'NEEDS_REAUTH' WHEN 1 THEN 'PAUSED' ELSE 'ACTIVE' END,
           CASE WHEN n % 10 = 1 THEN 'ACTIVE' END,
           ARRAY['tag' || n % 5] || CASE WHEN n % 250 = 0 THEN '{rare}' ELSE '{}' END::text[], pg_temp.ago(n)
    FROM generate_series(1, 5000) AS n
    """,
    """
    INSERT INTO account_tokens (account_id, user_id, key_id, sealed) SELECT id, user_id, 'key', '' FROM accounts
    """,
    """
    INSERT INTO proxies (id, user_id, name, scheme, host, port, next_check_at, created_at)
    SELECT pg_temp.id('proxy', n), pg_temp.owner(n, 500), 'proxy' || n, 'http', 'localhost', 3128,
           now() + n * interval '1 second', pg_temp.ago(n)
    FROM generate_series(1, 1500) AS n
    """,
    "UPDATE accounts SET proxy_id = pg_temp.id('proxy', 1) WHERE user_id = pg_temp.id('user', 1) AND '{rare}' && tags",
    "UPDATE accounts SET protocol_id = 'cautious' WHERE '{rare}' && tags",
    """
    INSERT INTO health_scores (account_id, user_id, score, band, confidence, components, gates, reasons,
                               formula_version, computed_at)
    SELECT pg_temp.id('account', n), pg_temp.owner(n, 1000), n % 101, 'healthy', 1, '{}', '[]', '[]', 1, now()
    FROM generate_series(1, 5000) AS n
    """,
    """
    INSERT INTO recurring_jobs (name, type, user_id, account_id, payload, every_ms, next_due_at)
    SELECT 'check' || n, 'health:check', pg_temp.owner(n, 1000), pg_temp.id('account', n), '{}', 3600000,
           now() + n * interval '1 second'
    FROM generate_series(1, 5000) AS n
    """,
    """
    INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, sha256, created_at, removed_at, dropped_at)
    SELECT pg_temp.id('media', n), pg_temp.owner(n, 2000), 'key' || n,
           CASE n % 50 WHEN 0 THEN 'video' ELSE 'image' END, 'image/jpeg', 1, 1, 1, md5(n::text), pg_temp.ago(n),
           CASE WHEN n % 20 = 7 THEN now() END, CASE WHEN n % 20 = 7 AND n % 500 <> 7 THEN now() END
    FROM generate_series(1, 4000) AS n
    """,
    """
    INSERT INTO posts (id, user_id, type, caption, media_ids, options, created_at, updated_at)
    SELECT pg_temp.id('post', n), pg_temp.owner(n, 500), CASE n % 50 WHEN 0 THEN 'reel' ELSE 'image' END, 'Words',
           ARRAY[pg_temp.id('media', 1 + n % 300)],
           CASE n % 50 WHEN 0 THEN jsonb_build_object('cover_media_id', pg_temp.id('media', 301 + n)) ELSE '{}' END,
           pg_temp.ago(n), pg_temp.ago(1500 - n)
    FROM generate_series(1, 1500) AS n
    """,
    """
    INSERT INTO groups (id, user_id, name, created_at)
    SELECT pg_temp.id('group', n), pg_temp.owner(n, 500), 'group' || n, pg_temp.ago(n)
    FROM generate_series(1, 1500) AS n
    """,
    """
    INSERT INTO group_members (user_id, group_id, account_id)
    SELECT pg_temp.id('user', 1), pg_temp.id('group', 1 + n % 20), pg_temp.id('account', n)
    FROM generate_series(1, 1000) AS n
    """,
    """
    INSERT INTO distributions (id, user_id, post_id, window_from, window_to, min_gap_s, seed, created_at)
    SELECT pg_temp.id('distribution', n), pg_temp.owner(n, 500), pg_temp.id('post', n), now(), now(), 0, n,
           pg_temp.ago(n)
    FROM generate_series(1, 1500) AS n
    """,
    # The big tenant's distribution 1 reaches its 1,000 accounts, the others ten each. Other tenants do without.
    """
    INSERT INTO publications (id, user_id, account_id, post_id, distribution_id, state, priority, publish_at,
                              next_attempt_at, rescue_at, max_lateness_s, max_attempts, media_id, lease_until,
                              lease_owner, published_at, created_at, updated_at)
    SELECT pg_temp.id('publication', n), pg_temp.owner(CASE WHEN big THEN 1 ELSE a END, 1000),
           pg_temp.id('account', a), pg_temp.id('post', d), CASE WHEN big THEN pg_temp.id('distribution', d) END, state,
           3, due_at, due_at, due_at + interval '1 minute', 21600, 3,
           CASE WHEN state = 'published' THEN 'media' || n END,
           CASE WHEN state = 'publishing' THEN now() END, CASE WHEN state = 'publishing' THEN 'worker' END,
           CASE WHEN state = 'published' THEN pg_temp.ago(16000 - n) END, pg_temp.ago(16000 - n),
           pg_temp.ago(16000 - n)
    FROM generate_series(1, 16000) AS n
    CROSS JOIN LATERAL (SELECT n <= 5000 AS big,
        -- A post of the account's own tenant: posts 501 to 1,500 go round the thousand as accounts do.
        CASE WHEN n <= 1000 THEN 1 WHEN n <= 5000 THEN 2 + (n - 1001) / 10 ELSE 1000 + n % 500 END AS d,
        CASE WHEN n <= 1000 THEN n WHEN n <= 5000 THEN 1 + n * 7 % 1000 ELSE 2000 + n % 500 + n % 3 * 1000 END AS a,
        CASE WHEN n IN (21, 1022, 5023, 13024) THEN 'publishing' WHEN n % 40 = 7 THEN 'failed'
             WHEN n % 200 = 11 THEN 'held' WHEN n % 50 = 3 THEN 'scheduled' WHEN n % 1000 = 13 THEN 'outcome_unknown'
             WHEN n % 1000 = 17 THEN 'missed' ELSE 'published' END AS state) AS known
    CROSS JOIN LATERAL (SELECT CASE WHEN state IN ('scheduled', 'held') THEN now() + n * interval '1 minute'
                                    ELSE pg_temp.ago(16000 - n) + interval '1 hour' END AS due_at) AS due
    """,
    # Half of the archive is of this month, the other half of last year: no partition is empty.
    """
    INSERT INTO publications_archive (id, user_id, account_id, post_id, distribution_id, state, publish_at, revision,
                                      attempt, max_attempts, next_attempt_at, created_at, updated_at, attempts)
    SELECT pg_temp.id('archived', n), pg_temp.owner(CASE WHEN n % 10 < 7 THEN 1 ELSE n END, 1),
           pg_temp.id('account', 1 + n % 1000), pg_temp.id('post', 1 + n % 500),
           CASE WHEN n % 2 = 0 THEN pg_temp.id('distribution', 1 + n % 500) END, 'published', ended_at, 1, 1, 3,
           ended_at, pg_temp.ago(n / 10), ended_at, '[]'
    FROM generate_series(1, 10000) AS n
    CROSS JOIN LATERAL (SELECT date_trunc('month', now()) + n * interval '1 second'
                               - CASE WHEN n % 3 = 0 THEN interval '1 year' ELSE interval '0' END AS ended_at) AS known
    """,
    """
    INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, account_id, started_at, ended_at,
                                      error)
    SELECT id, 1, user_id, 1, 'worker', account_id, created_at, created_at,
           CASE WHEN state = 'failed' THEN '{}'::jsonb END
    FROM publications ORDER BY created_at LIMIT 3000
    """,
    """
    INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
    SELECT 'post:publish', pg_temp.id('publication', n)::text, 'jobs', 'key', 3, '{}', '{}',
           now() + n * interval '1 minute'
    FROM generate_series(1, 2000) AS n
    """,
    """
    INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers, died_at)
    SELECT pg_temp.id('dead', n), CASE WHEN n % 100 = 0 THEN 'health:check' ELSE 'post:publish' END, 'subject' || n,
           CASE WHEN n % 100 = 0 THEN 'exhausted' ELSE 'permanent' END, 1, '', '{}', pg_temp.ago(20 * n)
    FROM generate_series(1, 2000) AS n
    """,
    """
    INSERT INTO job_starts (type, subject, starts)
    SELECT 'post:publish', n::text, 2 FROM generate_series(1, 1000) AS n
    """,
    """
    INSERT INTO idempotency_keys (user_id, key, fingerprint, status, headers, body, created_at)
    SELECT pg_temp.owner(n, 1000), 'request' || n, '', 201, '{}', '{}', pg_temp.ago(n)
    FROM generate_series(1, 3000) AS n
    """,
    """
    INSERT INTO operations (id, user_id, type, state, created_at)
    SELECT pg_temp.id('operation', n), pg_temp.owner(CASE WHEN n % 25 = 24 THEN 1 ELSE n END, 1),
           'import:accounts', 'succeeded', pg_temp.ago(n / 10)
    FROM generate_series(1, 6000) AS n
    """,
    """
    INSERT INTO audit_log (id, user_id, actor, action, subject_type, subject_id, created_at)
    SELECT pg_temp.id('change', n), pg_temp.owner(CASE WHEN n % 25 = 24 THEN 1 ELSE n END, 1), 'key1',
           'account.paused', 'account', pg_temp.id('account', 1 + n % 300)::text, pg_temp.ago(n / 10)
    FROM generate_series(1, 6000) AS n
    """,
    """
    INSERT INTO webhooks (id, user_id, url, key_id, sealed, created_at)
    SELECT pg_temp.id('webhook', n), pg_temp.owner(n, 20), 'https://example.com/', 'key', '', pg_temp.ago(n)
    FROM generate_series(1, 500) AS n
    """,
    """
    INSERT INTO webhook_deliveries (id, user_id, webhook_id, event_id, event_type, payload, state, created_at)
    SELECT pg_temp.id('delivery', n), pg_temp.id('user', 1), pg_temp.id('webhook', 1 + n % 20), pg_temp.id('event', n),
           'publication.published', '{}', CASE WHEN n % 100 = 0 THEN 'pending' ELSE 'delivered' END, pg_temp.ago(n)
    FROM generate_series(1, 3000) AS n
    """,
    """
    INSERT INTO events (id, user_id, type, subject, payload, created_at)
    SELECT pg_temp.id('event', n), pg_temp.owner(n, 1000), 'publication.published', 'subject', '{}', pg_temp.ago(n)
    FROM generate_series(1, 3000) AS n
    """,
    """
    INSERT INTO health_checks (account_id, user_id, next_check_at, analytics_due_at)
    SELECT pg_temp.id('account', n), pg_temp.owner(n, 1000), now() + n * interval '1 second',
           now() + (n - 20) * interval '1 second'
    FROM generate_series(1, 5000) AS n
    """,
    # Of account 750 there is a year, of the others two days.
    """
    INSERT INTO analytics_snapshots (id, user_id, account_id, source, window_to, metrics, captured_at)
    SELECT pg_temp.id(source, n), pg_temp.owner(a, 1000), pg_temp.id('account', a), source, at, '{"reach": 1}', at
    FROM generate_series(1, 2400) AS n
    CROSS JOIN unnest(ARRAY['profile', 'account_insights']) AS source
    CROSS JOIN LATERAL (SELECT CASE WHEN n <= 400 THEN 750 ELSE 751 + n / 2 END AS a,
                               now() - CASE WHEN n <= 400 THEN n ELSE n % 2 END * interval '1 day' AS at) AS known
    """,
    """
    INSERT INTO analytics_snapshots (id, user_id, account_id, publication_id, source, window_to, due_age_s, metrics,
                                     captured_at)
    SELECT pg_temp.id('media' || due_age_s, row_number() OVER ()), user_id, account_id, id, 'media_insights', at,
           due_age_s, '{"reach": 1}', at
    FROM publications
    CROSS JOIN unnest(ARRAY[86400, 172800]) AS due_age_s
    CROSS JOIN LATERAL (SELECT published_at + due_age_s * interval '1 second' AS at) AS known
    WHERE state = 'published' AND at <= now()
    """,
    """
    INSERT INTO health_history (id, user_id, account_id, score, band, confidence, components, gates, reasons,
                                formula_version, computed_at)
    SELECT pg_temp.id('judgement', n), pg_temp.owner(a, 1000), pg_temp.id('account', a), 50, 'degraded', 1, '{}', '{}',
           '[]', 1, pg_temp.ago(n / 4)
    FROM generate_series(1, 4000) AS n
    CROSS JOIN LATERAL (SELECT CASE WHEN n % 8 = 0 THEN 750 ELSE 1 + n % 3000 END AS a) AS known
    """,
    """
    INSERT INTO oauth_states (state_hash, user_id, expires_at)
    SELECT sha256(n::text::bytea), pg_temp.owner(n, 500), now() + n * interval '1 second'
    FROM generate_series(1, 1500) AS n
    """,
    """
    INSERT INTO post_queues (id, user_id, name, created_at)
    SELECT pg_temp.id('queue', n), pg_temp.owner(n, 500), 'queue' || n, pg_temp.ago(n)
    FROM generate_series(1, 1500) AS n
    """,
    # Queue 1 is long, the others hold a post or two.
    """
    INSERT INTO post_queue_items (queue_id, user_id, post_id)
    SELECT pg_temp.id('queue', q), pg_temp.owner(q, 500), pg_temp.id('post', q)
    FROM generate_series(1, 3000) AS n
    CROSS JOIN LATERAL (SELECT CASE WHEN n <= 1000 THEN 1 ELSE 1 + n % 1500 END AS q) AS known
    """,
    # Account 1,000 + n is of the tenant that group, post and queue n are of.
    """
    INSERT INTO schedules (id, user_id, name, cron, timezone, dst_gap, dst_overlap, misfire, account_id, group_id,
                           post_id, post_queue_id, window_s, min_gap_s, paused_at, made_until, next_at, created_at)
    SELECT pg_temp.id('schedule', n), pg_temp.owner(n, 500), 'schedule' || n, '30 9 * * *', 'Europe/Berlin', 'shift',
           'first', 'once', CASE WHEN n % 3 = 0 THEN pg_temp.id('account', CASE WHEN n <= 500 THEN n ELSE 1000 + n END)
           END, CASE WHEN n % 3 > 0 THEN pg_temp.id('group', n) END, CASE WHEN n % 2 = 0 THEN pg_temp.id('post', n) END,
           CASE WHEN n % 2 > 0 THEN pg_temp.id('queue', n) END, 0, 0, CASE WHEN n % 50 = 49 THEN now() END, now(),
           now() + (n - 20) * interval '1 minute', pg_temp.ago(n)
    FROM generate_series(1, 1500) AS n
    """,
    # The big tenant's first twenty have made some; a distribution's seed is its number.
    """
    UPDATE distributions
    SET schedule_id = pg_temp.id('schedule', CASE WHEN seed <= 500 THEN 1 + seed % 20 ELSE seed END)
    WHERE seed % 3 = 0
    """,
    # Schedule 1 has a thousand. They lie in no order, as those of very many schedules do.
    """
    INSERT INTO schedule_occurrences (id, user_id, schedule_id, local_date, slot, due_at, state, created_at, asked_at)
    SELECT pg_temp.id('occurrence', n), pg_temp.owner(s, 500), pg_temp.id('schedule', s), date '2000-01-01' + n,
           '09:30', pg_temp.ago(n), CASE WHEN n % 200 = 0 THEN 'pending' ELSE 'distributed' END, pg_temp.ago(n),
           pg_temp.ago(n)
    FROM generate_series(1, 6000) AS n
    CROSS JOIN LATERAL (SELECT CASE WHEN n % 6 = 0 THEN 1 ELSE 1 + n % 1500 END AS s) AS known
    ORDER BY md5(n::text)
    """,
    # Most are over. The big tenant's live ones are of its accounts 20, 40, ...
    """
    INSERT INTO alerts (id, user_id, code, severity, subject_type, subject_id, state, text, advice, opened_at,
                        resolved_at)
    SELECT pg_temp.id('alert', n), pg_temp.owner(n, 3000),
           CASE n % 40 WHEN 0 THEN 'reauth_required' ELSE 'token_expiring' END, 'critical', 'account',
           pg_temp.id('account', n), CASE WHEN n % 20 = 0 THEN 'open' ELSE 'resolved' END, 'Words.', 'More words.',
           pg_temp.ago(n), CASE WHEN n % 20 <> 0 THEN pg_temp.ago(n) END
    FROM generate_series(1, 6000) AS n
    """,
    """
    INSERT INTO incidents (id, error_class, accounts, share, user_ids, opened_at, paused_until, closed_at)
    SELECT pg_temp.id('incident', n), 'reauth', 3, 0.5, ARRAY[pg_temp.id('user', 1)], pg_temp.ago(1000 * n),
           pg_temp.ago(1000 * n), CASE WHEN n > 1 THEN pg_temp.ago(1000 * n) + interval '10 minutes' END
    FROM generate_series(1, 2000) AS n
    """,
    "VACUUM (ANALYZE)",
)
