"""The running service: Ray Serve deployments, what they share, and their composition root."""
