"""What the pages that look inside a network prepare and show."""
