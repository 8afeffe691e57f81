"""Training and export: one module and one command a system. The only package besides tests that needs torch."""
