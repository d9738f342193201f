"""Promise: one file that opens anywhere, whatever its parts are called."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.teach.report import Page, Part, Row, Table, render
from inspector.teach.report.charts import histogram, roc
from inspector.teach.report.page import MOST
from inspector.teach.report.pictures import SIDE, overlay, picture

NASTY = "<script>alert('x')</script>\"&.png"
VOID = {"meta", "img"}


def frame(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (480, 640, channels), np.uint8)


def part(name: str = "scratch/001.png") -> Part:
    heat = np.zeros((4, 4), np.float32)
    heat[1, 1] = 2.0
    drawn = overlay(frame(), heat, (0, 0, 640, 480), 0.7, 1.0)
    return Part(name, "scratch", "passed", 0.31, picture(frame()), drawn)


def page(words: str = "cap", parts: tuple[Part, ...] = ()) -> Page:
    return Page(
        title=words,
        summary=words,
        figures=(Row(words, "0.98", words),),
        good=[0.1, 0.2, 0.3],
        bad=[0.25, 0.9, 4.0],
        review=0.7,
        fail=1.0,
        tables=(Table(words, (words, "n"), ((words, "3"),), words),),
        lists=((words, words, parts),) if parts else (),
        provenance=(Row(words, words),),
        command=words,
        made=words,
        notes=(words,),
    )


class Reader(HTMLParser):
    """What a browser would see: its tags with their attributes, and whether they are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_nothing_is_fetched() -> None:
    text = render(page(parts=(part(),)))
    for tag, attributes in Reader(text).tags:
        assert tag not in {"script", "link", "iframe", "object", "base"}
        assert attributes.get("src", "data:").startswith("data:image/jpeg;base64,") or tag != "img"
        assert not {"href", "srcset", "onload", "onerror"} & attributes.keys()
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "@import" not in text


def test_a_file_named_like_a_script_is_only_shown() -> None:
    text = render(page(NASTY, (part(NASTY),)))
    reader = Reader(text)
    assert not reader.open
    assert "script" not in {tag for tag, _ in reader.tags}
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;.png" in text


@given(words=st.text(min_size=1, max_size=40))
def test_no_text_breaks_the_page(words: str) -> None:
    plain, odd = Reader(render(page("x"))), Reader(render(page(words)))
    assert [tag for tag, _ in odd.tags] == [tag for tag, _ in plain.tags]
    assert not odd.open


def test_the_number_of_pictures_is_bounded_and_said() -> None:
    text = render(page(parts=(part(),) * (MOST + 30)))
    assert text.count("<img ") == 2 * MOST
    assert "30 more not shown." in text


def test_the_worst_page_stays_below_5_megabytes() -> None:
    """Noise packs worst, and four lists are full."""
    shown = (part(),) * MOST
    full = replace(page(), lists=tuple((str(n), "", shown) for n in range(4)))
    assert len(render(full)) < 5_000_000


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_small_and_whole(channels: int) -> None:
    data = np.frombuffer(picture(frame(channels)), np.uint8)
    assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == (SIDE * 3 // 4, SIDE, 3)


def test_the_heatmap_colours_its_place_and_nothing_else() -> None:
    grey = np.full((240, 240, 1), 128, np.uint8)
    heat = np.zeros((8, 8), np.float32)
    heat[2, 6] = 3.0
    data = overlay(grey, heat, (0, 0, 240, 240), 0.7, 1.0)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)
    assert np.abs(image[75, 195] - 128).max() > 60
    assert np.abs(image[180:, :100] - 128).max() < 12


def test_a_mask_is_outlined() -> None:
    grey = np.full((240, 240, 1), 128, np.uint8)
    mask = np.zeros((240, 240), bool)
    mask[60:120, 60:120] = True
    heat = np.zeros((8, 8), np.float32)
    data = overlay(grey, heat, (0, 0, 240, 240), 0.7, 1.0, mask)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)
    blue, _, red = image[60, 90]
    assert blue - red > 60


def test_every_score_stands_in_the_histogram() -> None:
    good, bad = np.array([0.1, 0.1, 0.5]), np.array([0.9, 50.0])
    drawn = histogram(good, bad, 0.7, 1.0)
    heights = [float(value) for value in re.findall(r'<rect[^>]* height="([0-9.]+)"', drawn)]
    assert len(heights) == 4  # two scores share a bar
    assert sum(heights) == pytest.approx(5 * min(heights), rel=0.02)
    assert "last bar: and above" in drawn


@given(
    good=st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    bad=st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    fail=st.floats(1e-6, 1e6),
)
def test_any_finite_scores_can_be_drawn(good: list[float], bad: list[float], fail: float) -> None:
    drawn = histogram(np.array(good), np.array(bad), fail / 2, fail)
    assert "nan" not in drawn
    assert not Reader(drawn).open


def test_the_curve_never_falls() -> None:
    x = np.linspace(0, 1, 5000)
    drawn = roc((x, np.sqrt(x)), [("review <1>", 0.1, 0.5)], 0.7)
    (points,) = re.findall(r'points="([^"]+)"', drawn)
    heights = [float(pair.split(",")[1]) for pair in points.split()]
    assert len(heights) <= 600
    assert all(later <= earlier for earlier, later in pairwise(heights))
    assert "review &lt;1&gt;" in drawn
