"""A machine in which the package has just been installed, and what makes a station of it.

Promises: all of it goes the way of a maintainer, by `inspector setup`.
Never: waits shorter than a box with much else to do needs.
"""

import json
import time

from .inside import Machine

ANSWERS = """
lot = "A-1"

[station]
enterprise = "acme"
site = "site1"
area = "hall1"
line = "line1"
cell = "cell1"

[person]
name = "anna"
pin = "482913"
"""
FILES = {"/root/answers.toml": ANSWERS}
SETUP = ("inspector", "setup", "--file", "/root/answers.toml")


def until_committed(machine: Machine, least: int, within_s: float = 90.0) -> None:
    """Until so many parts are in the ledger; generous, for a box that does much else."""
    until = time.monotonic() + within_s
    while True:
        said = machine.run("inspector", "status", "--json", check=False)
        state = json.loads(said.stdout) if said.returncode == 0 else {}
        if state.get("committed", 0) >= least:
            return
        assert time.monotonic() < until, said
        time.sleep(0.2)
