"""What others published, as they published it; nothing here is measured."""

from __future__ import annotations

from benchmarks.print_systems.rows import Row

_FID = "FID-300, all 300 probes, 1,175 references"
_CRISP = "val-FID, 106 probes placed by hand, 56,847 depth maps of 24,766 models (cannot be had here)"


def _fid(system: str, one: float, five: float | None = None, ten: float | None = None, *, trained_on: str = "-") -> Row:
    given = {"top1pct": one, "top5pct": five, "top10pct": ten}
    figures = {name: value for name, value in given.items() if value is not None}
    return Row(system, _FID, figures, trained_on, note="published")


def _crisp(system: str, hit: float, precision: float, *, what: str = _CRISP) -> Row:
    return Row(
        system,
        what,
        {"published_hit100": hit, "published_map100": precision},
        "CriSp's training set",
        note=f"published: hit@100 {hit:.3f}, mAP@100 {precision:.3f}; not the made data of this table",
    )


ROWS = (
    _fid("periodic patterns, 2014", 14.7, 30.7, 39.7),
    _fid("compositional active basis, 2016", 21.7, 47.0, 58.3),
    _fid("thesis of the same author, 2017", 59.7, 73.3, 79.0),
    _fid("MCNCC, nothing learned, 2019", 72.7, 82.3, 87.7, trained_on="ImageNet (ResNet-50)"),
    _fid("MCNCC, learned, 2019", 79.7, 86.3, 89.3, trained_on="ImageNet, other prints"),
    _fid("CNN and normalised cross-correlation, 2023 (abstract)", 82.0),
    _crisp("CriSp, ECCV 2024", 0.547, 0.207),
    _crisp("the next best beside CriSp", 0.453, 0.141),
    _crisp("SupCon alone, as in CriSp", 0.076, 0.010),
    _crisp("CriSp, blood", 0.805, 0.436, what="val-ShoeCase, blood"),
    _crisp("CriSp, dust", 0.944, 0.679, what="val-ShoeCase, dust"),
    _crisp("CriSp's ablation: pooled", 0.226, 0.052),
    _crisp("CriSp's ablation: trained with spatial features, masked", 0.453, 0.177),
    _crisp("CriSp's ablation: and query masks in training", 0.547, 0.207),
    _crisp("CriSp's database of RGB", 0.195, 0.066),
    _crisp("CriSp's database of prints", 0.171, 0.015),
    _crisp("CriSp's database of all three", 0.293, 0.057),
)
