"""What the touchscreen needs: findings that can be withdrawn, the queue, alarms, challenge tests,
and the log of what leaves.

Promises: stands as it was delivered.
Never: changes; what comes later is a later migration.
"""

# A finding that is withdrawn is one more revision.
SCREEN = """
DROP VIEW parts;
DROP VIEW faults;
DROP VIEW reviews;
ALTER TABLE review RENAME TO review_before;
CREATE TABLE review (
    outcome_id INTEGER NOT NULL REFERENCES outcome (id),
    revision INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'fail', 'withdrawn')),
    defect_class TEXT NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (outcome_id, revision)
) STRICT, WITHOUT ROWID;
INSERT INTO review SELECT * FROM review_before;
DROP TABLE review_before;
CREATE INDEX review_by_class ON review (defect_class) WHERE verdict = 'fail';

-- The latest finding of each part, unless it was withdrawn.
CREATE VIEW finding AS
SELECT outcome_id, revision, wall_ns, verdict, defect_class, who, reason FROM review
WHERE verdict <> 'withdrawn' AND revision =
    (SELECT max(revision) FROM review AS later WHERE later.outcome_id = review.outcome_id);

-- Parts that a person has yet to look at: the queue, kept by the writer.
CREATE TABLE to_review (
    outcome_id INTEGER PRIMARY KEY REFERENCES outcome (id)
) STRICT;
INSERT INTO to_review SELECT id FROM outcome INDEXED BY outcome_not_passed
WHERE kind <> 'pass' AND kind <> 'fault' AND id NOT IN (SELECT outcome_id FROM finding);

CREATE TABLE alarm (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    service TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('warning', 'alarm')),
    text TEXT NOT NULL,
    raised_ns INTEGER NOT NULL,
    ended_ns INTEGER,
    acknowledged_ns INTEGER,
    acknowledged_by TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE challenge (
    id INTEGER PRIMARY KEY,
    recipe TEXT NOT NULL,
    model TEXT NOT NULL,
    who TEXT NOT NULL,
    mode_before TEXT NOT NULL CHECK (mode_before IN ('inspect', 'paused')),
    begun_ns INTEGER NOT NULL,
    ended_ns INTEGER,
    result TEXT NOT NULL DEFAULT '' CHECK (result IN ('', 'passed', 'failed', 'abandoned'))
) STRICT;
CREATE TABLE challenge_step (
    challenge_id INTEGER NOT NULL REFERENCES challenge (id),
    number INTEGER NOT NULL,
    part TEXT NOT NULL,
    expected TEXT NOT NULL CHECK (expected IN ('pass', 'fail')),
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    ok INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    PRIMARY KEY (challenge_id, number)
) STRICT, WITHOUT ROWID;

-- Every message that was about to leave the station, word for word.
CREATE TABLE departure (
    id INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

-- Sums that would be slow to add up anew: pixel_bytes, departed, departed_bytes.
CREATE TABLE sum (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sum VALUES ('pixel_bytes', 0), ('departed', 0), ('departed_bytes', 0);

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
LEFT JOIN finding ON finding.outcome_id = outcome.id;

CREATE VIEW faults AS SELECT * FROM parts WHERE kind = 'fault';

CREATE VIEW reviews AS
SELECT
    datetime(review.wall_ns / 1000000000, 'unixepoch') AS time_utc, stream.uuid AS stream,
    outcome.seq, outcome.kind AS outcome, review.revision, review.verdict, review.defect_class,
    review.who, review.reason
FROM review
JOIN outcome ON outcome.id = review.outcome_id
JOIN stream ON stream.id = outcome.stream_id;

CREATE VIEW challenges AS
SELECT
    datetime(challenge.begun_ns / 1000000000, 'unixepoch') AS begun_utc, challenge.recipe,
    challenge.model, challenge.who, challenge.result, step.number, step.part, step.expected,
    step.kind, step.ok, step.stream, step.seq
FROM challenge LEFT JOIN challenge_step AS step ON step.challenge_id = challenge.id;

CREATE VIEW departures AS
SELECT datetime(wall_ns / 1000000000, 'unixepoch') AS time_utc, topic, length(payload) AS bytes,
    payload
FROM departure;
"""
