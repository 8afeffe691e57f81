"""``outsole adapt``: train the partial-print embedding further on a gallery's own clean impressions."""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.commands.output import home_option
from outsole.errors import MissingPart
from outsole.gallery.editions import Edition
from outsole.imaging.decode import decode_image
from outsole.matching.embedding import DEFAULT_EMBEDDING
from services.settings import ServiceSettings


@click.command()
@click.argument("gallery")
@click.option("--as", "name", default="", help=f"Name of the new embedding; {DEFAULT_EMBEDDING}_GALLERY if left out.")
@click.option("--preset", type=click.Choice(["smoke", "cpu", "gpu"]), default="cpu", show_default=True)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop learning after this time.")
@home_option
def adapt(gallery: str, *, name: str, preset: str, minutes: float | None, home: Path) -> None:
    """Train the partial-print embedding further on the impressions that GALLERY holds. No labels are needed.

    Running it again goes on with a run that was stopped. What comes of it stays in the home directory.
    """
    try:
        # Loaded when it is needed: it stands on torch.
        from training.adapt import Adaptation
        from training.adapt import adapt as train_further
    except ImportError as error:
        raise MissingPart(f"package {error.name!r} is not installed", remedy="pip install 'outsole[train]'") from error
    settings = ServiceSettings.from_environment(overrides={"home": home})
    edition = Edition.open(settings.editions_dir, gallery)
    name = name or f"{DEFAULT_EMBEDDING}_{gallery}"
    base = settings.model_repository / DEFAULT_EMBEDDING
    adaptation = Adaptation(name, kept_impressions(edition), base, f"gallery {gallery!r}")
    folder = home / "adaptations" / f"{name}_{preset}"
    run, exported = train_further(adaptation, preset, folder=folder, repository=settings.encoders_dir, minutes=minutes)
    click.echo(f"{name}: {run.result.steps} steps on {len(edition):,} impressions in {run.result.seconds:.0f} s")
    click.echo(f"it is in {exported.folder}; to use it:")
    click.echo(f"  outsole down; outsole up --detach; outsole index SOURCE --gallery {gallery} --embedding {name}")


def kept_impressions(edition: Edition) -> list[NDArray[np.uint8]]:
    """The impressions of an edition, uint8 [H, W] each, from its thumbnails: the embedding sees no finer detail.

    They are brought back to the size that they were indexed at, 20 px/cm.
    """
    impressions = []
    for row in tqdm(range(len(edition)), desc="impressions", unit="image"):
        small = decode_image(edition.thumbnail_png(row), field=edition.item_ids[row]).gray
        height, width = edition.size_px(row)
        impressions.append(np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8))
    return impressions
