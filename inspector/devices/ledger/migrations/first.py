"""The first tables and views: outcomes, findings, totals, events, the audit chain.

Promises: stands as it was delivered.
Never: changes; what comes later is a later migration.
"""

FIRST = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    camera TEXT NOT NULL
) STRICT;

-- What is counted together: the outcomes of one interval with one recipe, lot and model.
CREATE TABLE span (
    id INTEGER PRIMARY KEY,
    start_s INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    recipe TEXT NOT NULL,
    lot TEXT NOT NULL,
    model TEXT NOT NULL,
    UNIQUE (start_s, end_s, recipe, lot, model)
) STRICT;

CREATE TABLE outcome (
    id INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    span_id INTEGER NOT NULL REFERENCES span (id),
    trigger_wall_ns INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('pass', 'fail', 'review', 'fault')),
    cause TEXT,
    reason TEXT NOT NULL,
    lane TEXT NOT NULL CHECK (lane IN ('accept', 'reject')),
    score REAL,
    latency_us INTEGER NOT NULL,
    queue_us INTEGER NOT NULL,
    check_us INTEGER NOT NULL,
    inference_us INTEGER NOT NULL,
    frame_slot INTEGER,
    frame_generation INTEGER,
    frame_format TEXT,
    source TEXT NOT NULL,
    UNIQUE (stream_id, seq)
) STRICT;
CREATE INDEX outcome_by_span ON outcome (span_id, kind, cause, latency_us);
CREATE INDEX outcome_not_passed ON outcome (id, kind) WHERE kind <> 'pass';

-- Heatmap and boxes, for parts that did not pass or whose image is kept.
CREATE TABLE detail (
    outcome_id INTEGER PRIMARY KEY REFERENCES outcome (id),
    boxes TEXT NOT NULL,
    heatmap TEXT,
    heatmap_data BLOB
) STRICT;

CREATE TABLE review (
    outcome_id INTEGER NOT NULL REFERENCES outcome (id),
    revision INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'fail')),
    defect_class TEXT NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (outcome_id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE dirty_window (
    span_id INTEGER PRIMARY KEY REFERENCES span (id),
    touched_ns INTEGER NOT NULL
) STRICT;

-- Totals rows; named `window_total` because WINDOW is a word of SQL.
CREATE TABLE window_total (
    "row" INTEGER PRIMARY KEY,
    span_id INTEGER NOT NULL REFERENCES span (id),
    revision INTEGER NOT NULL,
    counted_ns INTEGER NOT NULL,
    triggers INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    review INTEGER NOT NULL,
    fault INTEGER NOT NULL,
    causes TEXT NOT NULL,
    defect_classes TEXT NOT NULL,
    first_pass INTEGER NOT NULL,
    reviewed INTEGER NOT NULL,
    overkill INTEGER NOT NULL,
    escapes INTEGER NOT NULL,
    p50_us INTEGER NOT NULL,
    p95_us INTEGER NOT NULL,
    max_us INTEGER NOT NULL,
    cumulative_passed INTEGER NOT NULL,
    cumulative_failed INTEGER NOT NULL,
    cumulative_review INTEGER NOT NULL,
    cumulative_fault INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'delivered', 'quarantined')),
    status_ns INTEGER,
    status_detail TEXT NOT NULL DEFAULT '',
    UNIQUE (span_id, revision),
    CHECK (triggers = passed + failed + review + fault)
) STRICT;
CREATE INDEX window_total_pending ON window_total ("row") WHERE status = 'pending';

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    service TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'alarm')),
    code TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE VIEW parts AS
SELECT
    strftime('%Y-%m-%d %H:%M:%f', outcome.trigger_wall_ns / 1e9, 'unixepoch') AS time_utc,
    stream.camera, stream.uuid AS stream, outcome.seq,
    outcome.kind, outcome.cause, outcome.reason, outcome.lane, outcome.score,
    outcome.latency_us / 1e3 AS latency_ms, outcome.inference_us / 1e3 AS inference_ms,
    span.recipe, span.lot, span.model,
    finding.verdict AS reviewed_as, finding.defect_class, finding.who AS reviewed_by,
    outcome.source, outcome.id
FROM outcome
JOIN stream ON stream.id = outcome.stream_id
JOIN span ON span.id = outcome.span_id
LEFT JOIN review AS finding ON finding.outcome_id = outcome.id AND finding.revision =
    (SELECT max(revision) FROM review WHERE review.outcome_id = outcome.id);

CREATE VIEW faults AS SELECT * FROM parts WHERE kind = 'fault';

-- The latest revision of every window; together they are all that has been counted.
CREATE VIEW totals AS
SELECT
    datetime(span.start_s, 'unixepoch') AS start_utc, datetime(span.end_s, 'unixepoch') AS end_utc,
    span.recipe, span.lot, span.model, total.revision,
    total.triggers, total.passed, total.failed, total.review, total.fault,
    round(1.0 * total.first_pass / total.triggers, 4) AS first_pass_yield,
    total.overkill, total.escapes, total.causes, total.defect_classes,
    total.p50_us / 1e3 AS p50_ms, total.p95_us / 1e3 AS p95_ms, total.max_us / 1e3 AS max_ms,
    total."row", total.status
FROM window_total AS total
JOIN span ON span.id = total.span_id
WHERE total.revision =
    (SELECT max(revision) FROM window_total WHERE window_total.span_id = total.span_id);

-- How many parts each run of a camera has, and how many numbers have no outcome.
CREATE VIEW streams AS
SELECT
    stream.uuid AS stream, stream.camera, count(*) AS parts, min(outcome.seq) AS first_seq,
    max(outcome.seq) AS last_seq, max(outcome.seq) + 1 - count(*) AS missing
FROM outcome JOIN stream ON stream.id = outcome.stream_id GROUP BY stream.id;

CREATE VIEW reviews AS
SELECT
    datetime(review.wall_ns / 1000000000, 'unixepoch') AS time_utc, stream.uuid AS stream,
    outcome.seq, outcome.kind AS outcome, review.revision, review.verdict, review.defect_class,
    review.who, review.reason
FROM review
JOIN outcome ON outcome.id = review.outcome_id
JOIN stream ON stream.id = outcome.stream_id;

CREATE VIEW events AS
SELECT datetime(wall_ns / 1000000000, 'unixepoch') AS time_utc, severity, service, code, text
FROM event;

CREATE VIEW audit_trail AS
SELECT datetime(wall_ns / 1000000000, 'unixepoch') AS time_utc, who, action, detail FROM audit;
"""
