"""detect: owns the model. Takes each ticket, looks at the frame in place, says the verdict.

`frames` finds the pixels, `look` is one part on its way through the judge (`procedures.judge`),
`again` takes a second look, `loading` loads another recipe meanwhile, and `process` is the loop.
"""
