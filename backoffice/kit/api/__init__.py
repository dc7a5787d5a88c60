"""The framework of the JSON API; it knows no content.

resource    one model: what is declared of it, how it is read and written
router      the operations of resources
lists       pages, filters, sorting, search; pagination has the keyset
schemas     shapes of requests and answers, from a model's fields
responses   JSON; problems, errors (RFC 9457); conditional, ETags (RFC 9110)
versions    which operation belongs to which version, and which version is asked for
throttle    limits of requests
middleware  what is done around every operation
openapi     the description
"""
