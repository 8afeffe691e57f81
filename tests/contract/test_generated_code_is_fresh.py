from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from outsole.api import generate


@pytest.fixture(scope="module")
def compiled() -> dict[str, str]:
    return generate.compile_all()


def test_the_committed_code_is_what_the_compiler_makes_today(compiled: dict[str, str]) -> None:
    assert generate.differences(compiled) == []


def test_every_proto_file_has_its_module_and_its_types(compiled: dict[str, str]) -> None:
    for proto in generate.proto_files():
        name = proto.relative_to(generate.PROTOS).with_suffix("").as_posix()
        assert {f"{name}_pb2.py", f"{name}_pb2.pyi"} <= compiled.keys()


def test_every_file_names_the_command_that_made_it(compiled: dict[str, str]) -> None:
    assert all(generate.COMMAND in text.splitlines()[0] for text in compiled.values())


def test_no_generated_file_imports_by_the_place_of_the_proto_file(compiled: dict[str, str]) -> None:
    assert not any("\nfrom outsole.v1 import" in text for text in compiled.values())


def test_every_message_can_be_pickled_for_ray() -> None:
    for proto in generate.proto_files():
        module = importlib.import_module(f"{generate.PACKAGE}.outsole.v1.{proto.stem}_pb2")
        for name in module.DESCRIPTOR.message_types_by_name:
            message = getattr(module, name)()
            assert pickle.loads(pickle.dumps(message)) == message


def test_missing_changed_and_left_over_files_are_each_found_and_mended(tmp_path: Path) -> None:
    wanted = {"a.py": "1\n", "b/c.py": "2\n"}
    (tmp_path / "a.py").write_text("other\n")
    (tmp_path / "old.py").write_text("3\n")
    assert generate.differences(wanted, tmp_path) == ["missing: b/c.py", "left over: old.py", "different: a.py"]
    generate.write(wanted, tmp_path)
    assert generate.differences(wanted, tmp_path) == []


def test_the_generator_runs_while_the_generated_code_is_missing() -> None:
    program = (
        "import sys; sys.modules['outsole.api.generated'] = None; "
        "from outsole.api import generate; print(len(generate.proto_files()))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=generate.REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(generate.proto_files())


def test_a_faulty_contract_is_refused_with_the_compilers_own_words(tmp_path: Path) -> None:
    (tmp_path / "bad.proto").write_text('syntax = "proto3";\nmessage A { Missing b = 1; }\n')
    with pytest.raises(RuntimeError, match="Missing"):
        generate.compile_all(tmp_path)
