"""The requests about wear that both clients send; see ``outsole.api.requests``."""

from __future__ import annotations

from collections.abc import Sequence

from outsole.api.generated.outsole.v1 import wear_pb2
from outsole.api.records import WearOptions
from outsole.api.requests import Picture, set_probe
from outsole.errors import InvalidInput

_INT32 = range(-(2**31), 2**31)


def predict_request(
    image: Picture, weeks: Sequence[int], options: WearOptions, *, timeout_s: float
) -> wear_pb2.PredictWearRequest:
    """Asks what a print may look like later; see ``WearOptions``.

    Raises:
        InvalidInput: A number of weeks that no message can hold, or as ``outsole.api.requests.search_request``.
    """
    request = wear_pb2.PredictWearRequest(weeks=_whole(weeks))
    set_probe(request, image, options, timeout_s)
    return request


def reconstruct_request(
    image: Picture, weeks: Sequence[int], options: WearOptions, *, timeout_s: float
) -> wear_pb2.ReconstructOutsoleRequest:
    """Asks what a print may have looked like before; see ``predict_request``."""
    request = wear_pb2.ReconstructOutsoleRequest(weeks=_whole(weeks))
    set_probe(request, image, options, timeout_s)
    return request


def _whole(weeks: Sequence[int]) -> list[int]:
    """Numbers that can be sent; which of them make sense the service says."""
    for place, week in enumerate(weeks):
        if not isinstance(week, int) or week not in _INT32:
            raise InvalidInput(f"{week!r} is asked for", field=f"weeks[{place}]", remedy="a whole number of weeks")
    return list(weeks)
