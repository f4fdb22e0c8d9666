"""Moving finished publications, with their tries, to the archive: one statement, which waits for nobody.

Its post and its distribution go on counting it, so they are locked too. Whoever publishes or retries locks the post
first; here the publication comes first, which is safe because whatever is held by somebody else is left for the next
time.
"""

from __future__ import annotations

#: $1: days for which they stay where they are; $2: the most rows. Answers how many were moved.
ARCHIVE = """
    WITH ended AS (
        SELECT id, post_id, distribution_id
        FROM publications
        WHERE state IN ('published', 'failed', 'canceled', 'missed')
          AND updated_at < now() - make_interval(days => $1)
        ORDER BY updated_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ), free_posts AS (
        SELECT id FROM posts WHERE id = ANY(ARRAY(SELECT post_id FROM ended)) FOR NO KEY UPDATE SKIP LOCKED
    ), free_distributions AS (
        SELECT id
        FROM distributions
        WHERE id = ANY(ARRAY(SELECT distribution_id FROM ended))
        FOR NO KEY UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM publications
        WHERE id = ANY(ARRAY(
            SELECT id
            FROM ended
            WHERE post_id IN (SELECT id FROM free_posts)
              AND (distribution_id IS NULL OR distribution_id IN (SELECT id FROM free_distributions))
        ))
        RETURNING *
    ), kept AS (
        INSERT INTO publications_archive (
            id, user_id, account_id, post_id, distribution_id, state, reason, publish_at, max_lateness_s, revision,
            attempt, max_attempts, next_attempt_at, media_id, permalink, published_at, error, created_at, updated_at,
            attempts
        )
        SELECT id, user_id, account_id, post_id, distribution_id, state, reason, publish_at, max_lateness_s, revision,
               attempt, max_attempts, next_attempt_at, media_id, permalink, published_at, error, created_at, updated_at,
               coalesce((
                   SELECT jsonb_agg(to_jsonb(newest) ORDER BY epoch DESC)
                   FROM (
                       SELECT epoch, attempt, worker, started_at, ended_at, outcome, step, error
                       FROM publication_attempts
                       WHERE publication_id = gone.id
                       ORDER BY epoch DESC
                       LIMIT 100
                   ) AS newest
               ), '[]')
        FROM gone
    ), counted_posts AS (
        UPDATE posts
        SET archived_counts = add_counts(archived_counts, counts)
        FROM (
            SELECT post_id, jsonb_object_agg(state, number) AS counts
            FROM (SELECT post_id, state, count(*) AS number FROM gone GROUP BY post_id, state) AS by_state
            GROUP BY post_id
        ) AS counted
        WHERE id = counted.post_id
    ), counted_distributions AS (
        UPDATE distributions
        SET archived_counts = add_counts(archived_counts, counts)
        FROM (
            SELECT distribution_id, jsonb_object_agg(state, number) AS counts
            FROM (
                SELECT distribution_id, state, count(*) AS number
                FROM gone
                WHERE distribution_id IS NOT NULL
                GROUP BY distribution_id, state
            ) AS by_state
            GROUP BY distribution_id
        ) AS counted
        WHERE id = counted.distribution_id
    )
    SELECT count(*) FROM gone
"""
#: $1: the same; $2: where counting ends.
COUNT_ENDED = """
    SELECT count(*)
    FROM (
        SELECT
        FROM publications
        WHERE state IN ('published', 'failed', 'canceled', 'missed')
          AND updated_at < now() - make_interval(days => $1)
        LIMIT $2
    ) AS old
"""
