"""Dates as ISO 8601 has them, and no moment without its time zone; what is not said here stays as Django has it."""

DATE_FORMAT = SHORT_DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d H:i e"
