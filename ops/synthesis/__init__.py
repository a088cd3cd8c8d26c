"""Invented AAF exports of any size, and the values in them that must never be seen outside."""

from ops.synthesis.canaries import Canaries, canaries
from ops.synthesis.export import Synthesis, synthesise

__all__ = ["Canaries", "Synthesis", "canaries", "synthesise"]
