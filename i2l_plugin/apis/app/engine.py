"""From an upload to the files that its visitor sees."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from i2l_plugin.apis.inference.cameras import CameraFinder
from i2l_plugin.apis.inference.estimation import estimate_scenes
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer
from i2l_plugin.apis.inference.scene_maker import SceneMaker
from i2l_plugin.apis.inference.sequences import follow_people

from .checks import Upload, check_upload
from .kept_frames import KeptFrame
from .limited import LimitedScenes
from .limits import Limits, RefusedError
from .result_writers import ClipResults, PictureResults, kept_path, stem_of
from .storage import Job, Served

_BATCH_SIZE = 8


@dataclass(frozen=True)
class Progress:
    """How far it has come.

    Attributes:
        done: Frames.
        total: Of how many; None if unknown.
        left_s: Seconds that are left, where the total is known.
    """

    done: int
    total: int | None = None
    left_s: float = 0.0


@dataclass(frozen=True)
class Findings:
    """What was found in an upload.

    Attributes:
        kind: ``'picture'`` or ``'clip'``.
        people: Number of people of each frame.
        notices: Sentences about what was left out.
        sources: Where boxes, camera and depths are from.
    """

    kind: str
    people: tuple[int, ...]
    notices: tuple[str, ...]
    sources: str

    @property
    def first(self) -> int:
        """The first frame with people, or 0."""
        return next((i for i, count in enumerate(self.people) if count), 0)


class Engine:
    """Finds people for visitors, one upload at a time.

    Args:
        inferencer: Finds the meshes.
        limits: What a visitor may ask for.
        bbox_thr: Least score of a detector's box, 0.3 by default.
        fov: Horizontal field of view in degrees of all uploads; by default EXIF data, else 1500 px.

    Raises:
        ValueError: A threshold or a field of view that cannot be, or a threshold without a
            detector.
    """

    def __init__(
        self,
        inferencer: MeshInferencer,
        limits: Limits,
        bbox_thr: float | None = None,
        fov: float | None = None,
    ) -> None:
        # said now and not at the first upload
        SceneMaker(CameraFinder(fov_deg=fov), '', detector=inferencer.detector, bbox_thr=bbox_thr)
        self.inferencer, self.limits = inferencer, limits
        self.options = dict(bbox_thr=bbox_thr, fov=fov)
        self.faces = inferencer.model.body_model.faces.cpu().numpy()

    def run(self, job: Job) -> Iterator[Progress | Findings]:
        """Work on an upload; the last thing that comes is what was found, unless it was closed.

        The uploaded file is deleted at the end, whatever happens.

        Raises:
            RefusedError: It cannot be used; the reason.
        """
        path = job.upload
        try:
            upload = check_upload(path, job.name, self.limits)
            path = path.rename(path.with_suffix(upload.suffix))
            yield Progress(0)
            yield from self._find(job, upload, path)
        finally:
            path.unlink(missing_ok=True)

    def show(self, job: Job, findings: Findings, index: int) -> None:
        """Make the scene of a frame: ``scene_INDEX.html`` and, of people, ``mesh_INDEX.glb``.

        They become files of the job in the place of those of another frame.
        """
        frame, stem, title = KeptFrame.load(kept_path(job, index)), stem_of(job.name), job.name
        if findings.kind == 'clip':
            stem, title = f'{stem}_{index + 1:04d}', f'{title}, frame {index + 1}'
        for name in [name for name in job.files if name.startswith(('scene_', 'mesh_'))]:
            job.files.pop(name).path.unlink(missing_ok=True)
        page = job.folder / f'scene_{index}.html'
        frame.write_html(page, self.faces, title, findings.sources)
        job.files[page.name] = Served(
            page, 'text/html; charset=utf-8', f'{stem}.html', is_shown=True
        )
        if len(frame.names):
            mesh = job.folder / f'mesh_{index}.glb'
            frame.write_glb(mesh, self.faces)
            job.files[mesh.name] = Served(mesh, 'model/gltf-binary', f'{stem}.glb')

    def _find(self, job: Job, upload: Upload, path: Path) -> Iterator[Progress | Findings]:
        limited = LimitedScenes(upload, job.name, self.limits)
        scenes = self.inferencer.preprocess(str(path), on_skip=limited.skip, **self.options)
        scenes = estimate_scenes(limited.of(scenes), self.inferencer.forward, _BATCH_SIZE)
        samples = follow_people(scenes, self.inferencer.model.body_model, method=True)
        start_s, sources = time.monotonic(), ''
        with (ClipResults if upload.kind == 'clip' else PictureResults)(job, self.faces) as results:
            try:
                for frame, sample in samples:
                    results.add(frame, sample)
                    done, total = len(results.people), limited.total(frame.source.fps)
                    rate_s = (time.monotonic() - start_s) / done
                    yield Progress(done, total, rate_s * max((total or 0) - done, 0))
                    if job.closed:
                        return
                    sources = _sources(sample.metainfo)
            except ValueError as error:
                if limited.num_frames or not limited.problem:
                    raise
                raise RefusedError(f'“{job.name}” cannot be read: {limited.problem}.') from error
        people, notices = tuple(results.people), tuple(limited.notices())
        yield Findings(upload.kind, people, notices, sources)


def _sources(meta: dict) -> str:
    return (
        f'Boxes: {meta["bbox_source"]}. Camera: {meta["camera_source"]}. '
        f'Root depth: {meta["root_depth_source"]}.'
    )
