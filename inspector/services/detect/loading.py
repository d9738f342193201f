"""Loading a recipe with its model beside the running line.

Promises: the line goes on meanwhile; what came of it, a judge or why there is none, waits here.
Never: takes effect by itself.
"""

import threading
from collections.abc import Callable

from inspector.core.errors import InspectorError
from inspector.procedures.judge import Judge


class Loading:
    """A recipe being loaded beside the running line."""

    def __init__(self, name: str, load: Callable[[str], Judge]) -> None:
        self.name = name
        self.judge: Judge | None = None
        self.error: InspectorError | None = None
        self._thread = threading.Thread(target=self._load, args=(load,), daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def _load(self, load: Callable[[str], Judge]) -> None:
        try:
            self.judge = load(self.name)
        except InspectorError as error:
            self.error = error
