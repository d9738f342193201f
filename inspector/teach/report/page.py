"""The page itself: one HTML file that opens anywhere, with nothing to fetch.

Promises: values in, one string out; everything that comes from outside is escaped; the page's own
policy forbids every request; at most MOST parts a list are shown, with how many were left out.
Never: reads a file or a clock.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray

from inspector.teach import evaluate
from inspector.teach.report import charts

MOST = 18

# Nothing may be loaded or run, whatever stands in the page.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Row:
    """One figure: its name, its value, and its interval or a remark."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of text under column heads; the first column is words, the others are figures."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""


@dataclass(frozen=True)
class Part:
    """One part that is shown. Pictures are JPEG."""

    name: str
    label: str
    kind: str
    score: float
    picture: bytes
    overlay: bytes | None = None


@dataclass(frozen=True)
class Page:
    """All that the report shows."""

    title: str
    summary: str  # one plain sentence
    figures: tuple[Row, ...]
    good: Sequence[float]
    bad: Sequence[float]
    review: float
    fail: float
    tables: tuple[Table, ...]
    lists: tuple[tuple[str, str, tuple[Part, ...]], ...]  # title, remark, parts
    provenance: tuple[Row, ...]
    command: str
    made: str  # when, and by which program
    notes: tuple[str, ...] = field(default=())


def render(page: Page) -> str:
    """The whole file. `good` and `bad` hold at least one finite score each."""
    body = [
        f"<header><h1>{escape(page.title)}</h1><p class=lead>{escape(page.summary)}</p></header>",
        _figures(page.figures),
        _charts(page),
        *(_table(table) for table in page.tables),
        *(f"<p class=note>{escape(note)}</p>" for note in page.notes),
        *(_parts(*shown) for shown in page.lists),
        _provenance(page),
    ]
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _figures(rows: Iterable[Row]) -> str:
    cards = "".join(
        f"<div class=card><div class=name>{escape(row.name)}</div>"
        f"<div class=value>{escape(row.value)}</div>"
        f"<div class=remark>{escape(row.remark)}</div></div>"
        for row in rows
    )
    return f"<section class=cards>{cards}</section>"


def _charts(page: Page) -> str:
    good, bad = np.asarray(page.good, np.float64), np.asarray(page.bad, np.float64)
    points = [
        (name, _share(good, limit), _share(bad, limit))
        for name, limit in (("review", page.review), ("fail", page.fail))
    ]
    auroc = round(evaluate.auroc(good, bad), 4)  # as the figures say it
    bars = charts.histogram(good, bad, page.review, page.fail)
    curve = charts.roc(evaluate.roc(good, bad), points, auroc)
    return (
        "<section class=charts><figure><figcaption>Scores: "
        "<b class=good>good parts</b> above the line, <b class=bad>defective parts</b> below"
        f"</figcaption>{bars}</figure>"
        f"<figure><figcaption>Defective parts found</figcaption>{curve}</figure></section>"
    )


def _share(scores: NDArray[np.float64], limit: float) -> float:
    return float((scores >= limit).mean())


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows
    )
    remark = f"<p class=remark>{escape(table.remark)}</p>" if table.remark else ""
    return (
        f"<section><h2>{escape(table.title)}</h2>{remark}"
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        "</section>"
    )


def _parts(title: str, remark: str, parts: Sequence[Part]) -> str:
    shown = "".join(_part(part) for part in parts[:MOST])
    left = f"<p class=remark>{len(parts) - MOST} more not shown.</p>" if len(parts) > MOST else ""
    return (
        f"<section><h2>{escape(title)}</h2><p class=remark>{escape(remark)}</p>"
        f"<div class=parts>{shown}</div>{left}</section>"
    )


def _part(part: Part) -> str:
    images = [_image(part.picture, part.name)]
    if part.overlay is not None:
        images.append(_image(part.overlay, f"{part.name}, heatmap"))
    return (
        f"<article><div class=pair>{''.join(images)}</div>"
        f"<div class=name>{escape(part.name)}</div>"
        f"<div class=remark>{escape(part.label)}: {escape(part.kind)} at {part.score:.3f}</div>"
        "</article>"
    )


def _image(data: bytes, words: str) -> str:
    packed = base64.b64encode(data).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{packed}" alt="{escape(words)}">'


def _provenance(page: Page) -> str:
    rows = "".join(
        f"<tr><td>{escape(row.name)}</td><td><code>{escape(row.value)}</code></td></tr>"
        for row in page.provenance
    )
    return (
        "<section><h2>Where this comes from</h2>"
        f"<pre>{escape(page.command)}</pre>"
        f"<div class=wide><table class=facts><tbody>{rows}</tbody></table></div>"
        f"<p class=remark>{escape(page.made)}</p></section>"
    )


STYLE = """
:root{--ink:#1d2329;--soft:#5b6570;--line:#d9dde2;--ground:#f6f7f9}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
 font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1040px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:24px;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 6px}
.lead{margin:0;font-size:16px;max-width:75ch}
section,header{margin:0 0 22px}
section:not(.cards):not(.charts){background:#fff;border:1px solid var(--line);
 border-radius:8px;padding:16px 18px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:10px}
.card{background:#fff;border:1px solid var(--line);border-radius:8px;padding:12px 14px}
.card .value{font-size:23px;font-variant-numeric:tabular-nums}
.name{overflow-wrap:anywhere}
.card .name,.remark{color:var(--soft);font-size:13px}
p.remark{margin:2px 0 10px}
.charts{display:grid;grid-template-columns:2fr 1fr;gap:10px}
@media(max-width:760px){.charts{grid-template-columns:1fr}}
figure{margin:0;background:#fff;border:1px solid var(--line);border-radius:8px;padding:12px 14px}
figcaption{font-size:14px;margin-bottom:6px}
svg{width:100%;height:auto;display:block;font-size:12px;fill:var(--soft)}
.good{color:#0072B2}.bad{color:#B34E00}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:5px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
th{font-weight:600;color:var(--soft);font-size:13px}
tbody tr:last-child td{border-bottom:0}
.facts td:last-child{text-align:left;overflow-wrap:anywhere;white-space:normal}
.parts{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:16px 14px}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:3px;background:#22272d;
 border-radius:6px;overflow:hidden}
.pair img{width:100%;height:auto;max-height:220px;object-fit:contain;display:block}
.pair img:only-child{grid-column:1/3}
code,pre{font:13px/1.45 ui-monospace,"DejaVu Sans Mono",Consolas,monospace}
pre{background:var(--ground);border-radius:6px;padding:10px 12px;white-space:pre-wrap;
 overflow-wrap:anywhere;margin:6px 0 12px}
.note{color:var(--soft);margin:0 0 22px}
@media print{body{background:#fff}main{max-width:none}article,figure,.card{break-inside:avoid}}
"""
