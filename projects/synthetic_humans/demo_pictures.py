"""What the demo shows: held-out people in a sheet, and pictures of several people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from demo_steps import Chain, run
from numpy.typing import NDArray

from i2l_plugin.files import replacing, write_json

BLANK = 255
ALL_JOINTS = 0.0  # least score of one that is drawn
SAVED = ('json', 'npz', 'glb', 'html', 'image')


def draw_people(out: Path, config: Any, checkpoint: Path, rows: int) -> None:
    """Draw overlay.png, a row for each of the first held-out people, and mesh.glb of the first.

    Args:
        out: Folder of the two.
        config: Of the mesh network, with the test set.
        checkpoint: Its weights.
        rows: How many people.
    """
    import torch
    from mmengine.dataset import pseudo_collate
    from mmpose.apis import init_model
    from mmpose.registry import DATASETS, VISUALIZERS

    from i2l_plugin.visualization.exporters import export_mesh

    model = init_model(config, str(checkpoint), device='cpu')
    test_set = DATASETS.build(config.test_dataloader.dataset)
    samples = [test_set[i] for i in range(min(rows, len(test_set)))]
    with torch.no_grad():
        results = model.test_step(pseudo_collate(samples))
    body_model = config.visualizer.body_model
    visualizer = VISUALIZERS.build(
        dict(type='MeshVisualizer', name='demo', body_model=body_model, panel_height=256)
    )
    visualizer.set_dataset_meta(test_set.metainfo)
    pictures = [visualizer.draw(cv2.imread(r.img_path)[..., ::-1], r, ALL_JOINTS) for r in results]
    half = (len(pictures) + 1) // 2
    columns = [stacked(column) for column in (pictures[:half], pictures[half:]) if column]
    height = len(columns[0])
    pad = [((0, height - len(column)), (0, 0), (0, 0)) for column in columns]
    sheet = [np.pad(c, p, constant_values=BLANK) for c, p in zip(columns, pad, strict=True)]
    write_picture(out / 'overlay.png', np.hstack(sheet))
    export_mesh(out / 'mesh.glb', results[0].pred_instances.vertices_cam[0], visualizer.faces)


def show_scenes(out: Path, chain: Chain) -> list[Path]:
    """Pictures with the most people, and from nothing but them and their camera the meshes.

    Args:
        out: scenes.png shows all pictures and what was found; the files of each are below scenes/.
        chain: The networks; the detector's held-out pictures are taken.

    Returns:
        The GLB file and the page of each scene.
    """
    files, pictures = [], []
    for picture, camera in crowded_pictures(chain.detector.data):
        folder = out / 'scenes' / picture.stem
        write_json(camera, folder / 'camera.json')
        run(
            *('tools/demo.py', picture, '--out', folder, '--camera', folder / 'camera.json'),
            *(*chain.options(), '--kpt-thr', ALL_JOINTS, '--save', *SAVED),
        )
        drawn = cv2.imread(str(folder / f'visualizations/{picture.stem}.jpg'))
        pictures.append(drawn[..., ::-1])
        results = folder / 'predictions'
        files += [results / f'{picture.stem}_scene.glb', results / f'{picture.stem}.html']
    write_picture(out / 'scenes.png', stacked(pictures))
    return files


def crowded_pictures(data: Path) -> list[tuple[Path, dict[str, list[float]]]]:
    """Of the held-out scenes the first picture of the two largest numbers of people.

    Returns:
        The pictures with their cameras, as `--camera` reads them; the largest number last.
    """
    from i2l_plugin.datasets import AnnotationRecord

    record = AnnotationRecord.load(data / 'test.npz')
    _, rows, num_people = np.unique(record['image_id'], return_index=True, return_counts=True)
    chosen = [rows[num_people == number][0] for number in np.unique(num_people)[-2:]]
    return [
        (
            data / record['image_path'][row].decode(),
            {name: record[name][row].tolist() for name in ('focal_px', 'princpt_px')},
        )
        for row in chosen
    ]


def stacked(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures (H, W, 3) one below the other, on white where one is narrower."""
    width = max(picture.shape[1] for picture in pictures)
    return np.vstack(
        [
            np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=BLANK)
            for p in pictures
        ]
    )


def write_picture(path: Path, picture_rgb: NDArray[np.uint8]) -> None:
    """Write a PNG file, whole or not at all."""
    with replacing(path) as part:
        cv2.imwrite(str(part), picture_rgb[..., ::-1])
