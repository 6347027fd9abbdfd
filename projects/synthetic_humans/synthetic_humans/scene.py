"""One picture of several people: a function of (seed, split, index) alone, as in `sample`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .body_subject import BodySubject
from .compose import compose, photograph
from .lighting import draw_lights
from .props import furniture
from .sample import annotation, draw_backdrop, random_streams
from .scene_layout import Layout, draw_layout

MAX_PEOPLE = 9
ID_STRIDE = MAX_PEOPLE + 1  # person k of picture i is sample ID_STRIDE * i + k


def draw_scene(
    subject: BodySubject,
    seed: int,
    split: str,
    index: int,
    image_size: tuple[int, int],
    people: tuple[int, int],
    picture: bool = True,
) -> tuple[list[dict[str, Any]], bytes | None]:
    """The annotations and the JPEG of one picture.

    Args:
        subject: From `build_subject`.
        seed: Of the whole data set.
        split: ``'train'`` or ``'test'``; the two share no picture.
        index: Number of the picture in its split.
        image_size: Width and height in px.
        people: Smallest and largest number of people, 1 to `MAX_PEOPLE`.
        picture: False leaves the picture out, which is faster.

    Returns:
        Columns of the annotation record for each person; the box is of the whole body, what hides
        it or not, within the picture; ``id_visible_percent`` is how much of the dressed person the
        picture shows. JPEG or None.

    Raises:
        ValueError: So many people find no room in such a picture.
    """
    rng, picture_rng = random_streams(seed, split, index)
    num_people = int(rng.integers(people[0], people[1] + 1))
    layout = draw_layout(rng, subject, num_people, image_size)
    rows = []
    for k, (person, share) in enumerate(zip(layout.people, layout.visible_share, strict=True)):
        row = annotation(person.shot, split, index)
        row['sample_id'] = ID_STRIDE * index + k
        row['id_visible_percent'] = int(100 * share)
        rows.append(row)
    return rows, render_layout(layout, picture_rng) if picture else None


def render_layout(layout: Layout, rng: np.random.Generator) -> bytes:
    """A photograph of people in random light and surroundings."""
    group = layout.group()
    backdrop = draw_backdrop(rng, group.camera, layout.ground, group.vertices_mm)
    lights = draw_lights(rng, layout.ground, backdrop.outdoors)
    layers = [layer for person in layout.people for layer in person.layers]
    layers += furniture(rng, group, layout.ground, backdrop) + layout.before
    return photograph(rng, compose(layers, backdrop, group.camera, lights))
