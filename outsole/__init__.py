"""Outsole finds footwear: the domain library. Nothing of it is imported here, so that the client SDK stays light."""

from __future__ import annotations

import os

__version__ = "0.1.0"

# gRPC reads this when it is imported. Its handlers of fork start threads in the new process, and while calls are under
# way some in a hundred (6 and 35 of 300 here) crash before they become what they should be. Ray starts its own by fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
