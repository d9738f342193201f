"""The p-chart and its rules, against textbook examples and as properties."""

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inspector.domain.spc import (
    COINCIDE,
    TESTS,
    Break,
    Rule,
    Subgroup,
    broken,
    limits,
    p_chart,
    standardised,
)

# Montgomery, Introduction to Statistical Quality Control, 7th ed., tables 7.1 and 7.4.
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9]
CANS += [12, 7, 13, 9, 6]
ORDERS = [100, 80, 80, 100, 110, 110, 100, 100, 90, 90, 110, 120, 120, 120, 110, 80, 80, 80, 90]
ORDERS += [100, 100, 100, 100, 90, 90]
WRONG = [12, 8, 6, 9, 10, 12, 11, 16, 10, 6, 20, 15, 9, 8, 6, 8, 10, 7, 5, 8, 5, 8, 10, 6, 9]

subgroups = st.builds(
    lambda parts, share: Subgroup(parts, round(parts * share)),
    st.integers(0, 500),
    st.floats(0, 1),
)
values = st.lists(st.floats(-6, 6), max_size=40)


def test_orange_juice_cans() -> None:
    chart = p_chart([Subgroup(50, failing) for failing in CANS])
    assert chart.centre == pytest.approx(0.2313, abs=5e-5)
    assert chart.points[0].upper == pytest.approx(0.4102, abs=5e-5)
    assert chart.points[0].lower == pytest.approx(0.0524, abs=5e-5)
    out = [at for at, point in enumerate(chart.points) if Rule.NELSON_1 in point.rules]
    assert out == [14, 22]  # the book's samples 15 and 23


def test_purchase_orders_have_limits_of_their_own() -> None:
    groups = [Subgroup(parts, wrong) for parts, wrong in zip(ORDERS, WRONG, strict=True)]
    chart = p_chart(groups)
    assert chart.centre == pytest.approx(234 / 2450)
    assert chart.points[0].upper == pytest.approx(0.184, abs=5e-4)
    assert chart.points[1].upper == pytest.approx(0.194, abs=5e-4)
    assert chart.points[0].lower == pytest.approx(0.007, abs=5e-4)
    out = [at for at, point in enumerate(chart.points) if Rule.NELSON_1 in point.rules]
    assert out == [10]  # the book's sample 11
    assert chart.points[10].z == pytest.approx(3.09, abs=0.02)


# What completes each rule at its last point, and the same without that point's help.
EXAMPLES = {
    Rule.NELSON_1: ([0.0, 0.5, 3.2], [0.0, 0.5, 2.9]),
    Rule.NELSON_2: ([0.5, 0.2, 0.9, 0.1, 0.4, 0.3, 0.8, 0.2, 0.6], [-0.5] + [0.5, 0.2] * 4),
    Rule.NELSON_3: ([-1.0, -0.5, 0.0, 0.4, 0.7, 1.1], [-1.0, -0.5, 0.0, 0.4, 0.4, 1.1]),
    Rule.NELSON_4: ([0.5, -0.5] * 7, [0.5, -0.5] * 6 + [0.5]),
    Rule.NELSON_5: ([2.1, 0.0, 2.2], [2.1, 0.0, -2.2]),
    Rule.NELSON_6: ([1.1, 1.2, 0.0, 1.3, 1.4], [1.1, 1.2, 0.0, -1.3, 1.4]),
    Rule.NELSON_7: ([0.5, 0.5, -0.9] * 5, [0.5, 0.5, -0.9] * 4 + [0.5, 1.1, -0.9]),
    Rule.NELSON_8: ([1.5, -1.2] * 4, [1.5, -1.2, 0.3, -1.2] * 2),
    Rule.WESTERN_ELECTRIC_4: ([-0.5] * 8, [-0.5] * 4 + [0.0] + [-0.5] * 3),
}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_each_rule_by_its_example(rule: Rule) -> None:
    breaks, keeps = EXAMPLES[rule]
    assert len(breaks) - 1 in broken(breaks)[rule]
    assert rule not in broken(keeps)
    mirrored = [-value for value in breaks]
    assert broken(mirrored) == broken(breaks)


def test_rules_that_coincide_are_one_rule_with_two_names() -> None:
    assert set(COINCIDE) == {
        Rule.WESTERN_ELECTRIC_1,
        Rule.WESTERN_ELECTRIC_2,
        Rule.WESTERN_ELECTRIC_3,
    }
    for western, nelson in COINCIDE.items():
        assert TESTS[western] is TESTS[nelson]
    assert not set(broken([9.0] * 20)) & set(COINCIDE)


def test_eight_on_one_side_is_western_electrics_and_nine_is_nelsons() -> None:
    eight = [0.5, 0.1] * 4
    assert set(broken(eight)) == {Rule.WESTERN_ELECTRIC_4}
    assert Rule.NELSON_2 in broken([*eight, 0.5])


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_process_that_never_fails_breaks_no_rule(sizes: list[int]) -> None:
    for share in (0, 1):
        chart = p_chart([Subgroup(parts, parts * share) for parts in sizes])
        assert chart.breaks == ()
        assert chart.centre == share


@given(st.integers(1, 14), st.integers(1, 400), st.data())
def test_constant_process_breaks_no_rule(points: int, parts: int, data: st.DataObject) -> None:
    failing = data.draw(st.integers(0, parts))
    assert p_chart([Subgroup(parts, failing)] * points).breaks == ()


def test_constant_process_for_long_has_too_little_variation() -> None:
    chart = p_chart([Subgroup(100, 10)] * 15)
    assert chart.breaks == (Break(Rule.NELSON_7, 0, 14),)


def test_process_left_to_chance_seldom_breaks_a_rule() -> None:
    chance = random.Random(4)
    groups = [Subgroup(200, sum(chance.random() < 0.1 for _ in range(200))) for _ in range(2000)]
    counts = broken([standardised(group, 0.1) for group in groups])
    assert all(len(where) < 2000 * 0.02 for where in counts.values())
    assert len(counts.get(Rule.NELSON_1, ())) < 2000 * 0.008


@given(st.lists(st.integers(2, 8), min_size=15, max_size=40))
def test_point_far_out_breaks_rule_1(failing: list[int]) -> None:
    groups = [Subgroup(100, count) for count in failing]
    chart = p_chart([*groups, Subgroup(100, 90)])
    assert Break(Rule.NELSON_1, len(groups), len(groups)) in chart.breaks
    assert Rule.NELSON_1 in chart.points[-1].rules


@given(st.lists(subgroups, max_size=30), st.randoms(use_true_random=False))
def test_order_matters_not_for_rule_1(groups: list[Subgroup], chance: random.Random) -> None:
    def out(some: list[Subgroup]) -> list[tuple[int, int]]:
        points = p_chart(some).points
        return sorted((p.parts, p.failing) for p in points if Rule.NELSON_1 in p.rules)

    shuffled = list(groups)
    chance.shuffle(shuffled)
    assert out(groups) == out(shuffled)


@given(st.lists(subgroups, max_size=30))
def test_rule_1_is_a_point_beyond_its_limits(groups: list[Subgroup]) -> None:
    for point in p_chart(groups).points:
        if point.proportion is None:
            continue
        assert point.lower is not None
        assert point.upper is not None
        assert 0 <= point.lower <= point.upper <= 1
        beyond = max(point.lower - point.proportion, point.proportion - point.upper)
        if abs(beyond) > 1e-6:
            assert (Rule.NELSON_1 in point.rules) == (beyond > 0)


@given(st.lists(subgroups, max_size=30))
def test_subgroup_without_parts_changes_nothing_but_the_places(groups: list[Subgroup]) -> None:
    filled = [group for group in groups if group.parts]
    full, without = p_chart(groups), p_chart(filled)
    assert full.centre == without.centre
    assert [point for point in full.points if point.parts] == list(without.points)
    assert len(full.points) == len(groups)
    assert [found.rule for found in full.breaks] == [found.rule for found in without.breaks]


@given(st.integers(1, 10_000), st.floats(0.001, 0.999))
def test_more_parts_make_narrower_limits(parts: int, centre: float) -> None:
    lower, upper = limits(centre, parts)
    assert lower <= centre <= upper
    narrow_lower, narrow_upper = limits(centre, parts * 4)
    assert lower <= narrow_lower
    assert narrow_upper <= upper


@given(values)
def test_points_that_follow_take_no_break_back(z: list[float]) -> None:
    whole = broken(z)
    for at in range(len(z)):
        before = broken(z[:at])
        assert all(where <= whole[rule] for rule, where in before.items())


@given(values)
def test_mirrored_chart_breaks_the_same_rules(z: list[float]) -> None:
    assert broken([-value for value in z]) == broken(z)


@given(st.lists(subgroups, min_size=1, max_size=40))
def test_every_break_ends_at_a_marked_point(groups: list[Subgroup]) -> None:
    chart = p_chart(groups)
    for found in chart.breaks:
        assert 0 <= found.first <= found.last < len(groups)
        assert found.rule in chart.points[found.last].rules
    marked = {rule for point in chart.points for rule in point.rules}
    assert marked == {found.rule for found in chart.breaks}


def test_runs_are_not_judged_where_failing_parts_are_rare() -> None:
    groups = [Subgroup(40, int(at % 10 == 0)) for at in range(40)]
    chart = p_chart(groups)
    assert not chart.runs_judged
    assert chart.breaks == ()
    assert Rule.NELSON_1 in p_chart([*groups, Subgroup(40, 20)]).points[-1].rules


def test_chart_without_parts_is_empty() -> None:
    assert p_chart([]).centre is None
    chart = p_chart([Subgroup(0, 0)] * 3)
    assert chart.centre is None
    assert [point.proportion for point in chart.points] == [None] * 3


@given(subgroups, st.floats(0, 1))
def test_standardised_value_is_finite(group: Subgroup, centre: float) -> None:
    assume(group.parts)
    assert math.isfinite(standardised(group, centre))
