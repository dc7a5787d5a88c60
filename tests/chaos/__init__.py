"""`make chaos`: the laws of docs/architecture.md while everything around the engine fails.

Three workers, four editors, two remotes that answer every fifth request wrongly, on a real PostgreSQL, for a minute:
workers are killed and frozen, remotes go away, the database ends everybody's connection. Then all is put right, and:
what was acknowledged is there, both ends are equal, no object has two records, and every failure has the fault that
was planted for it.

schedule    what happens when, by the seed              editors, ledger   who writes, and what they were told
stage       database, web server, targets               workers           who carries it, and is killed
director    lets the schedule happen                    operator          the person who looks after the targets
audit       each claim and settle, noted by triggers    books, explain    failures and what was planted
judge       the verdicts                                report            what is printed and kept
"""
