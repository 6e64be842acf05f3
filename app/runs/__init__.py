"""The page Runs: all runs, beside each other, out and in."""
