"""detect: owns the model. Takes each ticket, looks at the frame in place, says the verdict.

`judge` is a recipe with its loaded model, `loading` makes one and `proof` proves it on this box,
`frames` finds the pixels, `opinion` says what is thought of a part, `again` takes a second look,
`look` is one part on its way, and `process` is the loop.
"""
