"""What is done after something outside the engine went wrong: a restore, an erasure."""
