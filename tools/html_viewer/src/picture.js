// The picture behind the people, and the pyramid from its camera to its corners.

import {
  BufferAttribute, BufferGeometry, Group, LineBasicMaterial, LineSegments, LinearFilter, Mesh,
  MeshBasicMaterial, Texture,
} from 'three';

import { pictureCorners } from './projection.js';

/** A group of picture and lines; `image` is a loaded <img>. */
export function buildPicture(scene, image) {
  const corners = pictureCorners(scene.camera, scene.picture, scene.picture.depth_m);
  const group = new Group();
  group.add(buildPlane(corners, image), buildLines(corners));
  return group;
}

function buildPlane(corners, image) {
  const texture = new Texture(image);
  texture.generateMipmaps = false;
  texture.minFilter = LinearFilter;
  texture.needsUpdate = true;
  const geometry = buildGeometry(corners);
  geometry.setAttribute('uv', new BufferAttribute(new Float32Array([0, 1, 1, 1, 1, 0, 0, 0]), 2));
  geometry.setIndex([0, 3, 1, 1, 3, 2]); // seen from its camera only: it never hides the people
  return new Mesh(geometry, new MeshBasicMaterial({ map: texture }));
}

function buildLines(corners) {
  const geometry = buildGeometry([[0, 0, 0], ...corners]);
  geometry.setIndex([0, 1, 0, 2, 0, 3, 0, 4, 1, 2, 2, 3, 3, 4, 4, 1]);
  return new LineSegments(geometry, new LineBasicMaterial({ color: 0x888888 }));
}

function buildGeometry(points) {
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(new Float32Array(points.flat()), 3));
  return geometry;
}
