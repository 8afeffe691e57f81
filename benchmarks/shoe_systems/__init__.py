"""Measurements of shoe systems, one module a question."""
