#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of crisp_lite for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/crisp_lite/1"
trtexec \
  --onnx="$models/crisp_lite/1/model.onnx" \
  --saveEngine="$engines/crisp_lite/1/model.plan.partial" \
  --timingCacheFile="$engines/crisp_lite/timing.cache" \
  --minShapes=image:1x2x384x192 \
  --optShapes=image:8x2x384x192 \
  --maxShapes=image:16x2x384x192 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/crisp_lite/1/model.plan.partial" "$engines/crisp_lite/1/model.plan"
cp "$config" "$engines/crisp_lite/config.pbtxt"
cp "$models/crisp_lite/spec.json" "$engines/crisp_lite/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
