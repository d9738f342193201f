"""Teaches one product: a folder of good images becomes a bundle.

Promises: the same images, backbone, settings and seed give the same bundle; no defect image is
needed. Whatever is chosen (how to look, which memory) is chosen on held-out good images and
synthetic defects; labelled defects only sharpen limits and add an alarm.
Never runs on the line: this is done beside it, and takes less than a minute.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inspector.core import bundle_folder
from inspector.core.bundle import LOST, BundleManifest, Input
from inspector.core.errors import OperatorError
from inspector.teach import evaluate, fitting, images, kinds, looks, pose, screen, second
from inspector.teach.eyes import Eyes
from inspector.teach.features import Backbone
from inspector.teach.images import Picture
from inspector.teach.packing import pack, provenance
from inspector.teach.settings import Pixel, Progress, Settings, silent

TELLS = 0.52  # AUROC on synthetic defects below which nothing can be promised
SPOTTED, MOSTLY = 0.2, 0.7  # shares of images with a spot of their own: warned, refused
UNSURE = 0.6  # and below which images with spots are refused
SURE = 0.88  # and from which spots on the good images are no defects
DOUBT = 0.75  # and below which a person is warned


class Taught(Struct, frozen=True):
    """The bundle, what was found on the way, the images that were not taught from, and the scores
    that the limits rest on, in the bundle's own scale."""

    manifest: BundleManifest
    notes: tuple[str, ...]
    aside: tuple[screen.Aside, ...]
    good: tuple[float, ...]  # of good images that the memory had not seen
    defects: tuple[float, ...]  # of labelled defects that the alarm had not seen


class Teaching:
    """One product being taught: what all steps share."""

    def __init__(self, backbone: Path, eyes: Eyes, given: Settings, progress: Progress) -> None:
        self.backbone, self.eyes, self.given, self.progress = backbone, eyes, given, progress
        self.notes: list[str] = []
        self.aside: list[screen.Aside] = []
        self.spotted: tuple[list[Path], int] = [], 0  # images with a spot of their own, of how many
        self.sha256 = Backbone(backbone, 32, 32, given.threads).sha256  # missing: told at once

    def read(self, source: Path | Sequence[Path]) -> list[Picture]:
        """The pictures that are fit to teach from. Raises OperatorError."""
        loaded = images.load(source, self.eyes.keep, self._whole, region=self.given.region)
        self.notes += loaded.notes
        pictures, aside = screen.screened(loaded.pictures)
        self.aside += aside
        return pictures

    def labelled(self, folders: Sequence[Path], good: Picture) -> list[Picture]:
        """The labelled defects, in the good images' channels."""
        found = images.labelled(folders, self.eyes.keep, self._whole, self.given.region)
        shape = good.kept.shape
        for picture in found:
            images.check_proportions(picture, shape[1], shape[0])
        return found

    def seen(
        self, pictures: Sequence[Picture], known: Sequence[Picture], size: Input
    ) -> list[looks.Seen]:
        """Every way of looking, with features of good, of spoilt and of labelled images."""
        frames = [picture.kept for picture in pictures]
        found = pose.parts(frames, self.eyes)
        ways = [looks.Look("whole frame", size, self.eyes.whole())]
        if self.given.register:
            proposed, notes = looks.proposed(frames, found, self.eyes, size)
            ways += proposed
            self.notes += notes
        outlines = found if len(ways) > 1 else [None] * len(found)
        spoilt = looks.spoilt(frames, outlines, self.given.defects, self.given.seed)
        return [self._features(way, pictures, spoilt, known) for way in ways]

    def choose(self, seen: Sequence[looks.Seen]) -> looks.Choice:
        """The way of looking, and the memory's settings."""
        choices: list[looks.Choice] = []
        for number, one in enumerate(seen):
            choices += looks.compare(one, number, self.given)
            highest = max(choice.separation for choice in choices if choice.look == number)
            kind = "synthetic" if one.known is None else "synthetic and labelled"
            self.notes.append(f"{one.look.name}: {kind} defects lie {highest:.2f} apart")
            self.progress("comparing", (number + 1) / len(seen))
        chosen = looks.best(choices)
        memory = "place does not matter" if chosen.weight == 0 else "place matters"
        even = ", restless places count less" if chosen.evened else ""
        self.notes.append(
            f"chosen: {seen[chosen.look].look.name}, {memory} (weight {chosen.weight:g}){even}"
        )
        return chosen

    def fit(
        self,
        seen: looks.Seen,
        choice: looks.Choice,
        pictures: list[Picture],
    ) -> tuple[fitting.Fitted, list[Picture]]:
        """Memory, alarm and limits, without the pictures that are unlike all others."""
        maps = fitting.mapped(seen, choice, self.given)
        spotted = fitting.spotted(maps, seen.near)
        self.spotted = [pictures[index].path for index in spotted], len(pictures)
        odd = fitting.odd(maps, choice.worst)
        if len(odd):
            aside = [screen.Aside(pictures[index].path, "is unlike the others") for index in odd]
            screen.refuse_many(aside, len(pictures), "sort out defects and other products")
        if 0 < len(odd) <= len(pictures) - images.FEWEST:
            self.aside += aside
            pictures = [one for index, one in enumerate(pictures) if index not in set(odd)]
            seen = fitting.without(seen, odd)
            maps = fitting.mapped(seen, choice, self.given)
        self.progress("limits", 0.7)
        fitted = fitting.fitted(seen, choice, maps, self.given)
        self.notes += fitting.described(fitted)
        self.progress("limits", 1.0)
        return fitted, pictures

    def found(self, known: Sequence[Picture], gone: NDArray[np.bool_] | None) -> list[Picture]:
        """The labelled defects on which the part is found; the others fail anyway."""
        if gone is None or not gone.any():
            return list(known)
        self.notes.append(f"on {int(gone.sum())} labelled defects no part is found: they fail")
        return [one for one, lost in zip(known, gone, strict=True) if not lost]

    def one_kind(self, seen: looks.Seen, pictures: Sequence[Picture]) -> None:
        """Raises OperatorError where two products are mixed; a note where it may be so."""
        found = kinds.two(seen.good)
        if found is None or found.gap < kinds.GAP:
            return
        fewer = images.named([pictures[index].path for index in found.fewer])
        text = f"{len(found.fewer)} of {len(pictures)} images are of another kind: {fewer}"
        if found.gap >= kinds.MIXED:
            where = pictures[0].path.parent
            raise OperatorError(f"{where}: {text}; teach one product at a time")
        self.notes.append(f"warning: {text} (another light, or another product?)")

    def doubt(self, found: fitting.Fitted, where: str) -> None:
        """Raises OperatorError where good parts look no better than spoilt ones."""
        tells = evaluate.auroc(found.good, found.spoilt)
        self._doubt_spots(tells, where)
        if tells < TELLS:
            raise OperatorError(
                f"{where}: good images cannot be told from images with synthetic defects "
                f"(AUROC {tells:.2f}); they show defects, or parts too different from one another"
            )
        if tells < DOUBT:
            self.notes.append(
                f"warning: synthetic defects are hard to tell (AUROC {tells:.2f}); the good parts "
                "differ much, or show defects: look through them, and give labelled defects"
            )

    def _doubt_spots(self, tells: float, where: str) -> None:
        """Images with spots of their own are defects, where one more hardly makes a difference."""
        paths, total = self.spotted
        if tells >= SURE or len(paths) < SPOTTED * total:
            return
        text = f"{len(paths)} of {total} images show a spot unlike the others: "
        text += images.named(paths)
        if len(paths) >= MOSTLY * total or tells < UNSURE:
            raise OperatorError(f"{where}: {text}; these look like defects, give good parts")
        self.notes.append(f"warning: {text} (defects among the good?)")

    def second(
        self, first: fitting.Fitted, pictures: Sequence[Picture], known: Sequence[Picture]
    ) -> fitting.Fitted:
        """The second look, taught on the files of the first."""
        return second.fitted(first, pictures, known, self.backbone, self.given, self.progress)

    def _whole(self, frame: images.Image) -> images.Image:
        return self.eyes.reduce(frame, self.given.side, self.given.side)

    def _features(
        self,
        way: looks.Look,
        pictures: Sequence[Picture],
        spoilt: Sequence[images.Image],
        known: Sequence[Picture],
    ) -> looks.Seen:
        network = self._network(way)
        good, _ = self._of_pictures(way, pictures, network)
        self.progress(f"looking: {way.name}", len(pictures) / (len(pictures) + len(spoilt)))
        bad, lost = looks.features(way, spoilt, network)
        near = looks.near(way, *good.shape[1:3])
        seen = looks.Seen(way, good, bad, lost, near)
        if known:
            grid, gone = self._of_pictures(way, known, network)
            seen.known, seen.gone = grid[~gone], gone
        self.progress(f"looking: {way.name}", 1.0)
        return seen

    def _network(self, way: looks.Look) -> Backbone:
        return Backbone(self.backbone, way.size.width, way.size.height, self.given.threads)

    def _of_pictures(
        self, way: looks.Look, pictures: Sequence[Picture], network: Backbone
    ) -> tuple[looks.Grid, NDArray[np.bool_]]:
        if way.posed is not None:
            return looks.features(way, [picture.kept for picture in pictures], network)
        views = images.as_pixel([picture.whole for picture in pictures], way.size.pixel)
        return network(views), np.zeros(len(pictures), bool)


def teach(
    source: Path | Sequence[Path],
    backbone: Path,
    name: str,
    out: Path,
    eyes: Eyes,
    settings: Settings | None = None,
    progress: Progress = silent,
    defects: Sequence[Path] = (),
) -> Taught:
    """Teach `name` from the good images in `source` and write the bundle folder `out`.

    `backbone` is backbone.xml; `eyes` are the line's; `progress` is told a step and its share
    done, 0..1; `defects` are folders with labelled defects.
    Raises OperatorError for images that cannot be taught from, MaintainerError for the rest.
    """
    given = settings or Settings()
    bundle_folder.check_name(name)
    bundle_folder.free_place(out)
    teaching = Teaching(backbone, eyes, given, progress)
    pictures = teaching.read(source)
    known = teaching.labelled(defects, pictures[0])
    size = Input(width=given.side, height=given.side, pixel=_pixel(pictures, given))
    seen = teaching.seen(pictures, known, size)
    teaching.one_kind(seen[0], pictures)
    choice = teaching.choose(seen)
    shown = len(known)
    known = teaching.found(known, seen[choice.look].gone)
    found, pictures = teaching.fit(seen[choice.look], choice, pictures)
    teaching.doubt(found, str(pictures[0].path.parent))
    made_from = source.name if isinstance(source, Path) else "list"
    manifest = pack(
        backbone,
        found,
        [picture.kept for picture in pictures],
        [picture.kept for picture in known],
        teaching.second(found, pictures, known) if given.second_look else None,
        len(teaching.aside),
        given,
        name,
        provenance(made_from, teaching.sha256),
        out,
    )
    progress("bundle", 1.0)
    lost = (LOST * found.limits.fail,) * (shown - len(known))
    return Taught(
        manifest,
        tuple(teaching.notes),
        tuple(teaching.aside),
        tuple(found.good.tolist()),
        (*found.defects.tolist(), *lost),
    )


def _pixel(pictures: Sequence[Picture], given: Settings) -> Pixel:
    """As told, or else as the images are: one colour image makes the product a colour one."""
    if given.pixel is not None:
        return given.pixel
    return "mono8" if all(picture.kept.ndim == 2 for picture in pictures) else "bgr8"
