"""A new password by mail, where EMAIL_URL and BACKOFFICE_URL are set. No answer tells whether an account exists.

The page only queues the address that was typed; a worker looks for its accounts and sends the mails, so that the time
of the answer tells nothing either. Requests are counted like failed sign-ins, whoever's address it is.
"""
