"""A recipe with its loaded model: all that a verdict needs.

Promises: a judge exists only when recipe and bundle have been proven and the model is compiled;
another one can be loaded while the present one goes on.
Never: is changed once it is in force; another recipe is another judge.
"""

import threading
from dataclasses import dataclass

from inspector.core.config import Recipe, load_recipe
from inspector.core.errors import EngineerError, InspectorError
from inspector.core.messages import Cause, FrameRef
from inspector.core.paths import Paths
from inspector.devices.bundles import find, open_bundle
from inspector.devices.engine import Engine, Model
from inspector.domain.defects import Rectangle


class Unseen(EngineerError):
    """A frame without a verdict, and why."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason


@dataclass(frozen=True)
class Judge:
    """A recipe with its loaded model: all that a verdict needs."""

    recipe: Recipe
    model: Model
    model_id: str

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


def load_judge(name: str, paths: Paths, engine: Engine) -> Judge:
    """The recipe's file and its proven, compiled model. Raises MaintainerError."""
    recipe = load_recipe(paths.recipes / f"{name}.toml")
    bundle = open_bundle(find(recipe.model, paths.models))
    return Judge(recipe, engine.load(bundle.folder, bundle.manifest), bundle.manifest.id)


class Loading:
    """A recipe being loaded beside the running line."""

    def __init__(self, name: str, paths: Paths, engine: Engine) -> None:
        self.name = name
        self.judge: Judge | None = None
        self.error: InspectorError | None = None
        self._thread = threading.Thread(target=self._load, args=(paths, engine), daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def _load(self, paths: Paths, engine: Engine) -> None:
        try:
            self.judge = load_judge(self.name, paths, engine)
        except InspectorError as error:
            self.error = error
