"""What the workshop is asked for: the words for each errand and for how it ended."""

from inspector.core import orders
from inspector.core.orders import Errand, ErrandDone, ErrandOrder

# What the screen calls each errand while it is under way.
JOBS = {
    orders.CollectParts: "collecting",
    orders.AddReviewed: "collecting",
    orders.TeachProduct: "teaching",
    orders.TryInShadow: "shadow",
    orders.ProveModel: "proving",
    orders.AdoptProduct: "switching",
    orders.UseModel: "switching",
    orders.BackModel: "switching",
}
OF_MODELS = orders.ProveModel | orders.UseModel | orders.BackModel


def product_of(errand: Errand) -> str:
    """What an errand is about."""
    if isinstance(errand, orders.StopWork):
        return ""
    return errand.name if isinstance(errand, OF_MODELS) else errand.product


def tag_of(errand: Errand) -> str:
    """The order's own name."""
    return str(type(errand).__struct_config__.tag)


def end_of(order: ErrandOrder, ok: bool, text: str, recipe: str = "") -> ErrandDone:
    """How an errand ended."""
    errand = order.errand
    return ErrandDone(
        order=tag_of(errand),
        product=product_of(errand),
        who=order.who,
        ok=ok,
        text=text,
        recipe=recipe,
    )
