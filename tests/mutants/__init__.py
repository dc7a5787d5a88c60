"""`make mutants`: faults planted on purpose, each of which the tests that it names must see.

A mutant is a file `NAME.patch`: what it breaks, who must see it, and the change.

    Fault: Two workers' answers are written, the late one's last.
    Kills: tests/syncer/engine/test_leases.py::test_a_lease_that_ran_out_is_taken_over
    Database: sqlite

    --- a/syncer/engine/settling.py
    +++ b/syncer/engine/settling.py
    @@
     the lines around it, as they stand
    -the line that is broken
    +the broken line

Line numbers mean nothing: the lines around must stand once in the file. So a patch outlives most changes of its file,
and one that does not is an error.
"""
