"""From a picture's bytes to a crop of the shoe that a shop shows in it: decode, find, cut out, hash."""

from __future__ import annotations

import cv2
import numpy as np

from indexer.preparing import PreparedPicture
from outsole.answers import Role
from outsole.imaging.canvas import encode_png
from outsole.imaging.decode import decode_image
from outsole.imaging.picture_hash import hash_text, picture_hash
from outsole.matching.shoe_system import colours_of, photograph_crop

_THUMBNAIL_PX = 192
# One vector describes a whole crop: there are no cells to leave out.
_WHOLE = np.ones((1, 1), np.bool_)


def prepare_shoe(data: bytes, role: Role) -> PreparedPicture:
    """The crop of a picture file.

    Raises:
        InvalidInput: It is no picture, shows something of which no crop is made, or nothing stands out in it.
    """
    decoded = decode_image(data, with_color=True)
    height, width = decoded.gray.shape
    shrink = min(1.0, _THUMBNAIL_PX / max(height, width))
    small = cv2.resize(colours_of(decoded), None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return PreparedPicture(
        photograph_crop(decoded, role),
        _WHOLE,
        width,
        height,
        encode_png(np.asarray(small[..., ::-1], np.uint8)),
        hash_text(picture_hash(decoded.gray)),
    )
