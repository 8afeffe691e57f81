"""What the room of video may know, read from its sources."""

from __future__ import annotations

import ast
from pathlib import Path

_ROOM = Path(__file__).parents[4] / "outsole" / "video"


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def _users(*packages: str) -> list[str]:
    return sorted(
        path.name
        for path in _ROOM.glob("*.py")
        if any(name.split(".")[0] in packages or name in packages for name in _imported(path))
    )


def test_only_the_reader_of_video_files_knows_pyav() -> None:
    assert _users("av") == ["video_files.py"]


def test_video_knows_no_training_no_protobuf_and_no_service() -> None:
    assert _users("torch", "google", "grpc", "services", "indexer", "training", "outsole.api") == []
