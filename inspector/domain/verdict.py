"""From a model's score to a verdict, by the recipe's limits.

Promises: a score that is not a finite number is never a verdict; every verdict says its reason
in a few words with the numbers.
Never: passes a part because something is missing.
"""

import math

from inspector.core.recipe import RecipeLimits
from inspector.core.terms import Kind


def judge(score: float, limits: RecipeLimits) -> tuple[Kind, str]:
    """The verdict on a score of 0 (like the good parts) upwards, with its reason.

    A score that is not finite is a fault.
    """
    if not math.isfinite(score):
        return Kind.FAULT, f"the model's score is {score}"
    if score >= limits.fail:
        return Kind.FAIL, f"score {score:.3f} reaches the fail limit {limits.fail:g}"
    if score >= limits.review:
        return Kind.REVIEW, f"score {score:.3f} reaches the review limit {limits.review:g}"
    return Kind.PASS, f"score {score:.3f} below {limits.review:g}"
