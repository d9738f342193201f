"""detect: owns the model. Takes each ticket, looks at the frame in place, says the verdict.

`judge` is a recipe with its loaded model, `frames` finds the pixels, `process` is the loop.
"""
