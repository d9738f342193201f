"""Is the edge worth it here? Latency, bytes and money of a station against those of a cloud.

Promises: every result comes with its formula and the numbers in it; the cloud is given every
advantage that is real (an open connection, one round trip a part), and the answer may be that it
would do.
Never: measures anything, knows a price, or calls an assumption a fact.
"""
