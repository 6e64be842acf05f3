"""What the page Data doctor finds out and shows."""
