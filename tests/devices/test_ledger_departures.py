"""The log of what leaves, and tests with golden parts, as rows."""

from support.outcomes import STREAM

from inspector.core.live import ChallengeStep
from inspector.core.messages import Departed
from inspector.core.terms import Kind, Mode
from inspector.devices.ledger import Departure, Ledger, LedgerReader, Sums, challenges
from inspector.devices.ledger.departures import ADD, LOGGED, logged_values


def departed(wall: int, payload: str = '{"seq":1}') -> Departed:
    size = len(payload.encode())
    return Departed(wall_ns=wall, topic="plant/totals", payload=payload, bytes=size)


def step(number: int, kind: Kind, ok: bool) -> ChallengeStep:
    said = {"kind": kind, "ok": ok, "stream": STREAM, "seq": number}
    return ChallengeStep(number=number, part=f"p{number}", expected="pass", **said)


def test_departures_are_kept_word_for_word(ledger: Ledger, reader: LedgerReader) -> None:
    words = ['{"lot":"Grüße"}', "", "x" * 4096]
    ledger.commit([], departed=[departed(n, word) for n, word in enumerate(words)])
    found = reader.departures(10)
    assert found[-1] == Departure(1, 0, "plant/totals", words[0], 17)
    assert [one.payload for one in found] == words[::-1]
    assert reader.departures(10, before_id=2) == found[2:]
    size = sum(len(word.encode()) for word in words)
    assert [one.bytes for one in found] == [4096, 0, 17]
    assert ledger.sums() == reader.sums() == Sums(departed=3, departed_bytes=size)


def test_departure_told_again_is_logged_once(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.commit([], departed=[departed(1), departed(2)])
    ledger.commit([], departed=[departed(1), departed(2), departed(3)])
    assert [one.wall_ns for one in reader.departures(10)] == [3, 2, 1]
    assert reader.sums().departed == 3
    assert reader.logged([1, 3, 4]) == {1, 3}


def test_departure_of_bytes_counts_as_it_left(ledger: Ledger, reader: LedgerReader) -> None:
    """Sparkplug's bytes are fewer than the text that says what they say."""
    word = Departed(wall_ns=1, topic="spBv1.0/g/DDATA/n", payload='{"metrics":[]}', bytes=5)
    ledger.commit([], departed=[word])
    (found,) = reader.departures(10)
    assert (found.payload, found.bytes) == (word.payload, 5)
    assert reader.sums().departed_bytes == 5


def test_departures_are_found_without_looking_through_the_log(ledger: Ledger) -> None:
    ledger.commit([], departed=[departed(n) for n in range(50)])
    for query, values in (
        (ADD, {"wall": 1, "topic": "t", "payload": "", "bytes": 0}),
        (LOGGED, (logged_values([1, 2]),)),
    ):
        plan = ledger._db.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
        steps = [text for *_, text in plan if "departure" in text]
        assert len(steps) == 1
        assert "USING" in steps[0]
        assert "departure_by_time (wall_ns=?" in steps[0]


def test_departure_of_long_ago_is_still_known(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.commit([], departed=[departed(n) for n in range(1000)])
    ledger.commit([], departed=[departed(0)])
    assert reader.logged([0, 999, 1000]) == {0, 999}
    assert reader.sums().departed == 1000


def test_challenge_comes_back_as_it_happened(ledger: Ledger, reader: LedgerReader) -> None:
    test = ledger.write(lambda db: challenges.begin(db, "plain", "anna", Mode.PAUSED, 5))
    ledger.write(lambda db: challenges.add_step(db, test, step(1, Kind.PASS, True), "m@1", 6))
    ledger.write(lambda db: challenges.add_step(db, test, step(2, Kind.FAULT, False), "", 7))
    (found,) = reader.challenges(10)
    assert (found.id, found.recipe, found.who, found.mode_before) == (1, "plain", "anna", "paused")
    assert (found.model, found.begun_wall_ns, found.ended_wall_ns, found.result) == (
        "m@1",
        5,
        0,
        "",
    )
    assert found.steps == (step(1, Kind.PASS, True), step(2, Kind.FAULT, False))
    assert ledger.write(challenges.still_open) == [found]
    ledger.write(lambda db: challenges.end(db, test, "failed", 8))
    ledger.write(lambda db: challenges.end(db, test, "passed", 9))  # an end is the end
    (found,) = reader.challenges(10)
    assert (found.result, found.ended_wall_ns) == ("failed", 8)
    assert ledger.write(challenges.still_open) == []


def test_last_tests_are_those_of_the_recipe(ledger: Ledger, reader: LedgerReader) -> None:
    for number, (recipe, result) in enumerate(
        [("a", "passed"), ("a", "abandoned"), ("b", "failed"), ("a", "")], 1
    ):
        test = ledger.write(
            lambda db, recipe=recipe: challenges.begin(db, recipe, "anna", Mode.INSPECT, 1)
        )
        if result:
            ledger.write(
                lambda db, test=test, to=result, at=number: challenges.end(db, test, to, at)  # type: ignore[arg-type]
            )
    ended = ledger.write(lambda db: challenges.last_ended(db, "a"))
    counted = ledger.write(lambda db: challenges.last_counted(db, "a"))
    newest = ledger.write(challenges.newest)
    assert ended
    assert counted
    assert newest
    assert (ended.result, ended.id) == ("abandoned", 2)
    assert (counted.result, counted.id) == ("passed", 1)
    assert newest.id == 4
    assert ledger.write(lambda db: challenges.last_ended(db, "c")) is None
    assert [one.id for one in reader.challenges(2)] == [4, 3]
    assert [one.id for one in reader.challenges(2, before_id=3)] == [2, 1]
