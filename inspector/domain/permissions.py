"""Who may do what: one table.

Promises: every order stands in it once (a test holds it against the list of orders); a role may
do all that a lower one may.
Never: decides who somebody is; `record` knows that from the session.
"""

from collections.abc import Mapping

from inspector.core import orders
from inspector.core.orders import AnyOrder, Role

RANK: Mapping[Role, int] = {role: rank for rank, role in enumerate(Role)}

NEEDS: Mapping[type[AnyOrder], Role] = {
    orders.AcknowledgeAlarm: Role.OPERATOR,
    orders.Pause: Role.OPERATOR,
    orders.Resume: Role.OPERATOR,
    orders.SetRecipe: Role.OPERATOR,
    orders.ReviewPart: Role.OPERATOR,
    orders.BeginChallenge: Role.OPERATOR,
    orders.PresentGolden: Role.OPERATOR,
    orders.AbandonChallenge: Role.OPERATOR,  # else one begun by mistake rejects for long
    orders.CollectParts: Role.TECHNICIAN,
    orders.AddReviewed: Role.TECHNICIAN,
    orders.StopWork: Role.TECHNICIAN,
    orders.TeachProduct: Role.TECHNICIAN,
    orders.TryInShadow: Role.TECHNICIAN,
    orders.DiscardProduct: Role.TECHNICIAN,
    orders.AdoptProduct: Role.ENGINEER,
    orders.MakeBackup: Role.ENGINEER,
    orders.ProveModel: Role.ENGINEER,
    orders.UseModel: Role.ENGINEER,
    orders.BackModel: Role.ENGINEER,
}


def may(role: Role, order: AnyOrder) -> bool:
    """True when the role is high enough for the order."""
    return RANK[role] >= RANK[NEEDS[type(order)]]
