"""What is wrong with a collection of pictures, found before anything learns from it."""

from alexnet_core.data.doctor.examination import Findings, examine
from alexnet_core.data.doctor.splitting import kept_together, split_of_most

__all__ = ["Findings", "examine", "kept_together", "split_of_most"]
