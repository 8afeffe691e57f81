"""Runs a standalone Milvus until its standard input ends; its own environment holds the package ``milvus``.

Standard input is the leash: it ends with the process that started this one, however that one ends.
"""

from __future__ import annotations

import sys

from milvus import MilvusServer


def main() -> None:
    """Start the server with its data under the directory named first, print its port, wait, stop it."""
    server = MilvusServer()
    server.set_base_dir(sys.argv[1])
    try:
        # Inside, because a start that takes too long leaves a process behind.
        server.start()
        print(server.listen_port, flush=True)
        sys.stdin.read()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
