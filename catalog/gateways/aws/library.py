"""botocore, which comes with the extra ``aws``: without it everything works but gateways of AWS."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from catalog.gateways.client import without_secrets
from catalog.gateways.failures import Misconfigured

#: The library, None where it is not installed.
sdk: Any = None

try:
    import botocore.awsrequest
    import botocore.config
    import botocore.configprovider
    import botocore.exceptions
    import botocore.loaders
    import botocore.parsers
    import botocore.session
except ModuleNotFoundError:
    pass
else:
    sdk = botocore
    # At its lowest level it writes whole requests into the log, values of keys among them.
    logging.getLogger("botocore").setLevel(logging.WARNING)

#: What configures botocore besides the environment: files of the account that runs the worker.
FILES = ("config_file", "credentials_file")


def service(name: str, *, region: str, host: str, credentials: Mapping[str, str]) -> Any:
    """
    Return botocore's client of a service, which knows nothing of the environment and of files in a home directory.

    An empty ``host`` leaves it to the region. Its own repetitions are switched off: it repeats also what makes
    something, and so makes it twice where only the answer was lost.

    Raises:
        Misconfigured: botocore is not installed, or can do nothing with these arguments.
    """
    if sdk is None:
        raise Misconfigured("Gateways of AWS need boto3, which is not installed here; install the extra «aws»")
    config = sdk.config.Config(
        user_agent="Meterdesk",
        retries={"mode": "standard", "total_max_attempts": 1},
        ignore_configured_endpoint_urls=True,
    )
    try:
        return _session().create_client(
            name, region_name=region, endpoint_url=host or None, config=config, **credentials
        )
    except (sdk.exceptions.BotoCoreError, ValueError) as error:
        raise Misconfigured(without_secrets(str(error), credentials.values())) from error


def _session() -> Any:
    made = sdk.session.Session()
    settings = made.get_component("config_store")
    for name, (_, _, default, _) in sdk.configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        value = os.devnull if name in FILES else default
        settings.set_config_provider(name, sdk.configprovider.ConstantProvider(value))
    made.register_component("data_loader", _models())
    return made


@lru_cache(maxsize=1)
def _models() -> Any:
    """Return what reads AWS's own descriptions of its services, once a process, and from botocore's files only."""
    loader = sdk.loaders.Loader
    return loader(extra_search_paths=[loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
