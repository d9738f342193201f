"""Whether a page fits its screen: text that is cut off, targets too small or too close.

Promises: looks at what is visible now; names the element and the figures.
Never: changes the page.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

TARGET = 64  # pixels in both directions
GAP = 8

# An element of class `cut` holds a name of any length and may end in an ellipsis. What lies below
# an open dialog cannot be touched, and what a list has scrolled away is not on the screen.
_LOOK = """([TARGET, GAP]) => {
  const found = [];
  const open = [...document.querySelectorAll('dialog[open]')].at(-1);
  const top = open ?? document.body;
  const named = (e) => {
    const words = (e.getAttribute('aria-label') ?? e.textContent ?? '').trim();
    const kind = e.className?.baseVal ?? e.className;
    return `${e.tagName.toLowerCase()}${kind ? '.' + kind.split(' ').join('.') : ''}`
      + ` "${words.slice(0, 40)}"`;
  };
  const visible = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    && !e.closest('.unseen');
  const box = (e) => {
    const { left, top, right, bottom } = e.getBoundingClientRect();
    return { left, top, right, bottom, width: right - left, height: bottom - top };
  };
  const clips = (e, axis) => !['visible'].includes(getComputedStyle(e)['overflow' + axis]);
  const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowY)
    || /auto|scroll/.test(getComputedStyle(e).overflowX);
  const clipped = (e, at) => {   // by which ancestor, and whether that one can be scrolled
    let scrolled = false;
    for (let up = e.parentElement; up && up !== document.documentElement; up = up.parentElement) {
      const hole = box(up);
      const out = (clips(up, 'X') && (at.left < hole.left - 1 || at.right > hole.right + 1))
        || (clips(up, 'Y') && (at.top < hole.top - 1 || at.bottom > hole.bottom + 1));
      if (scrolls(up)) scrolled ||= out;
      else if (out && !scrolled) return { by: up, scrolled };
    }
    return { by: null, scrolled };
  };
  const words = [...top.querySelectorAll('*')].filter((e) => visible(e)
    && !(e instanceof SVGElement)
    && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  for (const e of words) {
    const range = document.createRange();
    range.selectNodeContents(e);
    const at = box(range);
    if (e.closest('.cut')) continue;
    const inline = getComputedStyle(e).display === 'inline';
    if (!scrolls(e) && !inline && e.scrollWidth > e.clientWidth + 1)
      found.push(`too wide: ${named(e)} needs ${e.scrollWidth} of ${e.clientWidth} px`);
    if (!scrolls(e) && clips(e, 'Y') && e.scrollHeight > e.clientHeight + 2
        && !e.matches('.clamp'))
      found.push(`too high: ${named(e)} needs ${e.scrollHeight} of ${e.clientHeight} px`);
    const cut = clipped(e, e.matches('.clamp') ? box(e) : at);
    if (cut.by) found.push(`cut off: ${named(e)} by ${named(cut.by)}`);
    if (!cut.scrolled && (at.right > innerWidth + 1 || at.bottom > innerHeight + 1
        || at.left < -1 || at.top < -1))
      found.push(`off the screen: ${named(e)}`);
  }
  for (const e of [document.documentElement, document.body])
    if (e.scrollWidth > innerWidth || e.scrollHeight > innerHeight)
      found.push(`the page scrolls: ${e.scrollWidth} x ${e.scrollHeight}`);
  const targets = [...top.querySelectorAll(
    'button, a[href], input, select, textarea, summary, [role=button], [role=slider], [role=tab]')]
    .filter((e) => visible(e)).map((e) => ({ e, at: box(e), cut: clipped(e, box(e)) }))
    .filter(({ cut }) => !cut.scrolled);
  for (const { e, at } of targets)
    if (at.width < TARGET - 0.5 || at.height < TARGET - 0.5)
      found.push(`too small: ${named(e)} ${at.width.toFixed(0)} x ${at.height.toFixed(0)} px`);
  targets.forEach(({ e, at }, index) => {
    for (const other of targets.slice(index + 1)) {
      if (e.contains(other.e) || other.e.contains(e)) continue;
      const across = Math.max(other.at.left - at.right, at.left - other.at.right);
      const down = Math.max(other.at.top - at.bottom, at.top - other.at.bottom);
      const gap = Math.max(across, down);
      if (gap < GAP - 0.5)
        found.push(`too close: ${named(e)} and ${named(other.e)}, ${gap.toFixed(1)} px`);
    }
  });
  return found;
}"""


def problems(page: "Page") -> list[str]:
    """What does not fit on the page as it is shown now, one line each; empty when all is well.

    With a dialog open, the dialog alone is looked at.
    """
    found: list[str] = page.evaluate(_LOOK, [TARGET, GAP])
    return found
