"""``outsole index``: a directory of images or a manifest becomes the edition in force of a gallery."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from benchmarks.reporting import text_table
from indexer.compose import IndexPlace, index_into
from indexer.index_prints import IndexReport
from outsole.commands.output import home_option, json_option, show
from outsole.commands.stack import read_state
from outsole.errors import Unavailable
from outsole.matching.embedding import DEFAULT_EMBEDDING
from services.settings import ServiceSettings

_SHOWN_REJECTS = 10


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
        OutsoleError: See ``indexer.compose.index_into``.
    """
    settings = ServiceSettings.from_environment(overrides={"home": home})
    place = IndexPlace(settings.model_dir, settings.encoders_dir, settings.editions_dir, triton_url)
    return asyncio.run(index_into(source, gallery, place=place, embedding=embedding))


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
