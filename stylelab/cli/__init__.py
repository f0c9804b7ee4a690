"""python -m stylelab: a picture from the command line, and whether everything is in place."""
