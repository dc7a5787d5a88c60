"""What the test of a planted secret is made of: a server that sends it back, and a search of all that is written."""
