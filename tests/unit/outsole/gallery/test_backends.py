"""An address names a back end, or the error says which addresses do."""

from __future__ import annotations

from pathlib import Path

import pytest

from outsole.errors import InvalidInput
from outsole.gallery.backends import open_store
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.milvus_store import MilvusStore


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("exact:", ExactStore),
        ("vectors.db", MilvusStore),
        ("http://127.0.0.1:19530", MilvusStore),
        ("https://milvus.example", MilvusStore),
    ],
)
def test_an_address_names_its_back_end_and_opens_nothing(tmp_path: Path, uri: str, kind: type) -> None:
    store = open_store(str(tmp_path / uri) if uri.endswith(".db") else uri)
    assert type(store) is kind
    store.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["", "exact", "exact:/somewhere", "milvus.sqlite", "grpc://host:1"])
def test_an_address_of_no_kind_is_refused_with_those_that_are(uri: str) -> None:
    with pytest.raises(InvalidInput, match="exact:") as caught:
        open_store(uri)
    assert caught.value.field == "uri"
