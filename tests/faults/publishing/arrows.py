"""Every change of a publication's state, written down by the database itself, whoever makes it."""

from __future__ import annotations

from shared.publications import ARROWS

WATCH_ARROWS = """
    CREATE UNLOGGED TABLE seen_arrows (publication_id uuid, source text, target text);
    CREATE FUNCTION see_arrow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO seen_arrows VALUES (NEW.id, OLD.state, NEW.state);
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER see_arrow AFTER UPDATE OF state ON publications
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION see_arrow();
"""
SEEN_ARROWS = "SELECT source, target, count(*) AS number FROM seen_arrows GROUP BY source, target ORDER BY number DESC"
_LEGAL = {(arrow.source.value, arrow.target.value) for arrow in ARROWS}


def illegal(rows: list[tuple[str, str, int]]) -> int:
    """How many of the changes no arrow allows."""
    return sum(number for source, target, number in rows if (source, target) not in _LEGAL)
