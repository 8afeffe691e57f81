"""The TensorRT variant of a model: configuration, build script, Kubernetes Job and compose one-off.

An engine (``backend: "tensorrt"``, ``model.plan``) is chosen over ONNX Runtime with the TensorRT accelerator: the
minutes of building are spent once, in a job, and not before each server is ready; the server loads a file. What it
costs: an engine belongs to one kind of GPU and one release of TensorRT, so the job runs on the nodes that serve, with
the image release that serves.
"""

from __future__ import annotations

from pathlib import Path

from outsole.inference.encoder import TensorShape
from training.exporting.served import ServedModel, tensorrt_config

# The same release as the server's image in deploy/: an engine is read by the TensorRT that wrote it.
IMAGE = "nvcr.io/nvidia/tensorrt:24.10-py3"
_HEADER = "# Written by python -m training.export"
_SCRIPT = """\
#!/bin/sh
{header}
# Builds the TensorRT engine of {name} for the GPU that it runs on.
set -eu
models="${{MODELS:-/models}}"
engines="${{ENGINES:-/engines}}"
config="${{CONFIG:-/config/config.pbtxt}}"
mkdir -p "$engines/{name}/1"
trtexec \\
  --onnx="$models/{name}/1/model.onnx" \\
  --saveEngine="$engines/{name}/1/model.plan.partial" \\
  --timingCacheFile="$engines/{name}/timing.cache" \\
  --minShapes={least} \\
  --optShapes={usual} \\
  --maxShapes={most} \\
  --skipInference \\
  ${{TRTEXEC_FLAGS:-}}
mv "$engines/{name}/1/model.plan.partial" "$engines/{name}/1/model.plan"
cp "$config" "$engines/{name}/config.pbtxt"
cp "$models/{name}/spec.json" "$engines/{name}/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
"""
_JOB = """\
{header}
# kubectl apply -f job.yaml, then serve the claim outsole-engines in place of outsole-models (see ../README.md).
apiVersion: v1
kind: ConfigMap
metadata: {{name: {label}-tensorrt}}
data:
  config.pbtxt: |
{config}
  build.sh: |
{script}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: {label}-tensorrt}}
spec:
  backoffLimit: 1
  ttlSecondsAfterFinished: 86400
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: build
          image: {image}
          command: [sh, /config/build.sh]
          resources: {{limits: {{nvidia.com/gpu: 1, memory: 8Gi}}}}
          volumeMounts:
            - {{name: models, mountPath: /models, readOnly: true}}
            - {{name: engines, mountPath: /engines}}
            - {{name: config, mountPath: /config, readOnly: true}}
      volumes:
        - name: models
          persistentVolumeClaim: {{claimName: outsole-models, readOnly: true}}
        - name: engines
          persistentVolumeClaim: {{claimName: outsole-engines}}
        - name: config
          configMap: {{name: {label}-tensorrt}}
"""
_COMPOSE = """\
{header}
# docker compose -f deploy/tensorrt/{name}/compose.yaml run --rm build
name: outsole-tensorrt

services:
  build:
    image: {image}
    command: [sh, /config/build.sh]
    volumes:
      - ../../../model_repository:/models:ro
      - ./build.sh:/config/build.sh:ro
      - ./config.pbtxt:/config/config.pbtxt:ro
      - engines:/engines
    deploy: {{resources: {{reservations: {{devices: [{{driver: nvidia, count: 1, capabilities: [gpu]}}]}}}}}}
    network_mode: none

volumes: {{engines: {{name: outsole_engines}}}}
"""


def tensorrt_files(model: ServedModel) -> dict[str, str]:
    """File name to text of everything below ``deploy/tensorrt/<model>/``; the same model gives the same texts."""
    config, script = tensorrt_config(model), _script(model)
    words = {
        "header": _HEADER,
        "name": model.name,
        "label": model.name.replace("_", "-").lower(),
        "image": IMAGE,
        "config": _indented(config),
        "script": _indented(script),
    }
    return {
        "config.pbtxt": config,
        "build.sh": script,
        "job.yaml": _JOB.format(**words),
        "compose.yaml": _COMPOSE.format(**words),
    }


def write_tensorrt(model: ServedModel, folder: Path) -> None:
    """Write the model's files below a folder (``deploy/tensorrt``)."""
    target = folder / model.name
    target.mkdir(parents=True, exist_ok=True)
    for name, text in tensorrt_files(model).items():
        (target / name).write_text(text, encoding="utf-8")


def shapes(inputs: tuple[TensorShape, ...], batch: int) -> str:
    """``trtexec``'s notation of the inputs at a batch: ``image:8x672x352,cells:8x84x44``."""
    return ",".join(f"{tensor.name}:{'x'.join(map(str, (batch, *tensor.dims)))}" for tensor in inputs)


def _script(model: ServedModel) -> str:
    return _SCRIPT.format(
        header=_HEADER,
        name=model.name,
        least=shapes(model.inputs, 1),
        usual=shapes(model.inputs, min(model.preferred_batch, model.max_batch)),
        most=shapes(model.inputs, model.max_batch),
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())
