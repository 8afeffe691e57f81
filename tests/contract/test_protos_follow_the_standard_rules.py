"""The rules of buf's STANDARD category, and ours, over the descriptors of ``protos``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from outsole.api import generate

PASCAL = re.compile(r"^[A-Z][A-Za-z0-9]*$")
SNAKE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
UPPER = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
PLANNED_METHODS = {
    "RetrievalService": {
        "SearchPrint",
        "SearchShoe",
        "TracePrint",
        "RefineSearch",
        "ExplainHit",
        "UploadEvidence",
    },
    "VideoService": {"SearchFrames", "StartVideoSearch", "GetVideoSearch", "ListTracks", "GetArchive"},
    "GalleryService": {
        "ListGalleries",
        "GetGallery",
        "ListItems",
        "GetItem",
        "RetireItem",
        "RestoreItem",
        "ListEditions",
        "VerifyEdition",
        "RebuildStore",
        "RetireEdition",
    },
    "IndexService": {
        "StartIngest",
        "GetOperation",
        "ListOperations",
        "CancelOperation",
        "PauseOperation",
        "ResumeOperation",
    },
    "WearService": {"PredictWear", "ReconstructOutsole"},
}


@dataclass(frozen=True)
class Element:
    """One named thing of a file: its kind, full name, descriptor and leading comment."""

    kind: str
    name: str
    proto: Any
    comment: str


def compiled_files(protos: Path, scratch: Path) -> list[descriptor_pb2.FileDescriptorProto]:
    target = scratch / "set.bin"
    generate.run_compiler([f"--descriptor_set_out={target}", "--include_source_info"], protos)
    return list(descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes()).file)


def elements(file: descriptor_pb2.FileDescriptorProto) -> Iterator[Element]:
    comments = {tuple(place.path): place.leading_comments.strip() for place in file.source_code_info.location}
    for index, message in enumerate(file.message_type):
        yield from _message(message, (4, index), file.package, comments)
    for index, enum in enumerate(file.enum_type):
        yield from _enum(enum, (5, index), file.package, comments)
    for index, service in enumerate(file.service):
        path = (6, index)
        yield Element("service", f"{file.package}.{service.name}", service, comments.get(path, ""))
        for number, method in enumerate(service.method):
            name = f"{file.package}.{service.name}.{method.name}"
            yield Element("method", name, method, comments.get((*path, 2, number), ""))


def _message(
    message: Any, path: tuple[int, ...], scope: str, comments: dict[tuple[int, ...], str]
) -> Iterator[Element]:
    if message.options.map_entry:
        return
    name = f"{scope}.{message.name}"
    yield Element("message", name, message, comments.get(path, ""))
    for index, field in enumerate(message.field):
        yield Element("field", f"{name}.{field.name}", field, comments.get((*path, 2, index), ""))
    synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
    for index, oneof in enumerate(message.oneof_decl):
        if index not in synthetic:
            yield Element("oneof", f"{name}.{oneof.name}", oneof, comments.get((*path, 8, index), ""))
    for index, nested in enumerate(message.nested_type):
        yield from _message(nested, (*path, 3, index), name, comments)
    for index, enum in enumerate(message.enum_type):
        yield from _enum(enum, (*path, 4, index), name, comments)


def _enum(enum: Any, path: tuple[int, ...], scope: str, comments: dict[tuple[int, ...], str]) -> Iterator[Element]:
    yield Element("enum", f"{scope}.{enum.name}", enum, comments.get(path, ""))
    for index, value in enumerate(enum.value):
        yield Element("value", f"{scope}.{enum.name}.{value.name}", value, comments.get((*path, 2, index), ""))


def violations(files: list[descriptor_pb2.FileDescriptorProto]) -> list[str]:
    """Every breach of a rule, as ``RULE name``."""
    found = [line for file in files for line in _file_violations(file)]
    everything = [element for file in files for element in elements(file)]
    found += [line for element in everything for line in _element_violations(element)]
    methods = [element.proto for element in everything if element.kind == "method"]
    found += _duplicates("METHOD_NAME_UNIQUE", [method.name for method in methods])
    found += _duplicates("RPC_REQUEST_RESPONSE_UNIQUE", [n for m in methods for n in (m.input_type, m.output_type)])
    return found


def _file_violations(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    directory, _, base = file.name.rpartition("/")
    if file.syntax != "proto3":
        yield f"SYNTAX_SPECIFIED {file.name}"
    if directory.replace("/", ".") != file.package:
        yield f"PACKAGE_DIRECTORY_MATCH {file.name}"
    if not re.search(r"\.v[1-9][0-9]*$", file.package) or not all(map(SNAKE.match, file.package.split("."))):
        yield f"PACKAGE_VERSION_SUFFIX {file.name}"
    if not SNAKE.match(base.removesuffix(".proto")):
        yield f"FILE_LOWER_SNAKE_CASE {file.name}"
    if file.public_dependency or file.weak_dependency:
        yield f"IMPORT_NO_PUBLIC_OR_WEAK {file.name}"
    used = str(file.message_type) + str(file.service)
    for dependency in file.dependency:
        # All imports are of our own package or google.protobuf; each file's own type names tell whether it is used.
        if not any(f'"{name}"' in used for name in _types_of(dependency)):
            yield f"IMPORT_USED {file.name} {dependency}"


def _types_of(dependency: str) -> list[str]:
    text = (generate.PROTOS / dependency).read_text() if (generate.PROTOS / dependency).exists() else ""
    own = [f".outsole.v1.{name}" for name in re.findall(r"^(?:message|enum) (\w+)", text, re.MULTILINE)]
    stem = dependency.rpartition("/")[2].removesuffix(".proto")
    return own or [f".google.protobuf.{stem.capitalize()}"]


def _element_violations(element: Element) -> Iterator[str]:
    last = element.name.rpartition(".")[2]
    shape = {"field": SNAKE, "oneof": SNAKE, "value": UPPER}.get(element.kind, PASCAL)
    if not shape.match(last):
        yield f"{element.kind.upper()}_CASE {element.name}"
    if not element.comment:
        yield f"COMMENT {element.name}"
    if element.kind == "service" and not last.endswith("Service"):
        yield f"SERVICE_SUFFIX {element.name}"
    if element.kind == "enum":
        yield from _enum_violations(element)
    if element.kind == "method":
        for rule, kind in (("Request", element.proto.input_type), ("Response", element.proto.output_type)):
            if kind.rpartition(".")[2] != f"{last}{rule}":
                yield f"RPC_{rule.upper()}_STANDARD_NAME {element.name}"


def _enum_violations(element: Element) -> Iterator[str]:
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", element.proto.name).upper() + "_"
    for value in element.proto.value:
        if not value.name.startswith(prefix):
            yield f"ENUM_VALUE_PREFIX {element.name}.{value.name}"
    if element.proto.value[0].number != 0 or element.proto.value[0].name != prefix + "UNSPECIFIED":
        yield f"ENUM_ZERO_VALUE_SUFFIX {element.name}"
    if element.proto.options.allow_alias:
        yield f"ENUM_NO_ALLOW_ALIAS {element.name}"


def _duplicates(rule: str, names: list[str]) -> list[str]:
    return [f"{rule} {name}" for name in sorted(set(names)) if names.count(name) > 1]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[descriptor_pb2.FileDescriptorProto]:
    return compiled_files(generate.PROTOS, tmp_path_factory.mktemp("set"))


def test_the_contract_breaks_no_rule(files: list[descriptor_pb2.FileDescriptorProto]) -> None:
    assert violations(files) == []


def test_the_services_have_the_methods_of_the_design(files: list[descriptor_pb2.FileDescriptorProto]) -> None:
    found = {service.name: {method.name for method in service.method} for file in files for service in file.service}
    assert found == PLANNED_METHODS


def test_every_file_begins_with_a_comment() -> None:
    assert all(path.read_text().startswith("// ") for path in generate.proto_files())


def test_no_comment_calls_an_identification_by_the_forbidden_word() -> None:
    text = "\n".join(path.read_text() for path in generate.proto_files())
    assert not re.search(r"\bmatch", text, re.IGNORECASE)


def test_a_numeric_field_with_a_unit_says_it_in_its_name_or_its_comment(
    files: list[descriptor_pb2.FileDescriptorProto],
) -> None:
    named = re.compile(r"_(px|deg|ms|s|bytes|days|fraction|size|count|frame)$")
    said = re.compile(r"\d|degree|pixel|items|models|units|rows|columns|score|scale|number|frame|token", re.IGNORECASE)
    numbers = {"TYPE_DOUBLE", "TYPE_INT32", "TYPE_INT64"}
    for element in (element for file in files for element in elements(file) if element.kind == "field"):
        kind = descriptor_pb2.FieldDescriptorProto.Type.Name(element.proto.type)
        if kind in numbers:
            assert named.search(element.proto.name) or said.search(element.comment), element.name


BAD = """syntax = "proto3";
import "google/protobuf/any.proto";
package outsole.v1;
service Things { rpc Do(Thing) returns (Thing); rpc Make(MakeRequest) returns (MakeResponse); }
service OtherService { rpc Make(MakeAgain) returns (MakeAgainResponse); }
message Thing { int32 badName = 1; oneof Kind { int32 a = 2; } enum Color { RED = 0; } }
message MakeRequest {}
message MakeResponse {}
message MakeAgain {}
message MakeAgainResponse {}
enum shade { SHADE_DARK = 0; }
"""


def test_the_rules_find_what_they_are_for(tmp_path: Path) -> None:
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    (directory / "Bad.proto").write_text(BAD)
    found = {line.split(" ")[0] for line in violations(compiled_files(tmp_path, tmp_path))}
    assert found >= {
        "PACKAGE_DIRECTORY_MATCH",
        "FILE_LOWER_SNAKE_CASE",
        "SERVICE_SUFFIX",
        "METHOD_NAME_UNIQUE",
        "RPC_REQUEST_RESPONSE_UNIQUE",
        "RPC_REQUEST_STANDARD_NAME",
        "RPC_RESPONSE_STANDARD_NAME",
        "FIELD_CASE",
        "ONEOF_CASE",
        "ENUM_CASE",
        "ENUM_VALUE_PREFIX",
        "ENUM_ZERO_VALUE_SUFFIX",
        "IMPORT_USED",
        "COMMENT",
    }
