"""An edge node of Sparkplug B 3.0: what it may say and when, as rules without a network.

Promises: `names` where it all goes, `values` what it says, `host` whether anybody is there to hear
it, `command` what a host may ask for, `node` the order of birth, data and death, `rows` which
totals go live and which as history.
Never: bytes, a broker or a clock.
"""
