"""What the client calls about wear; mixed into the client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from outsole.api import convert_wear, requests, wear_requests
from outsole.api.records import WearOptions
from outsole.wear_answers import WearAnswer


class WearMethods:
    """Whoever has the stubs and makes the calls."""

    _wear: Any
    _timeout_s: float

    def _call(self, method: Any, request: Any, *, timeout_s: float | None = None) -> Any:
        raise NotImplementedError

    def predict_wear(
        self, image: requests.Picture, *, weeks: Sequence[int], **options: Unpack[WearOptions]
    ) -> WearAnswer:
        """Shows what a print may look like after the sole was worn for some more weeks; a simulation.

        Args:
            image: Bytes, a path, or evidence uploaded before: sole upright, toe up, dark on light, 20 px/cm.
            weeks: Weeks of wear to add, 1 to 27 even numbers from 0 to 52, none twice.
            options: See ``WearOptions``.

        Returns:
            A print and a map of where the model is unsure for each of the weeks, in their order.

        Raises:
            NotFound: The service has no such model.
            OutsoleError: Any of the tree; ``field`` names the request field at fault.
        """
        requests.known_options(options, WearOptions)
        timeout_s = options.pop("timeout_s", self._timeout_s)
        request = wear_requests.predict_request(image, weeks, options, timeout_s=timeout_s)
        return convert_wear.wear_answer_from_wire(self._call(self._wear.PredictWear, request, timeout_s=timeout_s))

    def reconstruct_outsole(
        self, image: requests.Picture, *, weeks: Sequence[int], **options: Unpack[WearOptions]
    ) -> WearAnswer:
        """Shows what the print of a worn sole may have looked like some weeks of wear before; a simulation.

        Args:
            image: The print of the worn sole; as of ``predict_wear``.
            weeks: Weeks of wear to take off; as of ``predict_wear``.
            options: See ``WearOptions``.
        """
        requests.known_options(options, WearOptions)
        timeout_s = options.pop("timeout_s", self._timeout_s)
        request = wear_requests.reconstruct_request(image, weeks, options, timeout_s=timeout_s)
        return convert_wear.wear_answer_from_wire(
            self._call(self._wear.ReconstructOutsole, request, timeout_s=timeout_s)
        )
