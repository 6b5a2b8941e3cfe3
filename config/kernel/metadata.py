"""An integrator's own keys on our objects: how many, how long, and how changes are laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.kernel.errors import Invalid

MAX_KEYS = 50
MAX_KEY_LENGTH = 40
MAX_TEXT_LENGTH = 500


def merged_metadata(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return ``current`` with ``changes`` laid over it; None removes a key.

    Raises:
        Invalid: more than 50 keys would remain (``invalid_metadata``).
    """
    merged = {key: value for key, value in {**current, **changes}.items() if value is not None}
    if len(merged) > MAX_KEYS:
        raise Invalid("metadata", f"At most {MAX_KEYS} keys")
    return merged
