"""The child process: a document on its input, its outline or what is wrong with it, as JSON, on its output."""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from catalog.openapi.checking import check_document
from catalog.openapi.outline import outline
from catalog.openapi.parsing import MAX_BYTES, parse_document
from catalog.openapi.refusals import UnreadableDocument

#: What a document may cost: a pattern of a schema can compute for ever, and a bomb can fill the memory.
CPU_S = 60
MEMORY_BYTES = 2**30


def main() -> None:
    """Read, check, outline, print."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    json.dump(answer(sys.stdin.buffer.read(MAX_BYTES + 1)), sys.stdout)


def answer(body: bytes) -> dict[str, Any]:
    """Return ``{"outline": …}``, or ``{"refusal": …}`` with the reason."""
    try:
        document = parse_document(body)
        check_document(document)
        return {"outline": outline(document)}
    except UnreadableDocument as refusal:
        return {"refusal": str(refusal)}
    except RecursionError:
        return {"refusal": "The document refers to itself too often to be checked"}
    except MemoryError:
        return {"refusal": "The document takes more memory to be checked than it may"}


if __name__ == "__main__":
    main()
