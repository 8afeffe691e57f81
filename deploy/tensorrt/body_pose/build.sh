#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of body_pose for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/body_pose/1"
trtexec \
  --onnx="$models/body_pose/1/model.onnx" \
  --saveEngine="$engines/body_pose/1/model.plan.partial" \
  --timingCacheFile="$engines/body_pose/timing.cache" \
  --minShapes=image:1x256x256x3 \
  --optShapes=image:8x256x256x3 \
  --maxShapes=image:16x256x256x3 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/body_pose/1/model.plan.partial" "$engines/body_pose/1/model.plan"
cp "$config" "$engines/body_pose/config.pbtxt"
cp "$models/body_pose/spec.json" "$engines/body_pose/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
