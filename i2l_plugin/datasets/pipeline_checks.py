"""What a pipeline must not do to a sample, and how far it grows the boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mmpose.datasets.transforms import GetBBoxCenterScale, RandomFlip, TopdownAffine

from .transforms import RandomMirror


def all_transforms(transforms: Sequence[Callable]) -> Iterator[Callable]:
    """Every transform, those in wrappers such as RandomApply included."""
    for transform in transforms:
        yield transform
        yield from all_transforms(getattr(transform, 'transforms', ()))


def check_pipeline(transforms: Sequence[Callable], is_hand: bool) -> None:
    """Refuse transforms that would part the image from its labels.

    Args:
        transforms: Those of a data set.
        is_hand: Whether its samples are right hands.

    Raises:
        ValueError: `TopdownAffine` with ``use_udp``; the host's `RandomFlip`; a mirror for hands.
    """
    for transform in all_transforms(transforms):
        if isinstance(transform, TopdownAffine) and transform.use_udp:
            raise ValueError(
                'pipeline: TopdownAffine(use_udp=True) crops by another matrix than the '
                'crop_from_image that PackMeshInputs tells the model; leave use_udp out'
            )
        if is_hand and isinstance(transform, RandomMirror | RandomFlip):
            raise ValueError(
                f'pipeline: {type(transform).__name__} makes left hands of right ones, which the '
                'hand model and FreiHAND do not have; remove it for hands'
            )
        if isinstance(transform, RandomFlip):
            raise ValueError(
                'pipeline: RandomFlip mirrors neither the camera nor the pose; use RandomMirror'
            )


def box_padding(transforms: Sequence[Callable]) -> float:
    """The factor by which the pipeline's `GetBBoxCenterScale` grows boxes.

    Raises:
        ValueError: There is not exactly one.
    """
    found = [t.padding for t in all_transforms(transforms) if isinstance(t, GetBBoxCenterScale)]
    if len(found) != 1:
        raise ValueError(
            f'pipeline: got {len(found)} GetBBoxCenterScale, expected one: the boxes of bbox_file '
            'are grown already, and the data set must know by how much they would be grown again'
        )
    return found[0]
