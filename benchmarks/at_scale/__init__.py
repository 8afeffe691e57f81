"""What `benchmarks.scale` is made of: galleries of full size, and what is measured on them."""
