"""The page Your pictures: making a data set by hand."""
