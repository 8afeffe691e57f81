"""The attention encoder of shoes: a crop turned level to a vector (torch).

Shoe type recognition by attention (2022): channel attention in every residual block of a trunk, the last map pooled by
its maxima, learned as a classification with smoothed labels. Here the trunk may be a light one too, and what is
compared is a linear image of the pooled map, of unit length.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from outsole.encoders.attention import make_attention
from outsole.encoders.poolings import average, maximum
from outsole.encoders.shoe_intake import shoe_intake
from outsole.encoders.trunks import LiteTrunk, ResNetTrunk
from outsole.errors import InvalidInput

DIMENSIONS = 256
PLACES = ("block", "stage")
_Pooling = Callable[[torch.Tensor], torch.Tensor]


def _both(maps: torch.Tensor) -> torch.Tensor:
    return average(maps) + maximum(maps)


_POOLINGS: dict[str, _Pooling] = {"max": maximum, "average": average, "both": _both}
POOLINGS = tuple(_POOLINGS)


class ShoeNet(nn.Module):
    """A level crop to a unit vector.

    Args:
        trunk: EfficientNet-Lite or ResNet-50 for three colours; its blocks are changed where attention goes into them.
        attention: Kind, see `outsole.encoders.attention.KINDS`.
        places: ``block`` for attention in every residual block, before what came in is added (the paper's text and its
            figure 3), ``stage`` for one after every stage (its figure 4).
        pooling: ``max``, ``average`` or ``both`` (their sum).
        dimensions: Of the vector.

    Raises:
        InvalidInput: An unknown name.
    """

    def __init__(
        self,
        trunk: LiteTrunk | ResNetTrunk,
        *,
        attention: str = "sum",
        places: str = "block",
        pooling: str = "max",
        dimensions: int = DIMENSIONS,
    ) -> None:
        super().__init__()
        if pooling not in _POOLINGS:
            raise InvalidInput(f"the pooling is {pooling!r}", field="pooling", remedy=f"one of {', '.join(POOLINGS)}")
        if places not in PLACES:
            raise InvalidInput(f"the places are {places!r}", field="places", remedy=f"one of {', '.join(PLACES)}")
        self.trunk = trunk
        self.attentions = attend(trunk, attention, places=places)
        self.pooling = _POOLINGS[pooling]
        self.out = nn.Linear(trunk.channels, dimensions)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Embed ``image`` uint8 [N, 112, 224, 3], red first; returns float32 [N, dimensions] of unit length."""
        return functional.normalize(self.out(self.pooled(image)), dim=1)

    def pooled(self, image: torch.Tensor) -> torch.Tensor:
        """The last map of ``image``, pooled, float32 [N, channels]."""
        return self.pooling(self.trunk(shoe_intake(image)))


def attend(trunk: LiteTrunk | ResNetTrunk, kind: str, *, places: str) -> nn.ModuleList:
    """Put attention into a trunk, and return the modules in their order; see ``ShoeNet``."""
    blocks = _blocks(trunk)
    chosen = blocks if places == "block" else _last_of_stages(blocks)
    attentions = nn.ModuleList(make_attention(kind, _width(block)) for block in chosen)
    if kind == "none":
        return attentions
    for block, attention in zip(chosen, attentions, strict=True):
        if places == "stage":
            block.register_forward_hook(_after(attention))
        else:
            _last_of(block).register_forward_hook(_after(attention))
    return attentions


def _after(attention: nn.Module) -> Callable[[nn.Module, object, torch.Tensor], torch.Tensor]:
    def applied(module: nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        del module, inputs
        found: torch.Tensor = attention(output)
        return found

    return applied


def _blocks(trunk: LiteTrunk | ResNetTrunk) -> list[nn.Module]:
    if isinstance(trunk, LiteTrunk):
        return list(trunk.blocks)
    return [block for stage in (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4) for block in stage]


def _last_of(block: nn.Module) -> nn.Module:
    """What ends the way through a block, before what came in is added; a light trunk is folded."""
    return block._project_conv if hasattr(block, "_project_conv") else block.bn3  # type: ignore[return-value]


def _width(block: nn.Module) -> int:
    last = _last_of(block)
    return int(last.out_channels if isinstance(last, nn.Conv2d) else last.num_features)  # type: ignore[arg-type]


def _last_of_stages(blocks: list[nn.Module]) -> list[nn.Module]:
    """Blocks after which the map changes its width, and the last."""
    widths = [_width(block) for block in blocks]
    return [block for n, block in enumerate(blocks) if n + 1 == len(blocks) or widths[n + 1] != widths[n]]
