"""A second factor: a code of an authenticator app (TOTP, RFC 6238), asked for beside the password at every entry point.

- `PasswordBackend` refuses a right password without the code, so no entry point can forget to ask for it.
- Each person sets it up, and takes it away, on a page of their own; `demands` says who has to have one.
- The app's secret is sealed with the secret key, recovery codes are digests, and each code is used once.
- Sessions and tokens from before the set-up end by it: it is a part of the account's session hash.

See docs/adr/0036-a-second-factor-and-sign-in-elsewhere.md.
"""
