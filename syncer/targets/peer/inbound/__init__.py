"""Taking in what a peer hands over: `batch` is the transaction."""
