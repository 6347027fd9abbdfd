// The people that are shown, as one GLB file: metres, y up, the camera at the origin.

import { BufferGeometry, Color, Float32BufferAttribute, Mesh, MeshStandardMaterial, Scene } from 'three';
import { GLTFExporter } from 'three/addons/exporters/GLTFExporter.js';

/** Bytes of the file. */
export function exportGlb(people) {
  const scene = new Scene();
  for (const child of people.children) {
    if (child.visible) scene.add(exportedMesh(child));
  }
  return new GLTFExporter().parseAsync(scene, { binary: true });
}

/** A copy in glTF's terms: its colours are linear, this viewer's sRGB. */
function exportedMesh({ name, userData: { shown } }) {
  const geometry = new BufferGeometry();
  geometry.setIndex(shown.geometry.index);
  geometry.setAttribute('position', shown.geometry.getAttribute('position'));
  geometry.setAttribute('normal', shown.geometry.getAttribute('normal'));
  const { color, vertexColors } = shown.material;
  if (vertexColors) geometry.setAttribute('color', linear(shown.geometry.getAttribute('color')));
  const material = new MeshStandardMaterial({ vertexColors, metalness: 0, roughness: 0.8 });
  material.color.copy(color).convertSRGBToLinear();
  const mesh = new Mesh(geometry, material);
  mesh.name = name;
  return mesh;
}

function linear(colors) {
  const values = new Float32Array(colors.count * 3);
  const color = new Color();
  for (let i = 0; i < colors.count; i += 1) {
    color.setRGB(colors.getX(i), colors.getY(i), colors.getZ(i)).convertSRGBToLinear();
    color.toArray(values, 3 * i);
  }
  return new Float32BufferAttribute(values, 3);
}

/** Let the browser save bytes under a name. */
export function save(bytes, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'model/gltf-binary' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
