"""The lines of the table, by the module that measures them."""

GROUPS: dict[str, tuple[str, ...]] = {
    "api": ("list", "object", "create", "update"),
    "saves": ("save", "history"),
    "push": ("push", "push-far", "signals"),
    "plan": ("plan",),
    "imports": ("import",),
    "pair": ("peers", "latency"),
    "pages": ("pages",),
    "idle": ("idle",),
    "memory": ("memory",),
}
