"""What plant and cloud need: what was sent, notices, how far a lane has got, cycle times.

Promises: stands as it was delivered; what an earlier program has delivered stays delivered.
Never: changes; what comes later is a later migration.
"""

PLANT = """
ALTER TABLE window_total ADD COLUMN sent_ns INTEGER;
ALTER TABLE window_total ADD COLUMN cycle_p50_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE window_total ADD COLUMN cycle_max_us INTEGER NOT NULL DEFAULT 0;
-- What is delivered was sent.
UPDATE window_total SET sent_ns = coalesce(status_ns, counted_ns) WHERE status = 'delivered';
CREATE INDEX window_total_unsent ON window_total ("row")
    WHERE status = 'pending' AND sent_ns IS NULL;
CREATE INDEX window_total_sent ON window_total ("row") WHERE sent_ns IS NOT NULL;

-- Bytes as they left; of older messages unknown, and then those of the text.
ALTER TABLE departure ADD COLUMN bytes INTEGER;
CREATE INDEX departure_by_time ON departure (wall_ns);

-- What happened and the plant is to hear of: alarms, and changes of what is made. Never deleted,
-- so that its numbers have no gaps.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    what TEXT NOT NULL,
    code TEXT NOT NULL,
    service TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'alarm')),
    recipe TEXT NOT NULL,
    lot TEXT NOT NULL,
    model TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('', 'inspect', 'paused', 'challenge')),
    status TEXT NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'delivered', 'quarantined')),
    sent_ns INTEGER,
    status_ns INTEGER,
    status_detail TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX notice_pending ON notice (id) WHERE status = 'pending';
CREATE INDEX notice_by_kind ON notice (what, id);

-- How far a lane without acknowledgements has got.
CREATE TABLE lane (
    name TEXT PRIMARY KEY,
    through INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Identifiers that the plant's orders have used, for as long as one could be sent again.
CREATE TABLE plant_order (
    id TEXT PRIMARY KEY,
    wall_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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
    total."row", total.status,
    datetime(total.sent_ns / 1000000000, 'unixepoch') AS sent_utc
FROM window_total AS total
JOIN span ON span.id = total.span_id
WHERE total.revision =
    (SELECT max(revision) FROM window_total WHERE window_total.span_id = total.span_id);

DROP VIEW departures;
CREATE VIEW departures AS
SELECT datetime(wall_ns / 1000000000, 'unixepoch') AS time_utc, topic,
    coalesce(bytes, length(CAST(payload AS BLOB))) AS bytes, payload
FROM departure;

CREATE VIEW notices AS
SELECT datetime(wall_ns / 1000000000, 'unixepoch') AS time_utc, what, code, service, severity,
    recipe, lot, model, mode, status, id
FROM notice;
"""
