"""Outsole finds footwear: the domain library. Nothing is imported here, so that the client SDK stays light."""

from __future__ import annotations

__version__ = "0.1.0"
