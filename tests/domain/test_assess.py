"""Edge or cloud: the arithmetic is right, and the answer follows from it."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.assess.inputs import (
    Cloud,
    Edge,
    Frame,
    Inputs,
    Line,
    Link,
    Prices,
    Published,
    Stage,
)
from inspector.domain.assess.latency import FULL
from inspector.domain.assess.steps import Step
from inspector.domain.assess.typical import sizes
from inspector.domain.assess.verdict import LIKE, assess
from inspector.domain.egress.letter import MAX_BYTES


def example(**changes: object) -> Inputs:
    """Slow takt, small frames, a good link, pixels may leave: all that speaks for a cloud."""
    given: dict[str, object] = {
        "line": Line(cameras=1, takt_ms=20_000, deadline_ms=3000, hours=16, days=21),
        "edge": Edge(
            line=Stage("line", 5, 5), work=Stage("work", 10, 15), total=Stage("all", 15, 20)
        ),
        "frame": Frame(raw=307_200, jpeg=60_000, sends="jpeg"),
        "link": Link(rtt_ms=20, rtt_p99_ms=60, mbit_s=100, outage_h=2),
        "cloud": Cloud(encode_ms=1, infer_ms=30, infer_p99_ms=60),
        "published": Published(
            totals=540,
            window_s=60,
            state=570,
            state_s=900,
            event=290,
            events=50,
            overhead=250,
            keepalive_s=30,
            ping=200,
        ),
        "prices": prices(),
        "residency": "yes",
        "in_region": False,
    }
    return Inputs(**(given | changes))  # type: ignore[arg-type]


def prices(**changes: float | None) -> Prices:
    given: dict[str, float | None] = {
        "per_1000": 0.1,
        "per_hour": None,
        "per_gb": 0.05,
        "box": 1500,
        "gateway": 400,
        "years": 5,
        "box_watts": 30,
        "gateway_watts": 8,
        "kwh": 0.25,
        "upkeep": 15,
    }
    return Prices(**(given | changes))  # type: ignore[arg-type]


def some(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most).map(lambda value: float(f"{value:.4g}"))


@st.composite
def stages(draw: st.DrawFn, name: str) -> Stage:
    usual = draw(some(0.5, 500))
    return Stage(name, usual, usual + draw(some(0, 500)))


@st.composite
def anything(draw: st.DrawFn) -> Inputs:
    line, work = draw(stages("line")), draw(stages("work"))
    total = Stage("all", line.p50_ms + work.p50_ms, line.p99_ms + work.p99_ms)
    rtt = draw(some(0, 500))
    return Inputs(
        line=Line(
            cameras=draw(st.integers(1, 64)),
            takt_ms=draw(some(1, 100_000)),
            deadline_ms=draw(some(1, 10_000)),
            hours=draw(some(0.5, 24)),
            days=draw(some(1, 31)),
        ),
        edge=Edge(line=line, work=work, total=total),
        frame=Frame(
            raw=draw(some(1000, 5e7)),
            jpeg=draw(some(100, 5e6)),
            sends=draw(st.sampled_from(["jpeg", "raw"])),
        ),
        link=Link(
            rtt_ms=rtt,
            rtt_p99_ms=rtt + draw(some(0, 500)),
            mbit_s=draw(some(0.1, 10_000)),
            outage_h=draw(some(0, 100)),
        ),
        cloud=Cloud(
            encode_ms=draw(some(0, 50)),
            infer_ms=draw(some(0, 500)),
            infer_p99_ms=draw(some(0, 900)),
        ),
        published=Published(
            totals=draw(some(100, 4096)),
            window_s=draw(some(1, 86_400)),
            state=draw(some(100, 4096)),
            state_s=draw(some(5, 86_400)),
            event=draw(some(100, 4096)),
            events=draw(some(0, 1000)),
            overhead=draw(some(0, 500)),
            keepalive_s=draw(some(5, 3600)),
            ping=draw(some(0, 500)),
        ),
        prices=Prices(
            per_1000=draw(some(0, 100)),
            per_hour=draw(st.none() | some(0, 50)),
            per_gb=draw(some(0, 5)),
            box=draw(some(0, 20_000)),
            gateway=draw(some(0, 5000)),
            years=draw(some(0.5, 20)),
            box_watts=draw(some(0, 1000)),
            gateway_watts=draw(some(0, 100)),
            kwh=draw(some(0, 2)),
            upkeep=draw(some(0, 500)),
        ),
        residency=draw(st.sampled_from(["yes", "no", "region"])),
        in_region=draw(st.booleans()),
    )


def worked_out(step: Step) -> float:
    """What the numbers of a step come to, as a person would type them into a calculator."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", step.numbers)
    assert re.fullmatch(r"[\d.,e+\-*/() ]*", re.sub("min|max|ceil", "", plain)), plain
    return float(eval(plain, {"min": min, "max": max, "ceil": math.ceil}))


@given(anything())
def test_every_line_of_arithmetic_comes_to_what_it_says(inputs: Inputs) -> None:
    for step in assess(inputs).arithmetic:
        plain = re.sub(r"(?<=\d),(?=\d{3})", "", step.numbers)
        terms = [float(term) for term in re.findall(r"\d+\.?\d*(?:e[+-]\d+)?", plain)]
        # A difference of large numbers has no more digits than these.
        slack = 1e-5 * max(terms) if " - " in plain else 0.0
        if "max(0, (" in plain:
            slack /= terms[-1]
        elif step.what == "as dear at a price of":
            slack = 1e-2 * max(terms[:2]) / terms[2]
        assert worked_out(step) == pytest.approx(step.value, rel=1e-4, abs=slack + 1e-9), step


@given(anything())
def test_the_cloud_is_refused_only_for_a_reason(inputs: Inputs) -> None:
    found = assess(inputs)
    told = found.latency
    assert found.cloud_would_do == (not found.against_cloud)
    assert ("deadline" in found.against_cloud) == (
        told.cloud_total.p99_ms > inputs.line.deadline_ms
    )
    assert ("link" in found.against_cloud) == (told.uplink_load > FULL)
    kept = inputs.residency == "no" or (inputs.residency == "region" and not inputs.in_region)
    assert ("residency" in found.against_cloud) == kept
    possible = {"edge": not found.against_edge, "cloud": not found.against_cloud}
    expected = {
        (False, False): {"neither"},
        (True, False): {"edge"},
        (False, True): {"cloud"},
        (True, True): {"edge", "cloud", "either"},
    }
    assert found.verdict in expected[possible["edge"], possible["cloud"]]
    says_so = "would do here" in found.sentences[0] and "box would not" not in found.sentences[0]
    assert says_so == (possible["edge"] and possible["cloud"])
    assert found.decided_by


@given(anything())
def test_where_both_would_do_the_cheaper_one_is_the_answer(inputs: Inputs) -> None:
    found = assess(inputs)
    if found.against_edge or found.against_cloud:
        return
    edge, cloud = found.cost.edge_month, found.cost.cloud_month
    if found.verdict == "either":
        assert abs(edge - cloud) <= LIKE * max(edge, cloud)
    else:
        assert (found.verdict == "edge") == (edge < cloud)
    assert found.decided_by == "cost"


@given(anything(), some(1.01, 10))
def test_a_better_link_never_speaks_against_the_cloud(inputs: Inputs, better: float) -> None:
    link = inputs.link
    faster = Link(
        rtt_ms=link.rtt_ms / better,
        rtt_p99_ms=link.rtt_p99_ms / better,
        mbit_s=link.mbit_s * better,
        outage_h=link.outage_h,
    )
    before = assess(inputs)
    after = assess(
        Inputs(
            **{name: getattr(inputs, name) for name in inputs.__dataclass_fields__}
            | {"link": faster}
        )
    )
    assert set(after.against_cloud) <= set(before.against_cloud)
    assert after.latency.cloud_margin_ms >= before.latency.cloud_margin_ms


@given(anything())
def test_break_even_is_where_both_cost_the_same(inputs: Inputs) -> None:
    found = assess(inputs).cost
    if found.break_even_months:
        saved = found.cloud_running - found.edge_running
        boxes = assess(inputs).latency.boxes
        dearer = boxes * inputs.prices.box - inputs.prices.gateway
        assert found.break_even_months * saved == pytest.approx(dearer)
    if found.break_even_per_1000 and inputs.prices.per_hour is None:
        changed = {name: getattr(inputs.prices, name) for name in Prices.__dataclass_fields__}
        same = prices(**(changed | {"per_1000": found.break_even_per_1000}))
        fields = {name: getattr(inputs, name) for name in Inputs.__dataclass_fields__}
        again = assess(Inputs(**(fields | {"prices": same}))).cost
        assert again.edge_month == pytest.approx(again.cloud_month)


def test_slow_takt_small_frames_and_a_good_link_the_cloud_would_do() -> None:
    found = assess(example())
    assert (found.verdict, found.cloud_would_do, found.decided_by) == ("cloud", True, "cost")
    assert found.sentences[0].startswith("The cloud would do here, and costs less: ")
    assert found.cost.break_even_months
    assert found.cost.break_even_months > found.cost.used_months == 60
    assert "only where that is acceptable" in found.sentences[-1]
    assert "360 parts" in found.sentences[-1]


def test_residency_alone_decides() -> None:
    found = assess(example(residency="no"))
    assert (found.verdict, found.against_cloud) == ("edge", ["residency"])
    assert found.decided_by == "residency"
    assert any(one.startswith("Residency alone decides: ") for one in found.sentences)


def test_a_link_that_is_never_down_loses_no_parts() -> None:
    link = Link(rtt_ms=20, rtt_p99_ms=60, mbit_s=100, outage_h=0)
    said = assess(example(link=link)).sentences[-1]
    assert said.startswith("A link that is never down is assumed")


@pytest.mark.parametrize(("deadline_ms", "share"), [(30, "most of"), (100, "some of")])
def test_how_many_would_be_late_is_said_as_surely_as_it_is_known(
    deadline_ms: float, share: str
) -> None:
    """A sum of p99s is an upper bound: beyond the deadline, it does not say how many."""
    line = Line(cameras=1, takt_ms=20_000, deadline_ms=deadline_ms, hours=16, days=21)
    found = assess(example(line=line))
    assert found.against_cloud == ["deadline"]
    assert share in found.sentences[1]
    assert ("cautious" in found.sentences[1]) == (share == "some of")


def test_a_price_that_is_next_to_nothing_is_none() -> None:
    """It once divided by zero."""
    found = assess(example(prices=prices(per_1000=5e-324, per_gb=0.0)))
    assert not any(step.what == "as dear at" for step in found.arithmetic)


def test_pixels_that_may_leave_for_a_cloud_in_their_region() -> None:
    assert assess(example(residency="region")).against_cloud == ["residency"]
    assert assess(example(residency="region", in_region=True)).verdict == "cloud"


def test_a_fast_line_with_large_frames_needs_the_edge() -> None:
    line = Line(cameras=4, takt_ms=100, deadline_ms=80, hours=16, days=21)
    frame = Frame(raw=5_013_504, jpeg=500_000, sends="jpeg")
    found = assess(example(line=line, frame=frame))
    assert (found.verdict, found.against_cloud) == ("edge", ["deadline", "link"])
    assert found.latency.uplink_load == pytest.approx(4 * 500_000 * 8 / 0.1 / 100e6)
    assert found.volume.raw_day == 4 * 16 * 36_000 * 5_013_504
    assert any("would be late" in one for one in found.sentences)


def test_an_edge_box_that_is_too_slow_is_said_to_be() -> None:
    slow = Edge(
        line=Stage("line", 5, 5),
        work=Stage("work", 30_000, 30_000),
        total=Stage("all", 30_005, 30_005),
    )
    found = assess(example(edge=slow))
    assert (found.verdict, found.against_edge) == ("cloud", ["deadline", "takt"])
    assert found.sentences[0] == "The cloud would do here, and this box would not."
    assert assess(example(edge=slow, residency="no")).verdict == "neither"


def test_more_cameras_than_one_box_bears_are_paid_for() -> None:
    line = Line(cameras=8, takt_ms=30, deadline_ms=3000, hours=16, days=21)
    one, eight = assess(example()), assess(example(line=line))
    assert eight.latency.boxes == 4  # two cameras fill 80 % of a box
    assert eight.cost.edge_month > 3 * one.cost.edge_month


def test_a_cloud_paid_by_the_hour() -> None:
    found = assess(example(prices=prices(per_hour=1.5, per_1000=1e6)))
    assert found.cost.cloud_running == pytest.approx(1.5 * 16 * 21 + 15 + 8 * 0.73 * 0.25, rel=0.01)


def test_a_window_without_a_part_is_not_published() -> None:
    line = Line(cameras=1, takt_ms=3_600_000, deadline_ms=3000, hours=16, days=21)
    found = assess(example(line=line))
    assert found.volume.published_day == pytest.approx(16 * 790 + 96 * 820 + 50 * 540 + 2880 * 200)


def test_typical_messages_are_real_ones() -> None:
    """They pass the one way out, and weigh what a message weighs."""
    found = sizes("enterprise/site/area/line/cell", parts=60)
    for size in (found.totals, found.state, found.event):
        assert 200 < size < MAX_BYTES / 2
    assert sizes("e/s/a/l/c", 60).totals < found.totals
