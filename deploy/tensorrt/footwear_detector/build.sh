#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of footwear_detector for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/footwear_detector/1"
trtexec \
  --onnx="$models/footwear_detector/1/model.onnx" \
  --saveEngine="$engines/footwear_detector/1/model.plan.partial" \
  --timingCacheFile="$engines/footwear_detector/timing.cache" \
  --minShapes=image:1x300x300x3 \
  --optShapes=image:8x300x300x3 \
  --maxShapes=image:16x300x300x3 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/footwear_detector/1/model.plan.partial" "$engines/footwear_detector/1/model.plan"
cp "$config" "$engines/footwear_detector/config.pbtxt"
cp "$models/footwear_detector/spec.json" "$engines/footwear_detector/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
