"""The styles that are drawn by code, one file each; what they share is in canvas.py."""
