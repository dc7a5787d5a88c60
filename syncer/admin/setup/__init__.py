"""The guided setup of a target: address, sign-in, try, records, fields, and what will follow.

What was entered is kept in the rows: the target is paused, and its routes are off, until the last step. So a person can
go back and forth, leave, and continue later.
"""
