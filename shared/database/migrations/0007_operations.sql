-- Operations: indexes by which an operator is told how the system is, without a table being read as a whole.
--
-- Whoever has millions of rows builds them beforehand, by hand and with CREATE INDEX CONCURRENTLY: see docs/database.md.

-- What is due, the longest due first: the claim, the rescue and lateness each go by another time.
CREATE INDEX IF NOT EXISTS publications_next_attempt ON publications (next_attempt_at) WHERE state = 'scheduled';
-- What is held is rare among what waits.
CREATE INDEX IF NOT EXISTS publications_held ON publications (publish_at) WHERE state = 'held';
-- All accounts by state, and the tokens that end first, from the index alone.
CREATE INDEX IF NOT EXISTS accounts_standing ON accounts (state, token_expires_at) WHERE removed_at IS NULL;
