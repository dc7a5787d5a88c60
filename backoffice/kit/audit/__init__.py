"""The audit trail: who did what to which subject, in rows that nobody edits.

actions    what is recorded            record     write an entry, in the transaction of the act
models     the entries                 triggers   the database refuses to change them
watch      records the saves and deletes of a model, by whichever entry point
"""
