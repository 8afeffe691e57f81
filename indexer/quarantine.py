"""Pictures of an edition in the making that are unlike the others of their model."""

from __future__ import annotations

from indexer.outliers import find_outliers, set_codes
from outsole.answers import Role
from outsole.gallery.writer import EditionWriter

# Vectors by which the pictures of one model are compared, the better ones first.
_VECTORS = ("partial", "cooccurrence")


def outliers(writer: EditionWriter) -> dict[str, str]:
    """Why items are doubted, by item id; empty where the edition has no vectors to compare.

    Args:
        writer: Holds the items, all of which show soles, and their vectors.
    """
    name = next((name for name in _VECTORS if name in writer.array_names), None)
    if name is None:
        return {}
    items = writer.items()
    models = items["model_id"].to_pylist()
    found = find_outliers(writer.vectors(name), set_codes(models, [Role.SOLE] * len(models)))
    rows = found.is_outlier.nonzero()[0]
    return {
        item_id: f"unlike the other pictures of model {models[row]}: {found.distances[row]:.2f} from their middle"
        for row, item_id in zip(rows.tolist(), items["item_id"].take(rows).to_pylist(), strict=True)
    }
