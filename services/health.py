"""What ``grpc.health.v1`` says: whether the service can do its work now, not whether its process runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from grpc_health.v1 import health_pb2

from outsole.answers import GalleryInfo
from outsole.errors import NotFound
from services.catalogue import Catalogue
from services.telemetry import Recorder

OVERALL = ""
RETRIEVAL = "outsole.v1.RetrievalService"
GALLERIES = "outsole.v1.GalleryService"
INDEX = "outsole.v1.IndexService"
VIDEO = "outsole.v1.VideoService"
WEAR = "outsole.v1.WearService"
SERVICES = (OVERALL, RETRIEVAL, GALLERIES, INDEX, VIDEO, WEAR)

SERVING: int = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: int = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN: int = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
Probe = Callable[[], Awaitable[bool]]


class HealthMonitor:
    """Looks at what the services need; a finding is used again while it is young.

    Retrieval serves where every encoder is ready that a searchable gallery was indexed with, the vector store answers,
    and at least one gallery's edition can be opened and was made by the encoders served. Galleries serve wherever this
    process runs: they are read from disk. Indexing serves where the encoders are ready: a gallery may be the first one.
    Video serves where an archive can be opened, whose tracks are then listed, or where an encoder of shoes is ready.
    Wear serves where the encoders are ready and there is a model of wear, which is loaded at its first use; the whole
    does not depend on it.

    Args:
        catalogue: The editions.
        triton: Whether those encoders are ready; must not raise.
        milvus: Whether the vector store answers; must not raise.
        video: Whether there is an archive or an encoder of shoes; must not raise.
        wear: Whether there is a model of wear; must not raise.
        recorder: Takes the gauges.
        max_age_s: Age at which a finding is looked up again, seconds.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        triton: Probe,
        milvus: Probe,
        video: Probe,
        wear: Probe,
        recorder: Recorder,
        max_age_s: float = 1.0,
    ) -> None:
        self._catalogue = catalogue
        self._video = video
        self._wear = wear
        self._probes = {"triton": triton, "milvus": milvus}
        self._recorder = recorder
        self._max_age_s = max_age_s
        self._looking = asyncio.Lock()
        self._found_at = float("-inf")
        self._can_search = False
        self._can_encode = False
        self._can_see = False
        self._loaded: set[tuple[str, str]] = set()

    async def status(self, service: str) -> int:
        """SERVING or NOT_SERVING.

        Raises:
            NotFound: There is no service of that name.
        """
        if service not in SERVICES:
            raise NotFound(f"there is no service {service[:200]!r}", field="service")
        if service == GALLERIES:
            return SERVING
        await self._refresh()
        if service == WEAR:
            # Found once and then known; nobody has to look for it who does not ask.
            return SERVING if self._can_encode and await self._wear() else NOT_SERVING
        able = {INDEX: self._can_encode, VIDEO: self._can_see}.get(service, self._can_search)
        return SERVING if able else NOT_SERVING

    async def watch(self, service: str) -> AsyncIterator[int]:
        """The state now, and then every change of it; it ends only with its caller."""
        last: int | None = None
        while True:
            try:
                now = await self.status(service)
            except NotFound:
                now = SERVICE_UNKNOWN
            if now != last:
                last = now
                yield now
            await asyncio.sleep(self._max_age_s)

    async def refresh_forever(self) -> None:
        """Keep the gauges fresh, whether or not somebody asks."""
        while True:
            await self._refresh()
            await asyncio.sleep(max(self._max_age_s, 1.0))

    async def _refresh(self) -> None:
        async with self._looking:
            if time.monotonic() - self._found_at < self._max_age_s:
                return
            names = list(self._probes)
            answers = await asyncio.gather(*(self._probes[name]() for name in names))
            good = await asyncio.to_thread(self._look_at_editions)
            for name, up in zip(names, answers, strict=True):
                self._recorder.put("outsole_dependency_up", float(up), {"dependency": name})
            self._can_search = all(answers) and good
            self._can_encode = answers[names.index("triton")]
            self._can_see = await self._video()
            self._found_at = time.monotonic()

    def _look_at_editions(self) -> bool:
        galleries = [gallery for gallery in self._catalogue.galleries() if self._catalogue.is_searchable(gallery)]
        self._show(galleries)
        return bool(galleries)

    def _show(self, galleries: list[GalleryInfo]) -> None:
        loaded = {(gallery.name, gallery.edition) for gallery in galleries}
        for name, edition in self._loaded - loaded:
            self._recorder.put("outsole_edition_loaded", 0.0, {"gallery": name, "edition": edition})
        for gallery in galleries:
            labels = {"gallery": gallery.name}
            self._recorder.put("outsole_edition_loaded", 1.0, {**labels, "edition": gallery.edition})
            self._recorder.put("outsole_edition_items", float(gallery.items), labels)
        self._loaded = loaded
