"""The first matching of two nodes that both have data: what each has, and which objects are the same under two keys."""
