"""Long work in processes of its own: accepted, queued, started, watched, and begun again after a stop."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from outsole.errors import NotFound, OutsoleError, PreconditionFailed
from outsole.gallery.layout import checked_name
from outsole.operation_folder import OperationFolder, now
from outsole.operations import OperationInfo, WorkState

AT_ONCE = 2
COMMAND = (sys.executable, "-m", "indexer.operation")
LOG = "log"
_STOP_TIMEOUT_S = 5.0
# A process that is killed so often is not begun again by itself: what kills it will hardly have gone away.
_MOST_KILLS = 3
_WAITING = (WorkState.QUEUED, WorkState.RUNNING, WorkState.PAUSED)
_log = logging.getLogger(__name__)


class Operations:
    """The operations of a home directory; one process has them at a time, and its threads may share them.

    At most one operation writes to a gallery, and two work in all; the others wait in the order in which they were
    accepted. A paused one has no process and keeps nobody waiting.

    Args:
        root: Directory of the operations; made if missing.
        command: Starts the work of one; the folder is added to it.
    """

    def __init__(self, root: Path, *, command: Sequence[str] = COMMAND) -> None:
        self._root = root
        self._command = tuple(command)
        self._lock = threading.RLock()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._kills: Counter[str] = Counter()
        # What is over no longer changes, and is not read again five times a second.
        self._over: dict[str, OperationInfo] = {}
        root.mkdir(parents=True, exist_ok=True)

    def start(
        self, request: Mapping[str, object], *, kind: str, gallery: str, source: str, request_id: str = ""
    ) -> OperationInfo:
        """Accept an operation, or find the one that the same request began.

        Args:
            request: What ``indexer.operation`` reads.
            kind, gallery, source: See ``OperationInfo``.
            request_id: The caller's name for the request. With it the same operation is found for ever, without it
                while that waits or works.
        """
        named = {"kind": kind, **(dict(request) if not request_id else {"gallery": gallery, "source": source})}
        key = hashlib.sha256(json.dumps([named, request_id], sort_keys=True).encode()).hexdigest()
        with self._lock:
            known = self._same(key[:12], for_ever=bool(request_id))
            if known is None:
                created = now()
                name = f"{key[:12]}-{hashlib.sha256(created.encode()).hexdigest()[:8]}"
                info = OperationInfo(name, kind, gallery, source, WorkState.QUEUED, created)
                known = OperationFolder.create(self._root, info, request).info()
                self.look()
            return self.get(known.operation_id)

    def get(self, operation_id: str) -> OperationInfo:
        """An operation with the units that failed. Raises ``NotFound`` where there is none."""
        return self._folder(operation_id).info(with_items=True)

    def listed(self, states: Collection[WorkState] = ()) -> tuple[OperationInfo, ...]:
        """Every operation in one of the states, in any where none is named, newest first, without units that failed."""
        found = [info for info in self._all() if not states or info.state in states]
        return tuple(sorted(found, key=lambda info: (info.created, info.operation_id), reverse=True))

    def cancel(self, operation_id: str) -> OperationInfo:
        """Ask an operation to stop; one that waits is over at once. Raises ``NotFound`` where there is none."""
        folder = self._folder(operation_id)
        with self._lock:
            info = folder.info()
            if not info.state.is_over:
                folder.ask_to_stop()
                if (process := self._processes.get(operation_id)) is not None:
                    process.terminate()
                elif info.state is not WorkState.RUNNING:
                    folder.write(dataclasses.replace(info, state=WorkState.CANCELLED, finished=now()))
            return self.get(operation_id)

    def pause(self, operation_id: str) -> OperationInfo:
        """Ask an operation to hold still; one that waits does so at once. Raises ``NotFound`` where there is none."""
        folder = self._folder(operation_id)
        with self._lock:
            info = folder.info()
            if not info.state.is_over:
                folder.ask_to_pause()
                if (process := self._processes.get(operation_id)) is not None:
                    process.terminate()
                elif info.state is WorkState.QUEUED:
                    folder.write(dataclasses.replace(info, state=WorkState.PAUSED))
            return self.get(operation_id)

    def resume(self, operation_id: str) -> OperationInfo:
        """Let an operation go on that was paused, or begin one again that failed.

        Raises:
            NotFound: There is none.
            PreconditionFailed: It succeeded or was cancelled.
        """
        folder = self._folder(operation_id)
        with self._lock:
            info = folder.info()
            if info.state in (WorkState.SUCCEEDED, WorkState.CANCELLED):
                raise PreconditionFailed(
                    f"operation {operation_id!r} is {info.state.value}", field="operation_id", remedy="start it anew"
                )
            folder.ask_to_go_on()
            if info.state in (WorkState.PAUSED, WorkState.FAILED):
                self._over.pop(operation_id, None)
                del self._kills[operation_id]
                folder.write(dataclasses.replace(info, state=WorkState.QUEUED, error=None, finished=""))
            self.look()
            return self.get(operation_id)

    def look(self) -> None:
        """Note which operations ended, and start those whose turn it is; called again and again."""
        with self._lock:
            for operation_id in list(self._processes):
                self._reap(operation_id)
            waiting = [info for info in self.listed(_WAITING) if not self._holds_still(info)]
            busy = {info.gallery for info in waiting if info.operation_id in self._processes}
            for info in reversed(waiting):
                if len(self._processes) >= AT_ONCE:
                    return
                # Whoever writes to no gallery is in nobody's way.
                is_free = not info.gallery or info.gallery not in busy
                if info.operation_id not in self._processes and is_free and self._begin(info):
                    busy.add(info.gallery)

    def close(self) -> None:
        """Stop every process; what was at work stays RUNNING, and goes on when the operations are opened again."""
        with self._lock:
            processes, self._processes = self._processes, {}
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _holds_still(self, info: OperationInfo) -> bool:
        # One whose process said so just when it was told to go on has no such wish any more, and goes on.
        return info.state is WorkState.PAUSED and self._folder(info.operation_id).should_pause

    def _begin(self, info: OperationInfo) -> bool:
        folder = self._folder(info.operation_id)
        if folder.should_stop:
            folder.write(dataclasses.replace(info, state=WorkState.CANCELLED, finished=now()))
            return False
        if folder.should_pause:
            folder.write(dataclasses.replace(info, state=WorkState.PAUSED))
            return False
        with folder.working() as is_free:
            # A process of a service that was killed may be at its last batch; it ends by itself, perhaps just now.
            if not is_free:
                return True
            if folder.info().state.is_over:
                return False
            folder.write(dataclasses.replace(info, state=WorkState.RUNNING))
        with (folder.path / LOG).open("ab") as log:
            self._processes[info.operation_id] = subprocess.Popen(
                [*self._command, str(folder.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": _search_path()},
            )
        return True

    def _reap(self, operation_id: str) -> None:
        process = self._processes[operation_id]
        if process.poll() is None:
            return
        del self._processes[operation_id]
        folder = self._folder(operation_id)
        info = folder.info()
        # One that somebody else stopped, in order or before it had begun, is begun again, as is one that was killed.
        is_stopped = process.returncode in (0, -signal.SIGTERM)
        if process.returncode < 0 and not is_stopped:
            self._kills[operation_id] += 1
            _log.warning("operation %s was ended by signal %d", operation_id, -process.returncode)
            is_stopped = self._kills[operation_id] < _MOST_KILLS
        if info.state.is_over or (is_stopped and not folder.should_stop):
            return
        error = None
        if not folder.should_stop:
            error = OutsoleError(
                f"its process ended with status {process.returncode}; the operation's log has the cause"
            )
            _log.error("operation %s ended with status %d", operation_id, process.returncode)
        state = WorkState.CANCELLED if error is None else WorkState.FAILED
        folder.write(dataclasses.replace(info, state=state, error=error, finished=now()))

    def _same(self, prefix: str, *, for_ever: bool) -> OperationInfo | None:
        found = [info for info in self.listed() if info.operation_id.startswith(f"{prefix}-")]
        return next((info for info in found if for_ever or not info.state.is_over), None)

    def _all(self) -> list[OperationInfo]:
        found = []
        for path in self._root.iterdir():
            if path.is_dir() and not path.name.startswith("."):
                # One damaged operation must not hide the others; asking for it by name says what is wrong.
                with contextlib.suppress(OutsoleError):
                    info = self._over.get(path.name) or OperationFolder(path).info()
                    found.append(info)
                    if info.state.is_over:
                        self._over[path.name] = info
        return found

    def _folder(self, operation_id: str) -> OperationFolder:
        path = self._root / checked_name(operation_id, field="operation_id")
        if not path.is_dir():
            raise NotFound(f"there is no operation {operation_id!r}", field="operation_id")
        return OperationFolder(path)


def _search_path() -> str:
    own = str(Path(__file__).resolve().parents[1])
    return os.pathsep.join(dict.fromkeys([own, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]))
