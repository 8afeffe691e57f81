"""Which tracks resemble shoe models: the pictures of the models, and the best tracks of each.

Traces of prints and searches in bulk go the same way from here on: every picture of a model is a query, and a track's
score is that of the best of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsole.errors import PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.store import Candidates


@dataclass(frozen=True)
class ModelPictures:
    """Pictures of M models in a gallery of shoes.

    Attributes:
        rows: int64 [N], every picture of the gallery that is searched.
        codes: int64 [N], a number a model of the gallery.
        of_models: int64 [M], that number of each model; -1 where it has no picture.
        counts: Pictures of each model.
        shown: int64 [Q], rows of the pictures of all models.
        owner: int64 [Q], which model each of them shows.
    """

    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    of_models: NDArray[np.int64]
    counts: tuple[int, ...]
    shown: NDArray[np.int64]
    owner: NDArray[np.int64]

    @classmethod
    def of(
        cls, models: Sequence[str], shoes: Edition, *, rows: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> ModelPictures:
        """Find the pictures of models.

        Args:
            models: Their ids, none twice.
            shoes: The gallery.
            rows: int64 [N], what of it is searched.
            codes: int64 of all its rows, see `outsole.gallery.editions.Edition.group_codes`.
        """
        # The codes number the models in the order in which the edition names them.
        known, wanted = pc.unique(shoes.groups), pa.array(list(models), pa.string())
        places = pc.fill_null(pc.index_in(wanted, value_set=known), -1)
        of_models = places.to_numpy(zero_copy_only=False).astype(np.int64)
        model = np.full(len(known) + 1, -1, np.int64)
        model[of_models] = np.arange(len(models))
        # Models that the gallery does not have all wrote to the last place.
        model[-1] = -1
        owner = model[codes[rows]]
        shown = np.flatnonzero(owner >= 0)
        counts = np.bincount(owner[shown], minlength=len(models))
        return cls(rows, codes[rows], of_models, tuple(counts.tolist()), rows[shown], owner[shown])


@dataclass(frozen=True)
class ModelTracks:
    """P pairs of a model and a track of an archive.

    Attributes:
        models: int64 [P], position of the model.
        archives: int64 [P], position of the archive.
        rows: int64 [P], row in its edition.
        scores: float32 [P], best of the model's pictures.
    """

    models: NDArray[np.int64]
    archives: NDArray[np.int64]
    rows: NDArray[np.int64]
    scores: NDArray[np.float32]

    @classmethod
    def of_archive(cls, found: Candidates, owner: NDArray[np.int64], archive: int) -> ModelTracks:
        """Each model and track of an archive once, with the best score of the model's pictures.

        Args:
            found: What was found for each picture, Q lines.
            owner: int64 [Q], see ``ModelPictures``.
            archive: Its position.
        """
        held = found.rows >= 0
        models = np.broadcast_to(owner[:, None], found.rows.shape)[held]
        pairs, place = np.unique(np.stack([models, found.rows[held]], axis=1), axis=0, return_inverse=True)
        scores = np.full(len(pairs), -np.inf, np.float32)
        np.maximum.at(scores, place.ravel(), found.scores[held])
        return cls(pairs[:, 0], np.full(len(pairs), archive, np.int64), pairs[:, 1], scores)

    @classmethod
    def joined(cls, parts: Sequence[ModelTracks]) -> ModelTracks:
        """The pairs of all parts."""
        none = cls(*(np.empty(0, np.int64),) * 3, np.empty(0, np.float32))
        columns = (np.concatenate([getattr(p, e.name) for p in (none, *parts)]) for e in dataclasses.fields(cls))
        return cls(*columns)

    def picked(self, places: NDArray[np.int64]) -> ModelTracks:
        """Some of the pairs."""
        return ModelTracks(self.models[places], self.archives[places], self.rows[places], self.scores[places])

    def best(self, limit: int) -> ModelTracks:
        """The best pairs of each model, at most ``limit``, in order of the models, ties by archive and row."""
        placed = self.picked(np.lexsort((self.rows, self.archives, -self.scores.astype(np.float64), self.models)))
        return placed.picked(np.flatnonzero(placed.ranks() <= limit))

    def ranks(self) -> NDArray[np.int64]:
        """int64 [P], rank of each pair among those of its model, from 1; they are in order of the models."""
        ranks: NDArray[np.int64] = np.arange(len(self.models)) - np.searchsorted(self.models, self.models) + 1
        return ranks


def check_comparable(archive: Edition, shoes: Edition, *, field: str) -> None:
    """Raise ``PreconditionFailed``, naming the request field, where the two were made by different encoders."""
    if archive.encoder_hash != shoes.encoder_hash:
        raise PreconditionFailed(
            f"archive {archive.gallery!r} was made by encoder {archive.encoder_hash[:16]}, gallery {shoes.gallery!r} "
            f"by {shoes.encoder_hash[:16]}",
            field=field,
            remedy="index one of them again with the encoder of the other",
        )
