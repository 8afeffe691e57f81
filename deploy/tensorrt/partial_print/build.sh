#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of partial_print for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/partial_print/1"
trtexec \
  --onnx="$models/partial_print/1/model.onnx" \
  --saveEngine="$engines/partial_print/1/model.plan.partial" \
  --timingCacheFile="$engines/partial_print/timing.cache" \
  --minShapes=image:1x672x352,cells:1x84x44 \
  --optShapes=image:8x672x352,cells:8x84x44 \
  --maxShapes=image:16x672x352,cells:16x84x44 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/partial_print/1/model.plan.partial" "$engines/partial_print/1/model.plan"
cp "$config" "$engines/partial_print/config.pbtxt"
cp "$models/partial_print/spec.json" "$engines/partial_print/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
