"""What may leave the station: closed types, and the one way they become bytes (`letter`).

Promises: only the messages in this package leave, each field typed and bounded, at most 4 kB a
message and at a bounded rate.
Never: bytes, a free text or an unknown field.
"""
