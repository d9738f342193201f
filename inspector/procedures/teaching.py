"""The line's eyes, for teaching: a product is taught through the very functions that the line
looks with.

Never: teaches; that is `teach`.
"""

from inspector.devices import engine
from inspector.teach.eyes import Eyes

EYES = Eyes(
    keep=engine.kept_of,
    reduce=engine.reduce,
    find=engine.find,
    whole=engine.Whole,
    registered=engine.Registered,
)
