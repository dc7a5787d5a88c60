"""Two-way models: hypothesis tries the pure join between two nodes, along a chain and round a triangle.

`syncer.core.merge` decides. What stands around it in the engine is written here again, small and without a database:
each transaction is one step, and a crash, a loss or a repeat may come between any two.

    ledger.py   the edits that each node has received, and what the object must then be; it knows nothing of stamps
    node.py     one node: its rows, and its transactions
    network.py  messages and answers on their way, and what becomes of them
    rest.py     the end: everything arrives, nothing is due, all are equal, and not one message more
    machine.py  the steps that hypothesis puts together
"""
