"""
Lock files that end with their holder, however it ends.

They are ``flock`` locks: the kernel drops them when the last descriptor goes. A plain child must therefore never keep
one: descriptors are closed on exec, and here also after a bare fork. Servers are the exception; they are handed the
descriptor of their own lock on purpose and thereby prove that they live.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_held: set[int] = set()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock alone inside the block; waits for whoever holds it."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        release(descriptor)


def share(path: Path) -> int:
    """Hold the lock together with others until :func:`release`; waits for an exclusive holder."""
    descriptor = _open(path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def try_exclusive(path: Path) -> int | None:
    """Hold the lock alone until :func:`release`, or return None when somebody else holds it now."""
    descriptor = _open(path)
    if upgrade(descriptor):
        return descriptor
    release(descriptor)
    return None


def upgrade(descriptor: int) -> bool:
    """Turn a held lock into an exclusive one and say whether that worked; a shared lock may be lost when it did not."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release(descriptor: int) -> None:
    """Let go of the lock in this process; a server that was handed the descriptor goes on holding it."""
    if descriptor in _held:
        _held.discard(descriptor)
        os.close(descriptor)


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _held.add(descriptor)
    return descriptor


def _forget_after_fork() -> None:
    for descriptor in list(_held):
        release(descriptor)


os.register_at_fork(after_in_child=_forget_after_fork)
