"""
Reading a document in a process of its own.

It is text of strangers, and the parser and the validator are the libraries of others: whatever a document makes them
do, it costs that process its time and its memory, and not the worker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import structlog

from catalog.openapi.refusals import UnreadableDocument

logger = structlog.get_logger(__name__)

TIMEOUT_S = 90
ROOT = Path(__file__).resolve().parent.parent.parent


def read_document(body: bytes, *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """
    Return the outline of an OpenAPI document (see :func:`catalog.openapi.outline.outline`).

    Raises:
        UnreadableDocument: it is none, or too large or too slow to be read.
    """
    # It needs none of our secrets.
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "catalog.openapi"], input=body, capture_output=True, timeout=timeout_s, check=False,
            cwd=ROOT, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UnreadableDocument("The document took too long to be checked") from error
    if done.returncode < 0:
        raise UnreadableDocument("The document takes more time or memory to be checked than it may")
    if done.returncode > 0:
        # The libraries raise what they like; the last line tells whoever asks for the reason.
        logger.error("document could not be checked", reason=done.stderr.decode(errors="replace").strip()[-500:])
        raise UnreadableDocument("The document could not be checked; it is unlike those that can")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "refusal" in answer:
        raise UnreadableDocument(answer["refusal"])
    outline: dict[str, Any] = answer["outline"]
    return outline
