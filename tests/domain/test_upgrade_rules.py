"""When a release is fit, and what a power cut leaves to do."""

import pytest

from inspector.domain.upgrade import (
    STEADY_S,
    TRIAL_S,
    TRIALS,
    Seen,
    Step,
    Trial,
    Upgrade,
    after_boot,
    lacking,
    needs_old_ledger,
)

READY = ("inspector-gate.service", "inspector-record.service")


def upgrade(step: Step, boots: int = 0) -> Upgrade:
    return Upgrade(step=step, old="1.0", new="2.0", since_ns=1, ready=READY, boots=boots)


def seen(
    line: str = "running",
    decided: int = 0,
    faults: int = 0,
    restarts: int = 0,
    **states: str,
) -> Seen:
    units = {unit: states.get(unit.split(".")[0].split("-")[1], "active") for unit in READY}
    return Seen(units=units, restarts=restarts, line=line, decided=decided, faults=faults)


def judged(*looks: Seen) -> bool | None:
    """The verdict on these looks, a second apart."""
    trial = Trial(READY, 0.0)
    for second, look in enumerate(looks):
        verdict = trial.fit(look, float(second))
        if verdict is not None:
            return verdict
    return None


@pytest.mark.parametrize("line", ["running", "paused", "degraded"])
def test_line_that_is_ready_is_fit_with_or_without_parts(line: str) -> None:
    assert judged(*[seen(line)] * int(STEADY_S + 2)) is True
    assert judged(*[seen(line, decided=3, faults=1)] * int(STEADY_S + 2)) is True


def test_release_is_not_fit_before_it_has_been_steady_for_a_while() -> None:
    assert judged(*[seen()] * int(STEADY_S)) is None


@pytest.mark.parametrize("line", ["", "starting", "stopped"])
def test_line_that_stays_silent_is_returned_from_within_a_minute(line: str) -> None:
    looks = [seen(line)] * int(TRIAL_S + 2)
    assert judged(*looks) is False
    assert judged(*looks[: int(TRIAL_S)]) is None


def test_line_with_faults_alone_is_returned_from() -> None:
    assert "4 parts, all of them faults" in lacking(READY, seen(faults=4))
    assert judged(*[seen(faults=4)] * int(TRIAL_S + 2)) is False


def test_process_that_was_given_up_is_not_waited_for() -> None:
    assert judged(seen(gate="activating"), seen(gate="failed")) is False


def test_process_that_starts_anew_again_and_again_is_returned_from() -> None:
    looks = [seen(restarts=second // 3) for second in range(int(TRIAL_S + 2))]
    assert judged(*looks) is False


def test_what_was_broken_before_the_upgrade_is_not_asked_for() -> None:
    broken = seen(gate="failed")
    assert lacking(("inspector-record.service",), broken) == ""
    assert "inspector-gate.service is failed" in lacking(READY, broken)


@pytest.mark.parametrize("step", [step for step in Step if step is not Step.TRIAL])
def test_power_cut_at_a_step_leads_to_that_step_again(step: Step) -> None:
    assert after_boot(upgrade(step)) == upgrade(step)


def test_release_whose_trials_end_in_power_cuts_is_returned_from() -> None:
    current = upgrade(Step.TRIAL)
    for _ in range(TRIALS - 1):
        current = after_boot(current)
        assert current.step is Step.TRIAL
    assert after_boot(current).step is Step.RETURNING


def test_ledger_comes_back_only_where_the_present_one_is_of_no_use() -> None:
    assert not needs_old_ledger(before=4, now=4, whole=True)
    assert needs_old_ledger(before=4, now=5, whole=True)
    assert needs_old_ledger(before=4, now=4, whole=False)
    assert needs_old_ledger(before=4, now=None, whole=True)
    assert not needs_old_ledger(before=None, now=5, whole=True)
