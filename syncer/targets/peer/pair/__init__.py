"""The two ends side by side: how far each is, the proof that both hold the same, the first matching."""
