"""What the page Predict and explain compares, shows, and gives away."""
