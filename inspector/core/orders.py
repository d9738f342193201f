"""What people order: the closed list of orders, who gives them, and the answer.

Promises: every order is one type here; whoever gives it holds a session of `record`, which checks
it there again (`domain.permissions` says who may do what) and notes it in the audit chain.
Never: carries a PIN further than to `record`, or an order that is not on this list.
"""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta

from inspector.core.terms import Count, Frozen, Identifier, Message

Reason = Annotated[str, Meta(max_length=200)]
Product = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\Z")]
Version = Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]
Limit = Annotated[float, Meta(gt=0, le=1e6)]


class Role(StrEnum):
    """What somebody may do, each more than the one before."""

    OPERATOR = "operator"
    TECHNICIAN = "technician"
    ENGINEER = "engineer"
    MAINTAINER = "maintainer"  # whoever may read the station's own files: the command line


class SetRecipe(Frozen, tag_field="order", tag="set_recipe", frozen=True, kw_only=True):
    """Make another product, or start another lot."""

    recipe: Identifier
    lot: Identifier


class Pause(Frozen, tag_field="order", tag="pause", frozen=True, kw_only=True):
    """Inspect no more: parts are rejected, or the line is held, as configured."""


class Resume(Frozen, tag_field="order", tag="resume", frozen=True, kw_only=True):
    """Inspect again."""


class AcknowledgeAlarm(Frozen, tag_field="order", tag="acknowledge", frozen=True, kw_only=True):
    """Somebody has seen the alarm and cares for it."""

    alarm: Count


class ReviewPart(Frozen, tag_field="order", tag="review_part", frozen=True, kw_only=True):
    """A person's finding on one part; `withdrawn` takes the last one back."""

    stream: Identifier
    seq: Count
    verdict: Literal["pass", "fail", "withdrawn"]
    defect_class: Identifier = ""


class BeginChallenge(Frozen, tag_field="order", tag="begin_challenge", frozen=True, kw_only=True):
    """Show the recipe's golden parts to the line, one after another."""


class PresentGolden(Frozen, tag_field="order", tag="present_golden", frozen=True, kw_only=True):
    """The golden part of this step lies there: the next part is it."""

    step: Count  # from 1


class AbandonChallenge(
    Frozen, tag_field="order", tag="abandon_challenge", frozen=True, kw_only=True
):
    """End the challenge without a result."""


class MakeBackup(Frozen, tag_field="order", tag="make_backup", frozen=True, kw_only=True):
    """Copy the ledger and the configuration to where backups are kept, while the line goes on."""


class CollectParts(Frozen, tag_field="order", tag="collect_parts", frozen=True, kw_only=True):
    """Take pictures of the next parts, to teach from. A product's name begins a new one."""

    product: Product
    label: Literal["good", "defective"]
    parts: Annotated[int, Meta(ge=1, le=500)]


class AddReviewed(Frozen, tag_field="order", tag="add_reviewed", frozen=True, kw_only=True):
    """Add the pictures of reviewed parts of the recipe in force, good and defective, to those to
    teach from."""

    product: Product


class StopWork(Frozen, tag_field="order", tag="stop_work", frozen=True, kw_only=True):
    """End what the workshop does now; what was collected stays."""


class TeachProduct(Frozen, tag_field="order", tag="teach_product", frozen=True, kw_only=True):
    """Teach from what was collected."""

    product: Product


class TryInShadow(Frozen, tag_field="order", tag="try_in_shadow", frozen=True, kw_only=True):
    """Judge the line's parts with the taught model beside the present one, at these limits."""

    product: Product
    review: Limit
    fail: Limit


class AdoptProduct(Frozen, tag_field="order", tag="adopt_product", frozen=True, kw_only=True):
    """Put the taught model in use with these limits, and make its product."""

    product: Product
    review: Limit
    fail: Limit


class DiscardProduct(Frozen, tag_field="order", tag="discard_product", frozen=True, kw_only=True):
    """Throw away what was collected and taught under this name but not adopted."""

    product: Product


class ProveModel(Frozen, tag_field="order", tag="prove_model", frozen=True, kw_only=True):
    """Prove an installed version on this box."""

    name: Product
    version: Version


class UseModel(Frozen, tag_field="order", tag="use_model", frozen=True, kw_only=True):
    """Prove an installed version and put it in use."""

    name: Product
    version: Version


class BackModel(Frozen, tag_field="order", tag="back_model", frozen=True, kw_only=True):
    """Put the version in use that was so before."""

    name: Product


# What the workshop does: slow, and beside the line.
Errand = (
    CollectParts
    | AddReviewed
    | StopWork
    | TeachProduct
    | TryInShadow
    | AdoptProduct
    | DiscardProduct
    | ProveModel
    | UseModel
    | BackModel
)
AnyOrder = (
    SetRecipe
    | Pause
    | Resume
    | AcknowledgeAlarm
    | ReviewPart
    | BeginChallenge
    | PresentGolden
    | AbandonChallenge
    | MakeBackup
    | Errand
)


class Login(Message, tag="login", frozen=True, kw_only=True):
    """ui -> record: somebody gives name and PIN."""

    name: Identifier
    pin: Identifier


class Logout(Message, tag="logout", frozen=True, kw_only=True):
    """ui -> record: the session ends."""

    session: Identifier


class Renew(Message, tag="renew", frozen=True, kw_only=True):
    """ui -> record: somebody is still there; also asks whose session it is."""

    session: Identifier


class Order(Message, tag="order", frozen=True, kw_only=True):
    """cli, ui -> record: do this. Without a session that may, it is refused and noted."""

    session: Identifier
    order: AnyOrder
    reason: Reason = ""


class PlantOrder(Message, tag="plant_order", frozen=True, kw_only=True):
    """publish -> record: the plant's MES orders this. `id` is used once; `session` is the key that
    record has written for publish."""

    session: Identifier
    id: Identifier
    issued_wall_ns: int  # by the sender's clock
    order: SetRecipe
    reason: Reason = ""


class Person(Frozen, frozen=True, kw_only=True):
    """Who a session belongs to."""

    name: Identifier
    role: Role


class Reply(Message, tag="reply", frozen=True, kw_only=True):
    """record -> cli, ui: what became of a login or an order.

    `code` names the kind of answer for a page that speaks another language: done, no_session,
    low_role, reason_wanted, wrong_pin, locked, refused; to the plant's MES also accepted,
    not_allowed, expired, replayed.
    """

    ok: bool
    text: str
    code: Identifier = "done"
    session: Identifier = ""  # a new one, after a login
    person: Person | None = None
    wait_s: Count = 0  # locked: until the next try


class ErrandOrder(Message, tag="errand", frozen=True, kw_only=True):
    """record -> workshop: somebody who may has ordered this."""

    errand: Errand
    who: Identifier


class ErrandDone(Message, tag="errand_done", frozen=True, kw_only=True):
    """workshop -> record: an errand ended. `recipe`: to be taken up by the line now, or nothing."""

    order: Identifier
    product: Identifier
    who: Identifier
    ok: bool
    text: str
    recipe: Identifier = ""
