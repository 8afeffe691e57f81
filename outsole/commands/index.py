"""``outsole index``: a directory of images or a manifest becomes the edition in force of a gallery."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from pathlib import Path

import click

from benchmarks.reporting import text_table
from indexer.index_prints import IndexEmbedding, IndexModel, IndexReport, index_prints
from outsole.commands.output import home_option, json_option, show
from outsole.commands.stack import read_state
from outsole.errors import InvalidInput, PreconditionFailed, Unavailable
from outsole.inference.encoder import Encoder, ModelContract
from outsole.matching.embedding import DEFAULT_EMBEDDING, PrintEmbedding
from outsole.matching.print_system import PrintSystem
from services.settings import ServiceSettings

_SHOWN_REJECTS = 10
NO_EMBEDDING = "none"


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--gallery", required=True, help="Name of the gallery; made where there is none.")
@click.option("--embedding", default="", metavar="NAME", help=f"{DEFAULT_EMBEDDING} where there is one; none for none.")
@home_option
@json_option
def index(source: Path, gallery: str, *, embedding: str, home: Path, as_json: bool) -> None:
    """Index SOURCE, a directory of sole images or a manifest (CSV, JSON lines, Parquet).

    Images that cannot be used are listed with the reason; the rest is indexed. Running it again changes nothing.
    """
    state = read_state(home)
    if state is None:
        raise Unavailable("no stack runs here", remedy="outsole up")
    triton_url = state.settings(home).triton_url if state.encoder_backend == "triton" else ""
    report = index_source(source, gallery, home=home, triton_url=triton_url, embedding=embedding)
    show(report, lambda: _text(report), as_json=as_json)


def index_source(source: Path, gallery: str, *, home: Path, triton_url: str, embedding: str = "") -> IndexReport:
    """Index a source into a gallery of a home directory, with a progress bar on standard error.

    Args:
        source: A directory of images or a manifest.
        gallery: Name of the gallery.
        home: State directory of the stack that is to search it.
        triton_url: ``host:port`` of Triton; empty to encode with ONNX Runtime in this process.
        embedding: Name of the embedding beside the correlation encoder; empty for the shipped one where there is one,
            ``none`` for none.

    Raises:
        InvalidInput: There is no embedding of that name.
        PreconditionFailed: Triton does not serve it.
        OutsoleError: See ``indexer.index_prints.index_prints``.
    """
    settings = ServiceSettings.from_environment(overrides={"home": home})
    return asyncio.run(_index(source, gallery, settings, triton_url=triton_url, embedding=embedding))


async def _index(
    source: Path, gallery: str, settings: ServiceSettings, *, triton_url: str, embedding: str
) -> IndexReport:
    system = PrintSystem.load(settings.model_dir, more=[settings.encoders_dir])
    chosen = chosen_embedding(system, embedding)
    encoder = print_encoder(system.spec.contract(), settings.model_dir, triton_url=triton_url)
    model = print_model(system, encoder)
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(encoder.close)
        if chosen is not None:
            second = print_encoder(chosen.contract(), chosen.folder, triton_url=triton_url)
            closing.push_async_callback(second.close)
            await _check_served(chosen.name, second, encoder)
            part = IndexEmbedding(chosen.name, chosen.hash, second, system.embedding_item_inputs)
            model = dataclasses.replace(model, embedding=part)
        return await index_prints(source, gallery, root=settings.editions_dir, model=model)


def chosen_embedding(system: PrintSystem, name: str) -> PrintEmbedding | None:
    """The embedding to index with: the one named, or the shipped one where none is; None for ``none``.

    Raises:
        InvalidInput: There is none of that name.
    """
    if name == NO_EMBEDDING:
        return None
    if not name:
        return system.embeddings.get(DEFAULT_EMBEDDING)
    if name not in system.embeddings:
        known = ", ".join((*system.embeddings, NO_EMBEDDING))
        raise InvalidInput(f"there is no embedding {name[:100]!r}", field="embedding", remedy=f"one of {known}")
    return system.embeddings[name]


async def _check_served(name: str, second: Encoder, first: Encoder) -> None:
    """A model that was made after the stack started is not served yet; where nothing answers, indexing says so."""
    if not await second.is_ready() and await first.is_ready():
        raise PreconditionFailed(
            f"the stack does not serve {name!r}", field="embedding", remedy="start it again: outsole down, outsole up"
        )


def print_encoder(contract: ModelContract, model_dir: Path, *, triton_url: str) -> Encoder:
    """An encoder at a Triton server, or in this process where ``triton_url`` is empty."""
    if triton_url:
        from outsole.inference.triton_client import TritonEncoder

        return TritonEncoder(triton_url, contract.model, contract=contract)
    from outsole.inference.in_process import InProcessEncoder

    return InProcessEncoder(model_dir, contract=contract)


def print_model(system: PrintSystem, encoder: Encoder) -> IndexModel:
    """What the indexer makes of print images with the correlation encoder."""
    return IndexModel(
        name=system.spec.name,
        hash=system.spec.hash,
        encoder=encoder,
        prepare=system.prepare_item,
        derive=system.derive,
        settings=system.index_settings,
    )


def _text(report: IndexReport) -> str:
    state = "new edition" if report.is_new else "nothing changed: edition"
    lines = [
        f"{report.gallery}: {state} {report.edition} with {report.items:,} items "
        f"({report.encoded:,} encoded, {report.reused:,} reused, {len(report.rejects):,} rejected) "
        f"in {report.seconds:.1f} s"
    ]
    if report.rejects:
        rows = [(r.row, r.item_id or r.path, r.reason) for r in report.rejects[:_SHOWN_REJECTS]]
        lines.append(text_table(("row", "item", "reason"), rows))
        lines.append("all of them are in the edition's rejects.csv")
    return "\n".join(lines)
