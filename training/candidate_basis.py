"""Make the candidate embedding's basis from made treads: ``python -m training.candidate_basis``.

Principal channels of the standardised maps, and the mean co-occurrence vector, of clean impressions of made treads;
then the mean vector of degraded prints of others, half of them with the looks of blood, dust and gel. No real print is
involved. Writes ``candidate_basis.npz`` and ``probe_centre.npy`` into the encoder's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.answers import Placement
from outsole.encoders.spec import WEIGHTS_FILE, EncoderSpec
from outsole.imaging.canvas import place_item, place_probe
from outsole.imaging.masks import automatic_mask
from outsole.matching.candidates import BASIS_FILE, PROBE_CENTRE_FILE, CandidateBasis, rooted_cooccurrence
from outsole.matching.features import probe_features, standardised
from outsole.synthesis.crisp_degradation import degrade
from outsole.synthesis.prints import clean_impression, scene_print
from outsole.synthesis.treads import Tread, make_tread

_BATCH = 8
# Between the number of a tread and that of the one whose print may lie across.
_OTHERS = 500_000


def made_maps(model_dir: Path, *, treads: int, seed: int) -> NDArray[np.float32]:
    """Standardised maps float32 [treads, h, w, C] of made clean impressions."""
    spec, session = EncoderSpec.load(model_dir), _session(model_dir)
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


def probe_vectors(model_dir: Path, basis: CandidateBasis, *, prints: int, seed: int) -> NDArray[np.float32]:
    """Candidate vectors [prints, D], not centred as probes, of degraded prints of made treads, upright."""
    spec, session = EncoderSpec.load(model_dir), _session(model_dir)
    upright = (Placement(rotation_deg=0.0, mirrored=False, inverted=False),)
    found = []
    for number in tqdm(range(seed, seed + prints), desc="made prints", unit="print"):
        gray = _made_print(number)
        placed = place_probe(gray, automatic_mask(gray), spec, upright)
        (maps,) = session.run([spec.output], {"image": placed.images})
        features = probe_features(maps, placed.cells, placed.placements)
        found.append(basis.vectors(features.maps.astype(np.float32)))
    return np.concatenate(found)


def _made_print(seed: int) -> NDArray[np.uint8]:
    """Of every second number a scene print, of the others one with a look of its own, about what is seen of it."""
    tread, other = make_tread(seed), make_tread(seed + _OTHERS)
    if seed % 2:
        return scene_print(tread, seed, other=other).gray
    made = degrade(_contact(tread, seed), tread.inside, seed, others=[_contact(other, seed)])
    rows, columns = np.flatnonzero(made.mask.any(1)), np.flatnonzero(made.mask.any(0))
    return made.gray[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _contact(tread: Tread, seed: int) -> NDArray[np.float32]:
    return np.clip((250 - clean_impression(tread, seed).astype(np.float32)) / 225, 0, 1)


def _session(model_dir: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(str(model_dir / WEIGHTS_FILE), providers=["CPUExecutionProvider"])


@click.command()
@click.option("--model", type=click.Path(path_type=Path), default=Path("model_repository/print_lite2_b6"))
@click.option("--treads", default=400, show_default=True)
@click.option("--kept", default=16, show_default=True, help="Channels kept.")
@click.option("--prints", default=400, show_default=True, help="Degraded prints of other treads.")
@click.option("--seed", default=10_000, show_default=True)
def main(model: Path, treads: int, kept: int, prints: int, seed: int) -> None:
    """Make the candidate basis of an encoder."""
    projection, centre = basis_of(made_maps(model, treads=treads, seed=seed), kept=kept)
    np.savez(model / BASIS_FILE, projection=projection, centre=centre)
    basis = CandidateBasis(projection, centre, np.zeros_like(centre))
    found = probe_vectors(model, basis, prints=prints, seed=seed + treads)
    # Rounded as the rest: to a hundredth of what a vector's entries spread by.
    np.save(model / PROBE_CENTRE_FILE, found.mean(0).round(4).astype(np.float32))
    click.echo(f"{model / BASIS_FILE}: {projection.shape[0]} -> {kept} channels, {centre.size} dimensions")


if __name__ == "__main__":
    main()
