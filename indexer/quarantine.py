"""Which items of an edition in the making take no part in searches: what people decided, and outliers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexer.outliers import find_outliers
from outsole.answers import ItemState
from outsole.gallery.items import ItemRow
from outsole.gallery.writer import EditionWriter

# Vectors by which pictures of one model are compared, the better ones first.
_VECTORS = ("partial", "cooccurrence")
