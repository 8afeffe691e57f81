"""The report of a search run: one HTML file that needs nothing else."""
