"""Bundles on disk: `opening` proves one whole, `store` keeps many and says which is in use."""

from inspector.devices.bundles.opening import Bundle, open_bundle
from inspector.devices.bundles.store import Installed, Store, candidates, find

__all__ = ["Bundle", "Installed", "Store", "candidates", "find", "open_bundle"]
