"""Pictures small enough for a repository."""

from io import BytesIO

from PIL import Image

COLOURS = 128  # of a page: its few flat ones, and the edges of its letters


def make_small(picture: bytes) -> bytes:
    """Return the same PNG with a palette of its own."""
    drawn = Image.open(BytesIO(picture)).convert("RGB")
    small = BytesIO()
    drawn.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()
