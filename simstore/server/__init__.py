"""A server of one's own on this machine, from a wheel: no installation, no root."""

from simstore.server.local import LocalServer

__all__ = ["LocalServer"]
