"""The page: every sample in it, nothing from outside; sorted and filtered in a browser."""

import base64
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from helpers_browsing import first_truth

from i2l_plugin.visualization.dataset_sheet import draw_sample
from i2l_plugin.visualization.html_page import sample_page
from i2l_plugin.visualization.joint_distances import JointDistances
from i2l_plugin.visualization.sample_checks import Finding
from i2l_plugin.visualization.sample_report import report_on

# Sets the page's controls as a user does, and notes which cards are then to be seen, in order.
VISITOR = """
const names = ['order', 'source', 'fit', 'mirrored', 'depth', 'least', 'text'];
const start = Object.fromEntries(names.map((name) => [name, byId(name).value]));
const seen = %s.map((controls) => {
  byId('bad').checked = controls.bad === true;
  for (const name of names) byId(name).value = name in controls ? controls[name] : start[name];
  byId('text').dispatchEvent(new Event('input'));
  const cards = Array.from(document.querySelectorAll('article')).filter((card) => !card.hidden);
  return [cards.map((card) => Number(card.dataset.index)), byId('shown').textContent];
});
document.body.append(Object.assign(document.createElement('pre'),
  {textContent: JSON.stringify(seen)}));
"""
BROWSER = shutil.which('chromium') or shutil.which('google-chrome')
VOID = {'meta', 'link', 'img', 'input', 'br'}


class Page(HTMLParser):
    """Tags with attributes, the cards' text, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cards, self.open, self.scripts = [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == 'article':
            self.cards.append([dict(attrs), ''])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if 'article' in self.open:
            self.cards[-1][1] += data
        if 'script' in self.open:
            self.scripts.append(data)

    def values(self, name):
        return [attrs[name] for _, attrs in self.tags if name in attrs]


@pytest.fixture(scope='module')
def samples(tmp_path_factory):
    """Right, with a shifted camera, and without a fit; of two data sets."""
    folder = tmp_path_factory.mktemp('records')
    first_truth_of = {}
    picture = np.linspace(0, 200, 240 * 320 * 3).reshape(240, 320, 3).astype(np.uint8)
    shift = np.float32([[200, 120]])
    for name, changes in {
        'right': {'id_sequence': np.array([b'<b>&"walk']), 'gender': np.array([b'm'])},
        'shifted': {'princpt_px': shift, 'sample_id': [777]},
        'no fit': {'fit_valid': [False], 'has_depth': [False], 'sample_id': [888]},
    }.items():
        (folder / name).mkdir()
        first_truth_of[name] = first_truth(folder / name, changes=changes, seed=8, image=picture)
    sources = ('A train.npz', 'A train.npz', 'B <2>.npz')
    return [
        (report_on(truth, index, source, {'fit_error_mm': 9.9}), draw_sample(truth, 64))
        for index, (truth, source) in enumerate(
            zip(first_truth_of.values(), sources, strict=True), start=5
        )
    ]


@pytest.fixture
def page_file(samples, tmp_path):
    path = tmp_path / 'new' / 'index.html'
    with sample_page(path, 'config & <split>') as page:
        for sample in samples:
            page.add(*sample)
    assert [file.name for file in path.parent.iterdir()] == ['index.html']
    return path


def test_every_sample_is_there_with_its_pictures_flags_and_words(page_file, samples):
    page = Page(page_file.read_text())
    assert len(page.cards) == 3
    for (attrs, text), (report, panels) in zip(page.cards, samples, strict=True):
        assert f'sample_id {report.sample_id}' in text
        for name, fact in report.facts:
            assert name in text
            assert fact in text
        for finding in report.findings:
            assert finding.text in text
        assert attrs['data-index'] == str(report.index)
        assert attrs['data-source'] == report.source
        assert int(attrs['data-suspicious']) == report.num_suspicious
        assert (attrs.get('class') == 'suspicious') == (report.num_suspicious > 0)
        for name, value in zip(report.distances.names, report.distances.values, strict=True):
            assert f'{name}{value:.1f}' in text
        assert panels.crop.shape == (64, 64, 3)
    right, shifted, without = (attrs for attrs, _ in page.cards)
    assert [card['data-fit'] for card in (right, shifted, without)] == ['valid', 'valid', 'missing']
    assert (without['data-depth'], without['data-median']) == ('no', '')
    assert float(shifted['data-median']) > 10 > float(right['data-median'])
    assert float(shifted['data-farthest']) >= float(shifted['data-median'])
    pictures = [attrs for tag, attrs in page.tags if tag == 'img']
    expected = [panel for _, panels in samples for panel in panels]
    for attrs, panel in zip(pictures, expected, strict=True):
        data = base64.b64decode(attrs['src'].removeprefix('data:image/jpeg;base64,'))
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert abs(decoded.astype(int) - panel).mean() < 3
        assert (attrs['width'], attrs['height']) == ('64', '64')


def test_nothing_outside_the_page_is_referred_to(page_file):
    text = page_file.read_text()
    page = Page(text)
    for value in page.values('src') + page.values('href'):
        assert value.startswith('data:')
    without_pictures = re.sub(r'data:image/jpeg;base64,[A-Za-z0-9+/=]+', '', text)
    for reference in ('http:', 'https:', 'url(', '@import', 'import(', 'fetch(', 'XMLHttp'):
        assert reference not in without_pictures
    (policy,) = [
        attrs['content'] for _, attrs in page.tags if 'Security' in attrs.get('http-equiv', '')
    ]
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_texts_are_escaped(page_file):
    text = page_file.read_text()
    assert '&lt;b&gt;&amp;&quot;walk' in text
    assert '<b>' not in text
    assert '<h1>config &amp; &lt;split&gt;</h1>' in text
    assert 'value="B &lt;2&gt;.npz"' in text


def test_whatever_a_record_says_stays_text(samples, tmp_path):
    hostile = '"><script>alert(1)</script>\'&'
    report, panels = samples[0]
    report = replace(
        report,
        source=hostile,
        facts=((hostile, hostile),),
        distances=JointDistances((hostile,), np.ones(1)),
        findings=(Finding(True, hostile), Finding(False, hostile)),
    )
    with sample_page(tmp_path / 'index.html', hostile) as page:
        page.add(report, panels)
    text = (tmp_path / 'index.html').read_text()
    page = Page(text)
    assert len(page.scripts) == text.count('<script') == 1
    ((attrs, words),) = page.cards
    assert attrs['data-source'] == hostile
    assert attrs.keys() >= {'data-index', 'data-depth'}  # nothing was cut off
    assert words.count(hostile) == 5  # two findings, two words of a fact, one joint
    assert [attrs['value'] for tag, attrs in page.tags if tag == 'option'].count(hostile) == 1


def test_the_summary_counts_each_data_set(page_file):
    rows = re.findall(
        r'<tr><td>([^<]*)</td>((?:<td class="n">[^<]*</td>){6})', page_file.read_text()
    )
    table = {name: re.findall('>([^<]*)<', cells)[::2] for name, cells in rows}
    # samples, suspicious, fit valid, mirrored, with depth
    assert table['all'][:5] == ['3', '1', '2', '0', '2']
    assert table['A train.npz'][:5] == ['2', '1', '2', '0', '2']
    assert table['B &lt;2&gt;.npz'] == ['1', '0', '0', '0', '0', '-']


def test_an_error_leaves_no_page_and_the_old_one_as_it_was(samples, tmp_path, monkeypatch):
    path = tmp_path / 'index.html'
    path.write_text('old')

    def interrupted():
        with sample_page(path, 'x') as page:
            page.add(*samples[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == 'old'

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr('os.replace', fail)

    def full():
        with sample_page(path, 'x') as page:
            page.add(*samples[0])

    with pytest.raises(OSError, match='disk full'):
        full()
    assert [file.name for file in tmp_path.iterdir()] == ['index.html']


@pytest.mark.skipif(BROWSER is None, reason='needs Chromium')
def test_the_browser_sorts_and_filters(page_file, tmp_path):
    expected = [
        ({}, [6, 5, 7]),  # suspicious first, then by distance
        ({'order': 'index'}, [5, 6, 7]),
        ({'order': 'farthest'}, [6, 5, 7]),
        ({'bad': True}, [6]),
        ({'least': '1'}, [6]),
        ({'order': 'index', 'source': 'A train.npz'}, [5, 6]),
        ({'fit': 'missing'}, [7]),
        ({'depth': 'yes', 'order': 'median'}, [6, 5]),
        ({'mirrored': 'yes'}, []),
        ({'text': 'WALK'}, [5]),
    ]
    text = page_file.read_text()
    script = VISITOR % json.dumps([controls for controls, _ in expected])
    page_file.write_text(text.replace('</body>', f'<script>{script}</script></body>'))
    command = [BROWSER, '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom']
    profile = f'--user-data-dir={tmp_path / "profile"}'
    result = subprocess.run(
        [*command, profile, page_file.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = json.loads(re.search(r'<pre>(.*)</pre>', result.stdout)[1])
    assert [shown for shown, _ in seen] == [shown for _, shown in expected]
    assert [count for _, count in seen] == [f'{len(s)} of 3 shown' for _, s in expected]
