"""The files of the production stack agree with each other and with the contract."""

from __future__ import annotations

import hashlib
import importlib
import json
import re

import pytest
import yaml

from tests.unit.deploy.dashboards import ROOT

COMPOSE = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text(encoding="utf-8"))
SERVE = yaml.safe_load((ROOT / "deploy/compose/serve.yaml").read_text(encoding="utf-8"))
CHART = ROOT / "deploy/helm/outsole"


def test_every_image_is_pinned_to_a_release() -> None:
    images = {name: service["image"] for name, service in COMPOSE["services"].items()}
    assert all(re.search(r":[^:]*\d", image) and "latest" not in image for image in images.values())


def test_only_the_gateway_and_grafana_publish_ports() -> None:
    assert {name for name, service in COMPOSE["services"].items() if "ports" in service} == {"gateway", "grafana"}
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_scrape_targets_name_services_of_the_compose_file() -> None:
    for path in (ROOT / "deploy/compose/targets").iterdir():
        (entry,) = json.loads(path.read_text())
        assert all(target.split(":")[0] in COMPOSE["services"] for target in entry["targets"])


def test_files_that_the_compose_file_mounts_exist() -> None:
    mounts = [volume for service in COMPOSE["services"].values() for volume in service.get("volumes", [])]
    local = [mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    assert local
    assert all((ROOT / "deploy/compose" / path).exists() for path in local)


def test_serve_accepts_its_configuration() -> None:
    schema = pytest.importorskip("ray.serve.schema")
    parsed = schema.ServeDeploySchema.model_validate(SERVE)
    assert [application.name for application in parsed.applications] == ["outsole"]


def test_the_servicers_exist_and_are_the_same_on_kubernetes() -> None:
    names = SERVE["grpc_options"]["grpc_servicer_functions"]
    for name in names:
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))
    chart = (CHART / "templates/rayservice.yaml").read_text(encoding="utf-8")
    assert re.findall(r"- (\S+_to_server)", chart) == names


def test_versions_of_the_chart_and_the_compose_file_agree() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert values["triton"]["image"] == COMPOSE["services"]["triton"]["image"]
    assert values["milvus"]["image"]["all"]["tag"] == COMPOSE["services"]["milvus"]["image"].split(":")[1]
    assert values["ray"]["importPath"] == SERVE["applications"][0]["import_path"]


def test_templates_of_the_chart_use_only_values_that_exist() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    text = "".join(path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir())
    for dotted in set(re.findall(r"\.Values\.([\w.]+)", text)):
        found = values
        for part in dotted.split("."):
            assert part in found, dotted
            found = found[part]
    assert text.count("{{") == text.count("}}")


def test_the_gateway_asks_for_certificates_and_passes_grpc_to_the_ray_service() -> None:
    text = (ROOT / "deploy/gateway/nginx.conf").read_text(encoding="utf-8")
    assert "ssl_verify_client on;" in text
    assert f"server ray:{SERVE['grpc_options']['port']};" in text


def test_the_licence_is_the_standard_text_of_apache_2() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
