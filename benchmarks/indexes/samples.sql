-- What the large database answers for each name of the catalogue's samples, in one row.
WITH tenant AS (
    SELECT user_id
    FROM accounts
    GROUP BY user_id
    ORDER BY count(*) DESC
    LIMIT 1
),
account AS (
    SELECT id, instagram_user_id, username
    FROM accounts
    WHERE user_id = (SELECT user_id FROM tenant)
    ORDER BY id
    LIMIT 1
),
some_accounts AS (
    SELECT id, instagram_user_id
    FROM accounts
    WHERE user_id = (SELECT user_id FROM tenant)
    ORDER BY id
    LIMIT 20
),
some_proxies AS (
    SELECT id
    FROM proxies
    WHERE user_id = (SELECT user_id FROM tenant)
    ORDER BY id
    LIMIT 20
),
tenants_group AS (
    SELECT groups.id, groups.name
    FROM groups
    WHERE user_id = (SELECT user_id FROM tenant)
    ORDER BY id
    LIMIT 1
),
some_media AS (
    SELECT id
    FROM media
    WHERE user_id = (SELECT user_id FROM tenant)
    ORDER BY id
    LIMIT 10
),
publication AS (
    SELECT id, post_id, distribution_id, created_at
    FROM publications
    WHERE user_id = (SELECT user_id FROM tenant) AND distribution_id IS NOT NULL
    ORDER BY created_at
    OFFSET (SELECT count(*) / 5 FROM publications)
    LIMIT 1
),
some_publications AS (
    SELECT id
    FROM publications
    WHERE user_id = (SELECT user_id FROM tenant)
    ORDER BY created_at DESC
    LIMIT 20
),
some_outbox AS (
    SELECT id, subject
    FROM outbox
    ORDER BY id
    LIMIT 20
),
dead AS (
    SELECT id, type, reason, subject, died_at
    FROM dead_jobs
    WHERE type = 'health:check'
    ORDER BY died_at
    OFFSET (SELECT count(*) / 2 FROM dead_jobs WHERE type = 'health:check')
    LIMIT 1
),
webhook AS (
    SELECT webhook_id, id AS delivery_id, event_id
    FROM webhook_deliveries
    WHERE user_id = (SELECT user_id FROM tenant)
    ORDER BY id
    LIMIT 1
),
schedule AS (
    SELECT schedule_id, id AS occurrence_id
    FROM schedule_occurrences
    WHERE user_id = (SELECT user_id FROM tenant) AND state = 'pending'
    ORDER BY id
    LIMIT 1
),
some_alerts AS (
    SELECT id, code, subject_id
    FROM alerts
    WHERE user_id = (SELECT user_id FROM tenant) AND state <> 'resolved' AND code = 'reauth_required'
    ORDER BY id
    LIMIT 20
),
some_recurring AS (
    SELECT name
    FROM recurring_jobs
    ORDER BY name
    LIMIT 20
)
SELECT (SELECT user_id FROM tenant) AS user_id,
       account.id AS account_id,
       account.id::text AS account_text,
       (SELECT array_agg(id) FROM some_accounts) AS account_ids,
       'DISCONNECTED' AS account_state,
       'tag199' AS tag,
       account.username,
       'cautious' AS protocol_id,
       (SELECT state_hash FROM oauth_states LIMIT 1) AS oauth_state_hash,
       account.instagram_user_id,
       (SELECT array_agg(instagram_user_id) FROM some_accounts) AS instagram_user_ids,
       'key0' AS api_key_id,
       (SELECT min(id::text)::uuid FROM some_proxies) AS proxy_id,
       (SELECT array_agg(id) FROM some_proxies) AS proxy_ids,
       tenants_group.id AS group_id,
       tenants_group.name AS group_name,
       (SELECT min(id::text)::uuid FROM some_media) AS media_id,
       (SELECT array_agg(id) FROM some_media) AS media_ids,
       (SELECT array_agg('1790000000000' || number) FROM generate_series(1000, 1049) AS number) AS platform_media_ids,
       'video' AS media_kind,
       (SELECT min(sha256) FROM media WHERE user_id = (SELECT user_id FROM tenant)) AS sha256,
       publication.post_id,
       'reel' AS post_type,
       (SELECT array_agg(id) FROM (SELECT id FROM posts WHERE user_id = (SELECT user_id FROM tenant)
                                   ORDER BY id DESC LIMIT 3) AS newest) AS post_ids,
       (SELECT max(id::text)::uuid FROM posts WHERE user_id = (SELECT user_id FROM tenant)) AS new_post_id,
       publication.distribution_id,
       publication.id AS publication_id,
       (SELECT array_agg(id) FROM some_publications) AS publication_ids,
       'outcome_unknown' AS publication_state,
       date_trunc('day', now() - interval '30 days') AS day_begin,
       date_trunc('day', now() - interval '29 days') AS day_end,
       publication.created_at,
       publication.id AS row_id,
       (SELECT array_agg(id) FROM some_outbox) AS outbox_ids,
       (SELECT array_agg(subject) FROM some_outbox) AS outbox_subjects,
       dead.id AS dead_id,
       (SELECT array_agg(id) FROM (SELECT id FROM dead_jobs ORDER BY id LIMIT 20) AS dead) AS dead_ids,
       dead.type AS dead_type,
       dead.reason AS dead_reason,
       dead.subject AS dead_subject,
       dead.died_at,
       (SELECT min(name) FROM some_recurring) AS recurring_name,
       (SELECT array_agg(name) FROM some_recurring) AS recurring_names,
       (SELECT min(id::text)::uuid FROM api_keys WHERE user_id = (SELECT user_id FROM tenant)) AS key_row_id,
       'request0' AS idempotency_key,
       (SELECT min(id::text)::uuid FROM operations WHERE user_id = (SELECT user_id FROM tenant)) AS operation_id,
       'account' AS subject_type,
       account.id::text AS subject_id,
       webhook.webhook_id,
       webhook.delivery_id,
       webhook.event_id,
       'health:check' AS job_type,
       'post:publish' AS post_publish,
       'text' AS text,
       schedule.schedule_id,
       schedule.occurrence_id,
       (SELECT min(id::text)::uuid FROM post_queues WHERE user_id = (SELECT user_id FROM tenant)) AS post_queue_id,
       (SELECT min(id::text)::uuid FROM some_alerts) AS alert_id,
       'open' AS alert_state,
       (SELECT min(code) FROM some_alerts) AS alert_code,
       (SELECT array_agg(subject_id) FROM some_alerts) AS alert_subjects,
       now() AS time
FROM account, tenants_group, publication, dead, webhook, schedule
