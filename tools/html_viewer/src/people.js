// The meshes of the people, coloured by person or by uncertainty.

import {
  BufferAttribute, BufferGeometry, Color, DoubleSide, Group, Mesh, MeshBasicMaterial,
  MeshLambertMaterial,
} from 'three';

/** A group with one child a person: the mesh that is seen, before it one that hides what is behind. */
export function buildPeople(scene) {
  const index = new BufferAttribute(scene.faces, 1);
  const group = new Group();
  scene.people.forEach((person) => group.add(buildPerson(person, index, scene.spread)));
  return group;
}

function buildPerson(person, index, spread) {
  const geometry = new BufferGeometry();
  geometry.setIndex(index);
  geometry.setAttribute('position', new BufferAttribute(person.positions, 3));
  geometry.computeVertexNormals();
  if (spread) geometry.setAttribute('color', spreadColors(person, spread));
  const hider = new Mesh(geometry, new MeshBasicMaterial({
    colorWrite: false,
    side: DoubleSide,
    polygonOffset: true, // behind what is seen, by as little as the depths can tell
    polygonOffsetUnits: 1,
  }));
  const shown = new Mesh(geometry, new MeshLambertMaterial({ side: DoubleSide }));
  [hider.renderOrder, shown.renderOrder] = [1, 2]; // the picture has 0
  const child = new Group();
  child.name = person.name;
  child.userData = { shown, hider, color: new Color(...person.color) };
  child.add(hider, shown);
  return child;
}

/** RGB bytes of each vertex, read as 0..1. */
function spreadColors(person, spread) {
  const colors = new Uint8Array(3 * person.levels.length);
  person.levels.forEach((level, i) => {
    colors.set(spread.colors.subarray(3 * level, 3 * level + 3), 3 * i);
  });
  return new BufferAttribute(colors, 3, true);
}

/** How all people look. `look` is { colors: 'person' | 'spread', wireframe, opacity }. */
export function setLook(group, { colors, wireframe, opacity }) {
  for (const { userData: { shown, hider, color } } of group.children) {
    const { material } = shown;
    material.vertexColors = colors === 'spread';
    material.color.copy(colors === 'spread' ? new Color(1, 1, 1) : color);
    material.wireframe = wireframe;
    material.opacity = opacity;
    material.transparent = opacity < 1;
    material.needsUpdate = true;
    hider.visible = wireframe || opacity < 1;
    hider.material.polygonOffsetFactor = wireframe ? 1 : 0; // lines leave their faces' slope
  }
}

/** Positions of the people that are shown; of all if none is. */
export function shownPositions(group) {
  const shown = group.children.filter((child) => child.visible);
  return (shown.length ? shown : group.children).map(
    (child) => child.userData.shown.geometry.getAttribute('position').array,
  );
}
