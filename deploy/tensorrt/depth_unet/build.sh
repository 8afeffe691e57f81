#!/bin/sh
# Written by python -m training.export
# Builds the TensorRT engine of depth_unet for the GPU that it runs on.
set -eu
models="${MODELS:-/models}"
engines="${ENGINES:-/engines}"
config="${CONFIG:-/config/config.pbtxt}"
mkdir -p "$engines/depth_unet/1"
trtexec \
  --onnx="$models/depth_unet/1/model.onnx" \
  --saveEngine="$engines/depth_unet/1/model.plan.partial" \
  --timingCacheFile="$engines/depth_unet/timing.cache" \
  --minShapes=image:1x384x192x3 \
  --optShapes=image:8x384x192x3 \
  --maxShapes=image:16x384x192x3 \
  --skipInference \
  ${TRTEXEC_FLAGS:-}
mv "$engines/depth_unet/1/model.plan.partial" "$engines/depth_unet/1/model.plan"
cp "$config" "$engines/depth_unet/config.pbtxt"
cp "$models/depth_unet/spec.json" "$engines/depth_unet/spec.json"
if [ -d "$models/self_test" ]; then cp -R "$models/self_test" "$engines/"; fi
