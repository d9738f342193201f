"""A recipe with its loaded model: all that a verdict needs.

Promises: what a judge says of an image outside the line is what it would say on the line.
Never: is changed once it is in force (its second look only learns how long it takes); another
recipe or another version of the model is another judge.
"""

from dataclasses import dataclass

from inspector.core.errors import EngineerError
from inspector.core.recipe import Recipe, RecipeLimits
from inspector.core.terms import Cause, FrameRef, Kind
from inspector.devices.engine import Image, Inference, Model
from inspector.domain.defects import Rectangle
from inspector.domain.second_look import Cost
from inspector.procedures.opinion import Opinion, after, form


class Unseen(EngineerError):
    """A frame without a verdict, and why."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason


@dataclass(frozen=True)
class Second:
    """The slower model for parts in doubt."""

    model: Model
    limits: RecipeLimits
    cost: Cost


@dataclass(frozen=True)
class Judge:
    """A recipe with its loaded model: all that a verdict needs."""

    recipe: Recipe
    model: Model
    model_id: str
    second: Second | None = None
    instead_of: str = ""  # why the model in use is refused, when this is the one before it

    def region(self, ref: FrameRef) -> Rectangle:
        """What is inspected of the frame. Raises Unseen when the frame does not hold it."""
        width, height = ref.format.width, ref.format.height
        wanted = self.recipe.region
        if wanted is None:
            return 0, 0, width, height
        if wanted.x + wanted.width > width or wanted.y + wanted.height > height:
            raise Unseen(
                Cause.FRAME,
                f"the region of recipe {self.recipe.name} reaches beyond the frame ({ref.format})",
            )
        return wanted.x, wanted.y, wanted.width, wanted.height

    def first_opinion(self, inference: Inference, region: Rectangle) -> Opinion:
        return form(inference, self.recipe, self.recipe.limits, region)

    def second_opinion(self, first: Opinion, inference: Inference, region: Rectangle) -> Opinion:
        """The opinion after both looks."""
        assert self.second  # asked only where there is one
        return after(first, form(inference, self.recipe, self.second.limits, region))

    def whole(self, frame: Image) -> Opinion:
        """The opinion on a whole image, with a second look where it is for review. For images
        outside the line alone. Raises EngineerError."""
        region = (0, 0, frame.shape[1], frame.shape[0])
        first = self.first_opinion(infer(self.model, frame), region)
        if first.kind is not Kind.REVIEW or self.second is None:
            return first
        return self.second_opinion(first, infer(self.second.model, frame), region)


def infer(model: Model, frame: Image) -> Inference:
    """One image through a model that works on nothing else. Raises EngineerError."""
    model.put(frame)
    model.start()
    return model.finish()
