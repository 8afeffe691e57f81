"""Encoders: their specification, and (behind the ``train`` extra) the networks that they are exported from."""
