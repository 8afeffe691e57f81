"""What the client calls about shoes, video archives and traces; mixed into the client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Unpack, overload

from outsole.answers import SearchAnswer
from outsole.api import convert_operations, convert_video, requests, video_requests
from outsole.api.frame_streams import Sender, answers
from outsole.api.records import (
    FramesOptions,
    RefineOptions,
    ShoeOptions,
    StreamFrame,
    TraceOptions,
    TracksOptions,
    VideoSearchOptions,
)
from outsole.frame_answers import FrameAnswer, FramesEnd
from outsole.operations import OperationInfo
from outsole.video_answers import (
    ArchiveInfo,
    FoundTrack,
    Refinable,
    RefinedAnswer,
    SourceInfo,
    TraceAnswer,
    TrackAnswer,
    TrackInfo,
    VideoSearchAnswer,
)


class VideoMethods:
    """Whoever has the stubs and makes the calls."""

    _retrieval: Any
    _video: Any
    _timeout_s: float
    _metadata: Any

    def _call(self, method: Any, request: Any, *, timeout_s: float | None = None) -> Any:
        raise NotImplementedError

    @overload
    def search_shoe(self, image: requests.Picture, *, gallery: str, **options: Unpack[ShoeOptions]) -> SearchAnswer: ...

    @overload
    def search_shoe(self, image: requests.Picture, *, archive: str, **options: Unpack[ShoeOptions]) -> TrackAnswer: ...

    def search_shoe(
        self, image: requests.Picture, *, gallery: str = "", archive: str = "", **options: Unpack[ShoeOptions]
    ) -> Refinable:
        """Ranks the shoe models of a gallery, or the tracks of a video archive, by similarity to a shoe in a picture.

        Args:
            image: Bytes, a path, or evidence uploaded before.
            gallery: Name of a gallery that shows shoes; this or ``archive``.
            archive: Name of a video archive.
            options: See ``ShoeOptions``.

        Returns:
            The hits, best first, with everything needed to compute them again.

        Raises:
            OutsoleError: Any of the tree; ``field`` names the request field at fault.
        """
        requests.known_options(options, ShoeOptions)
        timeout_s = options.pop("timeout_s", self._timeout_s)
        request = video_requests.shoe_request(image, options, gallery=gallery, archive=archive, timeout_s=timeout_s)
        message = self._call(self._retrieval.SearchShoe, request, timeout_s=timeout_s)
        return convert_video.any_shoe_answer_from_wire(message)

    def refine_shoes(
        self, image: requests.Picture, *, gallery: str = "", archive: str = "", **options: Unpack[RefineOptions]
    ) -> RefinedAnswer:
        """Searches again with marked hits; the list without them stays beside the new one.

        Args:
            image: The probe of the search.
            gallery: Name of the gallery searched; this or ``archive``.
            archive: Name of the archive searched.
            options: See ``RefineOptions``; give the answer's edition, so that both are computed on the same.
        """
        requests.known_options(options, RefineOptions)
        timeout_s = options.pop("timeout_s", self._timeout_s)
        request = video_requests.refine_request(image, options, gallery=gallery, archive=archive, timeout_s=timeout_s)
        message = self._call(self._retrieval.RefineSearch, request, timeout_s=timeout_s)
        return convert_video.refined_from_wire(message)

    def trace_print(
        self,
        image: requests.Picture,
        *,
        gallery: str,
        shoes: str,
        archives: Sequence[str],
        **options: Unpack[TraceOptions],
    ) -> TraceAnswer:
        """From a print to shoe models to the tracks in which such shoes walk past.

        Args:
            image: Bytes, a path, or evidence uploaded before.
            gallery: Name of the gallery of soles.
            shoes: Name of the gallery that shows the same models' shoes.
            archives: Names of the video archives to look in.
            options: See ``TraceOptions``.

        Raises:
            OutsoleError: Any of the tree; ``field`` names the request field at fault.
        """
        requests.known_options(options, TraceOptions)
        timeout_s = options.pop("timeout_s", self._timeout_s)
        places = video_requests.Places(gallery, shoes, archives)
        request = video_requests.trace_request(image, options, places=places, timeout_s=timeout_s)
        return convert_video.trace_from_wire(self._call(self._retrieval.TracePrint, request, timeout_s=timeout_s))

    def list_tracks(self, archive: str, **options: Unpack[TracksOptions]) -> Iterator[tuple[TrackInfo, ...]]:
        """The tracks of an archive by camera and time, page by page as they are asked for.

        Args:
            archive: Name of the archive.
            options: See ``TracksOptions``.
        """
        requests.known_options(options, TracksOptions)
        token, edition = "", options.get("edition", "")
        while True:
            request = video_requests.tracks_request(archive, options, edition=edition, page_token=token)
            response = self._call(self._video.ListTracks, request)
            yield tuple(map(convert_video.track_from_wire, response.tracks))
            token, edition = response.next_page_token, response.edition
            if not token:
                return

    def search_frames(
        self, frames: Iterable[StreamFrame], *, gallery: str, **options: Unpack[FramesOptions]
    ) -> Iterator[FrameAnswer | FramesEnd]:
        """Searches frames as they are sent, and answers them in their order while more are sent.

        Frames are asked for as the service takes them: it holds few that are not answered, and stops taking them while
        answers are not read. It is not tried again.

        Args:
            frames: In the order of their numbers; read in a thread of gRPC's.
            gallery: Name of a gallery that shows shoes.
            options: See ``FramesOptions``.

        Returns:
            A ``FrameAnswer`` for each frame, and a ``FramesEnd`` at the end. Leaving it ends the stream.

        Raises:
            OutsoleError: Any of the tree, after the answers to the frames before; those of ``frames`` come as they are.
        """
        requests.known_options(options, FramesOptions)
        sender = Sender(gallery, options)

        def begin() -> Any:
            timeout_s = options.get("timeout_s")
            return self._video.SearchFrames(sender.messages(frames), timeout=timeout_s, metadata=self._metadata)

        return answers(begin, sender)

    def get_archive(self, archive: str, *, edition: str = "") -> ArchiveInfo:
        """An archive with all its sources and what became of their frames. Raises ``NotFound`` where there is none."""
        sources: list[SourceInfo] = []
        token = ""
        while True:
            request = video_requests.archive_request(archive, edition=edition, page_token=token)
            response = self._call(self._video.GetArchive, request)
            sources += map(convert_video.source_from_wire, response.sources)
            token, edition = response.next_page_token, response.archive.edition
            if not token:
                return convert_video.archive_from_wire(response.archive, tuple(sources))

    def start_video_search(
        self, models: Sequence[str], *, gallery: str, **options: Unpack[VideoSearchOptions]
    ) -> OperationInfo:
        """Lets the service search whole archives, or files that are not indexed yet, for shoe models.

        Args:
            models: Ids of models.
            gallery: Name of the gallery that shows their shoes.
            options: See ``VideoSearchOptions``.

        Returns:
            The operation; the same one where the same is asked while it waits or works.

        Raises:
            OutsoleError: Any of the tree; ``field`` names the request field at fault.
        """
        requests.known_options(options, VideoSearchOptions)
        request = video_requests.video_search_request(models, gallery, options)
        message = self._call(self._video.StartVideoSearch, request)
        return convert_operations.operation_from_wire(message.operation)

    def get_video_search(self, operation_id: str, *, with_thumbnails: bool = False) -> VideoSearchAnswer:
        """What a search of archives found, all pages of it.

        Raises:
            NotFound: There is no such operation.
            PreconditionFailed: It has not succeeded.
        """
        rows: tuple[FoundTrack, ...] = ()
        token = ""
        while True:
            request = video_requests.found_request(operation_id, with_thumbnails=with_thumbnails, page_token=token)
            response = self._call(self._video.GetVideoSearch, request)
            answer = convert_video.found_from_wire(response, rows)
            rows, token = answer.rows, response.next_page_token
            if not token:
                return answer
