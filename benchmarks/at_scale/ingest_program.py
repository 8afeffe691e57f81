"""Index a folder with an encoder that answers at once: what `benchmarks.at_scale.indexing` measures and kills.

python -m benchmarks.at_scale.ingest_program SOURCE ROOT GALLERY [--log FILE]
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import resource
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from indexer.compose import print_model
from indexer.index_pictures import IndexEmbedding, IndexModel, index_pictures
from outsole.inference.encoder import IMAGE
from outsole.matching.fusion import EMBEDDING
from outsole.matching.print_system import PrintSystem
from services.settings import ServiceSettings

_DIMENSIONS = 256


class InstantEncoder:
    """Stands in for an encoder: arrays of the right shape that depend on the picture alone, in no time.

    Args:
        output: Name of the output.
        row_shape: Shape of one picture's output.
        log: File that is told the digest of every picture that it encodes; None for none.
    """

    def __init__(self, output: str, row_shape: tuple[int, ...], *, log: Path | None = None) -> None:
        self._output = output
        pool = np.random.default_rng(0).normal(size=(4096 + int(np.prod(row_shape)))).astype(np.float16)
        self._pool = pool
        self._row_shape = row_shape
        self._log = log

    async def encode(self, images: Any, *, timeout_s: float) -> dict[str, NDArray[Any]]:
        """See `outsole.inference.encoder.Encoder.encode`."""
        pictures = images[IMAGE] if isinstance(images, dict) else images
        digests = [hashlib.sha256(np.ascontiguousarray(picture).data).hexdigest() for picture in pictures]
        if self._log is not None:
            # One write of a few hundred bytes to a file that is appended to is whole or not there.
            with self._log.open("a") as log:
                log.write("".join(f"{digest}\n" for digest in digests))
        return {self._output: np.stack([self._row(int(digest[:8], 16)) for digest in digests])}

    def _row(self, number: int) -> NDArray[np.float16]:
        size = int(np.prod(self._row_shape))
        start = number % 4096
        return self._pool[start : start + size].reshape(self._row_shape)

    async def is_ready(self) -> bool:
        """Always."""
        return True

    async def close(self) -> None:
        """Nothing is held."""


def instant_model(system: PrintSystem, *, log: Path | None) -> IndexModel:
    """The print system's indexing with encoders that answer at once."""
    spec = system.spec
    chosen = next(iter(system.embeddings.values()))
    height, width = spec.canvas_cells
    first = InstantEncoder(spec.output, (spec.channels, height, width), log=log)
    second = InstantEncoder(EMBEDDING, (_DIMENSIONS,))
    model = print_model(system, first)
    part = IndexEmbedding(chosen.name, chosen.hash, second, system.embedding_item_inputs)
    return dataclasses.replace(model, embedding=part)


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("root", type=click.Path(path_type=Path))
@click.argument("gallery")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="File for digests of what is encoded.")
def main(source: Path, root: Path, gallery: str, *, log: Path | None) -> None:
    """Index SOURCE into GALLERY below ROOT."""
    system = PrintSystem.load(ServiceSettings.from_environment().model_dir)
    report = asyncio.run(index_pictures(source, gallery, root=root, model=instant_model(system, log=log)))
    # The system's own record: what is looked at now and then misses the short peak at the end.
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    click.echo(f"{report.edition} {report.items} items, {report.encoded} encoded, peak MiB {peak_mib:.1f}")


if __name__ == "__main__":
    main()
