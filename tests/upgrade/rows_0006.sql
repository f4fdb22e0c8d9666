-- Two tenants with rows in every table, as version 0.1.0 with the migrations up to 0006 writes them. Ids are made of a
-- word and a number: odd numbers are the first tenant's, even ones the second's.

CREATE FUNCTION pg_temp.id(word text, n bigint) RETURNS uuid LANGUAGE sql AS 'SELECT md5(word || n)::uuid';
CREATE FUNCTION pg_temp.owner(n bigint) RETURNS uuid LANGUAGE sql AS $$SELECT pg_temp.id('user', 1 + (n + 1) % 2)$$;

INSERT INTO users (id, email) SELECT pg_temp.id('user', n), n || '@example.com' FROM generate_series(1, 2) AS n;
INSERT INTO api_keys (id, user_id, key_id, secret_hash, scopes, name, account_ids)
SELECT pg_temp.id('key', n), pg_temp.owner(n), 'key' || n, sha256(n::text::bytea), '{read,write,admin}', 'first',
       CASE WHEN n > 2 THEN ARRAY[pg_temp.id('account', n)] END
FROM generate_series(1, 4) AS n;
INSERT INTO proxies (id, user_id, name, scheme, host, port)
SELECT pg_temp.id('proxy', n), pg_temp.owner(n), 'proxy', 'http', 'localhost', 3128 FROM generate_series(1, 2) AS n;
INSERT INTO accounts (id, user_id, instagram_user_id, username, state, paused_from, tags, protocol_id, proxy_id)
SELECT pg_temp.id('account', n), pg_temp.owner(n), (17841400000000000 + n)::text, 'name' || n,
       CASE WHEN n > 4 THEN 'PAUSED' ELSE 'ACTIVE' END, CASE WHEN n > 4 THEN 'ACTIVE' END, '{coffee}',
       CASE WHEN n > 4 THEN 'cautious' END, CASE WHEN n > 4 THEN pg_temp.id('proxy', 2 - n % 2) END
FROM generate_series(1, 6) AS n;
INSERT INTO account_tokens (account_id, user_id, key_id, sealed)
SELECT id, user_id, 'test', '\x00' FROM accounts;
INSERT INTO health_scores (account_id, user_id, score, band, confidence, components, gates, reasons, formula_version,
                           computed_at)
SELECT id, user_id, 90, 'healthy', 1, '{"access": 100}', '[]', '[]', 1, now() FROM accounts;
INSERT INTO health_checks (account_id, user_id, next_check_at) SELECT id, user_id, now() + interval '6 hours'
FROM accounts;
INSERT INTO health_history (id, user_id, account_id, score, band, confidence, components, gates, reasons,
                            formula_version, computed_at)
SELECT pg_temp.id('judgement', n), pg_temp.owner(n), pg_temp.id('account', n), 50, 'degraded', 1, '{}', '[]', '[]', 1,
       now()
FROM generate_series(1, 6) AS n;
INSERT INTO groups (id, user_id, name) SELECT pg_temp.id('group', n), pg_temp.owner(n), 'all'
FROM generate_series(1, 2) AS n;
INSERT INTO group_members (user_id, group_id, account_id)
SELECT pg_temp.owner(n), pg_temp.id('group', 2 - n % 2), pg_temp.id('account', n) FROM generate_series(1, 6) AS n;
INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, sha256)
SELECT pg_temp.id('media', n), pg_temp.owner(n), rpad('key' || n, 32, 'x') || '.jpg', 'image', 'image/jpeg', 1000, 1080,
       1080, md5(n::text)
FROM generate_series(1, 4) AS n;
INSERT INTO posts (id, user_id, type, caption, media_ids, overrides)
SELECT pg_temp.id('post', n), pg_temp.owner(n), 'image', 'Words of post ' || n, ARRAY[pg_temp.id('media', n)],
       jsonb_build_object(pg_temp.id('account', n), jsonb_build_object('caption', 'Own words ' || n))
FROM generate_series(1, 4) AS n;
INSERT INTO post_queues (id, user_id, name) SELECT pg_temp.id('queue', n), pg_temp.owner(n), 'queue'
FROM generate_series(1, 2) AS n;
INSERT INTO post_queue_items (queue_id, user_id, post_id)
SELECT pg_temp.id('queue', n), pg_temp.owner(n), pg_temp.id('post', n) FROM generate_series(1, 2) AS n;
INSERT INTO schedules (id, user_id, name, cron, timezone, dst_gap, dst_overlap, misfire, group_id, post_id,
                       post_queue_id, window_s, min_gap_s, made_until, next_at)
SELECT pg_temp.id('schedule', n), pg_temp.owner(n), 'daily', '30 9 * * *', 'Europe/Berlin', 'shift', 'first', 'once',
       pg_temp.id('group', 2 - n % 2), CASE WHEN n > 2 THEN pg_temp.id('post', n) END,
       CASE WHEN n <= 2 THEN pg_temp.id('queue', n) END, 60, 0, now(), now() + interval '1 day'
FROM generate_series(1, 4) AS n;
INSERT INTO distributions (id, user_id, post_id, group_id, window_from, window_to, min_gap_s, seed, schedule_id)
SELECT pg_temp.id('distribution', n), pg_temp.owner(n), pg_temp.id('post', n), pg_temp.id('group', n), now(),
       now() + interval '1 hour', 0, n, pg_temp.id('schedule', n)
FROM generate_series(1, 2) AS n;
INSERT INTO schedule_occurrences (id, user_id, schedule_id, local_date, slot, due_at, state, distribution_id, conflicts)
SELECT pg_temp.id('occurrence', n), pg_temp.owner(n), pg_temp.id('schedule', n), date '2026-11-01', '09:30',
       '2026-11-01 08:30Z', 'distributed', pg_temp.id('distribution', n),
       jsonb_build_array(jsonb_build_object('account_id', pg_temp.id('account', n), 'code', 'duplicate_content'))
FROM generate_series(1, 2) AS n;
-- One in each state for each tenant; those of accounts 1 and 2 wait to be published.
INSERT INTO publications (id, user_id, account_id, post_id, distribution_id, state, priority, publish_at,
                          max_lateness_s, max_attempts, next_attempt_at, rescue_at, step, container_id,
                          container_created_at, publish_sent_at, publish_sends, media_id, published_at)
SELECT pg_temp.id('publication', n), pg_temp.owner(n), pg_temp.id('account', 1 + (n - 1) % 6),
       pg_temp.id('post', 1 + (n - 1) % 2), CASE WHEN n <= 2 THEN pg_temp.id('distribution', n) END, state, 3,
       now(), NULL, 3, now() + interval '1 hour', now() + interval '1 hour',
       CASE WHEN state = 'outcome_unknown' THEN 'publish_sent' END, CASE WHEN state = 'outcome_unknown' THEN '17' END,
       CASE WHEN state = 'outcome_unknown' THEN now() END, CASE WHEN state = 'outcome_unknown' THEN now() END,
       CASE WHEN state = 'outcome_unknown' THEN 1 ELSE 0 END, CASE WHEN state = 'published' THEN '18' || n END,
       CASE WHEN state = 'published' THEN now() END
FROM unnest(ARRAY['scheduled', 'scheduled', 'held', 'held', 'canceled', 'canceled', 'missed', 'missed', 'failed',
                  'failed', 'published', 'published', 'outcome_unknown', 'outcome_unknown']) WITH ORDINALITY
     AS states (state, n);
INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, account_id, ended_at, outcome, error)
SELECT id, 1, user_id, 1, 'worker', account_id, now(), 'failed', '{"class": "fix_content"}'
FROM publications WHERE state = 'failed';
INSERT INTO publications_archive (id, user_id, account_id, post_id, distribution_id, state, publish_at, revision,
                                  attempt, max_attempts, next_attempt_at, created_at, updated_at, attempts)
SELECT pg_temp.id('archived', n), pg_temp.owner(n), pg_temp.id('account', n), pg_temp.id('post', n), NULL, 'published',
       now(), 1, 1, 3, now(), now(), now(), '[{"epoch": 1, "outcome": "published"}]'
FROM generate_series(1, 2) AS n;
INSERT INTO analytics_snapshots (id, user_id, account_id, source, window_to, metrics)
SELECT pg_temp.id('profile', n), pg_temp.owner(n), pg_temp.id('account', n), 'profile', now(), '{"followers": 5}'
FROM generate_series(1, 2) AS n;
INSERT INTO analytics_snapshots (id, user_id, account_id, publication_id, source, window_to, due_age_s, metrics)
SELECT pg_temp.id('insights', n), pg_temp.owner(n), pg_temp.id('account', n), pg_temp.id('publication', n + 10),
       'media_insights', now(), 86400, '{"reach": 1}'
FROM generate_series(1, 2) AS n;
INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
SELECT 'post:publish', id::text, 'jobs', 'now.publisher.post:publish', 3,
       jsonb_build_object('publication_id', id, 'revision', 1),
       jsonb_build_object('x-job-id', pg_temp.id('job', 1), 'x-subject', id, 'x-version', '1', 'x-attempts', '3',
                          'x-backoff-ms', '2000', 'traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
       now() + interval '1 hour'
FROM publications WHERE state = 'scheduled';
INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
SELECT 'publication.held', pg_temp.id('event', n)::text, 'events', 'publication.held', 4,
       jsonb_build_object('id', pg_temp.id('event', n), 'type', 'publication.held', 'user_id', pg_temp.owner(n),
                          'subject', pg_temp.id('publication', n + 2), 'data', '{}'::jsonb),
       jsonb_build_object('x-event-id', pg_temp.id('event', n)), now() + interval '1 hour'
FROM generate_series(1, 2) AS n;
INSERT INTO events (id, user_id, type, subject, payload)
SELECT pg_temp.id('event', n), pg_temp.owner(n), 'publication.held', pg_temp.id('publication', n + 2)::text,
       jsonb_build_object('account_id', pg_temp.id('account', n))
FROM generate_series(1, 2) AS n;
INSERT INTO recurring_jobs (name, type, user_id, account_id, payload, every_ms, next_due_at)
SELECT 'check' || n, 'health:check', pg_temp.owner(n), pg_temp.id('account', n),
       jsonb_build_object('user_id', pg_temp.owner(n)), 3600000, now() + interval '1 hour'
FROM generate_series(1, 2) AS n;
INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers, failures)
SELECT pg_temp.id('dead', n), 'health:monitor', 'swarm', 'exhausted', 1,
       convert_to(jsonb_build_object('user_id', pg_temp.owner(n))::text, 'UTF8'), '{}', '[]'
FROM generate_series(1, 2) AS n;
INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers, failures)
SELECT pg_temp.id('dead', n), 'post:publish', pg_temp.id('publication', n)::text, 'exhausted', 1,
       convert_to(jsonb_build_object('publication_id', pg_temp.id('publication', n), 'revision', 1)::text, 'UTF8'),
       '{}', '[]'
FROM generate_series(3, 4) AS n;
INSERT INTO job_starts (type, subject, starts)
SELECT 'webhook:deliver', pg_temp.id('delivery', n)::text, 1 FROM generate_series(1, 2) AS n;
INSERT INTO job_stats (worker, type, completed, failed, active) VALUES ('worker', 'post:publish', 5, 1, 0);
INSERT INTO alerts (id, user_id, code, severity, subject_type, subject_id, text, advice)
SELECT pg_temp.id('alert', n), pg_temp.owner(n), 'token_expiring', 'warning', 'account', pg_temp.id('account', n),
       'Words.', 'More words.'
FROM generate_series(1, 2) AS n;
INSERT INTO incidents (id, error_class, accounts, share, user_ids, paused_until, closed_at)
VALUES (pg_temp.id('incident', 1), 'reauth', 3, 0.5, ARRAY[pg_temp.id('user', 1), pg_temp.id('user', 2)], now(), now());
INSERT INTO idempotency_keys (user_id, key, fingerprint, status, headers, body)
SELECT pg_temp.owner(n), 'request' || n, '', 201, '{}', convert_to(pg_temp.id('post', n)::text, 'UTF8')
FROM generate_series(1, 2) AS n;
INSERT INTO operations (id, user_id, type, state, result)
SELECT pg_temp.id('operation', n), pg_temp.owner(n), 'import:accounts', 'succeeded',
       jsonb_build_object('accounts', ARRAY[pg_temp.id('account', n)])
FROM generate_series(1, 2) AS n;
INSERT INTO audit_log (id, user_id, actor, action, subject_type, subject_id, after)
SELECT pg_temp.id('change', n), pg_temp.owner(n), 'key' || n, 'account.paused', 'account',
       pg_temp.id('account', n)::text, '{"state": "PAUSED"}'
FROM generate_series(1, 2) AS n;
INSERT INTO webhooks (id, user_id, url, key_id, sealed)
SELECT pg_temp.id('webhook', n), pg_temp.owner(n), 'https://example.com/', 'test', '\x00' FROM generate_series(1, 2) AS n;
INSERT INTO webhook_deliveries (id, user_id, webhook_id, event_id, event_type, payload)
SELECT pg_temp.id('delivery', n), pg_temp.owner(n), pg_temp.id('webhook', n), pg_temp.id('event', n),
       'publication.held', convert_to(jsonb_build_object('account_id', pg_temp.id('account', n))::text, 'UTF8')
FROM generate_series(1, 2) AS n;
INSERT INTO oauth_states (state_hash, user_id, proxy_id, expires_at)
SELECT sha256(n::text::bytea), pg_temp.owner(n), pg_temp.id('proxy', n), now() + interval '10 minutes'
FROM generate_series(1, 2) AS n;
