"""What waits for a person, and their decision."""
