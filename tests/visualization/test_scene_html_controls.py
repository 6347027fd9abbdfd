"""What readers can do with a scene's page in Chromium, and what the page cannot do to them."""

import time

import numpy as np
import pytest
import trimesh
from helpers_browser import (
    click,
    complaints,
    drag,
    needs_browser,
    open_browser,
    requested_addresses,
    see,
    set_screen,
    settle,
    swipe,
    wait_for,
)
from helpers_people import FACES
from helpers_scene_html import HOSTILE, PLACES, toy_scene, toy_spread

from i2l_plugin.visualization.colors import person_colors
from i2l_plugin.visualization.scene_html import write_scene_html

pytestmark = needs_browser


def test_a_finger_turns_and_two_come_nearer(visit):
    driver = visit(**toy_scene([(0, 0, 6000)]), colors=np.zeros((1, 3)))
    click(driver, '#show-picture')
    drag(driver, '#canvas', 60, 10)
    by_mouse = see(driver, '#canvas')
    click(driver, '#camera')
    start = see(driver, '#canvas')
    swipe(driver, '#canvas', [(0, 0), (60, 10)])
    assert np.array_equal(see(driver, '#canvas'), by_mouse)
    click(driver, '#camera')
    swipe(driver, '#canvas', [(-60, 0), (-80, 0)], [(60, 0), (80, 0)])
    nearer = see(driver, '#canvas')
    height_px = [np.ptp(np.nonzero(canvas.max(-1) < 128)[0]) for canvas in (start, nearer)]
    # what is before the middle grows a little more than by 160 / 120
    assert 4 / 3 <= height_px[1] / height_px[0] < 1.45


def test_keys_wheel_and_the_way_home(visit):
    driver = visit(**toy_scene())
    canvas = driver.find_element('id', 'canvas')
    start = see(driver, '#canvas')
    pictures = [start]
    for keys in ('\ue012', '\ue013', '+', '\ue008\ue014\ue008'):  # left, up, +, Shift with right
        canvas.send_keys(keys)
        pictures.append(see(driver, '#canvas'))
        assert not np.array_equal(pictures[-1], pictures[-2]), keys
    canvas.send_keys('\ue011')  # Home
    assert np.array_equal(see(driver, '#canvas'), start)
    wheel = {'type': 'mouseWheel', 'x': 300, 'y': 300, 'deltaX': 0, 'deltaY': -200}
    driver.execute_cdp_cmd('Input.dispatchMouseEvent', wheel)
    settle(driver)
    assert not np.array_equal(see(driver, '#canvas'), start)
    click(driver, '#camera')
    assert np.array_equal(see(driver, '#canvas'), start)


def test_keys_and_wheel_go_the_way_they_say(visit):
    """Nearer is larger; arrows turn as the mouse does and, with Shift, move as they point."""
    driver = visit(**toy_scene([(0, 0, 6000)]), colors=np.zeros((1, 3)))
    click(driver, '#show-picture')
    canvas = driver.find_element('id', 'canvas')

    def person():
        rows, columns = np.nonzero(see(driver, '#canvas').max(-1) < 128)
        return np.ptp(rows), columns.mean(), rows.mean()

    def roll(down):
        wheel = {'type': 'mouseWheel', 'x': 300, 'y': 300, 'deltaX': 0, 'deltaY': down}
        driver.execute_cdp_cmd('Input.dispatchMouseEvent', wheel)
        time.sleep(0.2)

    start = person()
    for nearer, farther in (('+', '-'), ('=', '-')):
        canvas.send_keys(nearer)
        assert person()[0] > start[0] * 1.05
        canvas.send_keys(farther + farther)
        assert person()[0] < start[0] * 0.95
        click(driver, '#camera')
    roll(-200)
    assert person()[0] > start[0] * 1.05
    click(driver, '#camera')
    roll(200)
    assert person()[0] < start[0] * 0.95
    shift = '\ue008'
    for key, axis, sign in (
        ('\ue014', 1, 1),  # right
        ('\ue012', 1, -1),
        ('\ue015', 2, 1),  # down
        ('\ue013', 2, -1),
    ):
        click(driver, '#camera')
        canvas.send_keys(shift + key + shift)
        assert sign * (person()[axis] - start[axis]) == pytest.approx(24, abs=2)
    click(driver, '#camera')
    drag(driver, '#canvas', 54, 0)
    by_mouse = see(driver, '#canvas').astype(int)
    differences = []
    for key in ('\ue014', '\ue012'):  # right and left by 25 degrees; 54 px are 24.75
        click(driver, '#camera')
        canvas.send_keys(key * 5)
        differences.append(np.abs(see(driver, '#canvas') - by_mouse).mean())
    assert differences[0] < 0.1 * differences[1]


def download(driver, name):
    """Press the button and wait for the file."""
    path = driver.folder / name
    path.unlink(missing_ok=True)
    click(driver, '#download')
    for _ in range(100):
        if path.exists():
            break
        time.sleep(0.05)
    return trimesh.load(path, process=False)


def test_the_download_is_what_is_shown(visit):
    scene = toy_scene([*PLACES, (0, 0, 4000)])
    spread = toy_spread(scene['vertices_cam'])
    names = ['Ann', 'Bob "B." <b>', 'Zoë']
    driver = visit(**scene, vertex_spread_mm=spread, names=names, title='Two & one')
    driver.find_elements('css selector', '#people input')[1].click()
    loaded = download(driver, 'Two_one.glb')
    assert len(loaded.geometry) == 2
    for name, index in (('Ann', 0), ('Zoë', 2)):
        transform, geometry = loaded.graph[name]
        np.testing.assert_array_equal(transform, np.eye(4))
        mesh = loaded.geometry[geometry]
        expected = scene['vertices_cam'][index] * (0.001, -0.001, -0.001)
        np.testing.assert_allclose(mesh.vertices, expected, atol=1e-6)
        np.testing.assert_array_equal(mesh.faces, FACES)
        color = np.asarray(mesh.visual.material.baseColorFactor[:3]) / 255
        linear = ((person_colors(3)[index] + 0.055) / 1.055) ** 2.4
        np.testing.assert_allclose(color, linear, atol=0.005)
    click(driver, 'input[value=spread]')
    loaded = download(driver, 'Two_one.glb')
    colored = loaded.geometry[loaded.graph['Ann'][1]].visual.vertex_attributes['color']
    low, high = spread[0].argmin(), spread[0].argmax()
    yellow = ((np.array([253, 231, 37]) / 255 + 0.055) / 1.055) ** 2.4
    np.testing.assert_allclose(colored[high], yellow, atol=0.01)
    assert colored[low][1] < 0.01  # dark blue


def test_nothing_is_asked_of_a_network_and_hostile_words_do_nothing(visit, browser, tmp_path):
    requested_addresses(browser)
    driver = visit(**toy_scene(), names=[HOSTILE, 'b'], title=HOSTILE, caption=HOSTILE)
    click(driver, '#side')
    see(driver, '#canvas')
    addresses = requested_addresses(driver)
    assert addresses.pop(0) == (tmp_path / 'scene.html').as_uri()
    assert all(address.startswith('data:') for address in addresses)
    assert driver.execute_script('return window.hacked') is None
    assert driver.find_element('tag name', 'h1').text == HOSTILE
    assert driver.title == HOSTILE
    # a script that got in after all would not run
    driver.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
        'document.body.append(s);'
    )
    assert driver.execute_script('return window.hacked') is None
    assert any('Content Security Policy' in text for text in complaints(driver))


def test_on_a_phone_and_in_the_dark(visit):
    driver = visit(**toy_scene(), vertex_spread_mm=np.ones(toy_scene()['vertices_cam'].shape[:2]))
    set_screen(driver, 360, 700, deviceScaleFactor=2, mobile=True)
    settle(driver)
    width = driver.execute_script('return document.documentElement.scrollWidth')
    assert width == 360
    size = driver.find_element('id', 'canvas').rect
    assert size['width'] > 330
    assert size['height'] > 300
    for control in driver.find_elements('css selector', 'form input, form button'):
        box = control.rect
        assert not control.is_displayed() or box['x'] + box['width'] <= 352
    feature = {'name': 'prefers-color-scheme', 'value': 'dark'}
    back = 'return getComputedStyle(document.body).backgroundColor'
    assert driver.execute_script(back) == 'rgb(245, 245, 245)'
    driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [feature]})
    try:
        assert driver.execute_script(back) == 'rgb(28, 28, 30)'
    finally:
        driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': []})


def test_drawn_again_after_the_graphics_card_was_lost(visit):
    driver = visit(**toy_scene())
    start = see(driver, '#canvas')
    driver.execute_script(
        "window.card = document.querySelector('#canvas').getContext('webgl2')"
        ".getExtension('WEBGL_lose_context'); card.loseContext();"
    )
    settle(driver)
    assert not np.array_equal(see(driver, '#canvas'), start)
    driver.execute_script('card.restoreContext();')
    wait_for(driver, "!document.querySelector('#canvas').getContext('webgl2').isContextLost()")
    assert np.array_equal(see(driver, '#canvas'), start)


def test_nobody_leaves_the_picture(visit):
    driver = visit(**(toy_scene() | dict(vertices_cam=np.zeros((0, 0, 3)))))
    canvas = see(driver, '#canvas')
    assert canvas[canvas.shape[0] // 2, canvas.shape[1] // 2].max() < 250
    for button in ('side', 'top', 'camera'):
        click(driver, f'#{button}')
    assert np.array_equal(see(driver, '#canvas'), canvas)
    assert not driver.find_element('id', 'download').is_enabled()


def test_without_webgl_the_page_says_so_and_shows_the_picture(tmp_path):
    page = write_scene_html(tmp_path / 'scene.html', **toy_scene())
    with open_browser(tmp_path, webgl=False) as driver:
        driver.get(page.as_uri())
        assert 'this browser has no WebGL' in driver.find_element('id', 'message').text
        assert driver.find_element('id', 'picture').is_displayed()
        assert not driver.find_element('id', 'side').is_enabled()
