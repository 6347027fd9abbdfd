// The scene as the page carries it: JSON whose arrays are base64 of little-endian numbers.

/** Typed array of one base64 string; `Type` is the typed array's class. */
export function decode(base64, Type) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Type(bytes.buffer);
}

/**
 * Scene with its arrays decoded.
 *
 * Lengths are in m; positions have y up and z towards the viewer, with the camera at the origin
 * looking along -z. `levels` are uint8 indices into the 256 colours of `spread`.
 */
export function parseScene(text) {
  const scene = JSON.parse(text);
  return {
    ...scene,
    faces: decode(scene.faces, scene.index_bytes === 2 ? Uint16Array : Uint32Array),
    people: scene.people.map((person) => ({
      ...person,
      positions: decode(person.positions, Float32Array),
      levels: scene.spread && decode(person.levels, Uint8Array),
    })),
    spread: scene.spread && { ...scene.spread, colors: decode(scene.spread.colors, Uint8Array) },
  };
}
