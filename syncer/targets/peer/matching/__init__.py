"""The first matching of two nodes that both have data: what each has, and objects that are the same under two keys."""
