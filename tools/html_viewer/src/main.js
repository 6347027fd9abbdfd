// The page's controls put to work. The page is i2l_plugin/visualization/scene_template.py.

import { parseScene } from './data.js';
import { exportGlb, save } from './download.js';
import { listen } from './gestures.js';
import { around, framing, startView } from './orbit.js';
import { buildPeople, setLook, shownPositions } from './people.js';
import { buildPicture } from './picture.js';
import { Stage } from './stage.js';

const byId = (id) => document.getElementById(id);
const SIDES = { side: { yaw: -Math.PI / 2, pitch: 0 }, top: { yaw: 0, pitch: -Math.PI / 2 } };

function say(text) {
  byId('message').textContent = text;
  byId('message').hidden = !text;
}

/** The middle of the box around the points; straight ahead if there are none. */
function middleOf(points, depth) {
  const [low, high] = [[Infinity, Infinity, Infinity], [-Infinity, -Infinity, -Infinity]];
  for (const array of points) {
    array.forEach((value, i) => {
      low[i % 3] = Math.min(low[i % 3], value);
      high[i % 3] = Math.max(high[i % 3], value);
    });
  }
  return points.length ? low.map((value, i) => (value + high[i]) / 2) : [0, 0, -depth];
}

function start(stage, data, image) {
  const people = buildPeople(data);
  const picture = buildPicture(data, image);
  stage.add(people, picture);
  const middle = () => middleOf(shownPositions(people), data.picture.depth_m / 2);
  let view = startView(middle());
  const change = (step) => {
    view = step(view);
    stage.show(view);
  };
  const goHome = () => change(() => startView(middle()));
  const reach = data.picture.depth_m;
  listen(stage, change, [reach / 500, reach * 20], goHome);

  byId('camera').addEventListener('click', goHome);
  for (const [id, angles] of Object.entries(SIDES)) {
    byId(id).addEventListener('click', () => change(
      () => framing(angles, middle(), people.children.length
        ? shownPositions(people) : [new Float32Array(middle())], stage.tangents),
    ));
  }
  controlPeople(people, () => change((old) => around(old, middle())));
  controlLook(people, picture, () => change((old) => old));
  controlDownload(people, data.file_name);
  new ResizeObserver(() => change((old) => old)).observe(stage.canvas);
  byId('panel').disabled = false;
}

function controlPeople(people, update) {
  const boxes = [...document.querySelectorAll('#people input')];
  const read = () => {
    boxes.forEach((box, i) => { people.children[i].visible = box.checked; });
    byId('download').disabled = !boxes.some((box) => box.checked);
    update();
  };
  boxes.forEach((box) => box.addEventListener('input', read));
  for (const [id, checked] of [['all', true], ['none', false]]) {
    byId(id)?.addEventListener('click', () => {
      boxes.forEach((box) => { box.checked = checked; });
      read();
    });
  }
  read();
}

function controlLook(people, picture, update) {
  const inputs = [...document.querySelectorAll('#look input')];
  const read = () => {
    const colors = document.querySelector('input[name=colors]:checked')?.value ?? 'person';
    setLook(people, {
      colors,
      wireframe: byId('wireframe').checked,
      opacity: Number(byId('opacity').value),
    });
    picture.visible = byId('show-picture').checked;
    if (byId('bar')) byId('bar').hidden = colors !== 'spread';
    update();
  };
  inputs.forEach((input) => input.addEventListener('input', read));
  read();
}

function controlDownload(people, name) {
  byId('download').addEventListener('click', () => {
    exportGlb(people).then((bytes) => save(bytes, name)).catch((error) => say(String(error)));
  });
}

async function main() {
  const image = byId('picture');
  const data = parseScene(byId('scene').textContent);
  let stage;
  try {
    stage = new Stage(byId('canvas'), data);
  } catch {
    byId('canvas').hidden = true;
    say('The people cannot be drawn in 3D: this browser has no WebGL, or it is switched off. '
      + 'Switch on hardware acceleration in its settings, or open this file in another browser.');
    return;
  }
  await image.decode();
  start(stage, data, image);
  image.hidden = true;
}

main().catch((error) => say(`This page cannot be shown: ${error.message}`));
