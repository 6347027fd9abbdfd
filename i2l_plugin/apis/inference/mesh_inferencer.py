"""MeshInferencer: pictures, folders, videos or a camera in, meshes out.

MMPose's inferencers (`BaseMMPoseInferencer`) set the contract: how it is called, and a dict of
``predictions`` and ``visualization`` for each picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpose.apis.inferencers.base_mmpose_inferencer import BaseMMPoseInferencer
from mmpose.registry import INFERENCERS
from mmpose.structures import PoseDataSample
from numpy.typing import ArrayLike, NDArray
from torch import nn
from tqdm import tqdm

from i2l_plugin.visualization.mesh_visualizer import PANELS, MeshVisualizer
from i2l_plugin.visualization.scene_overlay import draw_overlay

from .boxes import PerPicture
from .cameras import CameraFinder
from .crops import PersonCrops
from .detection import Detector, FoundBoxes
from .estimation import PeopleEstimator, estimate_scenes
from .frames import Frame, OnSkip, count_frames, log_skip, read_frames
from .inputs import Inputs
from .loading import as_config, build_mesh_network, init_model
from .result_files import DEFAULT_FORMATS, ResultFiles
from .results import instances_of
from .root_depth import RootNetDepths
from .runtimes import check_backend, make_runtime
from .scene import Person, Scene
from .scene_maker import BOX_NUMBERS, PictureNumbers, SceneMaker
from .sequences import check_smoothing, follow_people
from .window import Window

ConfigLike = str | os.PathLike | Config
_OWN = ('type', 'name', 'body_model', 'vis_backends', 'save_dir')  # of a config's visualizer


@INFERENCERS.register_module()
class MeshInferencer(BaseMMPoseInferencer):
    """Meshes of the people, or of right hands, in pictures.

    >>> from i2l_plugin.apis import MeshInferencer
    >>> inferencer = MeshInferencer('config.py', 'checkpoint.pth')
    >>> for result in inferencer('pictures', out_dir='results'):
    ...     for person in result['predictions'][0]:
    ...         print(person['bbox'], len(person['vertices_cam']), person['camera']['source'])

    Args:
        model: Config of a mesh network, or the network of `init_model`.
        weights: Its checkpoint, or with ``backend='onnxruntime'`` its file of `tools/export.py`;
            None leaves the weights random, with a warning.
        device: Such as ``'cpu'`` or ``'cuda:0'``; the host's choice by default. A network that is
            given stays where it is.
        scope: As in the host.
        det_model: Who finds people where no boxes are given: a config of MMDetection or the name of
            one of its models (`Detector`), or any function that takes a picture (H, W, 3) BGR and
            returns boxes x1 y1 x2 y2 score, (M, 5), whose attribute ``name`` is recorded. None, or
            ``'whole_image'``, takes the whole image for a person's box.
        det_weights: Checkpoint of the detector.
        det_cat_ids: Number or numbers of the detector's classes to take, from 0; by default the
            one named person, or hand.
        root_model: Config of a RootNet, which says how far away people are. None: their boxes'
            sizes do, as RootNet's k with gamma 1.
        root_weights: Checkpoint of the RootNet.
        show_progress: Show a bar with the time that is left.
        backend: What runs the network: ``'pytorch'``, or ``'onnxruntime'`` on the CPU.
        backend_options: Options of `TorchRuntime`, which make PyTorch faster.

    Raises:
        FileNotFoundError, ValueError: A file is missing or wrong; it says which.
    """

    preprocess_kwargs: ClassVar[set] = {
        *('bboxes', 'bbox_thr', 'nms_thr', 'root_depths', 'camera', 'fov', 'on_skip'),
    }
    forward_kwargs: ClassVar[set] = {'smooth'}
    visualize_kwargs: ClassVar[set] = {
        *('return_vis', 'show', 'wait_time', 'draw_bbox', 'kpt_thr', 'vis_out_dir'),
    }
    postprocess_kwargs: ClassVar[set] = {'pred_out_dir', 'save'}

    def __init__(
        self,
        model: ConfigLike | nn.Module,
        weights: str | None = None,
        device: str | None = None,
        scope: str | None = 'mmpose',
        det_model: ConfigLike | FoundBoxes | None = None,
        det_weights: str | None = None,
        det_cat_ids: int | Sequence[int] | None = None,
        root_model: ConfigLike | None = None,
        root_weights: str | None = None,
        show_progress: bool = False,
        backend: str = 'pytorch',
        backend_options: Mapping[str, Any] | None = None,
    ) -> None:
        check_backend(backend, weights, device, backend_options)
        self._given_model = model if isinstance(model, nn.Module) else None
        self._backend = backend
        if self._given_model is not None and weights is not None:
            raise ValueError(
                f'weights: got {weights!r} for a network that has its own; give its config'
            )
        whole_image = det_model is None or str(det_model) in ('whole_image', 'whole-image')
        if whole_image and det_weights is not None:
            raise ValueError(
                f'det_weights: got {det_weights!r} without a detector; give its config'
            )
        if root_model is None and root_weights is not None:
            raise ValueError(f'root_weights: got {root_weights!r} without its config; give it too')
        config = as_config(model if self._given_model is None else model.cfg)
        super().__init__(config, weights, device, scope, show_progress)
        device = device or str(next(self.model.parameters()).device)
        kind = self.model.body_model.kind
        root_depths = None
        if root_model is not None:
            root_depths = RootNetDepths(as_config(root_model), root_weights, kind, device)
        runtime = make_runtime(backend, self.model, weights, backend_options)
        self.estimate = PeopleEstimator(self.model, self.pipeline, root_depths, runtime)
        self.detector: FoundBoxes | None = None
        if callable(det_model):
            self.detector = det_model
        elif not whole_image:
            self.detector = Detector(det_model, det_weights, kind, det_cat_ids, device)

    def _init_model(self, cfg: Config, weights: str | None, device: str | None) -> nn.Module:
        if self._given_model is not None:
            return self._given_model
        if self._backend == 'onnxruntime':
            return build_mesh_network(cfg, None, 'cpu')
        return init_model(cfg, weights, device)

    def _init_pipeline(self, cfg: Config) -> PersonCrops:
        return PersonCrops(cfg, self.model.body_model)

    def _init_collate(self, cfg: Config) -> Callable:
        del cfg
        return pseudo_collate

    def _init_visualizer(self, cfg: Config) -> MeshVisualizer:
        own = cfg.get('visualizer') or {}
        options = dict(panels=PANELS)
        if own.get('type') == 'MeshVisualizer':
            options.update((name, value) for name, value in own.items() if name not in _OWN)
        visualizer = MeshVisualizer('mesh_inferencer', **options)
        faces = self.model.body_model.faces.cpu().numpy()
        visualizer.set_dataset_meta({**self.model.dataset_meta, 'faces': faces})
        return visualizer

    def __call__(
        self,
        inputs: Inputs,
        return_datasamples: bool = False,
        batch_size: int = 8,
        out_dir: str | os.PathLike | None = None,
        **kwargs: Any,
    ) -> Iterator[dict[str, list]]:
        """Results picture by picture, each as soon as it is ready.

        Args:
            inputs: Path of a picture or video, folder, glob, ``webcam[:ID]``, array (H, W, 3) BGR,
                or a list of these; see `find_inputs`.
            return_datasamples: Scene samples (`Scene.to_sample`) instead of dicts.
            batch_size: People, of one or several pictures, that go through the network together.
            out_dir: Folder of the results: ``predictions`` and ``visualizations`` in it.
            **kwargs: Arguments of `preprocess` and `visualize`, and

                - smooth: Smooth the people of videos over time: True or a method, see
                  `follow_people`.
                - return_vis: Give the pictures, RGB, as ``visualization``.
                - show: Show them in a window; Escape or q in it ends the call.
                - wait_time: Milliseconds that a still picture is shown; 0 waits for a key.
                - save: Formats to write, see `result_files`; by default all but meshes and HTML.
                - pred_out_dir, vis_out_dir: Folders instead of those in `out_dir`.

        Yields:
            A dict for each picture or frame: ``predictions``, a list of one list of people (dicts,
            see `instances_of`) or of one scene sample, and ``visualization``, a list of one picture
            or an empty one.

        Raises:
            FileNotFoundError, OSError, ValueError: An argument is wrong; said by the call itself.
                That no picture could be read, or that OpenCV has no windows, is said later.
        """
        if batch_size < 1:
            raise ValueError(f'batch_size: got {batch_size}, expected at least 1 person')
        if out_dir is not None:
            kwargs.setdefault('vis_out_dir', os.path.join(out_dir, 'visualizations'))
            kwargs.setdefault('pred_out_dir', os.path.join(out_dir, 'predictions'))
        preprocess, forward, visualize, postprocess = self._dispatch_kwargs(**kwargs)
        files = ResultFiles(
            postprocess.get('save', DEFAULT_FORMATS),
            postprocess.get('pred_out_dir'),
            visualize.pop('vis_out_dir', None),
            self.model.body_model.faces.cpu().numpy(),
            self.model.body_model.joint_set.joint_names,
        )
        smooth = forward.get('smooth', False)
        check_smoothing(smooth)
        scenes = self.preprocess(inputs, **preprocess)
        scenes = estimate_scenes(scenes, self.forward, batch_size)
        samples = follow_people(scenes, self.model.body_model, smooth)
        return self._results(samples, files, inputs, return_datasamples, **visualize)

    def _results(
        self,
        samples: Iterator[tuple[Frame, PoseDataSample]],
        files: ResultFiles,
        inputs: Inputs,
        return_datasamples: bool,
        return_vis: bool = False,
        show: bool = False,
        wait_time: float = 0,
        **visualize: Any,
    ) -> Iterator[dict[str, list]]:
        draws = return_vis or show or files.needs_pictures
        total = count_frames(inputs) if self.show_progress else None
        bar = tqdm(total=total, disable=not self.show_progress, unit='frame')
        with bar, files, Window() if show else nullcontext() as window:
            for frame, sample in samples:
                picture = self.visualize(frame, sample, **visualize) if draws else None
                files.write(frame, sample, picture)
                bar.update()
                wait_ms = 1 if frame.source.is_sequence else int(wait_time)
                go_on = window is None or window.show(picture, wait_ms)
                yield {
                    'predictions': [sample if return_datasamples else instances_of(sample)],
                    'visualization': [picture] if return_vis else [],
                }
                if not go_on:
                    return

    def preprocess(
        self,
        inputs: Inputs,
        bboxes: Sequence[Any] | None = None,
        bbox_thr: float | None = None,
        nms_thr: float | None = None,
        root_depths: Sequence[Any] | None = None,
        camera: ArrayLike | Mapping[str, Any] | str | os.PathLike | None = None,
        fov: float | None = None,
        on_skip: OnSkip | None = None,
    ) -> Iterator[Scene]:
        """Scenes whose people have boxes, but no meshes yet.

        Args:
            inputs: As in `__call__`.
            bboxes: Boxes x1 y1 x2 y2 in px, not grown, with or without a score: a list of those of
                each picture, also of pictures that cannot be read; for one picture its boxes alone.
            bbox_thr: Detections with a lower score are dropped; 0.3 by default. An error where no
                detector is asked, since nothing would be dropped.
            nms_thr: So are those that overlap with a better one by more than this; likewise.
            root_depths: Depths of the root joints in mm, one for each of `bboxes`, likewise.
            camera: Intrinsics of all pictures, as `CameraFinder` takes them.
            fov: Horizontal field of view in degrees instead.
            on_skip: Told the name and the reason where a picture or frame cannot be read; by
                default the log is.
        """
        make_scene = SceneMaker(
            CameraFinder(camera, fov),
            self.estimate.root_depth_source,
            bboxes=None if bboxes is None else PerPicture('bboxes', bboxes, BOX_NUMBERS),
            root_depths=None if root_depths is None else PerPicture('root_depths', root_depths),
            detector=self.detector,
            bbox_thr=bbox_thr,
            nms_thr=nms_thr,
        )
        make_scene.check_number(inputs)
        numbers = PictureNumbers(make_scene, on_skip or log_skip)
        return numbers.scenes(read_frames(inputs, numbers.skip))

    def forward(self, people: Sequence[Person]) -> None:
        """Find the meshes of a batch of people."""
        self.estimate(people)

    def visualize(
        self, frame: Frame, sample: PoseDataSample, draw_bbox: bool = False, kpt_thr: float = 0.3
    ) -> NDArray[np.uint8]:
        """A picture of the results, (H', W', 3) uint8 RGB.

        Of still pictures the row of `MeshVisualizer`; of frames the people over the picture.

        Args:
            frame: The picture.
            sample: Its scene sample.
            draw_bbox: Draw the boxes too, with numbers and depths.
            kpt_thr: Joints with a lower score are left out.
        """
        image = frame.image_bgr[..., ::-1]
        if frame.source.is_sequence:
            return draw_overlay(image, sample, self.visualizer.faces, draw_bbox=draw_bbox)
        return self.visualizer.draw(image, sample, kpt_thr, draw_bbox)
