"""Memory of a training on a CPU: kept, not given back after every operation.

Activations of some hundred MiB come and go with every layer. Giving their pages back to the system and taking them
again costs half of the time of a step (measured: 30 against 60 images a second).
"""

from __future__ import annotations

import contextlib
import ctypes

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MIB = 2**20


def keep_freed_memory() -> None:
    """Let the allocator of this process keep what is freed; does nothing where the C library is not glibc."""
    with contextlib.suppress(OSError, AttributeError):
        set_option = ctypes.CDLL("libc.so.6").mallopt
        set_option(_MMAP_THRESHOLD, 1024 * _MIB)
        set_option(_TRIM_THRESHOLD, 2047 * _MIB)
        set_option(_TOP_PAD, 256 * _MIB)
