"""Fails when a test of the report was skipped: a test that nobody runs proves nothing.

The one exception: tests on images that are not part of the project, in ../shared/data.
"""

import sys
import xml.etree.ElementTree as ET

ABSENT = "../shared/data"


def skipped(report: str) -> list[str]:
    """The name and reason of each test that was skipped and must not be."""
    found = []
    for case in ET.parse(report).iter("testcase"):
        for skip in case.iter("skipped"):
            reason = skip.get("message", "")
            if ABSENT not in reason:
                found.append(f"{case.get('classname')}::{case.get('name')}: {reason}")
    return found


if __name__ == "__main__":
    if lines := skipped(sys.argv[1]):
        sys.exit("skipped tests:\n" + "\n".join(lines))
