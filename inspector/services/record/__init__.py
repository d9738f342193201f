"""record: the only writer of the ledger. Commits outcomes, keeps evidence, counts windows.

`process` is the loop, `journal` what waits to be committed, `pictures` the evidence's frames,
`commands` what a person asks for, `changeover` a recipe on its way into force, `board` what the
screens are told.
"""
