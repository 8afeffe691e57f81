"""Galleries and searches in this process, by the functions that the commands and the services call."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from indexer.compose import IndexPlace, index_into, index_worn
from indexer.index_pictures import IndexReport
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


async def index_in_process(
    source: Path, gallery: str, *, settings: ServiceSettings, worn: Sequence[int] = (), embedding: str = ""
) -> tuple[IndexReport, ...]:
    """Index soles into a gallery of a home directory and into its companions, with ONNX Runtime in this process.

    Args:
        source: A directory of images or a manifest.
        gallery: Name of the gallery.
        settings: Of the services that search it.
        worn: Weeks of wear, a companion for each.
        embedding: See ``indexer.compose.index_into``.

    Returns:
        The report of the gallery itself, then of each companion.

    Raises:
        OutsoleError: See ``indexer.compose.index_into`` and ``index_worn``.
    """
    place = IndexPlace(settings.model_dir, settings.encoders_dir, settings.editions_dir)
    reports = [await index_into(source, gallery, place=place, embedding=embedding)]
    for weeks in worn:
        reports.append(await index_worn(source, gallery, weeks=weeks, place=place, embedding=embedding))
    return tuple(reports)
