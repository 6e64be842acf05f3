"""The page Train: a new run, its settings, and a run that one watches."""
