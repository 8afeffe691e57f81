"""What holds for all tests."""

# Before any test imports gRPC, for its sake.
import outsole  # noqa: F401
