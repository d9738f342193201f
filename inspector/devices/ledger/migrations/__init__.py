"""All changes of the ledger's tables and views, in the order in which they were delivered.

Promises: a new ledger goes through all of them, an older one through those that it has not seen.
Never: loses or reorders one.
"""

from inspector.devices.ledger.migrations.care import CARE
from inspector.devices.ledger.migrations.first import FIRST
from inspector.devices.ledger.migrations.plant import PLANT
from inspector.devices.ledger.migrations.screen import SCREEN

SECOND_LOOK = "ALTER TABLE outcome ADD COLUMN second_us INTEGER NOT NULL DEFAULT 0"

MIGRATIONS: tuple[str, ...] = (FIRST, SECOND_LOOK, SCREEN, PLANT, CARE)
