"""The running service: Ray Serve deployments, what they share, and their composition root."""

import os

# Ray reads this when it is imported. Its handler would kill a process at SIGTERM before that process's own handler
# ends the stack in order (outsole.stopping).
os.environ.setdefault("RAY_DISABLE_FAILURE_SIGNAL_HANDLER", "1")
