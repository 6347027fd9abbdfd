// From the picture's pinhole camera to the viewport. Pixel (0, 0) of the picture has its CENTRE at
// coordinates (0, 0); viewport coordinates are CSS px from its upper left corner.

/** Place of the whole picture in the viewport: viewport = scale * (px + 0.5) + [left, top]. */
export function fitPicture(picture, viewport) {
  const scale = Math.min(viewport.width / picture.width, viewport.height / picture.height);
  return {
    scale,
    left: (viewport.width - scale * picture.width) / 2,
    top: (viewport.height - scale * picture.height) / 2,
  };
}

/**
 * Tangents of the viewport's borders, seen by the picture's camera: x / depth at the left and right
 * border, y (up) / depth at the bottom and top one. The principal point may be anywhere.
 */
export function viewportTangents(camera, picture, viewport) {
  const { scale, left, top } = fitPicture(picture, viewport);
  const [fx, fy] = camera.focal_px;
  const [cx, cy] = camera.princpt_px;
  const x = (across) => ((across - left) / scale - 0.5 - cx) / fx;
  const y = (down) => -((down - top) / scale - 0.5 - cy) / fy;
  return { left: x(0), right: x(viewport.width), bottom: y(viewport.height), top: y(0) };
}

/** Corners [x, y, z] of the picture at a depth in m, upper left first, then clockwise. */
export function pictureCorners(camera, picture, depth) {
  const view = viewportTangents(camera, picture, picture); // the viewport is the picture itself
  return [
    [view.left, view.top],
    [view.right, view.top],
    [view.right, view.bottom],
    [view.left, view.bottom],
  ].map(([x, y]) => [x * depth, y * depth, -depth]);
}
