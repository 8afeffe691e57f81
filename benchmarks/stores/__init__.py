"""Parts of the benchmark of vector stores."""
