"""Make the candidate embedding's basis from made treads: ``python -m training.candidate_basis``.

Principal channels of the standardised maps, and the mean co-occurrence vector, of clean impressions of made treads.
No real print is involved. Writes ``candidate_basis.npz`` into the encoder's folder.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.encoders.spec import WEIGHTS_FILE, EncoderSpec
from outsole.imaging.canvas import place_item
from outsole.matching.candidates import BASIS_FILE, rooted_cooccurrence
from outsole.matching.features import standardised
from outsole.synthesis.prints import clean_impression
from outsole.synthesis.treads import make_tread

_BATCH = 8


def made_maps(model_dir: Path, *, treads: int, seed: int) -> NDArray[np.float32]:
    """Standardised maps float32 [treads, h, w, C] of made clean impressions."""
    import onnxruntime

    spec = EncoderSpec.load(model_dir)
    session = onnxruntime.InferenceSession(str(model_dir / WEIGHTS_FILE), providers=["CPUExecutionProvider"])
    margin = spec.margin_px // spec.stride_px
    parts = []
    for start in tqdm(range(seed, seed + treads, _BATCH), desc="made treads", unit="batch"):
        items = [place_item(clean_impression(make_tread(s), s), spec) for s in range(start, start + _BATCH)]
        (maps,) = session.run([spec.output], {"image": np.stack([item.image for item in items])})
        inner = maps[:, :, margin:-margin, margin:-margin]
        parts.append(standardised(inner, np.stack([item.valid for item in items])))
    return np.concatenate(parts)


def basis_of(maps: NDArray[np.float32], *, kept: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Projection [C, kept] and centre [D]; rounded, so that the last bits of another machine do not show."""
    cells = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
    _, vectors = np.linalg.eigh(cells.T @ cells)
    leading = vectors[:, ::-1][:, :kept]
    # The sign of an eigenvector is free; its largest entry is made positive.
    leading *= np.sign(leading[np.abs(leading).argmax(0), np.arange(kept)])
    projection = leading.round(3).astype(np.float32)
    return projection, rooted_cooccurrence(maps, projection).mean(0).round(2).astype(np.float32)


@click.command()
@click.option("--model", type=click.Path(path_type=Path), default=Path("model_repository/print_lite2_b6"))
@click.option("--treads", default=400, show_default=True)
@click.option("--kept", default=16, show_default=True, help="Channels kept.")
@click.option("--seed", default=10_000, show_default=True)
def main(model: Path, treads: int, kept: int, seed: int) -> None:
    """Make the candidate basis of an encoder."""
    projection, centre = basis_of(made_maps(model, treads=treads, seed=seed), kept=kept)
    np.savez(model / BASIS_FILE, projection=projection, centre=centre)
    click.echo(f"{model / BASIS_FILE}: {projection.shape[0]} -> {kept} channels, {centre.size} dimensions")


if __name__ == "__main__":
    main()
