"""What the systems of shoes share: their figures on unseen models, and how they are exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from torch import nn

from outsole.answers import View
from outsole.evaluation.retrieval import hit_at, mean_average_precision_at, ranked_models
from outsole.imaging.shoe_crops import CROP_PX
from outsole.inference.encoder import TensorShape
from training.export_plan import Arrays, ExportPlan
from training.made_figures import embedded
from training.made_shoes import unseen_shoes
from training.system import device_of

_PROBES_EACH = 2


def shoe_figures(network: nn.Module, models: int, *, levelled: bool = True) -> Mapping[str, float]:
    """Camera crops of unseen models among one shop photograph each, from the same side.

    Args:
        network: Crops uint8 [N, 112, 224, 3] to unit vectors float [N, D]; in evaluation mode.
        models: In the gallery.
        levelled: Whether sides are turned by toe and heel.

    Returns:
        ``rank1``, ``rank5`` and ``map`` of sides, ``front_rank1`` and ``back_rank1`` of the others; 0 .. 1.
    """
    ends = {f"{view.value}_rank1": _figures(network, models, view=view)["rank1"] for view in (View.FRONT, View.BACK)}
    return {**_figures(network, models, view=View.SIDE, levelled=levelled), **ends}


def _figures(network: nn.Module, models: int, *, view: View, levelled: bool = True) -> Mapping[str, float]:
    probes = unseen_shoes(models, probes_each=_PROBES_EACH, view=view, levelled=levelled)
    return crop_figures(network, probes.gallery, np.arange(models), probes=probes.probes, shown=probes.models)


def crop_figures(
    network: nn.Module,
    gallery: NDArray[np.uint8],
    models: NDArray[np.int64],
    *,
    probes: NDArray[np.uint8],
    shown: NDArray[np.int64],
) -> Mapping[str, float]:
    """Crops searched among others.

    Args:
        network: Crops uint8 [N, 112, 224, 3] to unit vectors float [N, D]; in evaluation mode.
        gallery: uint8 [N, 112, 224, 3].
        models: int64 [N], what each shows.
        probes: uint8 [Q, 112, 224, 3].
        shown: int64 [Q], what each shows.

    Returns:
        ``rank1``, ``rank5`` and ``map`` over unique models, 0 .. 1.
    """
    device = device_of(network)
    items, found = (embedded(network, crops, device).numpy() for crops in (gallery, probes))
    known, codes = np.unique(models, return_inverse=True)
    ranked = ranked_models(found @ items.T, codes)
    relevant = shown[:, None] == known
    return {
        "rank1": hit_at(ranked, relevant, 1),
        "rank5": hit_at(ranked, relevant, 5),
        "map": mean_average_precision_at(ranked, relevant, len(known)),
    }


def shoe_plan(dimensions: int, *, summary: str, module: Callable[[nn.Module], nn.Module]) -> ExportPlan:
    """How such a system is exported.

    Args:
        dimensions: Of the vector.
        summary: Structure, in Markdown; what the crop is comes after it.
        module: From the trained network to the encoder.
    """
    return ExportPlan(
        kind="shoe_embedding",
        inputs=(TensorShape("image", "uint8", (*CROP_PX, 3)),),
        outputs=(TensorShape("embedding", "float16", (dimensions,)),),
        px_per_cm=0.0,
        summary=(
            f"One unit vector for a shoe in a crop. {summary} Sides are turned level by toe and heel, the toe to the "
            "right; fronts and backs are cut out by their box."
        ),
        trained_on="made shoes of outsole.synthesis alone: no real shoe was seen",
        licence="Apache-2.0",
        limits="Below about 48 pixels from toe to heel little more than colour is left of a shoe.",
        settings={"canvas": "heel at 0.12, toe at 0.88 of the width, the ground at 0.86 of the height"},
        module=module,
        examples=_examples,
        merges=False,
        precision="fp16",
    )


def _examples(count: int) -> Arrays:
    return (unseen_shoes(count, probes_each=1).probes,)
