"""gate: the sole arbiter. One timer per trigger, one outcome per part, and the lanes.

`courier` takes outcomes to record, `outcomes` makes them, `far` is the door for cameras on other
hosts, `process` is the loop.
"""
