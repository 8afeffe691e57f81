#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of wear_backward for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/wear_backward/1"
trtexec \
  --onnx="$models/wear_backward/1/model.onnx" \
  --saveEngine="$engines/wear_backward/1/model.plan.partial" \
  --timingCacheFile="$engines/wear_backward/timing.cache" \
  --minShapes=image:1x640x256,weeks:1x1 \
  --optShapes=image:8x640x256,weeks:8x1 \
  --maxShapes=image:16x640x256,weeks:16x1 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/wear_backward/1/model.plan.partial" "$engines/wear_backward/1/model.plan"
cp "$config" "$engines/wear_backward/config.pbtxt"
cp "$models/wear_backward/spec.json" "$engines/wear_backward/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
