# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
"""Version 1 of the contract."""
