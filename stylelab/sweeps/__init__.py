"""Grids of pictures, on one machine or on many."""

from stylelab.sweeps.sweeping import Cell, Sweep, sweep

__all__ = ["Cell", "Sweep", "sweep"]
