"""Pictures of parts: of the right part or none, in the size asked for, within a bounded memory."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import psutil
from support.outcomes import STREAM, outcome
from support.screen import HEAT, Answer, ScreenStation, made, showing

from inspector.core.live import Live
from inspector.core.messages import Outcome
from inspector.core.terms import Kind
from inspector.domain.keeping import evidence_name


def shown(answer: Answer) -> np.ndarray:
    """The picture that came back."""
    assert answer.status == 200, answer.body
    assert answer.headers["cache-control"] == "no-store"
    image = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def told(station: ScreenStation, *parts: Outcome) -> None:
    """Record says so, and ui has heard it."""
    station.record.state = made(*parts, committed=parts[-1].seq)
    with station.client().stream() as events:
        event = events.until(stale=False)
        while event["live"]["last"] is None or event["live"]["last"]["seq"] != parts[-1].seq:
            event = events.next()


def evidence(station: ScreenStation, one: Outcome, grey: int, extension: str = "jpg") -> Path:
    name = evidence_name(one.trigger_wall_ns, one.stream, one.seq, one.kind, extension)
    path = station.paths.evidence / name
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), np.full((480, 640), grey, np.uint8))
    return path


def address(one: Outcome, what: str = "image") -> str:
    return f"/part/{one.stream}/{one.seq}/{what}"


def test_fresh_part_is_shown_from_the_ring(root: Path) -> None:
    with showing(root) as station:
        part = station.part(1, grey=200)
        told(station, part)
        answer = station.client().get(address(part))
        assert answer.headers["content-type"] == "image/jpeg"
        assert shown(answer).shape[:2] == (128, 160)
        assert abs(float(shown(answer).mean()) - 200) < 3


def test_overwritten_frame_is_never_shown_as_this_part(root: Path) -> None:
    """Ten parts through a ring of four: of the first there is no picture, not another's."""
    with showing(root) as station:
        parts = [station.part(seq, grey=20 * seq) for seq in range(10)]
        station.keep(*parts)
        told(station, *parts)
        client = station.client()
        assert client.get(address(parts[1])).status == 404
        assert "picture" in client.get(address(parts[1])).error
        for part in parts[-3:]:
            assert abs(float(shown(client.get(address(part))).mean()) - 20 * part.seq) < 3


def test_part_stays_on_the_shelf_after_its_frame_is_overwritten(root: Path) -> None:
    with showing(root) as station:
        first = station.part(1, grey=50)
        station.keep(first)
        told(station, first)
        for _ in range(8):
            station.frame(grey=200)
        image = shown(station.client().get(f"{address(first)}?width=320"))
        assert abs(float(image.mean()) - 50) < 3


def test_old_part_is_shown_from_evidence_in_either_format(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        for seq, extension in ((1, "jpg"), (2, "png")):
            old = outcome(seq, Kind.FAIL)
            station.keep(old)
            path = evidence(station, old, 60 * seq, extension)
            whole = client.get(address(old))
            assert whole.headers["content-type"] == "image/jpeg"
            assert shown(whole).shape[:2] == (480, 640)
            assert abs(float(shown(whole).mean()) - 60 * seq) < 3
            assert (whole.body == path.read_bytes()) == (extension == "jpg")
            small = shown(client.get(f"{address(old)}?width=200"))
            assert small.shape[:2] == (240, 320)


def test_image_missing_or_damaged_under_a_review_is_said(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        gone, damaged = outcome(1, Kind.REVIEW), outcome(2, Kind.REVIEW)
        station.keep(gone, damaged)
        evidence(station, damaged, 50).write_bytes(b"no picture")
        assert client.get(address(gone)).status == 404
        assert client.get(address(damaged)).status == 404
        assert client.get(f"/part/{STREAM}/1").json["image"] is False
        assert {part["id"] for part in client.get("/api/review").json["parts"]} == {1, 2}


def test_heatmap_is_a_picture_to_be_laid_over(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        part = station.part(1, Kind.FAIL)
        station.keep(part)
        told(station, part)
        answer = client.get(address(part, "heat"))
        image = shown(answer)
        assert answer.headers["content-type"] == "image/png"
        assert image.shape[2] == 4
        assert image.shape[1] == image.shape[0] * 2  # as the heatmap
        assert image[0, 0, 3] == 0  # nothing where nothing is suspicious
        assert image[-1, -1, 3] > 150
        plain = outcome(2)
        station.keep(plain)
        assert client.get(address(plain, "heat")).status == 404


def test_heatmap_of_an_old_part_comes_from_the_ledger(root: Path) -> None:
    with showing(root) as station:
        old = outcome(7, Kind.FAIL, heatmap=HEAT)
        station.keep(old)
        assert shown(station.client().get(address(old, "heat"))).shape[2] == 4


def test_heatmap_whose_recipe_was_deleted_is_still_drawn(root: Path) -> None:
    with showing(root) as station:
        old = outcome(7, Kind.FAIL, heatmap=HEAT, recipe="deleted")
        station.keep(old)
        assert shown(station.client().get(address(old, "heat"))).shape[2] == 4


def test_golden_picture_is_the_reference_where_the_model_brings_no_golden_parts(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        assert client.get("/api/golden").json == {"good": ["0"]}
        assert abs(float(shown(client.get("/golden/0")).mean()) - 90) < 3
        assert client.get("/golden/1").status == 404
        assert client.get("/golden/-1").status == 404


def test_memory_stays_bounded_under_twenty_thousand_states(root: Path) -> None:
    """Every state names a new part with its own frame and heatmap."""

    def rush(station: ScreenStation, first: int, states: int) -> Iterator[Live]:
        for seq in range(first, first + states):
            yield made(station.part(seq, grey=seq % 200), committed=seq)

    with showing(root) as station:
        client = station.client()
        assert station.process
        memory = psutil.Process(station.process.pid)
        held = []
        with client.stream() as events:
            for round in range(5):
                station.record.rush = rush(station, round * 4000, 4000)
                for seq in count(round * 4000):
                    client.get(f"/part/{STREAM}/{seq}/image?width=320")
                    if station.record.rush is None:
                        break
                events.next()
                held.append(memory.memory_info().rss)
    assert held[-1] < 1.2 * held[0]
