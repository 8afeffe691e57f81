# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
"""Code made by the protocol buffer compiler."""
