"""One run of `benchmarks.scale`: what its parts share, made when it is first asked for and kept in the work folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.at_scale.bases import Encoded, Encoders, encode_bases
from benchmarks.at_scale.candidates import FlatIndex, Queries, StageRun
from benchmarks.at_scale.close_look import Exhaustive, compare_with_all, model_codes
from benchmarks.at_scale.made_gallery import Batch, check_room, edition_batches, made_batches, write_gallery
from benchmarks.at_scale.probes import MadeProbe, make_probes, probe_features
from outsole.commands.index import index_source
from outsole.evaluation.collections import Collection, LabelledProbe, read_collection
from outsole.gallery.editions import Edition
from outsole.gallery.layout import list_editions
from outsole.matching.candidates import CandidateBasis
from outsole.matching.features import ProbeFeatures
from outsole.synthesis.made_editions import GalleryShape, MadeItems
from services.settings import ServiceSettings

GALLERY = "scale"
SMALL_GALLERY = "scale-small"
REFERENCES = "references"
ALL_ARRAYS = ("maps", "cooccurrence", "partial")
VECTORS = ("cooccurrence", "partial")
# Maps are float16 [76, 36, 48]; the rest is vectors, and what a work folder holds besides.
ITEM_BYTES = 76 * 36 * 48 * 2 + 8 * 1024
_SIZES = (5_000, 10_000, 20_000)
_ENCODED_BYTES = 2 * ITEM_BYTES


@dataclass(frozen=True)
class ScalePlan:
    """What is measured on.

    Attributes:
        work: Folder for everything that is made.
        items, models: Of the gallery.
        small_items: Of the gallery that memory is compared with.
        bases, pairs: Treads that are encoded, and pairs of pictures that say how much such differ.
        probes, exhaustive: Prints searched, and those of them that are compared with everything.
        seed: Of everything made.
        data: A FID-300 directory whose references are hidden in the gallery; None for made items alone.
    """

    work: Path
    items: int = 56_847
    models: int = 24_766
    small_items: int = 10_000
    bases: int = 750
    pairs: int = 40
    probes: int = 100
    exhaustive: int = 60
    seed: int = 1
    data: Path | None = None

    @property
    def sizes(self) -> list[int]:
        """Sizes at which the candidate stage is timed, ascending; the last one is the whole gallery."""
        smaller = [size for size in _SIZES if size < self.items] or [self.items // 4, self.items // 2]
        return [*smaller, self.items]

    @property
    def needed_bytes(self) -> int:
        """Room for editions of both sizes, encoded treads and stores."""
        vectors = 3 * (1792 + 256) * 4
        return (self.items + self.small_items) * ITEM_BYTES + self.items * vectors + self.bases * 2 * _ENCODED_BYTES


class ScaleRun:
    """The gallery, the probes and what they were encoded to.

    Args:
        plan: What is made.
    """

    def __init__(self, plan: ScalePlan) -> None:
        self.plan = plan
        self.home = plan.work / "galleries"
        self.settings = ServiceSettings.from_environment(overrides={"home": self.home, "encoder_backend": "in_process"})
        self.root = self.settings.editions_dir

    @cached_property
    def encoders(self) -> Encoders:
        """Both encoders in this process."""
        return Encoders(self.settings)

    @cached_property
    def encoded(self) -> Encoded:
        """The treads that are really encoded."""
        plan = self.plan
        folder = plan.work / f"encoded-{plan.seed}-{plan.bases}-{plan.pairs}-{self.encoders.system.spec.hash[:8]}"
        return encode_bases(folder, self.encoders, bases=plan.bases, pairs=plan.pairs, seed=plan.seed)

    def made(self, items: int) -> MadeItems:
        """So many made items, with models in the proportion of the whole gallery's."""
        models = max(1, round(self.plan.models * items / self.plan.items))
        return MadeItems(
            GalleryShape(items, models, seed=self.plan.seed),
            self.encoded.bases,
            models=self.encoded.models,
            pictures=self.encoded.pictures,
            vectors=CandidateBasis.load(self.settings.model_dir).vectors,
        )

    @cached_property
    def collection(self) -> Collection | None:
        """The labelled prints whose references are hidden; None where no data were named."""
        return None if self.plan.data is None else read_collection(self.plan.data)

    @cached_property
    def references(self) -> Edition | None:
        """The edition of those references alone."""
        if self.collection is None:
            return None
        if not list_editions(self.root, REFERENCES):
            index_source(self.collection.source, REFERENCES, home=self.home, triton_url="")
        return Edition.open(self.root, REFERENCES)

    @cached_property
    def items(self) -> MadeItems:
        """The made items of the whole gallery."""
        return self.made(self.plan.items - self.hidden)

    @property
    def hidden(self) -> int:
        """References among the gallery's items."""
        return 0 if self.references is None else len(self.references)

    @cached_property
    def edition(self) -> Edition:
        """The whole gallery: references first, where there are any, then made items."""
        if not list_editions(self.root, GALLERY):
            click.echo(f"up to {self.plan.needed_bytes / 2**30:.1f} GiB in {self.plan.work}", err=True)
            check_room(self.plan.work, self.plan.needed_bytes)
        return self.write(GALLERY, self.items, arrays=ALL_ARRAYS)

    @cached_property
    def small_edition(self) -> Edition:
        """Its first items as a gallery of their own."""
        return self.first_items(SMALL_GALLERY, min(self.plan.small_items, len(self.edition)), arrays=ALL_ARRAYS)

    def write(self, gallery: str, items: MadeItems, *, arrays: Sequence[str]) -> Edition:
        """Write the references and made items as a gallery."""

        def batches() -> Iterator[Batch]:
            if self.references is not None:
                yield from edition_batches(self.references, self.hidden, arrays=arrays)
            yield from made_batches(items, len(items), arrays=arrays)

        return write_gallery(self.root, gallery, batches, count=self.hidden + len(items), like=self.like(arrays))

    def first_items(self, gallery: str, count: int, *, arrays: Sequence[str]) -> Edition:
        """The first items of the whole gallery as another one."""
        like = {**self.like(arrays), "of": self.edition.id}
        whole = self.edition
        return write_gallery(
            self.root, gallery, lambda: edition_batches(whole, count, arrays=arrays), count=count, like=like
        )

    def like(self, arrays: Sequence[str]) -> dict[str, Any]:
        """What an edition says of its encoders, and what besides makes it another one."""
        encoders = self.encoders
        return {
            "encoder_hash": encoders.system.spec.hash,
            "encoder_name": encoders.system.spec.name,
            "settings": encoders.system.index_settings,
            "embeddings": {encoders.embedding.name: encoders.embedding.hash},
            "arrays": list(arrays),
            "seed": self.plan.seed,
            "bases": self.plan.bases,
            "hidden": self.hidden,
        }

    @cached_property
    def probes(self) -> list[MadeProbe]:
        """Prints of encoded items."""
        plan = self.plan
        folder = plan.work / f"probes-{plan.seed}-{plan.bases}-{self.edition.id}"
        spare = plan.bases + plan.pairs
        return make_probes(folder, self.items.plan, count=plan.probes, bases=spare, seed=plan.seed)

    @property
    def labelled(self) -> list[LabelledProbe]:
        """The same as files with labels."""
        return [probe.labelled for probe in self.probes]

    @property
    def rows(self) -> list[int]:
        """Row of each probe's item in the whole gallery."""
        return [self.edition.row_of(probe.item_id) for probe in self.labelled]

    @cached_property
    def features(self) -> list[ProbeFeatures]:
        """The probes as they are compared."""
        return probe_features(self.encoders, self.labelled)

    @property
    def queries(self) -> list[Queries]:
        """The probes as candidates are asked for."""
        return [self.encoders.system.candidate_queries(features) for features in self.features]

    @cached_property
    def exhaustive_ranks(self) -> list[int]:
        """Rank of the true model of the first probes when everything is compared; kept in the work folder."""
        count = min(self.plan.exhaustive, len(self.probes))
        path = self.plan.work / f"exhaustive-{self.edition.id}-{self.plan.seed}-{count}.npy"
        if not path.is_file():
            found = compare_with_all(self.edition, self.encoders.system.spec, self.features[:count])
            click.echo(f"{found.seconds_a_probe:.1f} s a probe for everything", err=True)
            np.save(path, found.scores)
        scores: NDArray[np.float32] = np.load(path)
        return Exhaustive(scores, 0.0).model_ranks(self.rows[:count], model_codes(self.edition))

    @cached_property
    def flat(self) -> StageRun:
        """FAISS's flat index over the whole gallery, with all probes."""
        return FlatIndex(self.edition).run(self.queries, self.encoders.system)
