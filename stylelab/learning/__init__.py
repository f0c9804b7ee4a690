"""What all trainings have in common: the pictures they learn from, and how they run, stop and go on.

`batches` draws the pictures of a step; `running` is the loop over the steps; `checkpoints` are the files from
which it goes on; `records` what is left behind; `saving` writes the file of what was trained.
"""
