"""Search by the beginnings of words, over an index that PostgreSQL keeps itself; needs no extension."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import F, Func, GeneratedField, QuerySet

#: What separates words: everything of ASCII that is neither digit nor letter; other scripts' letters are kept.
SEPARATORS = r"[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+"

#: How many of the list's first rows tell how common a match is: so many of them where the index would name a good part
#: of all rows, so many where a page fills by itself while the list is read.
SAMPLE, COMMON, OFTEN = 400, 40, 4
#: How many rows are few, and how long a word of any column can be, quotes and all.
FEW = 1_000
LONGEST_WORD = 300

QuerySetT = TypeVar("QuerySetT", bound=QuerySet[Any])


class WordsOf(Func):
    """The words of some text columns as a search vector, the same whatever the database's locale and language."""

    template = f"to_tsvector('simple'::regconfig, regexp_replace(%(expressions)s, '{SEPARATORS}', ' ', 'g'))"
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()

    def __init__(self, *columns: str, **extra: Any) -> None:
        super().__init__(
            *(Func(F(name), function="COALESCE", template="COALESCE(%(expressions)s, '')") for name in columns), **extra
        )


class Unindexed(Func):
    """A search vector as it is, in a form that no index answers for."""

    template = "(%(expressions)s || ''::tsvector)"
    output_field = SearchVectorField()


def search_column(*columns: str) -> GeneratedField:
    """Return the column of the words of ``columns``; give it a ``GinIndex`` and leave it out of the history."""
    return GeneratedField(expression=WordsOf(*columns), output_field=SearchVectorField(), db_persist=True)


def with_words(rows: QuerySetT, words: str, *, column: str = "search") -> QuerySetT:
    """
    Keep the ``rows`` in which every one of ``words`` begins some word; words that hold no letter or digit find nothing.

    Of what stands joined as in an e-mail address only the last part is a beginning, the others are whole words.

    The planner cannot know how rare a beginning is, so the way to the rows is chosen here: what many of the list's
    first rows have is met while the list is read, and the index is left alone; a match of few rows is looked up at
    once, for the planner would rather read the list to its end than believe that there are so few.
    """
    if not words.strip():
        return rows
    query = _query(words)
    if query is None:
        return rows.none()
    first = rows.model._default_manager.filter(pk__in=rows.values("pk")[:SAMPLE])
    hits = first.order_by().filter(**{column: query}).count()
    if hits >= COMMON:
        return rows.alias(read_in_passing=Unindexed(column)).filter(read_in_passing=query)
    matching = rows.filter(**{column: query})
    if hits >= OFTEN:
        return matching
    few = list(matching.order_by().values_list("pk", flat=True)[: FEW + 1])
    return rows.filter(pk__in=few) if len(few) <= FEW else matching


def _query(words: str) -> SearchQuery | None:
    """Return what the index is asked for; None where nothing can match."""
    terms: list[str] = []
    # PostgreSQL has no text with NUL in it.
    for chunk in words.replace("\0", " ").split():
        *whole, beginning = re.split(SEPARATORS, chunk)
        terms += [f"'{word}'" for word in whole if word]
        terms += [f"'{beginning}':*"] if beginning else []
    if not terms or any(len(term) > LONGEST_WORD for term in terms):
        return None
    return SearchQuery(" & ".join(terms), search_type="raw", config="simple")
