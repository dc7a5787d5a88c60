"""Sign-in at a provider of OpenID Connect, by settings alone (OIDC_…); Authlib speaks the protocol.

- `provider`: who the provider says it is: code flow with PKCE, state and nonce, the ID token verified.
- `people`: which account that is: the one linked to the provider's number for the person, at first the one of the name.
- `views`: the way there and back.

See docs/adr/0036-a-second-factor-and-sign-in-elsewhere.md.
"""
