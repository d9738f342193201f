"""The page's words: every key in every language, every key that is used, none that is not."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from support.browser import LANGUAGES, PAGES

import inspector.ui
from inspector.core.live import ChallengeStep, LineState, WorkshopState
from inspector.core.orders import AnyOrder, Role
from inspector.core.terms import Cause, Kind, Lane, Mode
from inspector.domain.alarms import CODES
from inspector.domain.linestate import WHY

STATIC = Path(inspector.ui.__file__).parent / "static"
PLURALS = ("zero", "one", "two", "few", "many", "other")
# What a language must have, by the plural rules of Unicode; what more there is falls back to other.
NEEDED = {
    "en": {"one", "other"},
    "de": {"one", "other"},
    "es": {"one", "other"},
    "zh-CN": {"other"},
}
RESULTS = ("passed", "failed", "abandoned")
REPLIES = ("done", "no_session", "low_role", "reason_wanted", "wrong_pin", "locked", "unreachable")
NAMES = re.compile(r"^(Nelson|Western|OpenVINO|[A-Z]{2,})")  # are what they are in any language

# Words whose key is put together, and all that may be put in: by what the program itself lists.
BUILT: dict[str, Iterable[str]] = {
    "nav.{}": PAGES,
    "verdict.{}": Kind,
    "cause.{}": Cause,
    "reason.kind.{}": ("pass", "review", "fail"),
    "part.lane.{}": Lane,
    "line.state.{}": (*LineState, "unknown"),
    "line.why.{}": WHY,
    "line.pause.{}": ("reject", "hold", "unknown"),
    "alarm.{}": CODES,
    "alarm.{}.remedy": CODES,
    "role.{}": Role,
    "reply.{}": REPLIES,
    "challenge.after.{}": Mode,
    "challenge.expect.{}": get_args(ChallengeStep.__annotations__["expected"]),
    "challenge.last.{}": RESULTS,
    "challenge.result.{}": RESULTS,
    "order.{}": [str(one.__struct_config__.tag) for one in get_args(AnyOrder)],
    "workshop.job.{}": set(get_args(WorkshopState.__annotations__["job"])) - {"idle"},
    "health.state.{}": ("starting", "running", "degraded", "stopping", "stopped", "silent"),
}


@cache
def catalogue(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((STATIC / "i18n" / f"{language}.json").read_text())
    return found


def both(language: str) -> Iterator[tuple[str, str, str]]:
    """Key, words in English, words in the language."""
    for key, words in catalogue(language).items():
        yield key, catalogue("en").get(key, ""), words


@cache
def scripts() -> str:
    """All of the page's own code, without its comments."""
    code = "\n".join(path.read_text() for path in sorted(STATIC.rglob("*.js")))
    return re.sub(r"^\s*//.*$|^\s*\*.*$|/\*\*.*$", "", code, flags=re.MULTILINE)


@cache
def spaces() -> frozenset[str]:
    return frozenset(key.partition(".")[0] for key in catalogue("en"))


@cache
def literal() -> frozenset[str]:
    """Every string in the code that is a key by its looks."""
    found = re.findall(r'"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)"', scripts())
    return frozenset(key for key in found if key.partition(".")[0] in spaces())


@cache
def built() -> frozenset[str]:
    """Every key in the code that is put together, `{}` for what is put in."""
    found = re.findall(r"`([a-z][a-z0-9_]*\.(?:[a-z0-9_.]|\$\{[^`{}]*\})+)`", scripts())
    made = {re.sub(r"\$\{[^{}]*\}", "{}", key) for key in found if "${" in key}
    made |= {f"{key}.{{}}" for key in literal() if is_prefix(key)}
    return frozenset(key for key in made if key.partition(".")[0] in spaces())


def is_prefix(key: str) -> bool:
    """True where something is put behind it elsewhere."""
    return not there(key) and any(one.startswith(f"{key}.") for one in catalogue("en"))


def there(key: str) -> bool:
    return key in catalogue("en") or f"{key}.other" in catalogue("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_key_or_has_one_of_its_own(language: str) -> None:
    assert catalogue(language).keys() ^ catalogue("en").keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_stands_there_once_and_says_something(language: str) -> None:
    text = (STATIC / "i18n" / f"{language}.json").read_text()
    pairs = json.loads(text, object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs)
    odd = [key for key, words in pairs if not words.strip() or words != words.strip()]
    assert odd == []
    assert [key for key, words in pairs if re.search(r"[<>]|&\w+;", words)] == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_placeholders_are_the_same_in_every_language(language: str) -> None:
    holders = re.compile(r"\{(\w+)\}")
    wrong = [
        key
        for key, english, words in both(language)
        if set(holders.findall(english)) != set(holders.findall(words))
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_complete(language: str) -> None:
    keys = catalogue(language).keys()
    counted = {key.rpartition(".")[0] for key in keys if key.endswith(".one")}
    assert counted
    missing = [
        f"{base}.{form}"
        for base in counted
        for form in NEEDED[language]
        if f"{base}.{form}" not in keys
    ]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_no_sentence_was_left_in_english(language: str) -> None:
    same = [
        key
        for key, english, words in both(language)
        if words == english
        and english.count(" ") >= 2
        and not NAMES.match(english)
        and re.search(r"[a-z]{4}", re.sub(r"\{\w+\}", "", english))
    ]
    assert same == []


def test_every_key_that_the_pages_use_has_words() -> None:
    assert sorted(key for key in literal() if not there(key) and not is_prefix(key)) == []


def test_keys_put_together_have_words_for_all_that_may_be_put_in() -> None:
    used = {pattern: values for pattern, values in BUILT.items() if pattern in built()}
    assert len(used) >= len(BUILT) - 2, BUILT.keys() - used.keys()
    keys = [pattern.replace("{}", str(each)) for pattern, all in used.items() for each in all]
    assert [key for key in keys if not there(key)] == []


def test_keys_put_together_lead_somewhere() -> None:
    lost = [pattern for pattern in built() if not any(map(fits(pattern), catalogue("en")))]
    assert lost == []


def fits(pattern: str) -> Callable[[str], object]:
    inner = "[^.]+".join(map(re.escape, pattern.split("{}")))
    return re.compile(rf"{inner}(\.({'|'.join(PLURALS)}))?").fullmatch


def test_no_key_is_unused() -> None:
    patterns = [fits(pattern) for pattern in built()]

    def used(key: str) -> bool:
        base, _, form = key.rpartition(".")
        names = {key, base} if form in PLURALS else {key}
        return bool(names & literal()) or any(match(key) for match in patterns)

    assert sorted(key for key in catalogue("en") if not used(key)) == []
