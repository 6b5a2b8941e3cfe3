"""Search by the beginnings of words, over an index that PostgreSQL keeps itself; needs no extension."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import F, Func, GeneratedField

#: What separates words: everything of ASCII that is neither digit nor letter; other scripts' letters are kept.
SEPARATORS = r"[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+"


class WordsOf(Func):
    """The words of some text columns as a search vector, the same whatever the database's locale and language."""

    template = f"to_tsvector('simple'::regconfig, regexp_replace(%(expressions)s, '{SEPARATORS}', ' ', 'g'))"
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()

    def __init__(self, *columns: str, **extra: Any) -> None:
        super().__init__(
            *(Func(F(name), function="COALESCE", template="COALESCE(%(expressions)s, '')") for name in columns), **extra
        )


def search_column(*columns: str) -> GeneratedField:
    """Return the column of the words of ``columns``; give it a ``GinIndex`` and leave it out of the history."""
    return GeneratedField(expression=WordsOf(*columns), output_field=SearchVectorField(), db_persist=True)


def beginning_with(words: str) -> SearchQuery | None:
    """Return the query for rows in which every one of ``words`` begins some word; None where there is no word."""
    found = [word for word in re.split(SEPARATORS, words.replace("\0", " ")) if word.strip()]
    if not found:
        return None
    return SearchQuery(" & ".join(f"'{word}':*" for word in found), search_type="raw", config="simple")
