from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outsole.errors import DataCorrupt, NotFound
from outsole.matching.candidates import BASIS_FILE, LAGS, PROBE_CENTRE_FILE, CandidateBasis

MODEL = Path(__file__).parents[4] / "model_repository" / "print_lite2_b6"


@pytest.fixture(scope="module")
def basis() -> CandidateBasis:
    return CandidateBasis.load(MODEL)


def textures(count: int, shape: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Smooth random maps: neighbouring cells go together, as on a tread."""
    rng = np.random.default_rng(7)
    raw = rng.normal(size=(count, shape[0] // 4, shape[1] // 4, 48))
    mixed = raw @ rng.normal(size=(count, 1, 48, 48))
    return np.asarray(np.repeat(np.repeat(mixed, 4, 1), 4, 2), np.float32)


def test_vectors_have_unit_length_and_the_documented_dimension(basis: CandidateBasis) -> None:
    vectors = basis.vectors(textures(3, (76, 36)))
    assert vectors.shape == (3, len(LAGS) * 16 * 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_moving_a_probe_on_its_canvas_changes_nothing(basis: CandidateBasis) -> None:
    probe = np.zeros((2, 84, 44, 48), np.float32)
    part = textures(1, (40, 20))[0]
    probe[0, 10:50, 3:23] = part
    probe[1, 31:71, 20:40] = part
    first, second = basis.vectors(probe)
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_a_part_is_nearest_to_the_whole_that_it_was_cut_from(basis: CandidateBasis) -> None:
    wholes = textures(12, (76, 36))
    parts = np.zeros_like(wholes)
    parts[:, 20:60, 4:32] = wholes[:, 20:60, 4:32]
    nearest = (basis.vectors(parts) @ basis.vectors(wholes).T).argmax(1)
    np.testing.assert_array_equal(nearest, np.arange(12))


def test_what_probes_have_in_common_says_nothing_about_items(basis: CandidateBasis) -> None:
    wholes = basis.vectors(textures(12, (76, 36)))
    probes = wholes + 4 * basis.probe_centre
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    hubs = np.concatenate([wholes, basis.probe_centre[None] / np.linalg.norm(basis.probe_centre)])
    assert np.all((probes @ hubs.T).argmax(1) == 12)
    queries = basis.queries(probes)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal((queries @ hubs.T).argmax(1), np.arange(12))


def test_a_missing_or_damaged_basis_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=BASIS_FILE):
        CandidateBasis.load(tmp_path)
    (tmp_path / BASIS_FILE).write_bytes(b"no archive")
    with pytest.raises(DataCorrupt, match=BASIS_FILE):
        CandidateBasis.load(tmp_path)
    np.savez(tmp_path / BASIS_FILE, projection=np.ones((48, 4)), centre=np.ones(3))
    with pytest.raises(NotFound, match=PROBE_CENTRE_FILE):
        CandidateBasis.load(tmp_path)
    (tmp_path / PROBE_CENTRE_FILE).write_bytes(b"")
    with pytest.raises(DataCorrupt, match=PROBE_CENTRE_FILE):
        CandidateBasis.load(tmp_path)
    np.save(tmp_path / PROBE_CENTRE_FILE, np.ones(112))
    with pytest.raises(DataCorrupt, match=r"centre of \(3,\)"):
        CandidateBasis.load(tmp_path)
