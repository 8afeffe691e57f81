"""``outsole adapt``: train an encoder further on a gallery's own clean impressions, or on its photographs of shoes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.answers import ItemState, Role
from outsole.commands.output import home_option
from outsole.errors import InvalidInput, MissingPart
from outsole.gallery.editions import Edition
from outsole.gallery.layout import SHOES, SOLES
from outsole.imaging.decode import DecodedImage, decode_image
from outsole.matching.embedding import DEFAULT_EMBEDDING
from outsole.matching.shoe_system import DEFAULT_SHOE_ENCODER, VIEWS, colours_of
from services.settings import ServiceSettings

if TYPE_CHECKING:
    from training.own_photographs import Photograph
    from training.own_pictures import OwnPictures

# What a gallery shows -> the general encoder that is trained further.
_GENERAL = {SOLES: DEFAULT_EMBEDDING, SHOES: DEFAULT_SHOE_ENCODER}


@click.command()
@click.argument("gallery")
@click.option("--as", "name", default="", help="Name of the new encoder; the general one's and GALLERY if left out.")
@click.option("--preset", type=click.Choice(["smoke", "cpu", "gpu"]), default="cpu", show_default=True)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop learning after this time.")
@home_option
def adapt(gallery: str, *, name: str, preset: str, minutes: float | None, home: Path) -> None:
    """Train an encoder further on the pictures that GALLERY holds. No labels are needed.

    Of a gallery of soles it is the partial-print embedding, of a gallery of shoes the encoder of shoes. Running it
    again goes on with a run that was stopped. What comes of it stays in the home directory.
    """
    try:
        # Loaded when it is needed: it stands on torch.
        from training.adapt import Adaptation, gains_of, said_of
        from training.adapt import adapt as train_further
    except ImportError as error:
        raise MissingPart(f"package {error.name!r} is not installed", remedy="pip install 'outsole[train]'") from error
    settings = ServiceSettings.from_environment(overrides={"home": home})
    edition = Edition.open(settings.editions_dir, gallery)
    shows = edition.manifest.shows
    if shows not in _GENERAL:
        text = f"{gallery!r} shows {shows}"
        raise InvalidInput(text, field="gallery", remedy=f"a gallery of {' or '.join(_GENERAL)}")
    general = _GENERAL[shows]
    name = name or f"{general}_{gallery}"
    pictures, refused = kept_photographs(edition) if shows == SHOES else (kept_impressions(edition), [])
    click.echo("\n".join(said_of(refused)), nl=bool(refused))
    base = settings.model_repository / general
    adaptation = Adaptation(name, pictures, base, f"gallery {gallery!r}", general)
    folder = home / "adaptations" / f"{name}_{preset}"
    run, exported = train_further(adaptation, preset, folder=folder, repository=settings.encoders_dir, minutes=minutes)
    click.echo(f"{name}: {run.result.steps} steps on {len(pictures):,} pictures in {run.result.seconds:.0f} s")
    click.echo("\n".join(gains_of(run)))
    click.echo(f"it is in {exported.folder}; to use it:")
    how = f"--gallery {gallery} --embedding {name}" + (f" --shows {SHOES}" if shows == SHOES else "")
    click.echo(f"  outsole down; outsole up --detach; outsole index SOURCE {how}")


def kept_impressions(edition: Edition) -> OwnPictures:
    """The impressions of an edition from its thumbnails: the embedding sees no finer detail.

    They are brought back to the size that they were indexed at, 20 px/cm.
    """
    from training.print_views import KeptImpressions

    def impression(row: int) -> NDArray[np.uint8]:
        height, width = edition.size_px(row)
        small = _thumbnail(edition, row).gray
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    return KeptImpressions([impression(row) for row in _rows(edition, "impressions")])


def kept_photographs(edition: Edition) -> tuple[OwnPictures, list[str]]:
    """The photographs of an edition from its thumbnails, a camera sees no more; and why some are left out.

    What is not searched (retired, in quarantine) is left out, and what no shoe can be cut out of.
    """
    from training.own_photographs import KeptPhotographs, Photograph

    resting: list[str] = []

    def photographs() -> Iterator[Photograph]:
        items = edition.items.select(["role", "model_id", "state"]).to_pylist()
        for row in _rows(edition, "photographs"):
            item, name = items[row], edition.item_ids[row]
            if not ItemState(item["state"]).is_searched:
                resting.append(f"{name} is {item['state']}")
                continue
            rgb = colours_of(_thumbnail(edition, row))
            yield Photograph(rgb, VIEWS[Role(item["role"])], item["model_id"], name)

    kept, refused = KeptPhotographs.cut(photographs())
    return kept, [*resting, *refused]


def _rows(edition: Edition, what: str) -> Iterator[int]:
    return iter(tqdm(range(len(edition)), desc=what, unit="image"))


def _thumbnail(edition: Edition, row: int) -> DecodedImage:
    return decode_image(edition.thumbnail_png(row), field=edition.item_ids[row], with_color=True)
