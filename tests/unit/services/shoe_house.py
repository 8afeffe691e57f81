"""A home with an archive and a gallery of shoes, searched inside one process with a stand-in for the encoder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.gallery.exact_store import ExactStore
from outsole.imaging.shoe_crops import upright_crop
from outsole.inference.in_process import InProcessEncoder
from outsole.matching.shoe_system import SHOE, ShoeSystem, vectors_of
from services.ingress import search_parts
from services.settings import ServiceSettings
from services.vector_store import PublishedStore
from tests.standins import write_shoe_encoder
from tests.unit.services.made_archives import write_archive, write_shoes

BOX = (20.0, 10.0, 120.0, 90.0)


class NoReranking:
    """Searches with shoes compare nothing closely."""

    async def score(self, *arguments: Any, **options: Any) -> Any:
        raise AssertionError

    explain = score


def picture(seed: int) -> NDArray[np.uint8]:
    """Coloured patches, uint8 [100, 140, 3]."""
    patches = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    return np.repeat(np.repeat(patches, 20, axis=0), 20, axis=1)


def png(seed: int) -> bytes:
    return png_of(picture(seed))


def png_of(rgb: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", rgb[..., ::-1])
    assert done
    return data.tobytes()


@dataclass(frozen=True)
class House:
    """A home with an archive and a gallery of the same five pictures, the picture of seed i in row i."""

    settings: ServiceSettings

    def run(self, work: Any) -> Any:
        async def inside() -> Any:
            system = ShoeSystem.load(self.settings.encoders_dir / "shoe_stand_in")
            store = PublishedStore(
                ExactStore(), root=self.settings.editions_dir, encoder_hashes=[system.spec.hash], fields=(SHOE,)
            )
            return await work(search_parts(self.settings, candidates=store, reranking=NoReranking()))

        return asyncio.run(inside())


def furnished(home: Path) -> ServiceSettings:
    """The settings of a home in which the encoder, the archive `site` and the gallery `shoes` were put."""
    settings = ServiceSettings(home=home, encoder_backend="in_process")
    folder = write_shoe_encoder(settings.encoders_dir)
    crops = np.stack([upright_crop(picture(seed), box=BOX) for seed in range(5)])
    vectors = asyncio.run(_encoded(folder, crops))
    write_archive(settings.editions_dir, vectors=vectors, encoder=_encoder_of(folder))
    write_shoes(settings.editions_dir, [f"model-{i}" for i in range(5)], vectors, encoder=_encoder_of(folder))
    return settings


def _encoder_of(folder: Path) -> tuple[str, str]:
    spec = ShoeSystem.load(folder).spec
    return spec.name, spec.hash


async def _encoded(folder: Path, crops: NDArray[np.uint8]) -> NDArray[np.float16]:
    encoder = InProcessEncoder(folder, contract=ShoeSystem.load(folder).contract())
    return vectors_of(await encoder.encode(crops, timeout_s=10.0))
