"""The framework of the JSON API, independent of the content.

resource    one model: its declaration, how it is read and written
router      the operations of resources
stored      single rows, read by statements that are made once
lists       pages, filters, sorting, search; pagination has the keyset
schemas     shapes of requests and answers, from a model's fields
responses   JSON; problems, errors (RFC 9457); conditional, ETags (RFC 9110)
versions    the operations of each version, and the choice of the version by a request
throttle    rate limits
middleware  the steps around every operation
openapi     the API's description
"""
