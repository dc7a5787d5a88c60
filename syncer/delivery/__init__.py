"""From a claimed binding to its settled record: claim, payload, send, settle; `deliver` is the whole way."""
