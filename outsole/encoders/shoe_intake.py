"""What every shoe encoder does to a crop first (torch)."""

from __future__ import annotations

import torch

from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import CROP_PX

_WHITE = 255.0


def shoe_intake(image: torch.Tensor) -> torch.Tensor:
    """Colours to float32 [N, 3, H, W]; each picture to mean 0 and deviation 1, each colour to mean 0.

    The colour of the light is half of what a camera does to a shoe: grey-world balance takes it off, as far as one
    picture can tell.

    Args:
        image: uint8 [N, 112, 224, 3], red first; or float32 of the same range, for who wants gradients at the pixels.

    Raises:
        InvalidInput: Crops of another size.
    """
    if tuple(image.shape[1:]) != (*CROP_PX, 3):
        raise InvalidInput(
            f"crops are {tuple(image.shape)}", field="image", remedy=f"[N, {CROP_PX[0]}, {CROP_PX[1]}, 3]"
        )
    x = (image.to(torch.float32) / _WHITE).permute(0, 3, 1, 2)
    x = x / (x.mean(dim=(2, 3), keepdim=True) + 0.05)
    x = x - x.mean(dim=(1, 2, 3), keepdim=True)
    x = x / (x.var(dim=(1, 2, 3), keepdim=True) + 1e-3).sqrt()
    return x.contiguous(memory_format=torch.channels_last)
