"""What pages and commands say of the engine, read from its rows whenever it is asked for."""
