"""Pictures of an edition in the making that are unlike the others of their model."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.outliers import find_outliers, set_codes
from outsole.answers import Role
from outsole.gallery.items import ItemRow
from outsole.gallery.writer import EditionWriter

# Vectors by which the pictures of one model are compared, the better ones first.
_VECTORS = ("partial", "cooccurrence")


def outliers(writer: EditionWriter, items: Sequence[ItemRow]) -> dict[str, str]:
    """Why items are doubted, by item id; empty where the edition has no vectors to compare.

    Args:
        writer: Holds the vectors of the items.
        items: In the order in which they were appended; all of them show soles.
    """
    name = next((name for name in _VECTORS if name in writer.array_names), None)
    if name is None:
        return {}
    found = find_outliers(writer.vectors(name), set_codes([i.model_id for i in items], [Role.SOLE] * len(items)))
    return {
        items[row].item_id: (
            f"unlike the other pictures of model {items[row].model_id}: {found.distances[row]:.2f} from their middle"
        )
        for row in found.is_outlier.nonzero()[0].tolist()
    }
