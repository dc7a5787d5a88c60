"""Slow down who guesses passwords, at every entry point, without locking anybody out.

- Failed sign-ins are counted in the database, so that all processes share the counts and a restart forgets none.
- After a few failures each further check of a password has to wait: 1, 2, 4 … 60 seconds. An attempt before that is
  answered with 429 and `Retry-After`; its password is not checked and it counts for nothing.
- Strangers share the counts: one for each account and one for each address, whoever else guesses there. Whoever signed
  in before has a count of their own, by a cookie of the browser, else by the address: strangers can't slow them down.
- A right password clears the failures of its own account from there, and no others: a person who knows one password may
  not clear the record of their guesses at others.
- Of what was typed only the account is stored: people type passwords into the name's field.

See docs/adr/0032-failed-sign-ins-are-slowed-down.md.
"""
