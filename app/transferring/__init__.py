"""The page Transferability: how far down a network's layers are of use for other classes."""
