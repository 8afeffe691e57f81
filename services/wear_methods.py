"""The methods about wear, mixed into the ingress."""

from __future__ import annotations

from outsole.api import convert_wear
from outsole.api.generated.outsole.v1 import wear_pb2
from outsole.giving_way import QueriesAtWork
from outsole.wear.model import Direction
from services import validation
from services.parts import SearchParts
from services.rpc import GrpcContext, interactive, unary
from services.telemetry import Recorder
from services.wear import simulate_wear


class WearMethods:
    """Whoever has the parts of a search."""

    recorder: Recorder
    queries: QueriesAtWork
    _parts: SearchParts

    @unary(wear_pb2.PredictWearResponse)
    @interactive
    async def PredictWear(
        self, request: wear_pb2.PredictWearRequest, grpc_context: GrpcContext
    ) -> wear_pb2.PredictWearResponse:
        """Show what a print may look like later."""
        query = validation.wear_query(request, Direction.FORWARD)
        return convert_wear.prediction_to_wire(await simulate_wear(query, self._parts))

    @unary(wear_pb2.ReconstructOutsoleResponse)
    @interactive
    async def ReconstructOutsole(
        self, request: wear_pb2.ReconstructOutsoleRequest, grpc_context: GrpcContext
    ) -> wear_pb2.ReconstructOutsoleResponse:
        """Show what a print may have looked like before."""
        query = validation.wear_query(request, Direction.BACKWARD)
        return convert_wear.reconstruction_to_wire(await simulate_wear(query, self._parts))
