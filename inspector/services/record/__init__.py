"""record: the only writer of the ledger. Commits outcomes, keeps evidence, counts windows.

`process` is the loop, `journal` what waits to be committed, `pictures` the evidence's frames,
`housekeeping` what is looked after once a second, `events` how all of it is told, `telling` what
the log hears of parts, `alarms` what calls for a person, `statistics` what the parts come to,
`board` what the screens are told and `status` what the plant is.

`keeper` has the ledger, damaged or out of reach as it may be, `retaining` lets go what is old,
`backups` makes them, `timekeeping` guards the time that counts and `meter` notes figures.

`desk` takes what people send, `access` knows who they are (`people_file`, `pin_checks`), `refusals`
notes whom it sent away, `plant` takes what the plant's MES orders, `commands` does what they
ordered, and `answers` tells what came of it later: `changeover` has a recipe on its way into force,
`challenge` the test with golden parts, `challenge_schedule` when that is due.
"""
