"""The parts that live in other deployments, called through Ray Serve's handles; Ray's errors become ours here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import BackPressureError, RayServeException, RequestCancelledError
from ray.serve.handle import DeploymentHandle

from outsole.errors import BudgetSpent, OutsoleError, Overloaded, Unavailable
from outsole.lifecycle import RebuildProgress
from services.parts import EditionRef, Timed

if TYPE_CHECKING:
    from outsole.gallery.filters import RowFilter
    from outsole.gallery.store import Candidates
    from outsole.matching.features import ProbeFeatures
    from outsole.matching.rerank import HeatMap, ItemScores

# A part keeps to its time by itself; only one that hangs is given up from here.
_GRACE_S = 1.0


class RemoteCandidates:
    """The vector store's owner; see `services.parts.CandidateFinder`."""

    def __init__(self, handle: DeploymentHandle[Any]) -> None:
        self._handle = handle

    async def find(
        self,
        edition: EditionRef,
        queries: Mapping[str, NDArray[np.float32]],
        *,
        limit: int,
        where: RowFilter,
        timeout_s: float,
    ) -> Timed[dict[str, Candidates]]:
        """See `services.parts.CandidateFinder.find`."""
        options = {"limit": limit, "where": where}
        found: Timed[dict[str, Candidates]] = await call(
            self._handle, "find", edition, dict(queries), timeout_s=timeout_s, **options
        )
        return found

    async def verify(self, edition: EditionRef, *, timeout_s: float) -> tuple[int, int, str]:
        """See `services.vector_store.PublishedStore.verify`."""
        found: tuple[int, int, str] = await call(self._handle, "verify", edition, timeout_s=timeout_s)
        return found

    async def rebuild(self, edition: EditionRef, *, follow: bool, timeout_s: float) -> RebuildProgress:
        """See `services.vector_store.PublishedStore.rebuild`."""
        progress: RebuildProgress = await call(self._handle, "rebuild", edition, follow=follow, timeout_s=timeout_s)
        return progress

    async def retire(self, edition: EditionRef, *, timeout_s: float) -> None:
        """See `services.vector_store.PublishedStore.retire`."""
        await call(self._handle, "retire", edition, timeout_s=timeout_s)

    async def is_ready(self, *, timeout_s: float) -> bool:
        """Whether the vector store answers; never raises."""
        try:
            async with asyncio.timeout(timeout_s):
                return bool(await self._handle.is_ready.remote())
        except (RayError, RayServeException, OutsoleError, TimeoutError):
            return False


class RemoteReranking:
    """The reranker's replicas; see `services.parts.Reranking`."""

    def __init__(self, handle: DeploymentHandle[Any]) -> None:
        self._handle = handle

    async def score(
        self, edition: EditionRef, features: ProbeFeatures, rows: NDArray[np.int64] | None, *, timeout_s: float
    ) -> Timed[ItemScores]:
        """See `services.parts.Reranking.score`."""
        scores: Timed[ItemScores] = await call(self._handle, "score", edition, features, rows, timeout_s=timeout_s)
        return scores

    async def explain(
        self, edition: EditionRef, features: ProbeFeatures, row: int, *, timeout_s: float
    ) -> Timed[HeatMap]:
        """See `services.parts.Reranking.explain`."""
        heat: Timed[HeatMap] = await call(self._handle, "explain", edition, features, row, timeout_s=timeout_s)
        return heat


async def call(handle: DeploymentHandle[Any], method: str, *args: Any, timeout_s: float, **kwargs: Any) -> Any:
    """Call a method of a deployment that takes ``timeout_s`` and ``sent_at``.

    Raises:
        OutsoleError: What the method raised, without Ray's wrapper, whose text is a stack trace.
        BudgetSpent: It did not answer within the time and a grace.
        Overloaded: Too many calls wait for it.
        Unavailable: Its process is away; it is being started again.
    """
    try:
        async with asyncio.timeout(timeout_s + _GRACE_S):
            response = getattr(handle, method).remote(*args, timeout_s=timeout_s, sent_at=time.time(), **kwargs)
            return await response
    except TimeoutError as error:
        raise BudgetSpent(f"{handle.deployment_name} did not answer in time") from error
    except BackPressureError as error:
        raise Overloaded(f"{handle.deployment_name} has too much queued", retry_after_s=1.0) from error
    except (RayError, RayServeException, RequestCancelledError) as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, OutsoleError):
            raise cause from error
        if isinstance(error, (RayActorError, RayServeException)):
            raise Unavailable(f"{handle.deployment_name} is away for the moment", retry_after_s=1.0) from error
        raise
