"""Searches in this process, by the functions that the services call."""

from __future__ import annotations

from collections.abc import Collection

from outsole.gallery.store import VectorStore
from outsole.matching.print_system import PrintSystem
from outsole.matching.shoe_system import SHOE
from services.ingress import search_parts
from services.parts import SearchParts
from services.reranker import EditionRerankers
from services.settings import ServiceSettings
from services.vector_store import PublishedStore


def in_process_parts(
    settings: ServiceSettings, store: VectorStore, *, shoe_encoders: Collection[str] = ()
) -> SearchParts:
    """The parts of a search in this process on the editions of a home directory.

    Args:
        settings: Of the services that it stands in for.
        store: Holds the vectors; close it afterwards.
        shoe_encoders: Hashes of the encoders of shoes whose galleries and archives are searched.
    """
    system = PrintSystem.load(settings.model_dir)
    published = PublishedStore(
        store,
        root=settings.editions_dir,
        encoder_hashes=[system.spec.hash, *shoe_encoders],
        fields=(*system.candidate_fields, SHOE),
    )
    reranking = EditionRerankers(settings.editions_dir, system.spec, cache_mib=settings.rerank_cache_mib)
    return search_parts(settings, candidates=published, reranking=reranking)
