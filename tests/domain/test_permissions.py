"""Who may do what: every order stands in the table, and a higher role may do more."""

from typing import get_args

import pytest

from inspector.core.orders import AnyOrder, Role
from inspector.domain.permissions import NEEDS, RANK


def test_every_order_has_a_role() -> None:
    assert set(NEEDS) == set(get_args(AnyOrder))


def test_tags_of_orders_are_unlike() -> None:
    tags = [kind.__struct_config__.tag for kind in get_args(AnyOrder)]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("role", Role)
def test_higher_role_may_all_that_a_lower_one_may(role: Role) -> None:
    allowed = {kind for kind, needed in NEEDS.items() if RANK[role] >= RANK[needed]}
    lower = {kind for kind, needed in NEEDS.items() if RANK[needed] < RANK[role]}
    assert lower <= allowed
    assert RANK[Role.OPERATOR] < RANK[Role.TECHNICIAN] < RANK[Role.ENGINEER] < RANK[Role.MAINTAINER]
