"""Boxes and masks of hands as COCO JSON, against exact unions of the projected triangles."""

import json

import numpy as np
import pytest
import shapely
from freihand_detection import silhouette
from helpers_converters import edit_json
from helpers_freihand import SIZE, TRUNCATED, freihand_converter, write_freihand
from pycocotools.coco import COCO

from i2l_plugin.datasets import AnnotationRecord

UNIQUE = 4
FRAME = shapely.box(0, 0, SIZE - 1, SIZE - 1)


def exact_union(points_px, faces):
    """The silhouette within the image, its holes filled."""
    triangles = shapely.polygons(points_px[faces])
    union = shapely.union_all(shapely.make_valid(triangles)).intersection(FRAME)
    parts = shapely.get_parts(union)
    outer = [shapely.Polygon(p.exterior) for p in parts if isinstance(p, shapely.Polygon)]
    return shapely.union_all(outer)


def as_shape(polygons):
    points = [np.reshape(polygon, (-1, 2)) for polygon in polygons]
    return shapely.union_all(shapely.make_valid([shapely.Polygon(p) for p in points]))


@pytest.fixture(scope='module', params=['raw', 'parsed'])
def hands(request, tmp_path_factory):
    """Truth and the file of a training split."""
    root = tmp_path_factory.mktemp('hands')
    truth = write_freihand(root, request.param, unique=UNIQUE)
    out = root / 'detectors/hands.json'
    _, said = freihand_converter(root)('--coco-out', str(out))
    assert f'{out}: 16 hands in 16 images, 0 not in view' in said
    return truth, out


def test_every_image_has_its_hand(hands):
    truth, file = hands
    coco = COCO(str(file))
    (category,) = coco.loadCats(coco.getCatIds())
    assert (category['id'], category['name']) == (1, 'hand')  # the number that `bbox_file` wants
    assert sorted(coco.getImgIds()) == list(range(4 * UNIQUE))
    for image in coco.loadImgs(coco.getImgIds()):
        assert image['file_name'] == truth.paths[image['id']]
        assert (image['width'], image['height']) == (SIZE, SIZE)
        (annotation,) = coco.loadAnns(coco.getAnnIds(image['id']))
        assert (annotation['iscrowd'], annotation['category_id']) == (0, 1)
        x1, y1, x2, y2 = truth.box(image['id'] % UNIQUE).clip(0, SIZE - 1)
        np.testing.assert_allclose(annotation['bbox'], [x1, y1, x2 - x1, y2 - y1], atol=0.01)


def test_masks_are_the_silhouettes(hands):
    truth, file = hands
    coco = COCO(str(file))
    for annotation in coco.loadAnns(coco.getAnnIds()):
        hand = annotation['image_id'] % UNIQUE
        expected = exact_union(truth.vertices_px[hand], truth.faces)
        drawn = as_shape(annotation['segmentation'])
        overlap = drawn.intersection(expected).area / drawn.union(expected).area
        assert overlap > 0.96
        assert annotation['area'] == pytest.approx(expected.area, rel=0.02)
        # as detectors rasterise it
        assert coco.annToMask(annotation).sum() == pytest.approx(expected.area, rel=0.05)


def test_one_hand_is_truncated(hands):
    x1, y1, x2, y2 = hands[0].box(TRUNCATED)
    assert x2 > SIZE
    assert y2 > SIZE
    assert x1 > 0
    assert y1 > 0


def test_silhouette_of_overlapping_squares_and_of_specks():
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], float)
    points = np.concatenate([square + 20, square + 25, square / 100 + 60, square + 500])
    faces = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * i for i in range(4)])
    (polygon,), area = silhouette(points, faces, (100, 100))
    assert area == pytest.approx(175, rel=0.01)
    expected = as_shape([square + 20]).union(as_shape([square + 25]))
    assert as_shape([polygon]).symmetric_difference(expected).area < 2


def test_hands_out_of_view_are_counted_and_left_out(tmp_path):
    write_freihand(tmp_path, 'raw', 'eval')

    def move(matrices):
        matrices[0][0][2] += 500

    edit_json(tmp_path / 'evaluation_K.json', move)
    out = tmp_path / 'hands.json'
    _, said = freihand_converter(tmp_path, 'eval')('--coco-out', str(out))
    assert '2 hands in 3 images, 1 not in view' in said
    assert {a['image_id'] for a in json.loads(out.read_text())['annotations']} == {1, 2}


def test_an_interrupted_file_leaves_the_old_one(tmp_path, monkeypatch):
    write_freihand(tmp_path, 'raw', 'eval')
    out = tmp_path / 'hands.json'
    out.write_text('old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr('freihand_detection.silhouette', fail)
    with pytest.raises(SystemExit, match=r'--coco-out .*hands\.json: disk full; .*npz is complete'):
        freihand_converter(tmp_path, 'eval')('--coco-out', str(out))
    assert out.read_text() == 'old'
    assert len(AnnotationRecord.load(tmp_path / 'out.npz')) == 3
    assert not list(tmp_path.glob('.*.tmp'))
