"""What a report is made of: plain records that the caller fills; pictures are PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from outsole.answers import Placement


@dataclass(frozen=True)
class ReportCandidate:
    """One candidate beside a probe.

    Attributes:
        rank: 1-based rank among the models of the answer.
        model_id, item_id, brand: The candidate; ``brand`` is empty where unknown.
        score: Similarity, about -1 .. 1.
        score_parts: What it was made of, by name; empty or one part where nothing was joined.
        placement: How the probe was laid on it.
        item_png: The item as compared, PNG bytes; empty where there is no picture.
        heat_png: Heat map over the probe or item (``pictures.heat_overlay``), PNG bytes; empty where there is none.
        is_true: Whether it is the probe's true model, where that is known.
    """

    rank: int
    model_id: str
    item_id: str
    score: float
    placement: Placement = Placement()
    item_png: bytes = b""
    heat_png: bytes = b""
    brand: str = ""
    is_true: bool = False
    score_parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportProbe:
    """One probe and its candidates.

    Attributes:
        name: What the reader knows the probe by.
        image_png: The probe as compared, PNG bytes.
        visible_fraction: Part of a full sole's area that it shows, 0 .. 1.
        candidates: Best first.
        true_model: The model that made the print; empty where unknown.
        true_rank: Rank of that model; None where unknown, 0 where it is not in the answer.
        searched, total: Items compared closely, and items of the edition.
        stage_ms: Milliseconds by stage.
        warnings: What a reader should know about the probe.
        sha256: Hex digest of the untouched probe.
    """

    name: str
    image_png: bytes
    visible_fraction: float
    candidates: tuple[ReportCandidate, ...]
    true_model: str = ""
    true_rank: int | None = None
    searched: int = 0
    total: int = 0
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(frozen=True)
class ReportWear:
    """What a model of wear makes of one print of the gallery.

    Attributes:
        name: What the reader knows the print by.
        strip_png: The print and its simulations with their maps (``wear_pictures.wear_strip``), PNG bytes.
        model, model_hash, trained_on: The model, the hex digest of its specification, and its data in words.
        notice: Says that it is a simulation.
    """

    name: str
    strip_png: bytes
    model: str
    model_hash: str
    trained_on: str
    notice: str


@dataclass(frozen=True)
class ReportSummary:
    """What was run, and the figures over all probes (which may be more than those shown as cards).

    Attributes:
        title: Heading of the report.
        gallery, edition, encoder_hash, commit, machine, created, mode: What was run, where and when.
        gallery_size: Ranked models N, the base of "top p %".
        ranks: Rank of the true model of each probe [Q]; 0 where it was not in the answer; empty where truth is unknown.
        references: The true model of each probe [Q], the unit of the bootstrap; empty where truth is unknown.
        latency_ms: Milliseconds from request to answer of each search [P].
        stage_p50_ms: Median milliseconds by stage, in the order of the query's way.
        notes: Sentences about the data and the run.
        wear: Simulated wear of one print; None where there is no section about it.
    """

    title: str
    gallery: str
    edition: str
    encoder_hash: str
    commit: str
    machine: str
    created: str
    mode: str
    gallery_size: int
    ranks: tuple[int, ...] = ()
    references: tuple[str, ...] = ()
    latency_ms: tuple[float, ...] = ()
    stage_p50_ms: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    wear: ReportWear | None = None
