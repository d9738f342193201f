"""Where compiled models are kept, so that loading one a second time takes no compiling.

Promises: a compiled model answers for its own version alone: OpenVINO's cache knows a model by
its .xml and would miss weights exchanged beside it; of many versions those used last stay.
Never: is missed when it is deleted, damaged or cannot be written.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from inspector.core.bundle import BundleManifest

KEPT = 8  # versions
VERSIONED = "*-" + 12 * "[0-9a-f]"


def cache_of(manifest: BundleManifest, caches: Path) -> Path:
    """The folder for this version's compiled models below `caches`; the oldest ones go."""
    used = _of(manifest, caches)
    with suppress(OSError):  # another process tidies up, too
        others = [path for path in caches.glob(VERSIONED) if path != used]
        others.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in others[: -(KEPT - 1)]:
            shutil.rmtree(path, ignore_errors=True)
        if used.exists():
            os.utime(used)
    return used


def forget(manifest: BundleManifest, caches: Path) -> None:
    """Delete what is kept of this version."""
    shutil.rmtree(_of(manifest, caches), ignore_errors=True)


def _of(manifest: BundleManifest, caches: Path) -> Path:
    return caches / f"{manifest.name}-{manifest.version}"
