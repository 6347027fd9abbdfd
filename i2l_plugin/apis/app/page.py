"""The page's layout and events, in Gradio."""

# annotations stay objects here: Gradio reads those of the functions below to fill arguments in

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from . import pieces
from .gate import VISITOR_HEADER
from .service import Service, View

DATA = Path(__file__).parent / 'data'
_SYSTEM_FONTS = ['system-ui', 'sans-serif']
_SYSTEM_MONO = ['ui-monospace', 'monospace']
# Nothing is reported to anybody, and nothing is asked of anybody, whatever Gradio's defaults are.
_SILENCE = {
    'GRADIO_ANALYTICS_ENABLED': 'False',
    'GRADIO_SHARE': 'False',
    'HF_HUB_DISABLE_TELEMETRY': '1',
    'HF_HUB_OFFLINE': '1',
}


def import_gradio(temporary_folder: Path) -> ModuleType:
    """Gradio, silenced, with its own temporary files in a folder.

    Raises:
        ValueError: It is not installed; how to.
    """
    os.environ.update(_SILENCE, GRADIO_TEMP_DIR=str(temporary_folder))
    try:
        import gradio
    except ImportError as error:
        raise ValueError(
            f'the web page needs Gradio ({error}); `make app` installs it for this project alone, '
            "or pip install 'i2l_plugin[app]'"
        ) from error
    return gradio


def build_page(gr: ModuleType, service: Service) -> Any:
    """The page as Gradio's Blocks; `page_options` belongs to it."""
    limits = service.engine.limits
    with gr.Blocks(title='People in 3D', analytics_enabled=False, fill_width=True) as page:
        gr.HTML(pieces.introduction(limits), elem_id='introduction')
        zone = gr.HTML(
            pieces.upload_zone(limits), js_on_load=(DATA / 'upload.js').read_text('utf-8')
        )
        status = gr.HTML(elem_id='status')
        with gr.Column(visible=False, elem_id='results') as results:
            overlay = gr.HTML()
            gr.HTML('<h2>3D view</h2>')
            slider = gr.Slider(1, 2, step=1, label='Frame', visible=False, buttons=[])
            scene = gr.HTML()
        outputs = [status, results, overlay, slider, scene]

        def updates(view: View) -> list[Any]:
            last = view.num_frames
            return [
                view.status,
                gr.update(visible=bool(view.overlay)),
                view.overlay,
                gr.update(value=view.frame + 1, maximum=max(last, 2), visible=last > 1),
                view.scene,
            ]

        def accept(event: gr.EventData, request: gr.Request) -> list[Any]:
            given = event._data or {}
            if 'job' in given:
                return updates(service.accept(*_who(request), str(given['job'])))
            return updates(service.refuse(*_who(request), str(given.get('refused', ''))))

        def work(request: gr.Request) -> Iterator[list[Any]]:
            yield [gr.skip()] * len(outputs)  # without one result Gradio would empty them
            shown = False
            for view in service.work(*_who(request)):
                shown = bool(view.overlay)
                yield updates(view)
            # Gradio sends the last result again at the end: not of an upload that was given up for
            # a newer one. After results that are shown nothing may come: it would change them in
            # Gradio's page before they are drawn.
            if not shown:
                yield [gr.skip()] * len(outputs)

        def show(frame: float, request: gr.Request) -> str:
            return service.show_frame(*_who(request), int(frame) - 1)

        quiet = dict(show_progress='hidden', api_visibility='private')
        # By default Gradio's page drops an event whose forerunner is not done: the next upload
        always = dict(trigger_mode='multiple', **quiet)
        accepted = zone.upload(accept, None, outputs, concurrency_limit=None, **always)
        accepted.then(work, None, outputs, concurrency_limit=1, **always)
        slider.input(show, slider, scene, trigger_mode='always_last', **quiet)
        page.unload(lambda: None)  # makes the browser hold a connection: see Gate and Store.page
    page.queue(max_size=None, api_open=False)
    return page


def page_options(gr: ModuleType) -> dict[str, Any]:
    """Arguments of Gradio's `mount_gradio_app`: looks, and everything switched off that can be."""
    return dict(
        theme=gr.themes.Default(font=_SYSTEM_FONTS, font_mono=_SYSTEM_MONO),
        css=(DATA / 'app.css').read_text('utf-8'),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        allowed_paths=[],
    )


def _who(request: Any) -> tuple[str, str]:
    """The visitor, as the gate knows them, and their page."""
    return request.headers[VISITOR_HEADER], request.session_hash or ''
