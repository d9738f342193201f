"""The statements of the ledger's writer.

Promises: each is prepared once by the driver and used as it stands.
Never: is put together from values.
"""

FIND_STREAM = "SELECT id FROM stream WHERE uuid = ?"
ADD_STREAM = "INSERT INTO stream (uuid, camera) VALUES (?, ?)"

# With: is it closed? One that an earlier identity counts, or whose parts have begun to go, is.
FIND_SPAN = """SELECT id, thinned OR epoch <> (SELECT max(id) FROM epoch) FROM span
WHERE start_s = ? AND end_s = ? AND recipe = ? AND lot = ? AND model = ?"""
ADD_SPAN = """INSERT INTO span (start_s, end_s, recipe, lot, model, epoch)
VALUES (?, ?, ?, ?, ?, (SELECT max(id) FROM epoch))"""

# Not INSERT OR IGNORE: that would also pass over a row that breaks any other rule.
ADD_OUTCOME = """INSERT INTO outcome (id, stream_id, seq, number, span_id, trigger_wall_ns, kind,
    cause, reason, lane, score, latency_us, queue_us, check_us, inference_us, second_us,
    frame_slot, frame_generation, frame_format, source)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (stream_id, seq) DO NOTHING"""
NEW_OUTCOMES = "SELECT id FROM outcome WHERE id >= ?"
LAST_OUTCOME = "SELECT coalesce(max(id), 0) FROM outcome"
# The detail of a part that was there already (so its id is not) is not written.
ADD_DETAIL = """INSERT INTO detail (boxes, heatmap, heatmap_data, outcome_id)
SELECT ?, ?, ?, id FROM outcome WHERE id = ?"""

TOUCH_WINDOW = """INSERT INTO dirty_window (span_id, touched_ns) VALUES (?, ?)
ON CONFLICT (span_id) DO UPDATE SET touched_ns = excluded.touched_ns"""
# A time of touching that lies in the future is from before the clock was set back. Windows of an
# earlier identity stay as they were counted then, as do those whose parts have begun to go.
DUE_WINDOWS = """SELECT span.id, span.start_s, span.end_s FROM dirty_window
JOIN span ON span.id = dirty_window.span_id
WHERE (dirty_window.touched_ns <= :quiet OR dirty_window.touched_ns > :now)
    AND span.epoch = :epoch AND NOT span.thinned
ORDER BY span.end_s, span.id LIMIT 32"""
CLEAN_WINDOW = "DELETE FROM dirty_window WHERE span_id = ?"

# The class that the model gave its strongest box; NULL where it names none.
MODEL_CLASS = """(SELECT box.value ->> '$.label' FROM detail, json_each(detail.boxes) AS box
    WHERE detail.outcome_id = outcome.id AND box.value ->> '$.label' <> ''
    ORDER BY box.value ->> '$.peak' DESC, box.key LIMIT 1)"""
# The class of a failed part's defect: a person's, or else the model's.
DEFECT_CLASS = f"""CASE WHEN coalesce(finding.verdict, outcome.kind) = 'fail'
    THEN coalesce(nullif(finding.defect_class, ''), {MODEL_CLASS}) END"""
PARTS_OF_SPAN = f"""SELECT outcome.kind, outcome.cause, outcome.latency_us, finding.verdict,
    {DEFECT_CLASS}, outcome.stream_id, outcome.seq, outcome.trigger_wall_ns
FROM outcome LEFT JOIN finding ON finding.outcome_id = outcome.id
WHERE outcome.span_id = ?"""
LATEST_OF_SPAN = """FROM window_total AS total JOIN span ON span.id = total.span_id
WHERE total.span_id = ? ORDER BY total.revision DESC LIMIT 1"""
ROW = """FROM window_total AS total JOIN span ON span.id = total.span_id
WHERE total."row" = ?"""
LAST_ROW = """SELECT "row", cumulative_passed, cumulative_failed, cumulative_review,
    cumulative_fault FROM window_total WHERE "row" > ? ORDER BY "row" DESC LIMIT 1"""
ADD_TOTAL = """INSERT INTO window_total ("row", span_id, revision, counted_ns, triggers, passed,
    failed, review, fault, causes, defect_classes, first_pass, reviewed, overkill, escapes,
    p50_us, p95_us, max_us, cycle_p50_us, cycle_max_us, cumulative_passed, cumulative_failed,
    cumulative_review, cumulative_fault)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

# The part, and of its last review the revision (0: none) and the verdict.
FIND_PART = """SELECT outcome.id, outcome.span_id, outcome.kind, span.lot,
    coalesce(review.revision, 0), review.verdict, span.thinned
FROM outcome
JOIN stream ON stream.id = outcome.stream_id
JOIN span ON span.id = outcome.span_id
LEFT JOIN review ON review.outcome_id = outcome.id
WHERE stream.uuid = ? AND outcome.seq = ? ORDER BY review.revision DESC LIMIT 1"""
ENQUEUE = "INSERT INTO to_review (outcome_id) VALUES (?) ON CONFLICT DO NOTHING"
DEQUEUE = "DELETE FROM to_review WHERE outcome_id = ?"
ADD_REVIEW = """INSERT INTO review (outcome_id, revision, wall_ns, verdict, defect_class, who,
    reason) VALUES (?, ?, ?, ?, ?, ?, ?)"""

ADD_EVENT = "INSERT INTO event (wall_ns, service, severity, code, text) VALUES (?, ?, ?, ?, ?)"
LAST_AUDIT = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1"
LATEST_ACTION = """SELECT action FROM audit
WHERE who = ? AND action IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 1"""
ADD_AUDIT = """INSERT INTO audit (id, wall_ns, who, action, detail, previous, hash)
VALUES (?, ?, ?, ?, ?, ?, ?)"""
