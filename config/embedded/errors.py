"""Name the one way in which embedded services fail."""


class ServicesUnavailable(Exception):
    """An embedded server cannot be had here; the message says why and what the operator can do about it."""
