"""What a question about wear answers: plain records, see ``outsole.answers``.

Only the standard library is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SIMULATION_NOTICE = (
    "This is a simulation by a model, not an observation: no evidence of what a sole looked like or will look like."
)


@dataclass(frozen=True)
class WornPrint:
    """A print as a model predicts it.

    Attributes:
        weeks: Weeks of wear between the print that was given and this one, 0 .. 52.
        image_png: 8-bit grey PNG in the frame and size of the upright picture that was given; contact dark.
        unsure_png: 8-bit grey PNG of the same size: the error of contact that the model expects of itself, 0 none ..
            255 the whole range.
        mean_unsure: The mean of that map over the picture, 0 .. 1.
    """

    weeks: int
    image_png: bytes
    unsure_png: bytes
    mean_unsure: float


@dataclass(frozen=True)
class WearAnswer:
    """Predictions of one print, and everything that is needed to compute them again.

    Attributes:
        prints: One for each of the weeks, in the order in which they were asked for.
        backward: Whether the prints are from before the one that was given, and not from after it.
        model, model_hash: The model's name, and hex digest of its specification.
        trained_on: What it was trained on, in words.
        simulation_notice: Says that this is a simulation; it belongs beside every picture of it.
        probe_sha256: Hex digest of the untouched probe bytes.
        steps: Processing steps applied to the probe, in order.
        warnings: What a person should know about the probe.
        stage_ms: Milliseconds by stage of the query's way.
        settings: The settings in force, as text.
    """

    prints: tuple[WornPrint, ...]
    backward: bool
    model: str
    model_hash: str
    trained_on: str
    simulation_notice: str = SIMULATION_NOTICE
    probe_sha256: str = ""
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    stage_ms: dict[str, float] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def when(self, worn: WornPrint) -> str:
        """When a print of this answer would be, seen from the one that was given."""
        return f"{worn.weeks} weeks before" if self.backward else f"after {worn.weeks} weeks"
