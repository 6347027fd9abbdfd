// Where the viewer's camera is: turned by yaw (about the vertical) and pitch about a pivot.
//
// A view is { yaw, pitch, pivot, offset }: angles in rad, the pivot in the scene's m, and its place
// in the camera's own axes (x right, y up, z backwards). The camera of the picture, at the origin
// and unturned, has offset = pivot, so the start view is that camera whatever the pivot is.
// Functions give new views.

const UPRIGHT = Math.PI / 2;

/** The view of the picture's camera. */
export function startView(pivot) {
  return { yaw: 0, pitch: 0, pivot: [...pivot], offset: [...pivot] };
}

/** A vector of the camera's axes in the scene's: about x by pitch, then about y by yaw. */
export function turn({ yaw, pitch }, [x, y, z]) {
  const [c, s] = [Math.cos(pitch), Math.sin(pitch)];
  const [up, back] = [c * y - s * z, s * y + c * z];
  const [cy, sy] = [Math.cos(yaw), Math.sin(yaw)];
  return [cy * x + sy * back, up, cy * back - sy * x];
}

/** A vector of the scene's axes in the camera's: the inverse of `turn`. */
export function turnBack({ yaw, pitch }, [x, y, z]) {
  const unturned = turn({ yaw: -yaw, pitch: 0 }, [x, y, z]);
  return turn({ yaw: 0, pitch: -pitch }, unturned);
}

/** Place of the camera in the scene. */
export function position(view) {
  const offset = turn(view, view.offset);
  return view.pivot.map((value, i) => value - offset[i]);
}

/** Turned by angles; the pivot stays where it is on the screen. */
export function rotated(view, yaw, pitch) {
  const tilt = Math.min(Math.max(view.pitch + pitch, -UPRIGHT), UPRIGHT);
  return { ...view, yaw: view.yaw + yaw, pitch: tilt };
}

/** `factor` times as far from the pivot, which stays where it is on the screen. */
export function zoomed(view, factor, [nearest, farthest]) {
  const distance = Math.hypot(...view.offset) || nearest;
  const wanted = Math.min(Math.max(distance * factor, nearest), farthest);
  return { ...view, offset: view.offset.map((value) => (value * wanted) / distance) };
}

/** Moved so that the pivot shifts by tangents (x right, y up) on the screen. */
export function panned(view, right, up) {
  const [x, y, z] = view.offset;
  return { ...view, offset: [x - z * right, y - z * up, z] };
}

/** The same camera with another pivot. */
export function around(view, pivot) {
  const camera = position(view);
  const offset = turnBack(view, pivot.map((value, i) => value - camera[i]));
  return { ...view, pivot: [...pivot], offset };
}

/**
 * From another side, as near as the points fit into the viewport.
 *
 * A point p (camera's axes, relative to the pivot) lies inside the right border where
 * offset.x + p.x <= -right * (offset.z + p.z), and so on: the four borders bound the offset.
 *
 * @param tangents the viewport's, see `viewportTangents`
 * @param points flat arrays of x, y, z in the scene
 */
export function framing({ yaw, pitch }, pivot, points, tangents, margin = 0.08) {
  const axes = [narrower(tangents.left, tangents.right, margin),
    narrower(tangents.bottom, tangents.top, margin)];
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  let nearest = -Infinity; // largest z: towards the camera
  for (const array of points) {
    for (let i = 0; i < array.length; i += 3) {
      const offset = [array[i] - pivot[0], array[i + 1] - pivot[1], array[i + 2] - pivot[2]];
      const point = turnBack({ yaw, pitch }, offset);
      axes.forEach(([first, last], k) => {
        low[k] = Math.min(low[k], point[k] + first * point[2]);
        high[k] = Math.max(high[k], point[k] + last * point[2]);
      });
      nearest = Math.max(nearest, point[2]);
    }
  }
  const depths = axes.map(([first, last], k) => (high[k] - low[k]) / (last - first));
  const depth = Math.max(...depths, nearest + 1e-3); // of the pivot: all points in front
  const middle = axes.map(
    ([first, last], k) => ((first + last) * depth - low[k] - high[k]) / 2,
  );
  return { yaw, pitch, pivot: [...pivot], offset: [...middle, -depth] };
}

/** Borders with a share of the width left free on each side. */
function narrower(first, last, margin) {
  const free = margin * (last - first);
  return [first + free, last - free];
}
