"""workshop: all that is slow and beside the line, for the touchscreen.

`process` takes errands, one at a time, and `worker` is the process of its own in which each is
done (`job_process` is that process's side, `job` what an errand works with): `collecting` pictures
from the running line, `reviewed` ones from the evidence, `teaching`, `shadow` (the taught model
beside the present one), `adopting` what was taught, and `models` (prove, use, back). `place` is a
product's folder here, `parts` are those that the line shows, `errands` the words for all this, and
`leftovers` what a kill leaves.
"""
