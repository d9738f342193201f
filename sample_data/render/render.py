"""Rebuild the sample images: `python render.py --product plate`.

Promises: every picture is one rendered scene passed through one sensor model, every mask is the
cells that the defect changed as the same camera sees them, and the same arguments give the same
parts, scenes and masks (a pixel's noise may differ: the renderer adds up its light paths in no
fixed order). Never writes outside `--out`/<product>.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cap
import cap_defects
import cv2
import numpy as np
import plate
import plate_defects
import scene
import sensor
import station
from product import Product

PRODUCTS: dict[str, Product] = {
    "cap": Product(cap.draw, cap.build, station.draw_nest, station.nest,
                   cap_defects.DAMAGE, cap_defects.MISMADE, good=90, samples=20, quality=95),
    "plate": Product(plate.draw, plate.build, station.draw_belt, station.belt,
                     plate_defects.DAMAGE, plate_defects.MISMADE, good=110, samples=12, quality=95),
}  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """One picture to make."""

    folder: str
    number: int
    kind: str | None = None  # the defect, or none for a good part
    level: float = 0.0

    def rng(self, seed: int) -> np.random.Generator:
        """Its own random numbers, whatever else is rendered before it."""
        return np.random.default_rng([seed, self.number, *self.folder.encode()])


def plan(kinds: tuple[str, ...], train: int, test: int, each: int) -> list[Shot]:
    """Every picture of the set, in an order that keeps an unfinished set in proportion."""
    classes = [[Shot("train/good", n) for n in range(train)]]
    classes.append([Shot("test/good", n) for n in range(test)])
    for kind in kinds:
        levels = np.linspace(0, 1, each)
        classes.append([Shot(f"test/{kind}", n, kind, float(x)) for n, x in enumerate(levels)])
    due = [(n / len(shots), shot) for shots in classes for n, shot in enumerate(shots)]
    return [shot for _, shot in sorted(due, key=lambda entry: entry[0])]


def make(product: Product, shot: Shot, out: Path, seed: int, samples: int) -> None:
    """Build the part, render it, expose it and write the picture (and its mask)."""
    rng = shot.rng(seed)
    part = product.draw(rng)
    setup = product.setup(rng)
    if shot.kind is None:
        surface = product.build(part)
    else:
        clean, surface, cells = product.defective(part, shot.kind, shot.level, rng)
        seen = scene.seen_changes(surface, setup, cells)
        if (clean.height != surface.height).any():
            seen |= scene.seen_changes(clean, setup, cells)
        mask = out / "masks" / shot.kind / f"{shot.number:03d}.png"
        _write(mask, seen.astype(np.uint8) * 255, [])
    around = product.around(setup)
    light = scene.render(surface, setup, around, samples, int(rng.integers(2**31)))
    jpeg = [cv2.IMWRITE_JPEG_QUALITY, product.quality]
    _write(out / shot.folder / f"{shot.number:03d}.jpg", sensor.expose(light, rng), jpeg)


def _write(path: Path, image: np.ndarray, options: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image, options):
        raise OSError(f"cannot write {path}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Render a sample set.",
        epilog="example: python render.py --product plate --out my_folder --keep",
    )
    parser.add_argument("--product", choices=list(PRODUCTS), default="cap")
    parser.add_argument("--good", type=int, help="good parts, 5 of 9 for training")
    parser.add_argument("--defect-each", type=int, default=8, help="pictures of every defect")
    parser.add_argument("--samples", type=int, help="light paths per pixel")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="skip pictures that exist")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    product, good = PRODUCTS[args.product], args.good
    good = product.good if good is None else good
    train = round(good * 5 / 9)
    shots = plan(product.kinds, train, good - train, args.defect_each)
    out, began = args.out / args.product, time.monotonic()
    for done, shot in enumerate(shots, 1):
        if args.keep and (out / shot.folder / f"{shot.number:03d}.jpg").exists():
            continue
        make(product, shot, out, args.seed, args.samples or product.samples)
        spent = time.monotonic() - began
        print(f"{done}/{len(shots)} {shot.folder}/{shot.number:03d} {spent:.0f} s", flush=True)


if __name__ == "__main__":
    main()
