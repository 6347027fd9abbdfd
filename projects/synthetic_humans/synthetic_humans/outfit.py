"""Clothes, hair and faces: which region of the body a rest-pose point belongs to, and its colour.

Regions are found in rest-pose coordinates (`body_map`), so the same rule paints pixels and
thickens vertices. Shapes: V vertices, N points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body_map import BodyMap
from .lighting import Surface
from .skin import (
    Pattern,
    draw_cloth_color,
    draw_denim,
    draw_hair_tone,
    draw_pattern,
    draw_skin_tone,
    relief,
)
from .textures import noise, noise_tile

SKIN, HAIR, TOP, INNER, BOTTOM, SOCKS, SHOES, CAP = range(8)
# metres that each region stands off the body: (least, most)
THICKNESS = {
    HAIR: (0.006, 0.02),
    TOP: (0.004, 0.016),
    INNER: (0.002, 0.004),
    BOTTOM: (0.003, 0.012),
    SOCKS: (0.001, 0.002),
    SHOES: (0.005, 0.009),
    CAP: (0.012, 0.022),
}
HAIR_STYLES = {  # lowest hair behind the ears, in head units below the eyes
    'bald': None,
    'buzz': -0.55,
    'short': -0.65,
    'medium': -1.15,
    'long': -2.6,
}


@dataclass(frozen=True)
class Outfit:
    """One person's appearance."""

    skin: np.ndarray
    hair: np.ndarray
    hair_style: str
    beard: bool
    cap: bool
    top: Pattern
    inner: Pattern
    opening_m: float  # half width of an open jacket, 0 for a closed top
    sleeve: float  # along the arm
    neckline_m: float  # below the neck joint, in front
    v_neck: bool
    hem: float  # along the leg
    bottom: Pattern
    bottom_length: float  # along the leg
    sock_top: float
    sock: np.ndarray
    shoe: np.ndarray
    shoe_top: float
    sole: np.ndarray
    lips: np.ndarray
    thickness: np.ndarray  # (8,) m by region
    glasses: bool


def draw_outfit(rng: np.random.Generator) -> Outfit:
    """Random but plausible clothes."""
    skin = draw_skin_tone(rng)
    jacket = rng.random() < 0.2
    sleeves = (-0.12, rng.uniform(0.3, 0.75), 1.0, rng.uniform(1.85, 1.97))
    sleeve = 1.93 if jacket else rng.choice(sleeves, p=(0.1, 0.42, 0.08, 0.4))
    lengths = (rng.uniform(0.3, 0.95), rng.uniform(1.2, 1.6), rng.uniform(1.85, 2.1))
    length = rng.choice(lengths, p=(0.28, 0.07, 0.65))
    thickness = np.zeros(8)
    for region, (low, high) in THICKNESS.items():
        thickness[region] = rng.uniform(low, high)
    style = str(rng.choice(list(HAIR_STYLES), p=(0.06, 0.14, 0.38, 0.22, 0.2)))
    if style == 'buzz':
        thickness[HAIR] = 0.003
    return Outfit(
        skin=skin,
        hair=draw_hair_tone(rng),
        hair_style=style,
        beard=rng.random() < 0.1 and style != 'long',
        cap=rng.random() < 0.1,
        top=draw_pattern(rng, 0.75 if jacket else 0.5),
        inner=draw_pattern(rng, 0.6),
        opening_m=rng.uniform(0.03, 0.08) if jacket else 0.0,
        sleeve=sleeve,
        neckline_m=rng.uniform(-0.02, 0.05),
        v_neck=rng.random() < 0.25,
        hem=rng.uniform(-0.6, -0.05),
        bottom=draw_denim(rng) if rng.random() < 0.45 else draw_pattern(rng, 0.85),
        bottom_length=length,
        sock_top=rng.uniform(1.5, 1.95),
        sock=draw_cloth_color(rng),
        shoe=draw_cloth_color(rng),
        shoe_top=rng.uniform(1.98, 2.15) if rng.random() < 0.75 else rng.uniform(1.5, 1.9),
        sole=np.full(3, rng.choice([0.1, 0.9])),
        lips=skin * np.array([0.95, 0.6, 0.6]),
        thickness=thickness,
        glasses=rng.random() < 0.15,
    )


def find_regions(outfit: Outfit, body: BodyMap, points: np.ndarray) -> np.ndarray:
    """The region of each point. (N, 5) attributes of `BodyMap` -> (N,) of SKIN, HAIR, ..."""
    arm, leg = body.along_arm(points), body.along_leg(points)
    x, y, z = points[:, :3].T
    region = np.full(len(points), SKIN)
    region[(leg > outfit.sock_top)] = SOCKS
    legs = (leg > -0.85) & (leg < outfit.bottom_length) & (arm < 0.5)
    region[legs] = BOTTOM
    neck = body.joint['Neck']
    edge = neck[1] - outfit.neckline_m * np.clip((z - neck[2]) / 0.06 + 0.5, -0.2, 1)
    if outfit.v_neck:
        edge = edge - np.where(z > neck[2], np.clip(0.1 - 1.6 * np.abs(x), 0, 0.1), 0)
    # the hole for the neck is narrow: shoulders are covered whatever their height
    edge = edge + 2.0 * np.clip(np.abs(x) - 0.07, 0, 1)
    trunk = (y < edge) & (points[:, 3] < 0.6)
    top = trunk & (arm < outfit.sleeve) & (leg < outfit.hem)
    region[top] = TOP
    front = (z > body.joint['Chest'][2] - 0.02) & (np.abs(x) < outfit.opening_m)
    region[top & front] = INNER
    region[leg > outfit.shoe_top] = SHOES
    region[_hair(outfit, body, points)] = HAIR
    if outfit.cap:
        _, height, depth = body.on_head(points)
        region[(height > 0.42 + 0.12 * (depth < 0)) & (points[:, 3] > 0.6)] = CAP
    return region


def _hair(outfit: Outfit, body: BodyMap, points: np.ndarray) -> np.ndarray:
    lowest = HAIR_STYLES[outfit.hair_style]
    if lowest is None:
        return np.zeros(len(points), bool)
    side, height, depth = body.on_head(points)
    line = np.interp(
        depth,
        [-0.45, -0.2, 0.0, 0.3, 0.62, 0.95],
        [lowest, min(lowest, -0.3), -0.12, 0.1, 0.5, 0.66],
    )
    line = line + 0.05 * noise(noise_tile(6, 1.1), points[:, 0], points[:, 2], 0.12)
    ear = (np.abs(depth) < 0.22) & (height < 0.2) & (side > 0.9) & (height > -0.5)
    near = (points[:, 3] > 0.3) | ((height > lowest) & (depth < -0.3) & (side < 1.25))
    return (height > line) & near & ~ear


def paint_body(outfit: Outfit, body: BodyMap, points: np.ndarray) -> Surface:
    """Colour, relief and gloss of points on the body. (N, 5) -> Surface of N points."""
    region = find_regions(outfit, body, points)
    arm, leg = body.along_arm(points), body.along_leg(points)
    x, y, z = points[:, :3].T
    # cloth coordinates: round the trunk and along it; round the limb and along it
    sleeve = arm > 0
    u = np.where(sleeve, y + z, np.where(np.abs(z) > 0, x + 0.6 * z * np.sign(x), x))
    v = np.where(sleeve, np.abs(x), y)
    albedo = _skin(outfit, body, points)
    bump = relief(points, 0.2, 0.03)
    gloss = np.full(len(points), 0.14)
    for code, pattern in ((TOP, outfit.top), (INNER, outfit.inner), (BOTTOM, outfit.bottom)):
        mask = region == code
        albedo[mask] = pattern(u[mask], v[mask])
        bump[mask] = relief(points[mask], 0.55, 0.2)
        gloss[mask] = 0.03
    belt = (region == BOTTOM) & (leg < -0.72)
    albedo[belt] *= 0.55
    seam = (region == TOP) & (np.abs(arm - outfit.sleeve) < 0.05)
    albedo[seam] *= 0.85
    albedo[region == SOCKS] = outfit.sock
    shoes = region == SHOES
    albedo[shoes] = outfit.shoe
    gloss[shoes] = 0.12
    albedo[shoes & (y < body.sole + 0.018)] = outfit.sole
    hair = (region == HAIR) | (region == CAP)
    strand = noise(noise_tile(3, 1.4, 6.0), y * 0.4 + z * 0.3, x + 0.4 * z, 0.25)
    albedo[hair] = (outfit.hair * (1 + 0.18 * strand)[:, None])[hair]
    bump[hair] = relief(points[hair], 0.12, 0.3)
    gloss[hair] = 0.1
    albedo[region == CAP] = outfit.sock * 0.5 + outfit.shoe * 0.5
    return Surface(np.clip(albedo, 0, 1), bump, gloss)


def _skin(outfit: Outfit, body: BodyMap, points: np.ndarray) -> np.ndarray:
    """Skin with a face: eyes, brows, mouth, cheeks, beard. (N, 5) -> (N, 3)."""
    x, y, z = points[:, :3].T
    mottled = 1 + 0.025 * noise(noise_tile(2, 1.6), x + z, y, 0.3)
    color = outfit.skin * mottled[:, None]
    face = np.flatnonzero((points[:, 3] > 0.5) & (z > body.ear_z + 0.25 * body.front_z))
    color[face] = _face(outfit, body, points[face], color[face])
    hand = body.along_arm(points) > 2.45
    color[hand] *= np.array([1.02, 0.94, 0.93])
    return color


def _face(outfit: Outfit, body: BodyMap, points: np.ndarray, color: np.ndarray) -> np.ndarray:
    x, y = np.abs(points[:, 0]), points[:, 1]
    unit = body.head_unit / 0.115  # features of a head of common size
    eye, nose = np.abs(body.face['L_Eye'][:2]), body.face['Nose'][:2]

    def ellipse(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return ((x - cx) / (rx * unit)) ** 2 + ((y - cy) / (ry * unit)) ** 2 < 1

    color = color.copy()
    mouth = nose[1] - 0.036 * unit
    cheek = ellipse(eye[0] + 0.012, nose[1] - 0.002, 0.02, 0.018)
    color[cheek] *= np.array([1.03, 0.9, 0.9])
    stubble = (y < nose[1] - 0.016 * unit) & ~ellipse(0, mouth, 0.026, 0.011)
    if outfit.beard:
        color[stubble] = 0.25 * color[stubble] + 0.75 * outfit.hair
    color[ellipse(0, mouth, 0.025, 0.0075)] = outfit.lips
    color[(x < 0.021 * unit) & (np.abs(y - mouth) < 0.0014 * unit)] *= 0.45
    color[ellipse(0.008 * unit, nose[1] - 0.012 * unit, 0.005, 0.0035)] *= 0.5
    color[ellipse(eye[0], eye[1] + 0.001, 0.0185, 0.0125)] *= 0.82
    color[ellipse(eye[0], eye[1], 0.0155, 0.0085)] = 0.9
    color[ellipse(eye[0], eye[1], 0.0068, 0.0075)] = (0.14, 0.09, 0.06)
    brow = ellipse(eye[0] + 0.002, eye[1] + 0.022 * unit, 0.02, 0.0048)
    color[brow] = 0.2 * color[brow] + 0.8 * outfit.hair * 0.8
    if outfit.glasses:
        outer = ellipse(eye[0], eye[1] - 0.003, 0.026, 0.02)
        inner = ellipse(eye[0], eye[1] - 0.003, 0.022, 0.016)
        bridge = (x < eye[0] - 0.02 * unit) & (np.abs(y - eye[1] - 0.004) < 0.003 * unit)
        color[(outer & ~inner) | bridge] = 0.08
    return color
