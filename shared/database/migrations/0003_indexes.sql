-- Indexes fitted to the statements of the code: shared/database/catalogue names each with the queries it serves.
--
-- Each is built in this file's transaction, which keeps writers of its table waiting while it is built. On new tables that
-- is nothing. Whoever has millions of rows already builds the same indexes beforehand, one by one, by hand and with
-- CREATE INDEX CONCURRENTLY: then IF NOT EXISTS finds them here, and the rest takes no time. See docs/database.md.

-- Publications. Each change of state is a new entry in every index that is not partial, so there are as few as serve all
-- queries. Where a list is filtered, its order is in the index too: the planner would else read the tenant's whole list in
-- the hope of meeting what is asked for.

CREATE INDEX IF NOT EXISTS publications_account_page ON publications (user_id, account_id, created_at DESC, id DESC);
DROP INDEX publications_account;
-- Posts and distributions are also counted by state, and a post looked for on accounts, from the index alone.
CREATE INDEX IF NOT EXISTS publications_post_page ON publications (user_id, post_id, created_at DESC, id DESC)
    INCLUDE (account_id, state);
DROP INDEX publications_post;
CREATE INDEX IF NOT EXISTS publications_distribution_page
    ON publications (user_id, distribution_id, created_at DESC, id DESC) INCLUDE (state) WHERE distribution_id IS NOT NULL;
-- What needs a person's eyes is rare among what was published.
CREATE INDEX IF NOT EXISTS publications_state_page ON publications (user_id, state, created_at DESC, id DESC)
    WHERE state <> 'published';
CREATE INDEX IF NOT EXISTS publications_calendar ON publications (user_id, publish_at);

-- Accounts.

CREATE INDEX IF NOT EXISTS accounts_tags ON accounts USING gin (tags);
CREATE INDEX IF NOT EXISTS accounts_state_page ON accounts (user_id, state, created_at DESC, id DESC)
    WHERE state <> 'ACTIVE';
-- The platform's account, whichever tenants act for it.
CREATE INDEX IF NOT EXISTS accounts_instagram_user ON accounts (instagram_user_id) INCLUDE (user_id, id);

-- Members are counted from the index alone.
ALTER TABLE group_members DROP CONSTRAINT group_members_pkey, ADD PRIMARY KEY (group_id, account_id) INCLUDE (user_id);

CREATE INDEX IF NOT EXISTS health_scores_worst ON health_scores (user_id, score, account_id) INCLUDE (band);
DROP INDEX health_scores_user;

-- What no query uses, and each write paid for.
DROP INDEX events_user;
DROP INDEX recurring_jobs_type;
