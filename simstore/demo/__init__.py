"""``python -m simstore.demo``: records of simulations go in, answers come out."""

from simstore.demo.command import main

__all__ = ["main"]
