# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
"""The package outsole of the contract."""
