"""The simulator: hypothesis tries the pure part of the engine against a remote that fails in every way it knows.

`syncer.core` decides; what stands around it in the engine (the rows, their conditions, the steps of a worker) is
written here again, small and without a database, each function after the one that it names. So seconds are enough for
thousands of steps, and a crash may come between any two of them.

    local.py    what we have: objects that people edit, and the history that names them
    dialect.py  the ways in which targets keep, answer and refuse what they are sent
    remote.py   what the target has, how it answers, and the requests that are still on their way
    rows.py     the bindings: plan, claim, what waits, settle
    worker.py   a worker, step by step
    rest.py     the end: everything tried until nothing is due, then both sides compared
    machine.py  the steps that hypothesis puts together, and what must hold after each
    draws.py    how these are drawn
    trial.py    a whole simulation
    peers/      two-way models, with a simulation of their own
"""
