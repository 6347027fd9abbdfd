"""One self-contained page of samples: every picture inside, a small script to sort and filter.

The page refers to nothing outside itself, and its content security policy forbids it to.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TextIO

import numpy as np

from i2l_plugin.files import replacing

from .dataset_sheet import SamplePanels, encode
from .html_template import SCRIPT, STYLE
from .sample_report import SampleReport, median_by_joint, median_of

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_YES_NO = (('yes', 'yes'), ('no', 'no'))


@contextmanager
def sample_page(path: Path, title: str) -> Iterator[SamplePage]:
    """A page to add samples to, written when the block ends well; an error leaves none behind.

    Cards go to a temporary file as they come, so thousands of pictures are not held in memory.

    Args:
        path: File of the page; its folder is made if missing.
        title: Heading, e.g. config and split.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile('w+', encoding='utf-8', dir=path.parent) as cards:
        page = SamplePage(path, title, cards)
        yield page
        page.write()


class SamplePage:
    """What `sample_page` gives: add samples, read their reports."""

    def __init__(self, path: Path, title: str, cards: TextIO) -> None:
        self.path = path
        self.title = title
        self.reports: list[SampleReport] = []
        self._cards = cards

    def add(self, report: SampleReport, panels: SamplePanels) -> None:
        """One more sample."""
        self.reports.append(report)
        self._cards.write(_card(report, panels))

    def write(self) -> None:
        """Write the page; `sample_page` does."""
        with replacing(self.path) as temporary, temporary.open('w', encoding='utf-8') as file:
            file.write(_head(self.title, self.reports))
            self._cards.seek(0)
            shutil.copyfileobj(self._cards, file)
            file.write(f'</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n')


def _head(title: str, reports: Sequence[SampleReport]) -> str:
    """Everything before the cards: summary, table of joints, controls."""
    sources = sorted({report.source for report in reports})
    rows = [('all', list(reports))] if len(sources) > 1 else []
    rows += [(source, [r for r in reports if r.source == source]) for source in sources]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<table>
<tr><th>data set</th><th class="n">samples</th><th class="n">suspicious</th>
<th class="n">fit valid</th><th class="n">mirrored</th><th class="n">with depth</th>
<th class="n">median px, mesh to annotated joints</th></tr>
{''.join(_summary_row(name, group) for name, group in rows)}</table>
<details><summary>Distance by joint, crop px</summary>
<table><tr><th>joint</th><th class="n">median</th><th class="n">90 %</th>
<th class="n">samples</th></tr>
{''.join(_joint_row(*row) for row in median_by_joint(reports))}</table></details>
<p>The mesh is coloured like the joints: left blue, right orange, the middle green; fingers one
colour each. Thin pink lines lead from annotated joints to the mesh's (circles). Point at a mesh to
see the crop beneath it. From the side, what is far is on the left.</p>
</header>
<nav>
{_select('order', 'sort by', _ORDERS)}
<label><input type="checkbox" id="bad"> suspicious only</label>
<label>median px at least <input type="number" id="least" min="0" step="1"></label>
{_select('source', 'data set', _any((s, s) for s in sources))}
{_select('fit', 'fit', _any((('valid', 'valid'), ('missing', 'not valid'))))}
{_select('mirrored', 'mirrored', _any(_YES_NO))}
{_select('depth', 'depth', _any(_YES_NO))}
<label>text <input type="search" id="text"></label>
<span id="shown"></span>
</nav>
<main>
"""


_ORDERS = (
    ('suspicious', 'suspicious first'),
    ('median', 'median px'),
    ('farthest', 'farthest joint'),
    ('index', 'place in the data set'),
)


def _any(choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [('', 'all'), *choices]


def _select(name: str, label: str, choices: Sequence[tuple[str, str]]) -> str:
    options = ''.join(
        f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in choices
    )
    return f'<label>{label} <select id="{name}">{options}</select></label>'


def _number(value: float | None, digits: int = 1) -> str:
    return '' if value is None else f'{value:.{digits}f}'


def _summary_row(name: str, reports: Sequence[SampleReport]) -> str:
    counts = (
        len(reports),
        sum(report.num_suspicious > 0 for report in reports),
        sum(report.fit_valid for report in reports),
        sum(report.mirrored for report in reports),
        sum(report.has_depth for report in reports),
        _number(median_of(reports)) or '-',
    )
    cells = ''.join(f'<td class="n">{cell}</td>' for cell in counts)
    return f'<tr><td>{escape(name)}</td>{cells}</tr>\n'


def _joint_row(name: str, median: float, high: float, count: int) -> str:
    cells = ''.join(
        f'<td class="n">{cell}</td>' for cell in (f'{median:.1f}', f'{high:.1f}', count)
    )
    return f'<tr><td>{escape(name)}</td>{cells}</tr>\n'


def _card(report: SampleReport, panels: SamplePanels) -> str:
    farthest = report.distances.farthest
    data = {
        'index': report.index,
        'suspicious': report.num_suspicious,
        'median': _number(report.distances.median, 3),
        'farthest': _number(farthest[1] if farthest else None, 3),
        'source': report.source,
        'fit': 'valid' if report.fit_valid else 'missing',
        'mirrored': 'yes' if report.mirrored else 'no',
        'depth': 'yes' if report.has_depth else 'no',
    }
    attributes = ' '.join(f'data-{key}="{escape(str(value))}"' for key, value in data.items())
    bad = ' class="suspicious"' if report.num_suspicious else ''
    crop, mesh, joints, side = map(_picture, panels)
    return f"""<article{bad} {attributes}>
<figure>{crop}<figcaption>crop</figcaption></figure>
<figure class="over">{mesh}<figcaption>mesh</figcaption></figure>
<figure>{joints}<figcaption>annotated joints</figcaption></figure>
<figure>{side}<figcaption>from the side</figcaption></figure>
<div class="words">
<h2>#{report.index} sample_id {report.sample_id} {_chips(report)}</h2>
<ul>{''.join(_finding(*finding) for finding in report.findings)}</ul>
<table>{''.join(_fact(*fact) for fact in report.facts)}</table>
{_distances(report)}</div>
</article>
"""


def _chips(report: SampleReport) -> str:
    flags = {
        'mirrored': report.mirrored,
        'no valid fit': not report.fit_valid,
        'no depth': not report.has_depth,
    }
    return ' '.join(f'<span class="chip">{text}</span>' for text, on in flags.items() if on)


def _finding(suspicious: bool, text: str) -> str:
    bad = ' class="bad"' if suspicious else ''
    return f'<li{bad}>{escape(text)}</li>'


def _fact(name: str, text: str) -> str:
    bad = ' class="bad"' if text.startswith('NO') else ''
    return f'<tr><td>{escape(name)}</td><td{bad}>{escape(text)}</td></tr>'


def _distances(report: SampleReport) -> str:
    """Every joint's distance, farthest first."""
    names, values = report.distances
    rows = ''.join(
        f'<tr><td>{escape(names[i])}</td><td class="n">{values[i]:.1f}</td></tr>'
        for i in (-values).argsort()
    )
    return f'<details><summary>px by joint</summary><table>{rows}</table></details>\n' * bool(rows)


def _picture(image: np.ndarray) -> str:
    data = base64.b64encode(encode(image, '.jpg')).decode()
    height, width = image.shape[:2]
    return f'<img width="{width}" height="{height}" alt="" src="data:image/jpeg;base64,{data}">'
