"""inspector replay: a recorded session's frames through the real processes, outcome by outcome.

The station that recorded them is only read; the replay runs in a folder of its own.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from inspector.cli.screen import add_root, command, print_json, progress, results
from inspector.cli.station import folder, recorded, run_line, write_changed_recipe, write_station
from inspector.core.config import Evidence, StationConfig, load_station
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.paths import Paths, of_root
from inspector.core.recipe import load_recipe
from inspector.core.terms import Kind
from inspector.devices.bundles import find
from inspector.devices.ledger import RecordedPart
from inspector.domain.keeping import evidence_name

EXTENSIONS = {"png": "png", "jpeg": "jpg"}


class Change(Struct, frozen=True):
    """A part that came out otherwise."""

    stream: str
    seq: int
    recorded: Kind
    replayed: Kind
    recorded_score: float | None
    replayed_score: float | None


class Comparison(Struct, frozen=True):
    """What a replay came to."""

    recipe: str
    lossless: bool
    replayed: int
    same: int
    changed: list[Change]
    largest_score_difference: float
    left_out: dict[str, int]  # parts of the session that could not be replayed, by reason


def add(commands: Any) -> None:
    made = command(
        commands,
        "replay",
        "replay the kept images of a station and compare the outcomes with the recorded ones",
        "inspector replay --root /srv/station --recipe cap",
    )
    add_root(made)
    made.add_argument("--recipe", metavar="NAME", help="default: the one of the newest part")
    made.add_argument("--limit", type=int, metavar="N", help="only the newest N parts")
    made.set_defaults(command=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    station = of_root(arguments.root)
    config = load_station(station.station_file)
    parts = list(recorded(station))[-(arguments.limit or 0) :]
    judged = [part for part in parts if part.outcome.kind is not Kind.FAULT]
    if not judged:
        raise OperatorError(f"{station.ledger}: no part with a verdict is recorded yet")
    recipe = arguments.recipe or judged[-1].outcome.recipe
    chosen = [part for part in judged if part.outcome.recipe == recipe]
    images = {part.id: _image(station, config.evidence, part) for part in chosen}
    kept = [part for part in chosen if images[part.id].is_file()]
    if not kept:
        raise OperatorError(
            f"{station.evidence}: no image of recipe {recipe} is kept; "
            "set evidence.pass_one_in = 1 to keep every part's"
        )
    replayed = _run(station, config, recipe, [images[part.id] for part in kept])
    left_out = {
        "fault": len(parts) - len(judged),
        "other recipe": len(judged) - len(chosen),
        "no image": len(chosen) - len(kept),
    }
    comparison = compare(kept, replayed, recipe, config.evidence.image == "png", left_out)
    if arguments.json:
        print_json(comparison)
    else:
        _show(comparison)
    return 0 if not comparison.changed else 1


def _image(station: Paths, evidence: Evidence, part: RecordedPart) -> Path:
    """Where the part's image is, if it was kept."""
    outcome = part.outcome
    extension = EXTENSIONS.get(evidence.image, "png")
    return station.evidence / evidence_name(
        outcome.trigger_wall_ns, outcome.stream, outcome.seq, outcome.kind, extension
    )


def _run(
    station: Paths, config: StationConfig, name: str, images: Sequence[Path]
) -> Sequence[RecordedPart]:
    """The images through a line of their own, with the station's recipe and model."""
    recipe = load_recipe(station.recipe(name))
    with folder(None) as paths:
        playlist = paths.config.parent / "playlist"
        playlist.mkdir()
        for index, image in enumerate(images):
            (playlist / f"{index:09d}{image.suffix}").symlink_to(image.absolute())
        bundle = find(recipe.model, station.models).absolute()
        write_changed_recipe(paths, structs.replace(recipe, model=str(bundle)))
        write_station(
            paths,
            {"path": str(playlist), "loop": False, "parts": len(images)},
            line={"deadline_ms": 10_000.0, "recipe": name},
            detect=structs.asdict(config.detect),
            evidence={"image": "none"},
        )
        with progress() as bar:
            task = bar.add_task("parts", total=len(images))
            run_line(paths, len(images), lambda live, _: bar.update(task, completed=live.committed))
        return recorded(paths)


def compare(
    before: Sequence[RecordedPart],
    after: Sequence[RecordedPart],
    recipe: str,
    lossless: bool,
    left_out: dict[str, int],
) -> Comparison:
    """Recorded against replayed parts, in the order of the playlist."""
    by_index = {int(Path(part.outcome.source).stem): part.outcome for part in after}
    if len(by_index) < len(before):
        raise MaintainerError(
            f"the replay was stopped after {len(by_index)} of {len(before)} parts"
        )
    changed, differences = [], [0.0]
    for index, part in enumerate(before):
        old, new = part.outcome, by_index[index]
        if old.score is not None and new.score is not None:
            differences.append(abs(old.score - new.score))
        if old.kind is not new.kind:
            changed.append(Change(old.stream, old.seq, old.kind, new.kind, old.score, new.score))
    return Comparison(
        recipe=recipe,
        lossless=lossless,
        replayed=len(before),
        same=len(before) - len(changed),
        changed=changed,
        largest_score_difference=max(differences),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _show(found: Comparison) -> None:
    kind = "lossless" if found.lossless else "JPEG"
    results.print(
        f"recipe {found.recipe}: {found.replayed} parts replayed from {kind} images, "
        f"{found.same} came out the same; "
        f"largest difference in score {found.largest_score_difference:.6f}"
    )
    for change in found.changed:
        results.print(
            f"  {change.stream}-{change.seq}: {change.recorded.value} "
            f"({change.recorded_score}) -> {change.replayed.value} ({change.replayed_score})"
        )
    for reason, count in found.left_out.items():
        results.print(f"  left out: {count} ({reason})")
