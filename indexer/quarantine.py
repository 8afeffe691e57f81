"""Which items of an edition in the making take no part in searches: what people decided, and outliers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexer.outliers import find_outliers, set_codes
from outsole.answers import ItemState, Role
from outsole.gallery.decisions import Decision, DecisionKind
from outsole.gallery.items import ItemRow
from outsole.gallery.writer import EditionWriter

# Vectors by which the pictures of one model are compared, the better ones first.
_VECTORS = ("partial", "cooccurrence")


def outlying_states(
    writer: EditionWriter, items: Sequence[ItemRow], decisions: Mapping[str, Decision]
) -> dict[str, tuple[ItemState, str]]:
    """State and reason of the items whose picture is unlike the others of their model, by item id.

    Args:
        writer: Holds the vectors of the items.
        items: In the order in which they were appended.
        decisions: The last one about each item; one that was released once is not judged again.
    """
    name = next((name for name in _VECTORS if name in writer.array_names), None)
    if name is None:
        return {}
    sets = set_codes([i.model_id for i in items], [Role.SOLE] * len(items))
    found = find_outliers(writer.vectors(name), sets)
    return {
        items[row].item_id: (
            ItemState.QUARANTINED,
            f"unlike the other pictures of model {items[row].model_id}: {found.distances[row]:.2f} from their middle",
        )
        for row in found.is_outlier.nonzero()[0].tolist()
        if not _was_released(decisions.get(items[row].item_id))
    }


def _was_released(decision: Decision | None) -> bool:
    return decision is not None and decision.kind is DecisionKind.RELEASE
