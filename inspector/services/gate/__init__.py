"""gate: the sole arbiter. One timer per trigger, one outcome per part, and the lanes.

`courier` takes outcomes to record, `process` is the loop.
"""
