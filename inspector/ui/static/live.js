// The state of the line as the station tells it, for all pages.
// Promises: what is old is said to be old (`fresh` is false) within two seconds, whichever of
// record, ui or the network died; the stream comes back by itself, and there is one at a time.
// Never: keeps more than the newest state.

const SILENT_MS = 1500; // the server speaks at least every 500 ms
const AGAIN_MS = 700; // after a refusal
const PATIENT_MS = 4000; // an answer that never comes is asked for again
const LOOK_MS = 200;

/** {live, stale, age_ms, person, language, logout_s, version, connected, fresh, locked};
 * `locked`: the station shows nothing before somebody has logged in. */
export const state = {
  live: null, stale: true, connected: false, fresh: false, locked: false, person: null,
};

const listeners = new Set();
let source = null;
let heard = 0;
let asked = 0;
let again = 0;
let told = false;

export function onState(listener) {
  listeners.add(listener);
  if (state.live) listener(state);
  return () => listeners.delete(listener);
}

export function start() {
  open();
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", look); // a hidden page is seldom given time
}

/** Open the stream anew: whose it is is settled when it opens. */
export function reopen() {
  open();
}

function open() {
  clearTimeout(again);
  again = 0;
  source?.close();
  asked = performance.now();
  const mine = new EventSource("/live");
  source = mine;
  mine.onmessage = (event) => mine === source && take(JSON.parse(event.data));
  mine.onerror = () => mine === source && broken(mine);
}

function broken(mine) {
  const refused = mine.readyState === EventSource.CLOSED;
  mine.close();
  lose();
  again ||= setTimeout(open, AGAIN_MS);
  if (refused) askWhy();
}

async function askWhy() {
  const signal = AbortSignal.timeout(PATIENT_MS);
  const answer = await fetch("/api/recipes", { signal }).catch(() => null);
  const locked = answer?.status === 401;
  if (locked === state.locked || state.connected) return;
  if (locked && state.live) return location.reload(); // what was shown is not for everybody
  state.locked = locked;
  tell();
}

function take(message) {
  heard = performance.now();
  if (state.version && message.version !== state.version) location.reload();
  Object.assign(state, message, { connected: true, locked: false });
  tell();
}

function look() {
  const now = performance.now();
  if (state.connected) {
    if (now - heard <= SILENT_MS) return;
    lose();
    open();
  } else if (!again && now - asked > PATIENT_MS) open();
  else if (!told && now - asked > SILENT_MS) lose();
}

function lose() {
  if (!state.connected && told) return;
  state.connected = false;
  tell();
}

function tell() {
  told = true;
  state.fresh = state.connected && !state.stale && state.live !== null;
  for (const listener of listeners) listener(state);
}
