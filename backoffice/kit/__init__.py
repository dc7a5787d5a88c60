"""What every package shares; it imports none of them. Folders have an index of their own.

the API        api/, idempotency/, auth, accounts (an account in one statement), statements, read_replica
the admin      admin, filters, estimates, pages, urls, question, views/, ui
signing in     sign_in/, sessions/, hashers, sealing, secret_keys, last_use
who may, did   permissions, context, audit/, history, versions, erasure, erasers
work           jobs/, lease, clock, retry, waiting_files
requests out   http (one by one), transfers and curl_lines (many at a time), connections, addresses, references, masking
requests in    clients, csp, encoding, compression, access_log, timing
texts          phrases, phrase_field, labels, preferences, moments, numbers, spreadsheets
the database   database, batches, bulk
the log        logs, tracing
"""
