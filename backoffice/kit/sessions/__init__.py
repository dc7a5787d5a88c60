"""Who is signed in: a session is a browser's cookie, or the tokens that a program got for a password.

- One table holds both, so that a person sees all of them and can end each. Ending a session deletes its row: a browser
  has to sign in again, and none of a program's tokens works any more.
- A session is bound to its account's password: another one ends it, whoever set it and however. A deactivated account
  loses its sessions for good.
- The table holds nothing that signs anybody in: of a cookie a digest, of tokens a number that a signature surrounds.

See docs/adr/0035-sessions-are-rows-that-can-be-ended.md.
"""
