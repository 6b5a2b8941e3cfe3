"""
Give development, tests and the demo a PostgreSQL and a Redis of their own.

Both servers come as wheels of the ``dev`` dependency group and live in one data directory, the *home*. They listen on
unix sockets only. Production sets ``DATABASE_URL`` and ``REDIS_URL`` and needs nothing of this package but
:func:`urls`, which starts nothing.
"""

from config.embedded.errors import ServicesUnavailable
from config.embedded.home import ServiceUrls, default_home, urls
from config.embedded.lifecycle import missing_services, provided_services, running_services, stop_unused_services

__all__ = [
    "ServiceUrls",
    "ServicesUnavailable",
    "default_home",
    "missing_services",
    "provided_services",
    "running_services",
    "stop_unused_services",
    "urls",
]
