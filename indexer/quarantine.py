"""Pictures of an edition in the making that are unlike the others of their model."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.outliers import find_outliers, set_codes
from outsole.gallery.writer import EditionWriter


def outliers(writer: EditionWriter, vectors: Sequence[str]) -> dict[str, str]:
    """Why items are doubted, by item id; empty where the edition has no vectors to compare.

    Args:
        writer: Holds the items and their arrays.
        vectors: Arrays by which they may be compared, the better ones first.
    """
    name = next((name for name in vectors if name in writer.array_names), None)
    if name is None:
        return {}
    items = writer.items()
    models = items["model_id"].to_pylist()
    found = find_outliers(writer.vectors(name), set_codes(models, items["role"].to_pylist()))
    rows = found.is_outlier.nonzero()[0]
    return {
        item_id: f"unlike the other pictures of model {models[row]}: {found.distances[row]:.2f} from their middle"
        for row, item_id in zip(rows.tolist(), items["item_id"].take(rows).to_pylist(), strict=True)
    }
