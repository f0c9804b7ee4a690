"""Diagrams of what the course takes apart, drawn as SVG from the package's own numbers."""
