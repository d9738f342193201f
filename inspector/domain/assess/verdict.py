"""The answer: edge, cloud, either or neither, and what decided it.

Promises: the cloud is refused only for a reason that is named; where none stands against it, the
answer says that it would do, even where the edge is cheaper.
"""

from typing import Literal

from msgspec import Struct

from inspector.domain.assess.cost import Cost, cost
from inspector.domain.assess.inputs import Inputs
from inspector.domain.assess.latency import FULL, Latency, budget
from inspector.domain.assess.steps import Step
from inspector.domain.assess.volume import Volume, volume

Choice = Literal["edge", "cloud", "either", "neither"]
Reason = Literal["residency", "deadline", "link", "takt"]

LIKE = 0.1  # costs that differ by less are called alike


class Assessment(Struct, frozen=True):
    """The answer and all that it rests on. `against_...`: what rules that way out."""

    verdict: Choice
    decided_by: str  # residency, deadline, link, takt, or cost; several joined by a plus sign
    cloud_would_do: bool
    against_edge: list[Reason]
    against_cloud: list[Reason]
    sentences: list[str]
    latency: Latency
    volume: Volume
    cost: Cost
    arithmetic: list[Step]


def assess(inputs: Inputs) -> Assessment:
    """Everything, computed."""
    latency, first = budget(inputs)
    volumes, second = volume(inputs)
    costs, third = cost(inputs, latency, volumes)
    edge, cloud = _against_edge(inputs, latency), _against_cloud(inputs, latency)
    choice = _choice(edge, cloud, costs)
    return Assessment(
        verdict=choice,
        decided_by="+".join(dict.fromkeys((*edge, *cloud))) or "cost",
        cloud_would_do=not cloud,
        against_edge=edge,
        against_cloud=cloud,
        sentences=_sentences(inputs, choice, edge, cloud, latency, volumes, costs),
        latency=latency,
        volume=volumes,
        cost=costs,
        arithmetic=[*first, *second, *third],
    )


def _against_edge(inputs: Inputs, latency: Latency) -> list[Reason]:
    found: list[Reason] = []
    if latency.edge_margin_ms < 0:
        found.append("deadline")
    if inputs.edge.work.p50_ms > inputs.line.takt_ms:
        found.append("takt")
    return found


def _against_cloud(inputs: Inputs, latency: Latency) -> list[Reason]:
    found: list[Reason] = []
    if inputs.residency == "no" or (inputs.residency == "region" and not inputs.in_region):
        found.append("residency")
    if latency.cloud_margin_ms < 0:
        found.append("deadline")
    if latency.uplink_load > FULL:
        found.append("link")
    return found


def _choice(edge: list[Reason], cloud: list[Reason], costs: Cost) -> Choice:
    if edge and cloud:
        return "neither"
    if cloud:
        return "edge"
    if edge:
        return "cloud"
    if abs(costs.edge_month - costs.cloud_month) <= LIKE * max(costs.edge_month, costs.cloud_month):
        return "either"
    return "edge" if costs.edge_month < costs.cloud_month else "cloud"


def _sentences(
    inputs: Inputs,
    choice: Choice,
    edge: list[Reason],
    cloud: list[Reason],
    latency: Latency,
    volumes: Volume,
    costs: Cost,
) -> list[str]:
    money = f"{costs.edge_month:,.2f} a month at the edge, {costs.cloud_month:,.2f} in the cloud"
    said = [_head(choice, edge, cloud, money)]
    said += [_why_not_edge(reason, inputs, latency) for reason in edge]
    said += [_why_not_cloud(reason, inputs, latency, volumes) for reason in cloud]
    if cloud == ["residency"]:
        said.append(
            f"Residency alone decides: the cloud would answer within "
            f"{latency.cloud_total.p99_ms:.0f} ms of {latency.deadline_ms:.0f} ms, and the cost "
            f"would be {money}."
        )
    elif not (edge or cloud):
        said.append(_in_time(latency))
    said.append(_availability(inputs, volumes, not cloud))
    return said


def _head(choice: Choice, edge: list[Reason], cloud: list[Reason], money: str) -> str:
    if choice == "neither":
        return "Neither way meets this line's needs."
    if cloud:
        return "The edge is needed here: the cloud would not do."
    if edge:
        return "The cloud would do here, and this box would not."
    return {
        "either": f"The cloud would do here, and so would the edge, at a like cost: {money}.",
        "edge": f"The cloud would do here, but the edge costs less: {money}.",
        "cloud": f"The cloud would do here, and costs less: {money}.",
    }[choice]


def _in_time(latency: Latency) -> str:
    return (
        f"At its worst the cloud answers after {latency.cloud_total.p99_ms:.0f} ms and the edge "
        f"after {latency.edge_total.p99_ms:.0f} ms, of {latency.deadline_ms:.0f} ms."
    )


def _why_not_edge(reason: Reason, inputs: Inputs, latency: Latency) -> str:
    if reason == "deadline":
        return (
            f"Edge, deadline: {latency.edge_total.p99_ms:.0f} ms at its worst, "
            f"{latency.deadline_ms:.0f} ms are allowed; a faster box or model is wanted."
        )
    return (
        f"Edge, takt: a part occupies the box for {inputs.edge.work.p50_ms:.0f} ms, and the next "
        f"comes after {inputs.line.takt_ms:.0f} ms; a faster box or model is wanted."
    )


def _why_not_cloud(reason: Reason, inputs: Inputs, latency: Latency, volumes: Volume) -> str:
    if reason == "residency":
        return {
            "no": "Cloud, residency: pixels may not leave the plant.",
            "region": "Cloud, residency: pixels may not leave their region, and the cloud is not "
            "said to be in it.",
            "yes": "",
        }[inputs.residency]
    if reason == "deadline":
        return _cloud_late(latency, volumes)
    return (
        f"Cloud, link: the frames would take {latency.uplink_load:.0%} of the link; beyond "
        f"{FULL:.0%} they queue."
    )


def _cloud_late(latency: Latency, volumes: Volume) -> str:
    """How sure the delay is: the median says more than a sum of p99s, which is an upper bound."""
    usual, worst = latency.cloud_total.p50_ms, latency.cloud_total.p99_ms
    allowed, parts = latency.deadline_ms, volumes.parts_month
    if usual > allowed:
        return (
            f"Cloud, deadline: {usual:.0f} ms as usual, {allowed:.0f} ms are allowed: most of "
            f"{parts:,.0f} parts a month would be late, and so rejected."
        )
    return (
        f"Cloud, deadline: {usual:.0f} ms as usual, but up to {worst:.0f} ms where each stage "
        f"takes its p99, and {allowed:.0f} ms are allowed: some of {parts:,.0f} parts a month "
        "would be late, and so rejected. That sum is cautious; where it decides, measure the "
        "whole way."
    )


def _availability(inputs: Inputs, volumes: Volume, would_do: bool) -> str:
    if not inputs.link.outage_h:
        return "A link that is never down is assumed: any outage costs a cloud's verdicts."
    down = (
        f"While the link is down, {inputs.link.outage_h:g} h a month, {volumes.unseen_month:,.0f} "
        "parts would have no verdict from a cloud: they are rejected, or the line stands. "
        "At the edge none is lost: totals wait on the station."
    )
    return f"{down} The cloud will do only where that is acceptable." if would_do else down
