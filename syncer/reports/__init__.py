"""What pages and commands show of the engine, read from its rows on each request."""
