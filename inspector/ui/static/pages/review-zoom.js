// Looking closer: two fingers, a double touch, the wheel or a number.
// Promises: what is between the fingers stays there; the picture never leaves its frame.
// Never: knows what is in the picture.

const MOST = 8;
const DOUBLE_MS = 300;
const NEAR_PX = 40;

/** Zoom and drag on `stage`. `apply(view)` gets {z, x, y}: the scale, and the shift in shares of
 * the sheet that `sheet()` returns, whole and unscaled. */
export function zoomable(stage, sheet, apply) {
  const fingers = new Map();
  let view = { z: 1, x: 0, y: 0 };
  let touched = { at: 0, x: 0, y: 0 };

  function set(z, x, y) {
    const scale = Math.min(MOST, Math.max(1, z));
    const most = (scale - 1) / 2;
    const within = (value) => Math.min(most, Math.max(-most, value));
    view = { z: scale, x: within(x), y: within(y) };
    apply(view);
  }

  /** A point of the screen as a share of the sheet, from its middle. */
  function share(x, y) {
    const box = stage.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = sheet() ?? stage;
    const [right, down] = [x - box.x - box.width / 2, y - box.y - box.height / 2];
    return [right / (width || 1), down / (height || 1)];
  }

  /** What lay at `from` lies at `to`, `times` larger. */
  function stretch(times, from, to) {
    const z = Math.min(MOST, Math.max(1, view.z * times));
    const place = (s, o) => (s - o) / view.z;
    set(z, to[0] - place(from[0], view.x) * z, to[1] - place(from[1], view.y) * z);
  }

  function middle() {
    const all = [...fingers.values()];
    const x = all.reduce((sum, one) => sum + one.x, 0) / all.length;
    const y = all.reduce((sum, one) => sum + one.y, 0) / all.length;
    const apart = all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0;
    return { at: share(x, y), apart };
  }

  stage.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    stage.setPointerCapture(event.pointerId);
    if (fingers.size > 1) return;
    const { timeStamp: at, clientX: x, clientY: y } = event;
    const twice = at - touched.at < DOUBLE_MS && Math.hypot(x - touched.x, y - touched.y) < NEAR_PX;
    touched = twice ? { at: 0, x, y } : { at, x, y };
    if (!twice) return;
    if (view.z > 1) set(1, 0, 0);
    else stretch(3, share(x, y), share(x, y));
  });

  stage.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = middle();
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = middle();
    stretch(before.apart ? after.apart / before.apart : 1, before.at, after.at);
  });

  for (const kind of ["pointerup", "pointercancel"]) {
    stage.addEventListener(kind, (event) => fingers.delete(event.pointerId));
  }

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const at = share(event.clientX, event.clientY);
    stretch(event.deltaY < 0 ? 1.25 : 0.8, at, at);
  }, { passive: false });

  return {
    by: (times) => stretch(times, [0, 0], [0, 0]),
    reset: () => set(1, 0, 0),
    view: () => view,
  };
}
