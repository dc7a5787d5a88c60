"""Two-way models: hypothesis tries the pure join between two nodes, along a chain and round a triangle.

`syncer.core.merge` decides. The engine around it is modelled here, small and without a database: each transaction is
one step, and a crash, a loss or a repeat may come between any two.

    ledger.py   the edits that each node knows, as sets, and what its objects must then be; without stamps
    node.py     one node: its rows, and its transactions
    network.py  messages and answers under way
    rest.py     the end: everything arrives, nothing is due, all are equal, and no message follows
    machine.py  the steps that hypothesis combines
"""
