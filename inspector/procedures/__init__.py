"""What several processes and commands do alike, with several devices at once.

`judge` is a recipe with its loaded model and `opinion` what it thinks of a part; `loading` makes
one, `proof` proves its model on this box, `proving` does both as a station would;
`training_pictures` gathers pictures of parts; `teaching` and `shipped_files` give `teach` the
line's eyes and the backbone.

Promises: what the line does, a command and the workshop do by the very same code.
Never: is a process, or speaks to a person.
"""
