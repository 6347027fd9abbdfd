"""One browser for the tests of a file, and a way to open a scene's page in it."""

import pytest
from helpers_browser import complaints, open_browser, set_screen, wait_for

from i2l_plugin.visualization.scene_html import write_scene_html


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp('browser')
    with open_browser(folder) as driver:
        driver.folder = folder
        yield driver


@pytest.fixture
def visit(browser, tmp_path):
    """Open a scene's page at a size; the browser shows it."""

    def open_page(size=(900, 620), **scene):
        complaints(browser)  # of other pages
        set_screen(browser, *size)
        browser.get(write_scene_html(tmp_path / 'scene.html', **scene).as_uri())
        wait_for(browser, "!document.querySelector('#panel').disabled")
        assert not complaints(browser)
        return browser

    return open_page
