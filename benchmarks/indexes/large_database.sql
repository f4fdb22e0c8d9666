-- A large database. `bench.slots` says how large: 10,000 slots make 1,000 users, 200,000 accounts and 2 million
-- publications.
--
-- Each row has a number from 0 on, and belongs to the slot that is its number modulo the number of slots; a slot belongs
-- to one user. So a row finds others of its user by their numbers, without a look: 20 accounts, 11 posts, 5 distributions
-- and 200 publications in each slot.

SET session_replication_role = replica;  -- foreign keys hold by the way the numbers are made

CREATE FUNCTION pg_temp.slots() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT current_setting('bench.slots')::bigint
$$;

-- Unlike for each kind, and growing with the number as ids of the code grow with time.
CREATE FUNCTION pg_temp.id_of(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(1700000000000 + number * 4096), 12, '0') || substr(md5(kind || number::text), 13))::uuid
$$;

-- From 0 to 1, always the same for a number, and without regularity.
CREATE FUNCTION pg_temp.chance_of(number bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT (hashint8(number)::bigint + 2147483648) / 4294967296.0::double precision
$$;

-- User 0 owns 55 in 100 slots. Of the other users, the lower the number, the more slots.
CREATE FUNCTION pg_temp.user_of(number bigint) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT pg_temp.id_of('user', CASE
        WHEN number % pg_temp.slots() % 20 < 11 THEN 0
        ELSE 1 + floor((pg_temp.slots() / 10 - 1) * power(pg_temp.chance_of(number % pg_temp.slots()), 3))::bigint
    END)
$$;

INSERT INTO users (id, email, created_at)
SELECT pg_temp.id_of('user', number), 'user' || number || '@example.com', now() - interval '400 days'
FROM generate_series(0, pg_temp.slots() / 10 - 1) AS number;

INSERT INTO api_keys (id, user_id, key_id, secret_hash, scopes)
SELECT pg_temp.id_of('key', number), pg_temp.id_of('user', number / 2), 'key' || number, sha256('no secret'),
       ARRAY['read', 'write']
FROM generate_series(0, pg_temp.slots() / 5 - 1) AS number;

-- One account in twenty has a proxy of its own: the one with the same number.
INSERT INTO proxies (id, user_id, name, scheme, host, port, state, next_check_at)
SELECT pg_temp.id_of('proxy', number), pg_temp.user_of(number), 'proxy' || number, 'http', 'proxy.example.com', 3128,
       CASE WHEN pg_temp.chance_of(number) < 0.98 THEN 'up' ELSE 'down' END,
       now() + pg_temp.chance_of(number) * interval '1 minute'
FROM generate_series(0, pg_temp.slots() - 1) AS number;

INSERT INTO accounts (
    id, user_id, instagram_user_id, username, state, paused_from, tags, token_expires_at, proxy_id, created_at,
    updated_at
)
SELECT pg_temp.id_of('account', number), pg_temp.user_of(number), (17841400000000000 + number)::text,
       'studio_' || number, state, CASE state WHEN 'PAUSED' THEN 'ACTIVE' END,
       ARRAY['tag' || floor(200 * power(pg_temp.chance_of(number), 2)), 'city' || number % 50],
       now() + chance * interval '60 days', CASE WHEN number < pg_temp.slots() THEN pg_temp.id_of('proxy', number) END,
       at, at
FROM (
    SELECT number, pg_temp.chance_of(number) AS chance,
           now() - interval '390 days' + number * (interval '300 days' / (20 * pg_temp.slots())) AS at
    FROM generate_series(0, 20 * pg_temp.slots() - 1) AS number
) AS numbered,
LATERAL (
    SELECT CASE
        WHEN chance < 0.90 THEN 'ACTIVE'
        WHEN chance < 0.93 THEN 'PAUSED'
        WHEN chance < 0.96 THEN 'NEEDS_REAUTH'
        WHEN chance < 0.98 THEN 'WARMING_UP'
        WHEN chance < 0.99 THEN 'NEW'
        WHEN chance < 0.997 THEN 'RESTRICTED'
        ELSE 'DISCONNECTED'
    END AS state
) AS stated;

INSERT INTO account_tokens (account_id, user_id, key_id, sealed, refresh_at)
SELECT pg_temp.id_of('account', number), pg_temp.user_of(number), 'bench', sha256(number::text::bytea),
       now() + pg_temp.chance_of(number) * interval '30 days'
FROM generate_series(0, 20 * pg_temp.slots() - 1) AS number;

INSERT INTO health_scores
    (account_id, user_id, score, band, confidence, components, gates, reasons, formula_version, computed_at)
SELECT pg_temp.id_of('account', number), pg_temp.user_of(number), score,
       CASE WHEN score >= 80 THEN 'healthy' WHEN score >= 60 THEN 'watch' ELSE 'degraded' END,
       0.8, '{"api": 90, "posting": 75}', '{}', '[]', 1, now() - pg_temp.chance_of(number) * interval '1 hour'
FROM (
    SELECT number, (100 - 60 * power(pg_temp.chance_of(number), 4))::smallint AS score
    FROM generate_series(0, 20 * pg_temp.slots() - 1) AS number
) AS judged;

INSERT INTO health_checks (account_id, user_id, next_check_at, ask_at, analytics_due_at)
SELECT pg_temp.id_of('account', number), pg_temp.user_of(number),
       now() + pg_temp.chance_of(number) * interval '1 hour', now() + pg_temp.chance_of(number) * interval '6 hours',
       now() + pg_temp.chance_of(number) * interval '1 day'
FROM generate_series(0, 20 * pg_temp.slots() - 1) AS number;

INSERT INTO recurring_jobs (name, type, user_id, account_id, payload, every_ms, next_due_at)
SELECT 'job:' || pg_temp.id_of('account', number), 'health:check', pg_temp.user_of(number),
       pg_temp.id_of('account', number), '{}', 3600000, now() + pg_temp.chance_of(number) * interval '1 hour'
FROM generate_series(0, pg_temp.slots() - 1) AS number;

INSERT INTO groups (id, user_id, name, created_at, updated_at)
SELECT pg_temp.id_of('group', number), pg_temp.user_of(number), 'group ' || number, at, at
FROM (
    SELECT number, now() - interval '380 days' + number * interval '1 minute' AS at
    FROM generate_series(0, pg_temp.slots() - 1) AS number
) AS numbered;

INSERT INTO group_members (user_id, group_id, account_id)
SELECT pg_temp.user_of(number), pg_temp.id_of('group', number % pg_temp.slots()), pg_temp.id_of('account', number)
FROM generate_series(0, 20 * pg_temp.slots() - 1) AS number;

-- The newest posts, one in each slot, have not been published yet.
INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, sha256, created_at)
SELECT pg_temp.id_of('media', number), pg_temp.user_of(number), number || '.jpg',
       CASE WHEN number % 20 = 0 THEN 'video' ELSE 'image' END, 'image/jpeg', 200000, 1080, 1080,
       md5(number::text) || md5((-number)::text),
       now() - interval '370 days' + number * (interval '365 days' / (11 * pg_temp.slots()))
FROM generate_series(0, 11 * pg_temp.slots() - 1) AS number;

INSERT INTO posts (id, user_id, type, caption, media_ids, created_at, updated_at)
SELECT pg_temp.id_of('post', number), pg_temp.user_of(number),
       CASE WHEN number % 20 = 0 THEN 'reel' ELSE 'image' END, repeat('A caption of some length. ', 4),
       ARRAY[pg_temp.id_of('media', number)], at, at
FROM (
    SELECT number, now() - interval '370 days' + number * (interval '365 days' / (11 * pg_temp.slots())) AS at
    FROM generate_series(0, 11 * pg_temp.slots() - 1) AS number
) AS numbered;

-- A distribution for every other post: number n sends post n to the 20 accounts of its slot. Those of a slot that has a
-- schedule were made by it.
INSERT INTO distributions (
    id, user_id, post_id, group_id, window_from, window_to, min_gap_s, seed, created_at, schedule_id
)
SELECT pg_temp.id_of('distribution', number), pg_temp.user_of(number), pg_temp.id_of('post', number),
       pg_temp.id_of('group', number % pg_temp.slots()), at, at + interval '1 day', 60, number, at,
       CASE WHEN number % pg_temp.slots() <= pg_temp.slots() / 5
            THEN pg_temp.id_of('schedule', number % pg_temp.slots()) END
FROM (
    SELECT number, now() - interval '365 days' + number * (interval '182 days' / (5 * pg_temp.slots())) AS at
    FROM generate_series(0, 5 * pg_temp.slots() - 1) AS number
) AS numbered;

-- The newest hundredth is planned for the next two weeks; a few of it are being published now. OFFSET 0 keeps the planner
-- from writing each expression out wherever it is used.
INSERT INTO publications (
    id, user_id, account_id, post_id, distribution_id, state, reason, priority, publish_at, attempt, max_attempts,
    next_attempt_at, lease_until, lease_owner, step, container_id, container_created_at, publish_sent_at, publish_sends,
    media_id, permalink, published_at, rescue_at, created_at, updated_at
)
SELECT pg_temp.id_of('publication', number), pg_temp.user_of(number),
       pg_temp.id_of('account', number % (20 * pg_temp.slots())), pg_temp.id_of('post', post),
       CASE WHEN post < 5 * pg_temp.slots() THEN pg_temp.id_of('distribution', post) END,
       state, CASE WHEN state IN ('failed', 'held', 'missed') THEN 'reason' || number % 5 END, 2 + number % 3, publish_at,
       CASE WHEN state IN ('scheduled', 'held', 'canceled') THEN 0 ELSE 1 END, 5, publish_at,
       CASE WHEN state = 'publishing' THEN now() + interval '1 minute' END,
       CASE WHEN state = 'publishing' THEN 'worker-1' END,
       CASE WHEN sent THEN 'publish_sent' END, CASE WHEN sent THEN (18000000000000000 + number)::text END,
       CASE WHEN sent THEN publish_at END, CASE WHEN sent THEN publish_at END, sent::integer,
       CASE WHEN state = 'published' THEN (17900000000000000 + number)::text END,
       CASE WHEN state = 'published' THEN 'https://www.instagram.com/p/' || md5(number::text) END,
       CASE WHEN state = 'published' THEN publish_at + interval '3 seconds' END,
       publish_at + interval '10 minutes', created_at, greatest(created_at, least(publish_at, now()))
FROM (
    SELECT number, number >= 198 * pg_temp.slots() AS is_new, pg_temp.chance_of(number) AS chance,
           number % pg_temp.slots() + pg_temp.slots() * (number / (20 * pg_temp.slots())) AS post,
           now() - interval '365 days' + number * (interval '365 days' / (200 * pg_temp.slots())) AS created_at
    FROM generate_series(0, 200 * pg_temp.slots() - 1) AS number
    OFFSET 0
) AS numbered,
LATERAL (
    SELECT CASE
        WHEN is_new AND number % 1000 = 0 THEN 'publishing'
        WHEN is_new AND chance < 0.95 THEN 'scheduled'
        WHEN is_new THEN 'held'
        WHEN chance < 0.97 THEN 'published'
        WHEN chance < 0.985 THEN 'failed'
        WHEN chance < 0.995 THEN 'canceled'
        WHEN chance < 0.999 THEN 'missed'
        ELSE 'outcome_unknown'
    END AS state,
    CASE WHEN is_new THEN now() + (chance * 14 - 0.01) * interval '1 day' ELSE created_at + interval '1 day' END AS publish_at
    OFFSET 0
) AS planned,
LATERAL (SELECT state IN ('published', 'outcome_unknown') AS sent) AS stepped;

INSERT INTO publication_attempts (publication_id, epoch, user_id, account_id, attempt, worker, started_at, ended_at,
                                  outcome, step, error)
SELECT pg_temp.id_of('publication', number), 1, pg_temp.user_of(number),
       pg_temp.id_of('account', number % (20 * pg_temp.slots())), 1, 'worker-' || number % 4, at,
       at + interval '3 seconds', 'published', 'publish_sent',
       CASE WHEN pg_temp.chance_of(number) > 0.97 THEN '{"class": "throttled", "code": 17}'::jsonb END
FROM (
    SELECT number, now() - interval '20 days' + number * interval '1 second' AS at
    FROM generate_series(170 * pg_temp.slots(), 190 * pg_temp.slots() - 1) AS number
) AS numbered;

INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
SELECT 'post:publish', pg_temp.id_of('publication', number)::text, 'jobs', 'publisher', 2, '{}', '{}',
       now() + (pg_temp.chance_of(number) * 14 - 0.01) * interval '1 day'
FROM generate_series(198 * pg_temp.slots(), 200 * pg_temp.slots() - 1) AS number;

INSERT INTO events (id, user_id, type, subject, payload, created_at)
SELECT pg_temp.id_of('event', number), pg_temp.user_of(number), 'publication.published',
       pg_temp.id_of('publication', number)::text, '{"state": "published"}', now() - number * interval '1 millisecond'
FROM generate_series(0, 20 * pg_temp.slots() - 1) AS number;

INSERT INTO dead_jobs (id, type, subject, reason, error, attempt, payload, headers, died_at)
SELECT pg_temp.id_of('dead', number), CASE WHEN number % 50 = 0 THEN 'health:check' ELSE 'post:publish' END,
       'subject' || number,
       'reason' || number % 4, 'It failed.', 5, '{}', '{}', now() - number * interval '1 minute'
FROM generate_series(0, pg_temp.slots() / 2 - 1) AS number;

INSERT INTO job_starts (type, subject, starts)
SELECT 'post:publish', 'subject' || number, 1
FROM generate_series(0, pg_temp.slots() / 100) AS number;

INSERT INTO job_stats (worker, type, completed, failed, active)
SELECT 'worker-' || number, 'post:publish', 1000, 10, 2
FROM generate_series(0, 99) AS number;

-- Changes of each account; the tenants' webhooks with what was delivered lately.
INSERT INTO audit_log (id, user_id, actor, action, subject_type, subject_id, created_at)
SELECT pg_temp.id_of('change', number), pg_temp.user_of(number), 'key0', 'account.paused', 'account',
       pg_temp.id_of('account', number)::text, now() - number * interval '1 second'
FROM generate_series(0, 20 * pg_temp.slots() - 1) AS number;

INSERT INTO idempotency_keys (user_id, key, fingerprint, status, headers, body, created_at)
SELECT pg_temp.user_of(number), 'request' || number, '', 201, '{}', '{}', now() - number * interval '1 second'
FROM generate_series(0, 5 * pg_temp.slots() - 1) AS number;

INSERT INTO operations (id, user_id, type, state, created_at)
SELECT pg_temp.id_of('operation', number), pg_temp.user_of(number), 'import:accounts', 'succeeded',
       now() - number * interval '1 minute'
FROM generate_series(0, pg_temp.slots() - 1) AS number;

INSERT INTO webhooks (id, user_id, url, key_id, sealed, created_at)
SELECT pg_temp.id_of('webhook', number), pg_temp.user_of(number), 'https://example.com/', 'key', '',
       now() - number * interval '1 hour'
FROM generate_series(0, pg_temp.slots() / 100) AS number;

INSERT INTO webhook_deliveries (id, user_id, webhook_id, event_id, event_type, payload, state, created_at)
SELECT pg_temp.id_of('delivery', number), webhooks.user_id, webhooks.id, pg_temp.id_of('event', number),
       'publication.published', '{}', CASE WHEN number % 100 = 0 THEN 'pending' ELSE 'delivered' END,
       now() - number * interval '1 second'
FROM generate_series(0, 10 * pg_temp.slots() - 1) AS number
JOIN webhooks ON webhooks.id = pg_temp.id_of('webhook', number % (pg_temp.slots() / 100 + 1));

INSERT INTO oauth_states (state_hash, user_id, expires_at)
SELECT sha256(number::text::bytea), pg_temp.user_of(number), now() + number * interval '1 second'
FROM generate_series(0, pg_temp.slots() / 10) AS number;

-- A queue and a schedule for every account in a hundred, with what they published in the last three months.
INSERT INTO post_queues (id, user_id, name, created_at)
SELECT pg_temp.id_of('queue', number), pg_temp.user_of(number), 'queue' || number, now() - number * interval '1 minute'
FROM generate_series(0, pg_temp.slots() / 5) AS number;

INSERT INTO post_queue_items (queue_id, user_id, post_id)
SELECT queue.id, queue.user_id, post.id
FROM post_queues AS queue
CROSS JOIN LATERAL (SELECT id FROM posts WHERE posts.user_id = queue.user_id ORDER BY id LIMIT 20) AS post;

INSERT INTO schedules (
    id, user_id, name, cron, timezone, dst_gap, dst_overlap, misfire, account_id, post_queue_id, window_s, min_gap_s,
    made_until, next_at, created_at
)
SELECT pg_temp.id_of('schedule', number), queue.user_id, 'schedule' || number, '30 9 * * *', 'Europe/Berlin', 'shift',
       'first', 'once', account.id, queue.id, 0, 0, now(), now() + number * interval '1 second',
       now() - number * interval '1 minute'
FROM generate_series(0, pg_temp.slots() / 5) AS number
JOIN post_queues AS queue ON queue.id = pg_temp.id_of('queue', number)
CROSS JOIN LATERAL (SELECT id FROM accounts WHERE accounts.user_id = queue.user_id ORDER BY id LIMIT 1) AS account;

INSERT INTO schedule_occurrences (
    id, user_id, schedule_id, local_date, slot, due_at, state, publications, created_at, asked_at
)
SELECT pg_temp.id_of('occurrence', 90 * number + day), user_id, id, at::date, '09:30', at,
       CASE WHEN day = 0 AND number % 10 = 0 THEN 'pending' ELSE 'distributed' END, 1, at, at
FROM generate_series(0, pg_temp.slots() / 5) AS number
JOIN schedules ON schedules.id = pg_temp.id_of('schedule', number)
CROSS JOIN generate_series(0, 89) AS day
CROSS JOIN LATERAL (SELECT now() - day * interval '1 day' - number * interval '1 second' AS at) AS moment;

INSERT INTO health_history
    (id, user_id, account_id, score, band, confidence, components, gates, reasons, formula_version, computed_at)
SELECT pg_temp.id_of('judgement', number), pg_temp.user_of(number),
       pg_temp.id_of('account', number % (20 * pg_temp.slots())), 70, 'watch', 0.8, '{"api": 90}', '{}', '[]', 1,
       now() - pg_temp.chance_of(number) * interval '180 days'
FROM generate_series(0, 100 * pg_temp.slots() - 1) AS number;

-- Ten days of each account, and the first two ages of what was published in the last weeks.
INSERT INTO analytics_snapshots (id, user_id, account_id, source, window_to, metrics, captured_at)
SELECT pg_temp.id_of('snapshot', number), pg_temp.user_of(number),
       pg_temp.id_of('account', number % (20 * pg_temp.slots())),
       'profile', at, '{"followers_count": 1000, "media_count": 10}', at
FROM generate_series(0, 200 * pg_temp.slots() - 1) AS number
CROSS JOIN LATERAL (SELECT now() - number / (20 * pg_temp.slots()) * interval '1 day' AS at) AS moment;

INSERT INTO analytics_snapshots (
    id, user_id, account_id, publication_id, source, window_to, due_age_s, metrics, captured_at
)
SELECT pg_temp.id_of('figures', row_number() OVER ()), user_id, account_id, id,
       'media_insights', at, 86400 * age, '{"reach": 1000, "total_interactions": 100}', at
FROM publications
CROSS JOIN unnest(ARRAY[1, 2]) AS age
CROSS JOIN LATERAL (SELECT published_at + age * interval '1 day' AS at) AS moment
WHERE state = 'published' AND published_at > now() - interval '84 days' AND at <= now();

-- Of each account's three alerts two are over; the last is live for one account in ten.
INSERT INTO alerts (
    id, user_id, code, severity, subject_type, subject_id, state, text, advice, opened_at, seen_at, resolved_at
)
SELECT pg_temp.id_of('alert', number), accounts.user_id,
       CASE number % 3 WHEN 0 THEN 'reauth_required' WHEN 1 THEN 'token_expiring' ELSE 'publications_missed' END,
       CASE number % 3 WHEN 2 THEN 'warning' ELSE 'critical' END, 'account', accounts.id,
       CASE WHEN number % 30 = 0 THEN 'open' ELSE 'resolved' END, 'Something is wrong.', 'Do something about it.',
       at, at, CASE WHEN number % 30 <> 0 THEN at END
FROM generate_series(0, 60 * pg_temp.slots() - 1) AS number
CROSS JOIN LATERAL (SELECT now() - pg_temp.chance_of(number) * interval '90 days' AS at) AS moment
JOIN accounts ON accounts.id = pg_temp.id_of('account', number / 3);

-- Of the archive twenty in each slot, of the months that are there.
SELECT roll_archive_partitions(0);

INSERT INTO publications_archive (
    id, user_id, account_id, post_id, distribution_id, state, publish_at, revision, attempt, max_attempts,
    next_attempt_at, media_id, permalink, published_at, created_at, updated_at, attempts
)
SELECT pg_temp.id_of('archived', number), pg_temp.user_of(number), pg_temp.id_of('account', number),
       pg_temp.id_of('post', number % (5 * pg_temp.slots())), pg_temp.id_of('distribution', number % (5 * pg_temp.slots())),
       'published', at, 1, 1, 5, at, (16900000000000000 + number)::text,
       'https://www.instagram.com/p/' || md5(number::text), at, at - interval '1 day', at, '[]'
FROM generate_series(0, 20 * pg_temp.slots() - 1) AS number
CROSS JOIN LATERAL (SELECT now() - interval '1 year' + number % 260 * interval '1 day' AS at) AS moment;

-- One account in two hundred warms up.
UPDATE accounts SET protocol_id = 'cautious' WHERE hashtext(id::text) % 200 = 0;

RESET session_replication_role;
