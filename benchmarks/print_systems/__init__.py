"""Rows of the table of print systems, one module a family; see ``benchmarks.literature``."""
