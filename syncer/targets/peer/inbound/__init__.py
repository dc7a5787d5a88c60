"""Receiving a peer's batches: `batch` is the transaction."""
