"""publish: the only process with the network. Totals, state and events to the plant's broker.

`process` is the loop. `door` is the one way out: what leaves stands in the ledger first. `link` is
the connection to the broker, `lane` what goes over it, `lanes` all of them by priority: `commands`
(the answers to what the plant orders), `state` (birth and what is in between; `last_words` are will
and farewell), `totals` (what is new, and later the backlog; `acks` are the receiver's own word),
`events`. `sparkplug` has a connection of its own.

`teller` says what a person should know, `isolation` sees that no frame or image can be opened.
"""
