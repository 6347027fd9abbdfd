"""Chromium for tests of pages, driven by selenium: start it, act, look at what it drew."""

import json
import shutil
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver = None

BROWSER = shutil.which('chromium') or shutil.which('google-chrome')
DRIVER = shutil.which('chromedriver')
_MISSING = [
    name
    for name, found in (
        ('selenium (pip install selenium)', webdriver),
        ('Chromium (apt-get install chromium)', BROWSER),
        ('its driver (apt-get install chromium-driver)', DRIVER),
    )
    if not found
]
needs_browser = pytest.mark.skipif(bool(_MISSING), reason=f'needs {", ".join(_MISSING)}')
_QUIET = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
)
_SOFTWARE_WEBGL = ('--use-angle=swiftshader', '--enable-unsafe-swiftshader')


@contextmanager
def open_browser(folder, webgl=True):
    """A new browser with its profile below `folder`, where its downloads go too."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    options.set_capability('goog:loggingPrefs', {'performance': 'ALL', 'browser': 'ALL'})
    drawing = _SOFTWARE_WEBGL if webgl else ('--disable-3d-apis',)
    for argument in (*_QUIET, *drawing, f'--user-data-dir={folder / "profile"}'):
        options.add_argument(argument)
    options.add_experimental_option('prefs', {'download.default_directory': str(folder)})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def set_screen(driver, width, height, **options):
    """The page's size in CSS px; `deviceScaleFactor` 1 and no phone unless told otherwise."""
    screen = {'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': False}
    driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {**screen, **options})


def settle(driver):
    """Wait until what was asked for is drawn."""
    driver.execute_async_script(
        'requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()));'
    )


def see(driver, selector):
    """What is on the screen where an element is. -> (H, W, 3) uint8 RGB."""
    settle(driver)
    x, y, width, height = driver.execute_script(
        'const box = document.querySelector(arguments[0]).getBoundingClientRect();'
        'return [box.x, box.y, box.width, box.height].map(Math.round);',
        selector,
    )
    screen = cv2.imdecode(np.frombuffer(driver.get_screenshot_as_png(), np.uint8), 1)
    return screen[y : y + height, x : x + width, ::-1]


def requested_addresses(driver):
    """Every address that the page asked for since the log was read last."""
    entries = [json.loads(entry['message'])['message'] for entry in driver.get_log('performance')]
    return [
        entry['params']['request']['url']
        for entry in entries
        if entry['method'] == 'Network.requestWillBeSent'
    ]


def complaints(driver):
    """Errors that the page's console shows; among them is what its policy forbade."""
    return [entry['message'] for entry in driver.get_log('browser') if entry['level'] == 'SEVERE']


def wait_for(driver, condition):
    """Wait until a JavaScript expression is true, and drawn."""
    driver.execute_async_script(
        'const [done] = arguments;'
        f'const look = () => {{ if ({condition}) done(); else setTimeout(look, 20); }};'
        'look();'
    )
    settle(driver)


def click(driver, selector):
    """Press a button or box."""
    driver.find_element('css selector', selector).click()


def put(driver, selector, value):
    """Set a slider."""
    driver.execute_script(
        'const input = document.querySelector(arguments[0]); input.value = arguments[1];'
        "input.dispatchEvent(new Event('input'));",
        selector,
        value,
    )


def drag(driver, selector, right, down):
    """Move the mouse by px from an element's middle with its left button down."""
    (x, y), pressed = _middle(driver, selector), {'button': 'left', 'buttons': 1, 'clickCount': 1}
    for kind, shift in (('mousePressed', 0), ('mouseMoved', 1), ('mouseReleased', 1)):
        event = {'type': kind, 'x': x + shift * right, 'y': y + shift * down, **pressed}
        driver.execute_cdp_cmd('Input.dispatchMouseEvent', event)


def swipe(driver, selector, *fingers):
    """Move fingers, each from one (right, down) px of an element's middle to another."""
    x, y = _middle(driver, selector)
    for step, kind in enumerate(('touchStart', 'touchMove')):
        points = [
            {'id': i, 'x': x + places[step][0], 'y': y + places[step][1]}
            for i, places in enumerate(fingers)
        ]
        driver.execute_cdp_cmd('Input.dispatchTouchEvent', {'type': kind, 'touchPoints': points})
    driver.execute_cdp_cmd('Input.dispatchTouchEvent', {'type': 'touchEnd', 'touchPoints': []})


def _middle(driver, selector):
    box = driver.find_element('css selector', selector).rect
    return int(box['x'] + box['width'] // 2), int(box['y'] + box['height'] // 2)
