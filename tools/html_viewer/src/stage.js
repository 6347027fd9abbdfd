// What draws: renderer, camera and lights. Colours are mixed as sRGB values, without conversion to
// light, so that meshes look as in the Python renderer and the picture keeps its own values.

import {
  AmbientLight, Box3, Camera, ColorManagement, DirectionalLight, LinearSRGBColorSpace, Scene,
  Sphere, Vector3, WebGLRenderer,
} from 'three';

import { position } from './orbit.js';
import { viewportTangents } from './projection.js';

const MAX_PIXEL_RATIO = 2;

export class Stage {
  /** Throws where the browser has no WebGL. */
  constructor(canvas, data) {
    ColorManagement.enabled = false;
    this.canvas = canvas;
    this.data = data;
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.renderer.outputColorSpace = LinearSRGBColorSpace;
    this.scene = new Scene();
    this.camera = new Camera();
    this.camera.rotation.order = 'YXZ';
    this.camera.add(...buildLights(data.lights));
    this.scene.add(this.camera);
    this.pending = false;
    canvas.addEventListener('webglcontextrestored', () => this.show(this.view));
  }

  get viewport() {
    return { width: this.canvas.clientWidth || 1, height: this.canvas.clientHeight || 1 };
  }

  get tangents() {
    return viewportTangents(this.data.camera, this.data.picture, this.viewport);
  }

  add(...objects) {
    this.scene.add(...objects);
    this.bounds = new Box3().setFromObject(this.scene).getBoundingSphere(new Sphere());
  }

  /** Draw a view once the browser is ready for it; of several until then, the last. */
  show(view) {
    this.view = view;
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  draw() {
    this.resize();
    this.camera.position.set(...position(this.view));
    this.camera.rotation.set(this.view.pitch, this.view.yaw, 0);
    this.camera.updateMatrixWorld();
    const { left, right, top, bottom } = this.tangents;
    const [near, far] = this.depthRange();
    this.camera.projectionMatrix.makePerspective(
      ...[left, right, top, bottom].map((tangent) => tangent * near), near, far,
    );
    this.camera.projectionMatrixInverse.copy(this.camera.projectionMatrix).invert();
    this.renderer.render(this.scene, this.camera);
  }

  /** Give the canvas as many pixels as the screen has there. */
  resize() {
    const { width, height } = this.viewport;
    const ratio = Math.min(window.devicePixelRatio, MAX_PIXEL_RATIO);
    const size = [width, height, ratio].join();
    if (size === this.size) return; // setting it, even to the same, makes a new buffer
    this.size = size;
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height, false);
  }

  /** Depths in m that hold the whole scene. */
  depthRange() {
    const { center, radius } = this.bounds;
    const depth = -center.clone().applyMatrix4(this.camera.matrixWorldInverse).z;
    const far = Math.max(depth + radius, 1e-2);
    return [Math.max(depth - radius, far / 2000), far];
  }
}

/** Lights that go with the camera; directions lead to them, in its frame with y down. */
function buildLights({ ambient, directed }) {
  const lights = directed.map(({ direction: [x, y, z], strength }) => {
    const light = new DirectionalLight(0xffffff, strength * Math.PI);
    light.position.copy(new Vector3(x, -y, -z).normalize());
    return [light, light.target];
  });
  return [new AmbientLight(0xffffff, ambient * Math.PI), ...lights.flat()];
}
