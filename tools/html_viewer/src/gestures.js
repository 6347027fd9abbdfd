// Mouse, touch and keys on the canvas, as changes of the view.

import { panned, rotated, zoomed } from './orbit.js';

const RAD_PER_PX = 0.008;
const KEY_RAD = Math.PI / 36;
const KEY_PX = 24;
const KEY_ZOOM = 1.12;
const LINE_PX = 16; // some wheels count lines

/**
 * Listen on the stage's canvas.
 *
 * @param change takes a function from the old view to the new one
 * @param limits [nearest, farthest] distance from the pivot in m
 * @param home goes back to the picture's camera
 */
export function listen(stage, change, limits, home) {
  const { canvas } = stage;
  const turnBy = (x, y) => change((view) => rotated(view, -x * RAD_PER_PX, -y * RAD_PER_PX));
  const zoomBy = (factor) => change((view) => zoomed(view, factor, limits));
  const panBy = (x, y) => {
    const { left, right, bottom, top } = stage.tangents;
    const { width, height } = stage.viewport;
    const [across, up] = [(x / width) * (right - left), (-y / height) * (top - bottom)];
    change((view) => panned(view, across, up));
  };
  listenToPointers(canvas, turnBy, panBy, zoomBy);
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    const pixels = event.deltaMode === 0 ? event.deltaY : event.deltaY * LINE_PX;
    zoomBy(Math.exp(Math.min(Math.max(pixels, -200), 200) * 0.0015));
  }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    const act = keyActions(turnBy, panBy, zoomBy, home)[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(event.shiftKey);
  });
}

function keyActions(turnBy, panBy, zoomBy, home) {
  const arrow = (x, y) => (shift) => {
    const size = shift ? KEY_PX : KEY_RAD / RAD_PER_PX;
    (shift ? panBy : turnBy)(x * size, y * size);
  };
  return {
    ArrowLeft: arrow(-1, 0),
    ArrowRight: arrow(1, 0),
    ArrowUp: arrow(0, -1),
    ArrowDown: arrow(0, 1),
    '+': () => zoomBy(1 / KEY_ZOOM),
    '=': () => zoomBy(1 / KEY_ZOOM),
    '-': () => zoomBy(KEY_ZOOM),
    Home: home,
    0: home,
  };
}

/** One pointer turns (shifts with another button or Shift), two shift and zoom. */
function listenToPointers(canvas, turnBy, panBy, zoomBy) {
  const pointers = new Map();
  const centre = () => {
    const [a, b = a] = [...pointers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (pointers.size === 2) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = centre();
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = centre();
    const shifts = pointers.size === 2 || event.shiftKey || event.buttons > 1;
    (shifts ? panBy : turnBy)(after.x - before.x, after.y - before.y);
    if (before.apart > 0 && after.apart > 0) zoomBy(before.apart / after.apart);
  });
  for (const type of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(type, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener('contextmenu', (event) => event.preventDefault());
}
