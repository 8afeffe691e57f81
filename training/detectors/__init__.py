"""Detectors that others published as TFLite, brought into the model repository as ONNX."""
