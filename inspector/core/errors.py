"""The error tree, split by who must act.

Promises: every error the program expects to meet is one of these three, and its text is one
line that names the file, key or device, the value found and the remedy.
Never: carries a traceback to a person, or is raised for a defect in a part (that is a verdict).
"""


class InspectorError(Exception):
    """Base of all expected errors. `exit_code` is what a command ends with."""

    exit_code = 70


class OperatorError(InspectorError):
    """Somebody at the line can mend it: wrong images shown, unknown recipe chosen."""

    exit_code = 65


class MaintainerError(InspectorError):
    """Somebody with access to the box can mend it: configuration, disk, permissions, network."""

    exit_code = 78


class EngineerError(InspectorError):
    """Only a change of the program or the model can mend it: a broken contract between rooms."""

    exit_code = 70


class WhileRunning(InspectorError):
    """An expected error that ended a process after it had been ready: starting again may help."""

    exit_code = 75
