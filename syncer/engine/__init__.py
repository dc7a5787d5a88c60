"""The engine: which work there is, who does it, and when."""
