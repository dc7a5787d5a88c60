"""What a guided setup finds out about a REST service: its address, its sign-in, its records, and how ours fit them."""
