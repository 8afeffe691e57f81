"""``outsole index``: a directory of images or a manifest becomes the edition in force of a gallery."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from benchmarks.reporting import text_table
from indexer.index_prints import IndexModel, IndexReport, index_prints
from outsole.commands.output import home_option, json_option, show
from outsole.commands.stack import read_state
from outsole.encoders.spec import EncoderSpec
from outsole.errors import Unavailable
from outsole.inference.encoder import Encoder
from outsole.matching.print_system import PrintSystem
from services.settings import ServiceSettings

_SHOWN_REJECTS = 10


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--gallery", required=True, help="Name of the gallery; made where there is none.")
@home_option
@json_option
def index(source: Path, gallery: str, *, home: Path, as_json: bool) -> None:
    """Index SOURCE, a directory of sole images or a manifest (CSV, JSON lines, Parquet).

    Images that cannot be used are listed with the reason; the rest is indexed. Running it again changes nothing.
    """
    state = read_state(home)
    if state is None:
        raise Unavailable("no stack runs here", remedy="outsole up")
    triton_url = state.settings(home).triton_url if state.encoder_backend == "triton" else ""
    report = index_source(source, gallery, home=home, triton_url=triton_url)
    show(report, lambda: _text(report), as_json=as_json)


def index_source(source: Path, gallery: str, *, home: Path, triton_url: str) -> IndexReport:
    """Index a source into a gallery of a home directory, with a progress bar on standard error.

    Args:
        source: A directory of images or a manifest.
        gallery: Name of the gallery.
        home: State directory of the stack that is to search it.
        triton_url: ``host:port`` of Triton; empty to encode with ONNX Runtime in this process.

    Raises:
        OutsoleError: See ``indexer.index_prints.index_prints``.
    """
    settings = ServiceSettings.from_environment(overrides={"home": home})
    return asyncio.run(_index(source, gallery, settings, triton_url=triton_url))


async def _index(source: Path, gallery: str, settings: ServiceSettings, *, triton_url: str) -> IndexReport:
    system = PrintSystem.load(settings.model_dir)
    encoder = print_encoder(system.spec, settings, triton_url=triton_url)
    try:
        return await index_prints(source, gallery, root=settings.editions_dir, model=print_model(system, encoder))
    finally:
        await encoder.close()


def print_encoder(spec: EncoderSpec, settings: ServiceSettings, *, triton_url: str) -> Encoder:
    """The encoder at a Triton server, or in this process where ``triton_url`` is empty."""
    if triton_url:
        from outsole.inference.triton_client import TritonEncoder

        return TritonEncoder(triton_url, spec.name, contract=spec.contract())
    from outsole.inference.in_process import InProcessEncoder

    return InProcessEncoder(settings.model_dir)


def print_model(system: PrintSystem, encoder: Encoder) -> IndexModel:
    """What the indexer makes of print images."""
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
