"""Running encoders: through a Triton server, or in this process where none can run."""
