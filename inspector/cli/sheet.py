"""From an evaluation to its report: words, tables, and the parts worth looking at."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from inspector import __version__
from inspector.cli.figures import Evaluation, Interval
from inspector.cli.trial import Seen, read
from inspector.core.bundle import BundleManifest
from inspector.core.errors import MaintainerError
from inspector.core.recipe import Recipe
from inspector.core.terms import Kind
from inspector.teach.labelled import read_mask
from inspector.teach.report import Page, Part, Row, Table, render
from inspector.teach.report.page import MOST
from inspector.teach.report.pictures import overlay, picture

LEGEND = (
    "Beside each part: the same with its heatmap, which sets in at three quarters of the review "
    "limit and is full at the fail limit. A light blue outline is the mask that a person has drawn."
)
WORDS = {Kind.PASS: "passed", Kind.REVIEW: "in review", Kind.FAIL: "failed"}


def check_place(file: Path | None) -> None:
    """Raises MaintainerError where the report could not be written, before any work is done."""
    if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
        raise MaintainerError(f"{file}: --report names a file in a folder that exists")


def write_report(
    file: Path,
    found: Evaluation,
    manifest: BundleManifest,
    recipe: Recipe,
    seen: Sequence[Seen],
) -> None:
    """The report as one HTML file. Raises MaintainerError where it cannot be written."""
    text = render(_page(found, manifest, recipe, seen))
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MaintainerError(f"{file}: cannot be written ({error.strerror})") from None


def percent(share: float) -> str:
    return f"{share:.1%}"


def between(interval: Interval) -> str:
    return f"{interval[0]:.1%} to {interval[1]:.1%}"


def _page(
    found: Evaluation, manifest: BundleManifest, recipe: Recipe, seen: Sequence[Seen]
) -> Page:
    return Page(
        title=f"{found.bundle} on {found.good} good and {found.defective} defective images",
        summary=_summary(found),
        figures=_figures(found),
        good=[one.score for one in seen if not one.image.defective],
        bad=[one.score for one in seen if one.image.defective],
        review=found.review_limit,
        fail=found.fail_limit,
        tables=_tables(found),
        lists=_lists(seen, recipe),
        provenance=_provenance(found, manifest, recipe),
        command=_text(shlex.join(["inspector", *sys.argv[1:]])),
        notes=(LEGEND,) if any(one.heatmap is not None for one in seen) else (),
        made=f"Made by inspector {__version__} on {time.strftime('%Y-%m-%d %H:%M %z')}.",
    )


def _summary(found: Evaluation) -> str:
    good, bad = found.confusion["good"], found.confusion["defective"]
    return (
        f"Of {found.defective} defective parts {bad['pass']} would pass unseen "
        f"({percent(found.escape_rate)}, 95 % interval {between(found.escape_interval)}), "
        f"{bad['review']} go to review and {bad['fail']} fail. "
        f"Of {found.good} good parts {good['fail']} would be rejected "
        f"({percent(found.overkill_rate)}, {between(found.overkill_interval)}) "
        f"and {good['review']} go to review."
    )


def _figures(found: Evaluation) -> tuple[Row, ...]:
    rows = [
        Row("Image AUROC", f"{found.image_auroc:.3f}", f"average precision {found.image_ap:.3f}"),
        Row("Escapes", percent(found.escape_rate), between(found.escape_interval)),
        Row("Overkill", percent(found.overkill_rate), between(found.overkill_interval)),
        Row("Review of good", percent(found.review_rate), between(found.review_interval)),
    ]
    if found.aupro is not None and found.pixel_auroc is not None:
        rows.append(Row("AUPRO", f"{found.aupro:.3f}", f"pixel AUROC {found.pixel_auroc:.3f}"))
    times = found.inference_ms
    rows.append(Row("Inference", f"{times.p50:.1f} ms", f"p99 {times.p99:.1f} ms"))
    return tuple(rows)


def _tables(found: Evaluation) -> tuple[Table, ...]:
    kinds = ("pass", "review", "fail")
    confusion = tuple(
        (label, *(str(found.confusion[label][kind]) for kind in kinds))
        for label in ("good", "defective")
    )
    classes = tuple(
        (
            _text(one.name),
            str(one.images),
            f"{one.image_auroc:.3f}",
            percent(one.escape_rate),
            between(one.escape_interval),
        )
        for one in sorted(found.classes, key=lambda one: -one.escape_rate)
    )
    head = ("class", "images", "AUROC", "escapes", "95 % interval")
    tables = [
        Table("What would happen to them", ("part", *kinds), confusion),
        Table("By defect class", head, classes, "Those that escape most often come first."),
    ]
    if found.second_look:
        tables.append(_second(found))
    return tuple(tables)


def _second(found: Evaluation) -> Table:
    look = found.second_look
    assert look  # asked for only where there is one
    rows = (
        ("escapes", percent(look.without_escape_rate), percent(found.escape_rate)),
        ("overkill", percent(look.without_overkill_rate), percent(found.overkill_rate)),
        ("review of good", percent(look.without_review_rate), percent(found.review_rate)),
    )
    remark = (
        f"{look.grey} parts were grey: {look.right} settled rightly, {look.wrong} wrongly, "
        f"{look.unsettled} left in review; {look.cost_ms.p50:.1f} ms more for each (p50)."
    )
    return Table("The second look", ("", "without", "with"), rows, remark)


def _lists(seen: Sequence[Seen], recipe: Recipe) -> tuple[tuple[str, str, tuple[Part, ...]], ...]:
    """Missed defects and false alarms first, then what was only just right."""
    bad = sorted((one for one in seen if one.image.defective), key=lambda one: one.score)
    good = sorted((one for one in seen if not one.image.defective), key=lambda one: -one.score)
    wanted: list[tuple[str, str, Callable[[Seen], bool], list[Seen]]] = [
        ("Missed defects", "Defective and passed; lowest score first.", _passed, bad),
        ("False alarms", "Good and failed; highest score first.", _failed, good),
        ("Good parts in review", "Highest score first.", _grey, good),
        ("Defects in review", "Lowest score first.", _grey, bad),
    ]
    lists = []
    for title, remark, belongs, ordered in wanted:
        chosen = [one for one in ordered if belongs(one)]
        if chosen:
            lists.append((title, remark, tuple(_parts(chosen, recipe))))
    return tuple(lists)


def _passed(one: Seen) -> bool:
    return one.kind is Kind.PASS


def _failed(one: Seen) -> bool:
    return one.kind is Kind.FAIL


def _grey(one: Seen) -> bool:
    return one.kind is Kind.REVIEW


def _parts(chosen: Sequence[Seen], recipe: Recipe) -> Iterable[Part]:
    """Pictures are made for those only that will be shown."""
    for number, one in enumerate(chosen):
        frame = read(one.image.path) if number < MOST else None
        drawn = None
        if frame is not None and one.heatmap is not None:
            mask = read_mask(one.image.mask, one.size) if one.image.mask else None
            limits = recipe.limits
            drawn = overlay(frame, one.heatmap, one.region, limits.review, limits.fail, mask)
        yield Part(
            name=_text(f"{one.image.path.parent.name}/{one.image.path.name}"),
            label=_text(one.image.label),
            kind=WORDS[one.kind],
            score=one.score,
            picture=b"" if frame is None else picture(frame),
            overlay=drawn,
        )


def _provenance(found: Evaluation, manifest: BundleManifest, recipe: Recipe) -> tuple[Row, ...]:
    made, size = manifest.provenance, manifest.input
    rows = [
        Row("bundle", manifest.id),
        Row("task", f"{manifest.task}, {size.width}x{size.height} {size.pixel}"),
        Row("made from", made.made_from),
        Row("source SHA-256", made.source_sha256),
        Row("made by", f"inspector {made.inspector}, OpenVINO {made.openvino}"),
        Row("limits", f"review {found.review_limit:g}, fail {found.fail_limit:g}"),
        Row("recipe", recipe.name),
        Row("run on", f"{found.device}, {found.precision}"),
    ]
    if manifest.calibration:
        taught = manifest.calibration
        words = f"{taught.good_images} good, {taught.defect_images} defective"
        rows.insert(3, Row("taught on", words))
    rows += [Row(name, digest) for name, digest in manifest.files.items()]
    return tuple(rows)


def _text(name: str) -> str:
    """A file's name as text; a name need not be any."""
    return os.fsencode(name).decode("utf-8", "replace")
