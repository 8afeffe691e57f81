"""Small editions with vectors of unit length, made in a moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from outsole.answers import ItemState
from outsole.gallery.editions import Edition
from outsole.gallery.items import ItemRow, Offer
from outsole.gallery.writer import EditionWriter

ENCODER = "ab" * 32


def written(
    root: Path,
    gallery: str = "soles",
    *,
    count: int = 40,
    seed: int = 0,
    states: Mapping[str, tuple[ItemState, str]] | None = None,
) -> Edition:
    """An edition of so many items, each its own model, that is not in force; the seed changes its vectors."""
    vectors = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"item-{i:03d}" for i in range(count)]
    given = {name: (states or {}).get(name, (ItemState.ACTIVE, "")) for name in names}
    items = [
        ItemRow(name, f"model-{i:03d}", sha256=f"{i:064x}", state=given[name][0], state_reason=given[name][1])
        for i, name in enumerate(names)
    ]
    with EditionWriter(root, gallery, encoder_hash=ENCODER, encoder_name="made") as writer:
        writer.append(
            items,
            {"cooccurrence": vectors, "maps": np.zeros((count, 2, 2, 2), np.float16)},
            thumbnails=[b"png"] * count,
            offers=[Offer(name, "feed", name) for name in names],
        )
        return writer.write(rejects_csv=b"row\n")
