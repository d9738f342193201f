"""Charts as inline SVG: score histograms and the ROC curve.

Promises: colours that colour-blind people can tell apart (Okabe and Ito), and never colour alone:
good stands above the axis, defective below; every text is escaped.
Never: refers to anything outside the SVG.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

BLUE, VERMILLION, INK, FAINT = "#0072B2", "#D55E00", "#333", "#d9dde2"
BINS = 44
WIDE, HIGH = 620, 300


def histogram(good: Values, bad: Values, review: float, fail: float) -> str:
    """Scores of good parts (above) and of defective ones (below) with the limits.

    Scores far beyond the limits (3 times `fail`, or less where there are hardly any) share the
    last bar.
    """
    scores = np.concatenate([good, bad])
    far = min(max(1.5 * fail, float(np.quantile(scores, 0.98))), 3 * fail)
    end = max(min(float(scores.max()), far), 1.08 * fail)
    edges = np.linspace(0.0, end, BINS + 1)
    up, down = (np.histogram(np.clip(values, 0, end), edges)[0] for values in (good, bad))
    left, right, top, bottom = 46.0, WIDE - 14.0, 34.0, HIGH - 40.0
    axis = top + (bottom - top) * up.max() / max(1, up.max() + down.max())
    unit = (bottom - top) / max(1, up.max() + down.max())
    step = (right - left) / BINS
    parts = [
        _bars(up, left, step, axis, -unit, BLUE),
        _bars(down, left, step, axis, unit, VERMILLION),
    ]
    parts += [_line(left, axis, right, axis, INK)]
    parts += [_text(left - 8, axis - up.max() * unit + 4, str(int(up.max())), "end")]
    parts += [_text(left - 8, axis + down.max() * unit + 4, str(int(down.max())), "end")]
    for tick in _ticks(end):
        x = left + (right - left) * tick / end
        parts += [
            _line(x, bottom, x, bottom + 4, INK),
            _text(x, bottom + 18, f"{tick:g}", "middle"),
        ]
    parts += _limits(review, fail, left, (right - left) / end, top, bottom)
    parts += [_text((left + right) / 2, HIGH - 6, "score", "middle")]
    more = " (last bar: and above)" if scores.max() > end else ""
    return _svg(WIDE, HIGH, "histogram of scores" + more, parts)


def roc(
    curve: tuple[Values, Values], points: Iterable[tuple[str, float, float]], auroc: float
) -> str:
    """Share of defective parts found over share of good parts stopped, with named points
    (name, share of good, share of defective)."""
    side = 300
    left, right, top, bottom = 46.0, side - 24.0, 14.0, side - 40.0
    wide, high = right - left, bottom - top
    along = " ".join(f"{left + wide * x:.1f},{bottom - high * y:.1f}" for x, y in _thinned(*curve))
    parts = [_line(left, bottom, right, top, FAINT, dashed=True)]
    parts += [f'<polyline points="{along}" fill="none" stroke="{INK}" stroke-width="2"/>']
    for share in (0.0, 0.5, 1.0):
        x, y = left + wide * share, bottom - high * share
        parts += [
            _line(x, bottom, x, bottom + 4, INK),
            _text(x, bottom + 18, f"{share:.0%}", "middle"),
        ]
        parts += [_line(left - 4, y, left, y, INK), _text(left - 8, y + 4, f"{share:.0%}", "end")]
    parts += [_line(left, bottom, right, bottom, INK), _line(left, bottom, left, top, INK)]
    for index, (name, false, true) in enumerate(points):
        x, y = left + wide * false, bottom - high * true
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{BLUE}" stroke="#fff"/>']
        parts += [
            _text(min(x + 9, right - 60), min(y + 14 + 16 * index, bottom - 6), name, "start")
        ]
    parts += [_text(right - 6, bottom - 10, f"AUROC {auroc:.3f}", "end")]
    parts += [_text((left + right) / 2, side - 6, "good parts stopped", "middle")]
    return _svg(side, side, "ROC curve: defective parts found over good parts stopped", parts)


def _bars(
    counts: NDArray[np.int64], left: float, step: float, axis: float, unit: float, fill: str
) -> str:
    made = []
    for index, count in enumerate(counts.tolist()):
        high = abs(unit) * count
        if count:
            y = axis - high if unit < 0 else axis
            made.append(
                f'<rect x="{left + index * step + 0.5:.1f}" y="{y:.1f}" '
                f'width="{step - 1:.1f}" height="{high:.1f}"/>'
            )
    return f'<g fill="{fill}">{"".join(made)}</g>'


def _limits(
    review: float, fail: float, left: float, unit: float, top: float, bottom: float
) -> list[str]:
    """Two dashed lines; their names stand on either side, so that they never overlap."""
    at, beyond = left + unit * review, left + unit * fail
    return [
        _line(at, top - 6, at, bottom, INK, dashed=True),
        _line(beyond, top - 6, beyond, bottom, INK),
        _text(at - 4, top - 12, f"review {review:.3g}", "end" if at > left + 80 else "start"),
        _text(beyond + 4, top - 12, f"fail {fail:.3g}", "start"),
    ]


def _ticks(end: float) -> Sequence[float]:
    """About six round numbers from 0 to `end`."""
    rough = end / 5
    size = 10.0 ** np.floor(np.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    return [
        round(step * index, 10) for index in range(ceil(end / step + 1e-9)) if step * index <= end
    ]


def _thinned(x: Values, y: Values, most: int = 600) -> Iterable[tuple[float, float]]:
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), most)).round().astype(np.int64))
    return zip(x[chosen].tolist(), y[chosen].tolist(), strict=True)


def _line(x: float, y: float, x2: float, y2: float, ink: str, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{ink}"{dash}/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
