"""What a collection in Milvus is called, what its columns are, and what rows are sent to it.

A collection is named by its content, so that editions with the same vectors and the same filter columns share it, of
whatever gallery they are. States are no column: a retired item takes part in no search, and nothing is sent again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pymilvus import DataType, MilvusClient

from outsole.errors import InvalidInput
from outsole.gallery.editions import Edition
from outsole.gallery.filters import FilterColumns
from outsole.gallery.layout import checked_array_name, checked_name
from outsole.gallery.scan import widened

PREFIX = "outsole_"
TEXT_BYTES = 800
# Of the schema below; a collection of another one is never taken for this.
_FORMAT = 2
# A name of a gallery begins with a letter or digit and a field's with a letter, so that an underscore and a digit
# can only be one of these.
_SAFE = str.maketrans({"_": "_0", "-": "_1", ".": "_2"})


def collection_name(edition: Edition, field: str, index: tuple[str, Mapping[str, int]]) -> str:
    """The collection that holds a field of an edition: equal for equal content, whatever the edition is called.

    Args:
        edition: Its manifest has the hash of the vectors.
        field: Name of the array.
        index: Type and parameters of the index.
    """
    columns = edition.items.select(edition.kind.filters.names).to_pydict()
    content = [_FORMAT, edition.manifest.files[f"{field}.npy"].sha256, columns, index[0], dict(index[1])]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{PREFIX}{checked_array_name(field)}_{digest[:24]}"


def alias_name(gallery: str, field: str) -> str:
    """The alias of the collection that is in force for a field of a gallery.

    It is ``outsole_<gallery>_<field>``; in the gallery's name the underscore and what Milvus does not allow become an
    underscore and a digit, so that no two galleries have the same.
    """
    return f"{PREFIX}{checked_name(gallery, field='gallery').translate(_SAFE)}_{checked_array_name(field)}"


def schema(dimension: int, columns: FilterColumns) -> Any:
    """The columns of a collection: a row number, a vector, and what filters are about."""
    made = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    # The row number; servers before 2.4 answer with "id" whatever the primary field is called.
    made.add_field("id", DataType.INT64, is_primary=True)
    made.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    for column in columns.texts:
        made.add_field(column, DataType.VARCHAR, max_length=TEXT_BYTES)
    for column in columns.numbers:
        made.add_field(column, DataType.INT64)
    return made


def upload_rows(columns: pa.Table, vectors: NDArray[Any], first_row: int) -> list[dict[str, Any]]:
    """Rows of an edition as Milvus takes them.

    Args:
        columns: What filters are about, n rows.
        vectors: floats [n, D].
        first_row: Row number of the first.

    Raises:
        InvalidInput: A vector holds a value that is not finite.
    """
    plain = widened(vectors, np.empty(vectors.shape, np.float32))
    if not np.isfinite(plain).all():
        raise InvalidInput(f"rows {first_row} to {first_row + len(plain) - 1} hold a value that is not finite")
    filtered = columns.to_pylist()
    return [
        {"id": first_row + offset, "vector": vector, **row}
        for offset, (vector, row) in enumerate(zip(plain, filtered, strict=True))
    ]
