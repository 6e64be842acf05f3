"""What the pages Break it and How sure is it compute and show."""
