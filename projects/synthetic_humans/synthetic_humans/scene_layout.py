"""Several people before one camera: who stands where.

One person is framed as in single pictures, which fixes the floor; the others are put onto that
floor at other distances. Nobody runs into anybody, hardly anyone is cut off by the picture's
border, and everyone can be seen: a place that hides too much of someone is drawn again.
Shapes: V vertices, N people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from i2l_plugin.visualization.ray_scene import Camera

from .body_subject import MIN_CAMERA_HEIGHT_MM, OCCLUDER_SHARE, BodySubject, draw_tilt
from .compose import Layer
from .footprints import footprint, gap_mm
from .framing import LEVEL_CAMERA, ORIGIN_M, Shot, pinhole, place, stand
from .props import occluder
from .silhouettes import Silhouette, silhouette, visible_shares
from .surroundings import Ground

MIN_VISIBLE = 0.3  # of a person's pixels
MIN_IN_PICTURE = 0.9  # of the area of a person's box
MIN_GAP_MM = 100.0  # on the floor between clothes and seats of two people
NEAREST_MM = 600.0  # depth of the nearest vertex
# Shares of the picture's height: the longer side of a person's box.
EXTENT, FIRST_EXTENT = (0.28, 0.97), (0.45, 0.9)
FOCAL = (0.85, 1.9)  # share of the picture's width
FARTHER = (0.5, 2.4)  # distance of another person over that of the first
TRIES = 30  # of a newcomer's places
DRAWS = 200  # of everyone, where someone found none; small groups need a few


@dataclass(frozen=True)
class Person:
    """Someone at a place; all layers belong to that place."""

    shot: Shot
    worn: list[Layer]  # body and clothes
    seat: list[Layer]  # empty or one
    footprint: np.ndarray  # (K, 2) mm on the floor

    @property
    def layers(self) -> list[Layer]:
        return self.worn + self.seat

    @cached_property
    def silhouette(self) -> Silhouette:
        """The person's pixels and depths; those of the seat may hide others."""
        camera = self.shot.camera
        points = camera.project(np.concatenate([layer.vertices_mm for layer in self.layers]))
        region = points.min(axis=0), points.max(axis=0)
        return silhouette(self.layers, len(self.worn), camera, *region)

    def moved_to(self, transl_m: np.ndarray, ground: Ground) -> Person:
        """The same person at another translation (3,) float32."""
        shot = self.shot.moved_to(transl_m)
        shift_mm = shot.joints_mm[0] - self.shot.joints_mm[0]
        worn, seat = (
            [layer._replace(vertices_mm=layer.vertices_mm + shift_mm) for layer in layers]
            for layers in (self.worn, self.seat)
        )
        on_floor = np.array([shift_mm @ ground.right, shift_mm @ ground.ahead])
        return Person(shot, worn, seat, self.footprint + on_floor)


class Layout(NamedTuple):
    """N people, what stands in front of them, and how much of each can be seen."""

    people: list[Person]
    ground: Ground
    before: list[Layer]
    visible_share: np.ndarray  # (N,) of the pixels that each would fill alone

    def group(self) -> Shot:
        """Everyone as one subject: where furniture goes depends on all vertices."""
        vertices = [layer.vertices_mm for person in self.people for layer in person.layers]
        return self.people[0].shot._replace(vertices_mm=np.concatenate(vertices))


def draw_layout(
    rng: np.random.Generator, subject: BodySubject, num_people: int, image_size: tuple[int, int]
) -> Layout:
    """Clothed people at places where the picture (width, height) px shows them all.

    Raises:
        ValueError: There are too many for such a picture.
    """
    for _ in range(DRAWS):
        tilt = Rotation.from_euler('xz', draw_tilt(rng), degrees=True)
        camera = pinhole(rng.uniform(*FOCAL) * image_size[0], image_size)
        people = _draw_people(rng, subject, num_people, tilt * LEVEL_CAMERA, camera)
        if people:
            break
    else:
        width, height = image_size
        raise ValueError(
            f'{num_people} people found no room in a picture of {width}x{height} px in {DRAWS} '
            'draws: ask for fewer --people or a wider --image-size'
        )
    shot = people[0].shot
    silhouettes = [person.silhouette for person in people]
    shares = visible_shares(silhouettes, image_size)
    layout = Layout(people, Ground.below(shot.up, shot.lowest_mm()), [], shares)
    if rng.random() < OCCLUDER_SHARE:
        before = [occluder(rng, layout.group(), layout.ground)]
        picture = np.zeros(2), np.array(image_size) - 1
        silhouettes.append(silhouette(before, 0, camera, *picture))
        shares = visible_shares(silhouettes, image_size, len(people))
        if shares.min() >= MIN_VISIBLE:
            layout = layout._replace(before=before, visible_share=shares)
    return layout


def _draw_people(
    rng: np.random.Generator,
    subject: BodySubject,
    num_people: int,
    camera_from_world: Rotation,
    camera: Camera,
) -> list[Person]:
    """Everyone, or nobody where someone found no place."""
    size = np.array(camera.image_size_px)
    first = _draw_person(rng, subject, camera_from_world, camera)
    extent_px = rng.uniform(*FIRST_EXTENT) * size[1]
    room = np.maximum((1 - 1.12 * extent_px / size) / 2, 0.02)
    center_px = (0.5 + rng.uniform(-room, room)) * size - 0.5
    transl_m = place(first.shot.vertices_mm, camera, extent_px, center_px)
    shot = first.shot.moved_to(transl_m)
    ground = Ground.below(shot.up, shot.lowest_mm())
    first = first.moved_to(transl_m, ground)
    if ground.height_mm < MIN_CAMERA_HEIGHT_MM or not _framed(first):
        return []
    people = [first]
    distance_mm = shot.vertices_mm.mean(axis=0) @ ground.ahead
    for _ in range(num_people - 1):
        newcomer = _draw_person(rng, subject, camera_from_world, camera)
        for _ in range(TRIES):
            ahead_mm = distance_mm * np.exp(rng.uniform(*np.log(FARTHER)))
            column_px = rng.uniform(0, size[0])
            candidate = _put(newcomer, ground, ahead_mm, column_px)
            if _fits(candidate, people):
                people.append(candidate)
                break
        else:
            return []
    return people


def _draw_person(
    rng: np.random.Generator, subject: BodySubject, camera_from_world: Rotation, camera: Camera
) -> Person:
    """A clothed person, and the seat, at the origin."""
    shot = stand(subject.model, subject.draw_figure(rng), camera_from_world, camera, ORIGIN_M)
    ground = Ground.below(shot.up, shot.lowest_mm())
    worn, seat = subject.dress(rng, shot), subject.seats(rng, shot, ground)
    points = np.concatenate([layer.vertices_mm for layer in worn + seat])
    return Person(shot, worn, seat, footprint(points, ground))


def _put(person: Person, ground: Ground, ahead_mm: float, column_px: float) -> Person:
    """The person on the floor at a distance, seen about a column of the picture."""
    camera = person.shot.camera
    right_mm = ahead_mm * (column_px - camera.princpt_px[0]) / camera.focal_px[0]
    middle = person.shot.vertices_mm.mean(axis=0)
    shift_mm = (
        (ahead_mm - middle @ ground.ahead) * ground.ahead
        + (right_mm - middle @ ground.right) * ground.right
        - (ground.height_mm + person.shot.lowest_mm() @ ground.up) * ground.up
    )
    return person.moved_to((shift_mm / 1000).astype(np.float32), ground)


def _fits(person: Person, others: Sequence[Person]) -> bool:
    """Whether someone may join the others: in the picture, apart from all, hiding nobody."""
    if not _framed(person):
        return False
    if any(gap_mm(person.footprint, other.footprint) < MIN_GAP_MM for other in others):
        return False
    silhouettes = [member.silhouette for member in (*others, person)]
    shares = visible_shares(silhouettes, person.shot.camera.image_size_px)
    return bool(shares.min() >= MIN_VISIBLE)


def _framed(person: Person) -> bool:
    """Whether the person is large enough, not too near, and in the picture."""
    if min(layer.vertices_mm[:, 2].min() for layer in person.layers) < NEAREST_MM:
        return False
    camera = person.shot.camera
    points = camera.project(person.shot.vertices_mm)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = (high - low).max() / camera.image_size_px[1]
    if not EXTENT[0] <= extent <= EXTENT[1]:
        return False
    limit = np.array(camera.image_size_px) - 1
    inside = (high.clip(0, limit) - low.clip(0, limit)) / (high - low)
    return bool(inside.prod() >= MIN_IN_PICTURE)
