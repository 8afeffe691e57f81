#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of shoe_attention for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/shoe_attention/1"
trtexec \
  --onnx="$models/shoe_attention/1/model.onnx" \
  --saveEngine="$engines/shoe_attention/1/model.plan.partial" \
  --timingCacheFile="$engines/shoe_attention/timing.cache" \
  --minShapes=image:1x112x224x3 \
  --optShapes=image:8x112x224x3 \
  --maxShapes=image:16x112x224x3 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/shoe_attention/1/model.plan.partial" "$engines/shoe_attention/1/model.plan"
cp "$config" "$engines/shoe_attention/config.pbtxt"
cp "$models/shoe_attention/spec.json" "$engines/shoe_attention/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
