"""Forms whose rules are the operations' alone."""

from __future__ import annotations

from functools import partial
from typing import Any

from config.kernel.admin import RecordForm


class OperationForm(RecordForm):
    """A record's form that checks each field and leaves all else to the operation, which refuses in words."""

    def validate_unique(self) -> None:
        """Leave it to the operation, under its lock."""

    def _post_clean(self) -> None:
        # Django's form lets the model check the constraints too, whose names would then be what the operator reads.
        instance: Any = self.instance
        instance.full_clean = partial(instance.full_clean, validate_constraints=False)
        try:
            super()._post_clean()  # type: ignore[misc]
        finally:
            del instance.full_clean
