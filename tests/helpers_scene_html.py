"""Scenes for pages, and what is in a page."""

import base64
import json
from html.parser import HTMLParser

import cv2
import numpy as np
from helpers_people import FACES, FOCAL, HEIGHT, PRINCPT, WIDTH, people_sample

# Of no element that the page makes of itself; each would run a script where it is not escaped.
HOSTILE = '</script></title><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
PLACES = [(-250, 0, 3300), (280, 60, 2500)]


def toy_scene(places_mm=PLACES, picture=None):
    """Arguments of `scene_html` by name: toy people, one here and one there."""
    vertices = people_sample(places_mm).pred_instances.vertices_cam
    if picture is None:
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        picture = np.stack([40 + x, 220 - x, 30 + 2 * y], axis=-1).astype(np.uint8)
    return dict(
        image_rgb=picture,
        vertices_cam=vertices,
        faces=FACES,
        focal_px=FOCAL,
        princpt_px=PRINCPT,
    )


def toy_spread(vertices_cam):
    """(N, V) mm from 10 to 60 along the height, so that feet and head differ much."""
    height = vertices_cam[..., 1]
    low, high = height.min(1, keepdims=True), height.max(1, keepdims=True)
    return 10 + 50 * (height - low) / (high - low)


class Page(HTMLParser):
    """A page's elements: tag, attributes and text of each, in order of their starts."""

    VOID = ('meta', 'link', 'img', 'input', 'br', 'hr')

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in self.VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, texts in self._open:
            texts.append(data)

    def find(self, tag, **attributes):
        """(attributes, text) of every such element."""
        return [
            (found, ''.join(texts))
            for name, found, texts in self.elements
            if name == tag and attributes.items() <= found.items()
        ]

    @property
    def payload(self):
        """What the viewer reads."""
        ((_, text),) = self.find('script', id='scene')
        return json.loads(text)

    @property
    def picture(self):
        """The picture inside, (H, W, 3) RGB."""
        ((attributes, _),) = self.find('img', id='picture')
        kind, data = attributes['src'].split(',')
        assert kind == 'data:image/jpeg;base64'
        pixels = np.frombuffer(base64.b64decode(data), np.uint8)
        return cv2.imdecode(pixels, cv2.IMREAD_COLOR)[..., ::-1]


def decoded(text, dtype, *shape):
    """A base64 array."""
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)
