#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of shoe_key_points for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/shoe_key_points/1"
trtexec \
  --onnx="$models/shoe_key_points/1/model.onnx" \
  --saveEngine="$engines/shoe_key_points/1/model.plan.partial" \
  --timingCacheFile="$engines/shoe_key_points/timing.cache" \
  --minShapes=image:1x224x224x3 \
  --optShapes=image:8x224x224x3 \
  --maxShapes=image:16x224x224x3 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/shoe_key_points/1/model.plan.partial" "$engines/shoe_key_points/1/model.plan"
cp "$config" "$engines/shoe_key_points/config.pbtxt"
cp "$models/shoe_key_points/spec.json" "$engines/shoe_key_points/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
