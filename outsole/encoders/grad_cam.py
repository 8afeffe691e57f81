"""Where a shoe encoder looked: Grad-CAM, guided backpropagation, and both together (torch).

Grad-CAM (Selvaraju et al., ICCV 2017) on the last map of the trunk, as the attention work on shoes shows it. What is
explained is a number made of the vector before it is brought to unit length: of a unit vector, the similarity to itself
is at its highest, and has no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from outsole.encoders.shoe import ShoeNet
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import CROP_PX

Target = Callable[[torch.Tensor], torch.Tensor]
"""From vectors float32 [1, D], not of unit length, to the number that is explained."""
# Some ReLU6 run as a hard tangent with bounds 0 and 6.
_ACTIVATIONS = (
    functional.relu,
    functional.relu6,
    functional.hardtanh,
    functional.silu,
    functional.hardswish,
    torch.relu,
    torch.relu_,
    torch.Tensor.relu,
    torch.Tensor.relu_,
)
_TINY = 1e-12


def similarity_to(vector: NDArray[np.floating]) -> Target:
    """How much of another shoe's vector float [D] is in this one's: their inner product, the other at unit length."""
    other = torch.from_numpy(np.asarray(vector, np.float32))
    if other.ndim != 1 or not float(other.norm()) > 0:
        raise InvalidInput(f"the vector is {tuple(other.shape)}", field="vector", remedy="[D], not all zero")
    other = other / other.norm()
    return lambda vectors: (vectors @ other.to(vectors)).sum()


def class_score(proxies: torch.Tensor, number: int) -> Target:
    """How much a shoe is like a class: the inner product with its proxy, a row of float [K, D]."""
    if not 0 <= number < len(proxies):
        raise InvalidInput(f"there is no class {number}", field="number", remedy=f"0 to {len(proxies) - 1}")
    return similarity_to(proxies[number].detach().cpu().numpy())


def itself(network: ShoeNet, crop: NDArray[np.uint8]) -> Target:
    """What makes a crop uint8 [112, 224, 3] what it is: the length of its vector along its own direction."""
    return similarity_to(vector_of(network, crop))


def vector_of(network: ShoeNet, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The vector of a crop uint8 [112, 224, 3], float32 [D] of unit length."""
    with torch.no_grad():
        return np.asarray(network(torch.from_numpy(_checked(crop))[None])[0].cpu().numpy(), np.float32)


def grad_cam(network: ShoeNet, crop: NDArray[np.uint8], target: Target) -> NDArray[np.float32]:
    """Where a crop speaks for the target (Grad-CAM, equations 1 and 2).

    Each channel of the trunk's last map is weighted by its mean gradient; of their sum, what is above 0 is kept. The
    light trunk's last map has no activation behind it, so that its channels may be negative; the rule is the same.

    Args:
        network: In evaluation mode; nothing of it is changed.
        crop: uint8 [112, 224, 3].
        target: What is explained.

    Returns:
        float32 [112, 224], 0 .. 1, 1 in the hottest place; all 0 where nothing speaks for the target.

    Raises:
        InvalidInput: A crop of another shape.
    """
    image = torch.from_numpy(_checked(crop))[None]
    kept: list[torch.Tensor] = []
    handle = network.trunk.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        with torch.enable_grad():
            number = target(_vectors(network, _with_gradient(image)))
            (gradient,) = torch.autograd.grad(number, kept[0])
    finally:
        handle.remove()
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    heat = functional.relu((weights * kept[0].detach()).sum(dim=1, keepdim=True))
    shown = functional.interpolate(heat, size=CROP_PX, mode="bilinear", align_corners=False)[0, 0].cpu().numpy()
    return np.asarray(shown / max(float(shown.max()), _TINY), np.float32)


def guided_gradients(network: ShoeNet, crop: NDArray[np.uint8], target: Target) -> NDArray[np.float32]:
    """Which pixels speak for the target (guided backpropagation; Springenberg et al., ICLR 2015, section 3.4).

    On the way back through an activation, what is negative is dropped; then the activation's own derivative acts: for
    ReLU and ReLU6 that is 1 where it lies between its bounds and 0 elsewhere, for SiLU and its kin their slope. The
    sigmoids of the attention and the linear ends of the blocks are passed as they are.

    Args:
        network, crop, target: As for ``grad_cam``.

    Returns:
        float32 [112, 224, 3], of either sign, in units of the target a grey level.
    """
    image = _with_gradient(torch.from_numpy(_checked(crop))[None])
    with torch.enable_grad(), _Guided():
        (gradient,) = torch.autograd.grad(target(_vectors(network, image)), image)
    return np.asarray(gradient[0].cpu().numpy(), np.float32)


def guided_grad_cam(network: ShoeNet, crop: NDArray[np.uint8], target: Target) -> NDArray[np.float32]:
    """Pixels that speak for the target, where the map is hot: the product of both; float32 [112, 224, 3]."""
    return guided_gradients(network, crop, target) * grad_cam(network, crop, target)[..., None]


def overlay(crop: NDArray[np.uint8], heat: NDArray[np.float32], *, strength: float = 0.5) -> NDArray[np.uint8]:
    """A map laid over its crop, blue for cold, red for hot.

    Args:
        crop: uint8 [H, W, 3].
        heat: float32 [H, W], 0 .. 1.
        strength: Of the colours, 0 .. 1.

    Returns:
        uint8 [H, W, 3].
    """
    if heat.shape != crop.shape[:2]:
        raise InvalidInput(f"a map {heat.shape} lies on a crop {crop.shape}", field="heat", remedy="one size")
    levels = np.clip(np.rint(heat * 255), 0, 255).astype(np.uint8)
    colours = np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_JET), np.float32)[..., ::-1]
    return np.asarray(np.rint((1 - strength) * crop + strength * colours), np.uint8)


def gradient_picture(gradients: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Gradients float32 [H, W, 3] as a picture uint8 [H, W, 3]: grey is none, the strongest hundredth is cut off."""
    reach = max(float(np.quantile(np.abs(gradients), 0.99)), _TINY)
    return np.asarray(np.rint(np.clip(0.5 + 0.5 * gradients / reach, 0, 1) * 255), np.uint8)


class _Guided(TorchFunctionMode):
    """Drops what is negative of every gradient that comes back to an activation."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if func in _ACTIVATIONS and found.requires_grad:
            found.register_hook(lambda gradient: gradient.clamp(min=0))
        return found


def _vectors(network: ShoeNet, image: torch.Tensor) -> torch.Tensor:
    """float32 [1, D], before they are brought to unit length."""
    vectors: torch.Tensor = network.out(network.pooled(image))
    return vectors


def _with_gradient(image: torch.Tensor) -> torch.Tensor:
    return image.to(torch.float32).requires_grad_()


def _checked(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if crop.dtype != np.uint8 or crop.shape != (*CROP_PX, 3):
        raise InvalidInput(f"the crop is {crop.dtype} {crop.shape}", field="crop", remedy=f"uint8 {[*CROP_PX, 3]}")
    # A copy: torch takes no array that cannot be written to, as those of decoded files are.
    return np.array(crop)
