"""Parts of the benchmark of wear."""
