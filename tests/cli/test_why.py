"""inspector why: what the ledger holds of one part, found by any of its names."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.commands import inspector
from support.outcomes import STREAM, WALL, mark, outcome

from inspector.cli.why import find, told, without_heat
from inspector.core.clock import SECOND
from inspector.core.errors import OperatorError
from inspector.core.messages import Departed, Event
from inspector.core.orders import ReviewPart
from inspector.core.paths import under
from inspector.core.terms import Box, Cause, FrameFormat, FrameRef, Heatmap, Kind, Pixel, Severity
from inspector.devices.ledger import Ledger
from inspector.devices.ledger.story import StoryReader
from inspector.domain.egress.letter import letter
from inspector.domain.egress.totals import totals_of
from inspector.domain.keeping import evidence_name

OLDER, NEWER = "a" * 32, "b" * 32
LATER = WALL + 3600 * SECOND
TOPIC = "inspector/vision/v1/acme/lyon/press/line1/cell7/totals"


@pytest.fixture
def ledger(root: Path) -> Iterator[Ledger]:
    paths = under(root)
    paths.create()
    with closing(Ledger(paths.ledger, 10, 0, WALL)) as opened:
        yield opened


def failed() -> object:
    format = FrameFormat(width=640, height=480, pixel=Pixel.BGR8)
    return outcome(
        7,
        Kind.FAIL,
        score=0.81234,
        boxes=(Box(x=1, y=2, width=30, height=40, peak=1.5, label="scratch"),),
        heatmap=Heatmap(width=1, height=1, scale=2.5, region=(0, 0, 640, 480), data=b"\xff"),
        frame=FrameRef(slot=2, generation=9, format=format),
    )


def furnish(ledger: Ledger) -> None:
    """One failed part: reviewed, counted, sent and delivered."""
    said = Event(
        service="gate", severity=Severity.ALARM, code="output", text="no PLC", wall_ns=WALL
    )
    ledger.commit([(failed(), True), (outcome(8), False)], (said,), (), WALL)  # type: ignore[list-item]
    review = ReviewPart(stream=STREAM, seq=7, verdict="pass", defect_class="")
    ledger.review(review, "anna", "dust only", LATER)
    (row,) = ledger.close_windows(LATER + 100 * SECOND, 1.0)
    sent = letter(totals_of("acme/lyon/press/line1/cell7", row), TOPIC)
    departed = Departed(
        wall_ns=LATER + 101 * SECOND, topic=TOPIC, payload=sent.text, bytes=sent.bytes
    )
    ledger.commit((), (), [mark(ledger.id, 1)], LATER + 102 * SECOND, [departed])


def story_of(root: Path, name: str) -> dict[str, list[str]]:
    """What there is to say, by what it is about."""
    with closing(StoryReader(under(root).ledger)) as reader:
        found: dict[str, list[str]] = {}
        for what, said in told(reader.story(*find(reader, name)), "", None):
            found.setdefault(what, []).append(said)
        return found


def test_whole_story_from_the_trigger_to_the_message(root: Path, ledger: Ledger) -> None:
    furnish(ledger)
    said = story_of(root, "cam0/7")
    assert f"stream {STREAM}, id 1 of the ledger" in said["part"][0]
    assert "good/00007.png" in said["trigger"][0]
    assert said["frame"] == ["640x480 bgr8, slot 2, generation 9"]
    assert said["times"] == ["settled 10.0 ms after its trigger"]
    assert "waited 0.1 ms, checked 0.2 ms, inferred 3.0 ms, second look 0.4 ms" in said[""]
    assert said["score"] == ["0.8123"]
    assert "scratch 30x40 at 1,2, peak 1.5" in said[""]
    assert said["verdict"] == ["fail: score 0.3 below 0.7"]
    assert said["model"] == ["tiny@0123456789ab"]
    assert said["recipe"] == ["plain, lot L1"]
    assert said["output"] == ["lane reject"]
    assert said["review"][0].endswith("anna: pass: dust only")
    assert said["counted"][0].endswith("as row 1, revision 1: pass 2")
    assert f"on {TOPIC}" in said["message"][0]
    assert any(line.startswith("row 1: delivered at ") for line in said[""])
    assert said["event"][0].endswith("gate: no PLC [output]")


def test_part_without_frame_verdict_or_review(root: Path, ledger: Ledger) -> None:
    lost = outcome(3, Kind.FAULT, cause=Cause.LOST, reason="no ticket", model="", lot="")
    ledger.commit([(lost, False)], (), (), WALL)
    said = story_of(root, "last fault")
    assert (said["frame"], said["score"]) == (["none had come"], ["none"])
    assert said["verdict"] == ["fault (lost): no ticket"]
    assert said["review"] == ["nobody has looked at it"]
    assert said["window"][0].endswith("; is yet to be counted")
    assert "counted" not in said


def test_name_that_several_runs_of_a_camera_used_means_the_newest(
    root: Path, ledger: Ledger
) -> None:
    for stream in (OLDER, NEWER):
        ledger.commit([(outcome(5, stream=stream), False)], (), (), WALL)
    said = story_of(root, "cam0/5")
    assert NEWER in said["part"][0]
    assert said[""][0].endswith(f"{OLDER[:8]}/5")
    assert OLDER in story_of(root, f"{OLDER}/5")["part"][0]
    assert OLDER in story_of(root, "aaaa/5")["part"][0]
    assert OLDER in story_of(root, "1")["part"][0]
    assert NEWER in story_of(root, "last")["part"][0]


@pytest.mark.parametrize(
    "name", ["cam0/9", "cam9/5", "aaa/5", "*/5", "99", "last fault", "last bad", "part 5", "x/../5"]
)
def test_part_that_is_not_there_is_refused(root: Path, ledger: Ledger, name: str) -> None:
    ledger.commit([(outcome(5, stream=OLDER), False)], (), (), WALL)
    with pytest.raises(OperatorError):
        story_of(root, name)


def test_for_a_machine_and_with_its_image(root: Path, ledger: Ledger) -> None:
    furnish(ledger)
    paths = under(root)
    name = evidence_name(outcome(7).trigger_wall_ns, STREAM, 7, Kind.FAIL, "jpg")
    (paths.evidence / name).parent.mkdir()
    (paths.evidence / name).write_bytes(b"jpeg")
    done = inspector("why", "cam0/7", "--root", root, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["image"] == str(paths.evidence / name)
    assert found["story"]["part"]["outcome"]["heatmap"]["data"] == ""
    assert found["story"]["counted"][0]["messages"][0]["topic"] == TOPIC


def test_heat_of_a_part_that_has_none(root: Path, ledger: Ledger) -> None:
    ledger.commit([(outcome(5), False)], (), (), WALL)
    with closing(StoryReader(ledger.path)) as reader:
        story = reader.story(*find(reader, "last"))
    assert without_heat(story) is story


def test_station_without_a_ledger_is_one_line(root: Path) -> None:
    done = inspector("why", "last", "--root", root)
    assert (done.returncode, done.stdout) == (78, "")
    assert "ledger.db: cannot be read" in done.stderr
