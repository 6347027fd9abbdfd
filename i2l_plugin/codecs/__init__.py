"""Codecs between network coordinates and image coordinates."""

from .soft_argmax_codec import SoftArgmaxCodec

__all__ = ['SoftArgmaxCodec']
