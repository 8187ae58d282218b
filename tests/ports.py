"""Ports for servers that must know theirs before they listen."""

import random
import socket

# Below those that the kernel gives to outgoing connections: one of them may take a port that was free a moment ago.
_OURS = range(20_000, 32_000)


def free_port() -> int:
    """One of this machine's that nobody listens on. Drawn by chance, so that test processes do not meet."""
    chance = random.SystemRandom()
    while True:
        port = chance.choice(_OURS)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
