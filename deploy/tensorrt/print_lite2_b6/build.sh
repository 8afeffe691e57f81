#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of print_lite2_b6 for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/print_lite2_b6/1"
trtexec \
  --onnx="$models/print_lite2_b6/1/model.onnx" \
  --saveEngine="$engines/print_lite2_b6/1/model.plan.partial" \
  --timingCacheFile="$engines/print_lite2_b6/timing.cache" \
  --minShapes=image:1x672x352 \
  --optShapes=image:9x672x352 \
  --maxShapes=image:16x672x352 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/print_lite2_b6/1/model.plan.partial" "$engines/print_lite2_b6/1/model.plan"
cp "$config" "$engines/print_lite2_b6/config.pbtxt"
cp "$models/print_lite2_b6/spec.json" "$engines/print_lite2_b6/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
