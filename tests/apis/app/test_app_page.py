"""The page in a real Chromium, as a visitor uses it."""

import json
import time

import cv2
import numpy as np
import pytest
import trimesh
from helpers_app import FakeDetector, tiny_engine
from helpers_app_server import needs_gradio, running, wait_until
from helpers_browser import complaints, needs_browser, open_browser, requested_addresses, set_screen
from helpers_inference import IMAGE_SIZE, Oracle, People
from helpers_uploads import save_clip, save_picture

from i2l_plugin.apis.app.engine import Engine

pytestmark = [needs_gradio, needs_browser]
DESKTOP, PHONE = (1280, 900), (390, 844)
HOSTILE = "{{7*7}}${window.hacked=1}<img src=x onerror='window.hacked=1'>.png"


@pytest.fixture(scope='module')
def engine(tmp_path_factory):
    """It sees two people in a picture of 320 x 240 px, whose truth is known."""
    engine = tiny_engine(tmp_path_factory.mktemp('engine'), max_mb=1)
    model = engine.inferencer.model
    people = People(model.body_model, seed=2)  # side by side
    engine.inferencer.estimate.estimator = Oracle(model, people)
    engine.inferencer.detector = SizedDetector(people)
    return engine


class SizedDetector(FakeDetector):
    """Finds the people in pictures, and in clips, which are smaller, two boxes."""

    def __init__(self, people):
        self.people = people

    def __call__(self, image_bgr):
        if image_bgr.shape[1::-1] != IMAGE_SIZE:
            return super().__call__(image_bgr)
        return np.concatenate([self.people.bbox_px, np.full((2, 1), 0.9, np.float32)], axis=1)


@pytest.fixture(scope='module')
def site(engine):
    with running(engine) as place:
        yield place


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp('browser')
    with open_browser(folder) as driver:
        driver.folder = folder
        driver.set_script_timeout(60)
        yield driver


@pytest.fixture
def page(site, browser):
    """The page as it opens, at desktop size."""
    open_page(browser, site[0])
    return browser


def open_page(driver, address, size=DESKTOP):
    requested_addresses(driver), complaints(driver)  # of other pages
    set_screen(driver, *size, mobile=size == PHONE)
    driver.get(address)
    wait_until(lambda: find(driver, '#file'))
    time.sleep(0.3)  # its script is there a moment after its HTML


def find(driver, selector):
    return driver.find_elements('css selector', selector)


def give(driver, path):
    """Upload a file and wait for what there is to see.

    -> the words that it ends with, which are not those of before.
    """
    (zone,) = find(driver, '#file')
    before, scene = ended(driver), scene_address(driver)
    zone.send_keys(str(path))
    wait_until(lambda: ended(driver) not in (None, before), seconds=60)
    if find(driver, '#status .found'):  # Gradio shows what is found after it has said so
        wait_until(lambda: scene_address(driver) not in (None, scene))
    return said(driver)


def scene_address(driver):
    """Of the 3D view, which each upload has its own of; None where there is none."""
    return driver.execute_script(
        "return document.querySelector('#results iframe')?.getAttribute('src') ?? null"
    )


def ended(driver):
    """The message in which an upload has ended; None where there is none.

    Not the element: Gradio puts other words into the same one.
    """
    return driver.execute_script(
        "return document.querySelector('#status .found, #status .refused')?.textContent ?? null"
    )


def said(driver):
    (message,) = find(driver, '#status .message')
    return message.text


def shown(element):
    """(H, W, 3) uint8 RGB of an element on the screen."""
    data = np.frombuffer(element.screenshot_as_png, np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


class Scene:
    """Context manager: inside the 3D view."""

    def __init__(self, driver):
        self.driver = driver

    def __enter__(self):
        (frame,) = find(self.driver, '#results iframe')
        self.driver.execute_script('arguments[0].scrollIntoView()', frame)
        self.driver.switch_to.frame(frame)
        panel = '#panel:not([disabled])'
        wait_until(lambda: find(self.driver, panel))
        (self.canvas,) = find(self.driver, '#canvas')
        return self

    def __exit__(self, *_):
        self.driver.switch_to.default_content()

    def click(self, selector):
        find(self.driver, selector)[0].click()

    def see(self):
        time.sleep(0.3)
        return shown(self.canvas).astype(int)

    def turn(self, right, down):
        from selenium.webdriver import ActionChains

        chain = ActionChains(self.driver).move_to_element(self.canvas).click_and_hold()
        chain.move_by_offset(right, down).release().perform()


def downloaded(driver, name):
    """The file that the browser saves under a name."""
    path = driver.folder / name
    wait_until(lambda: path.exists() and not list(driver.folder.glob('*.crdownload')))
    return path


def test_a_picture_from_upload_to_download(page, tmp_path):
    assert not find(page, '#results iframe')
    path = tmp_path / 'holiday.png'
    cv2.imwrite(str(path), np.full((240, 320, 3), 255, np.uint8))
    assert give(page, path) == 'Found 2 people in “holiday.png”.'
    (overlay,) = find(page, '.shown img')
    wait_until(lambda: overlay.get_property('naturalWidth') == 720)

    with Scene(page) as scene:
        start = scene.see()
        assert (start.min(-1) < 200).mean() > 0.005  # people before white
        scene.turn(80, 20)
        turned = scene.see()
        assert (np.abs(turned - start).max(-1) > 60).mean() > 0.005
        scene.click('#camera')
        assert np.array_equal(scene.see(), start)
        scene.click('input[value=spread]')
        uncertain = scene.see()
        person = start.min(-1) < 200
        assert np.abs(uncertain - start)[person].mean() > 40
        scene.click('#download')
    of_viewer = trimesh.load(downloaded(page, 'holiday_png.glb'), process=False)

    for link in find(page, '#results a.button'):
        link.click()
    scene = trimesh.load(downloaded(page, 'holiday.glb'), process=False)
    people = json.loads(downloaded(page, 'holiday.json').read_text())
    assert len(people) == 2
    for number, person in enumerate(people):
        in_metres = np.array(person['vertices_cam']) / 1000 * [1, -1, -1]
        for file in (scene, of_viewer):
            transform, geometry = file.graph[f'person_{number}']
            np.testing.assert_allclose(transform, np.eye(4))
            np.testing.assert_allclose(file.geometry[geometry].vertices, in_metres, atol=1e-5)
    saved = cv2.imread(str(downloaded(page, 'holiday_overlay.jpg')))
    assert saved.shape == (540, 720, 3)


def test_only_this_server_is_asked(page, site, tmp_path):
    give(page, save_picture(tmp_path / 'a.png'))
    with Scene(page):
        pass
    asked = [address for address in requested_addresses(page) if address.startswith('http')]
    assert any('/files/' in address for address in asked)
    assert [address for address in asked if not address.startswith(f'{site[0]}/')] == []
    assert complaints(page) == []  # nothing was forbidden or missing either


def test_a_clip_plays_and_its_frames_can_be_turned(page, tmp_path):
    from selenium.webdriver.common.keys import Keys

    path = save_clip(tmp_path / 'walk.mp4', num_frames=8, fps=4)
    assert give(page, path) == 'Found up to 2 people at a time in “walk.mp4” (8 frames).'
    (video,) = find(page, '.shown video')
    wait_until(lambda: video.get_property('currentTime') > 0.2)
    assert video.get_property('videoWidth') == 720
    assert video.get_property('duration') == pytest.approx(2, abs=0.01)
    with Scene(page):
        assert find(page, 'h1')[0].text == 'walk.mp4, frame 1'
    (slider,) = find(page, '#results input[type=range]')
    assert slider.get_attribute('max') == '8'
    slider.send_keys(Keys.ARROW_RIGHT * 4)
    wait_until(lambda: find(page, '#results iframe')[0].get_attribute('src').endswith('_4.html'))
    with Scene(page):
        assert find(page, 'h1')[0].text == 'walk.mp4, frame 5'
    (link,) = find(page, 'a[download$=".glb"]')
    link.click()
    assert set(trimesh.load(downloaded(page, 'walk_0005.glb')).geometry) == {'track_0', 'track_1'}
    (link,) = find(page, 'a[download$=".jsonl"]')
    link.click()
    lines = downloaded(page, 'walk.jsonl').read_text().splitlines()
    assert [json.loads(line)['frame_id'] for line in lines] == list(range(8))


def test_every_bad_upload_gets_one_message_and_the_page_goes_on(page, tmp_path):
    clip = save_clip(tmp_path / 'whole.mp4').read_bytes()
    bad = {
        'notes.png': (b'hello', '“notes.png” is neither a picture'),
        'empty.jpg': (b'', '“empty.jpg” is empty'),
        'cut.mp4': (clip[: clip.index(b'moov') + 60], '“cut.mp4” is damaged'),
        'huge.jpg': (bytes(1_200_000), '“huge.jpg” has 1.2 MB; at most 1 MB are taken.'),
    }
    for name, (data, expected) in bad.items():
        (tmp_path / name).write_bytes(data)
        assert give(page, tmp_path / name).startswith(expected)
        assert len(find(page, '[role=alert]')) == 1
        assert not [part for part in find(page, '#results') if part.is_displayed()]
    assert give(page, save_picture(tmp_path / 'good.png')).startswith('Found 2 people')
    assert not find(page, '[role=alert]')
    assert find(page, '#results')[0].is_displayed()


def test_the_next_upload_does_not_wait_for_the_end_of_one_that_is_running(
    page, tmp_path, monkeypatch
):
    """It is worked on, or refused for good, and nothing of the former comes back."""

    def slowly(self, job):
        for step in run(self, job):
            yield step
            time.sleep(0.5 if job.name.endswith('.mp4') else 0)

    run = Engine.run
    monkeypatch.setattr(Engine, 'run', slowly)
    clip = save_clip(tmp_path / 'walk.mp4', num_frames=40)
    too_large = tmp_path / 'huge.jpg'
    too_large.write_bytes(bytes(1_200_000))
    picture = save_picture(tmp_path / 'a.png')
    for path, expected in ((picture, 'Found 2 people in'), (too_large, '“huge.jpg” has 1.2 MB')):
        find(page, '#file')[0].send_keys(str(clip))
        wait_until(lambda: find(page, '#status progress'), seconds=60)
        assert give(page, path).startswith(expected)
        time.sleep(2)  # the former ends meanwhile
        assert said(page).startswith(expected)


def test_names_of_files_are_words(page, tmp_path):
    path = tmp_path / HOSTILE.replace('/', '')
    save_picture(tmp_path / 'a.png').rename(path)
    assert give(page, path) == f'Found 2 people in “{path.name}”.'
    with Scene(page):
        assert find(page, 'h1')[0].text == path.name
        assert page.execute_script('return window.hacked') is None
    assert page.execute_script('return window.hacked') is None


def test_files_can_be_dropped(page):
    page.execute_script("""
        const data = new DataTransfer();
        data.items.add(new File(['no picture'], 'dropped.png'));
        const zone = document.querySelector('#zone');
        zone.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true}));
    """)
    wait_until(lambda: find(page, '.refused'))
    assert said(page).startswith('“dropped.png” is neither a picture')


def test_a_file_dropped_beside_the_zone_does_not_take_the_page_away(page):
    went_on = page.execute_script("""
        const data = new DataTransfer();
        data.items.add(new File(['no picture'], 'dropped.png'));
        const about = {dataTransfer: data, bubbles: true, cancelable: true};
        return ['dragover', 'drop'].map((kind) => document.querySelector('#introduction')
            .dispatchEvent(new DragEvent(kind, about)));
    """)
    assert went_on == [False, False]  # what the browser would do was prevented


def test_another_visitor_cannot_open_the_files(page, site, tmp_path):
    give(page, save_picture(tmp_path / 'a.png'))
    addresses = [
        find(page, '.shown img')[0].get_attribute('src'),
        find(page, '#results iframe')[0].get_attribute('src'),
        *(link.get_attribute('href') for link in find(page, '#results a.button')),
    ]
    with open_browser(tmp_path, webgl=False) as other:
        open_page(other, site[0])
        for address in addresses:
            other.get(address)
            assert find(other, 'body')[0].text == '{"error": "not found"}'


def test_leaving_the_page_deletes_its_files(page, site, tmp_path, monkeypatch):
    monkeypatch.setattr('i2l_plugin.apis.app.storage.GRACE_S', 0.2)
    give(page, save_picture(tmp_path / 'a.png'))
    job = site[1].root / find(page, '.shown img')[0].get_attribute('src').split('/')[4]
    site[1].sweep()
    assert job.exists()
    page.get('about:blank')

    def is_gone():
        site[1].sweep()
        return not job.exists()

    wait_until(is_gone)


def test_a_phone_shows_all_of_it_without_scrolling_sideways(browser, site, tmp_path):
    open_page(browser, site[0], PHONE)
    give(browser, save_clip(tmp_path / 'a-long-name-of-a-clip-from-a-phone_20260101_120000.mp4'))
    width = browser.execute_script('return document.documentElement.scrollWidth')
    assert width <= PHONE[0]
    for element in find(browser, '#zone, #status, .shown, iframe, a.button'):
        assert element.rect['x'] >= 0
        assert element.rect['x'] + element.rect['width'] <= PHONE[0]
    with Scene(browser) as scene:
        assert scene.see().shape[1] > 280
