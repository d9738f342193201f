"""What the ledger needs to look after itself: identities, thinned windows, the last ten minutes.

Promises: stands as it was delivered; what an earlier program has counted stays counted.
Never: changes; what comes later is a later migration.
"""

CARE = """
-- Identities, of which a ledger has one more with each restore from a backup: what was numbered
-- after the backup was made has been used, so that numbers begin anew under another name.
-- Rows and notices beyond `..._before`, up to `..._through` (NULL: still growing), are of it.
CREATE TABLE epoch (
    id INTEGER PRIMARY KEY,
    ledger TEXT NOT NULL UNIQUE,
    begun_ns INTEGER NOT NULL,
    rows_before INTEGER NOT NULL,
    rows_through INTEGER,
    notices_before INTEGER NOT NULL,
    notices_through INTEGER,
    gap TEXT NOT NULL DEFAULT '',
    told INTEGER NOT NULL DEFAULT 1
) STRICT;
INSERT INTO epoch (id, ledger, begun_ns, rows_before, notices_before)
SELECT 1, value,
    coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'begun_ns'), 0), 0, 0
FROM meta WHERE key = 'ledger';

-- The identity that counts a window, and no other.
ALTER TABLE span ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;

-- A window whose parts have begun to go (1), or are gone (2), is never counted again.
ALTER TABLE span ADD COLUMN thinned INTEGER NOT NULL DEFAULT 0;
CREATE INDEX span_with_parts ON span (start_s) WHERE thinned < 2;

INSERT INTO sum VALUES ('committed', (SELECT count(*) FROM outcome));

CREATE INDEX event_by_time ON event (wall_ns);
CREATE INDEX event_by_code ON event (code, id);

-- The last ten minutes, a row a second.
CREATE TABLE metric (
    number INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    data TEXT NOT NULL
) STRICT;

DROP VIEW totals;
CREATE VIEW totals AS
SELECT
    datetime(span.start_s, 'unixepoch') AS start_utc, datetime(span.end_s, 'unixepoch') AS end_utc,
    span.recipe, span.lot, span.model, total.revision,
    total.triggers, total.passed, total.failed, total.review, total.fault,
    round(1.0 * total.first_pass / total.triggers, 4) AS first_pass_yield,
    total.overkill, total.escapes, total.causes, total.defect_classes,
    total.p50_us / 1e3 AS p50_ms, total.p95_us / 1e3 AS p95_ms, total.max_us / 1e3 AS max_ms,
    total.cycle_p50_us / 1e3 AS cycle_p50_ms, total.cycle_max_us / 1e3 AS cycle_max_ms,
    total."row" - epoch.rows_before AS "row", total.status,
    datetime(total.sent_ns / 1000000000, 'unixepoch') AS sent_utc, epoch.ledger
FROM window_total AS total
JOIN span ON span.id = total.span_id
JOIN epoch ON epoch.id = (SELECT max(id) FROM epoch WHERE rows_before < total."row")
WHERE total.revision =
    (SELECT max(revision) FROM window_total WHERE window_total.span_id = total.span_id);
"""
