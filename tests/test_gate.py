"""The static gate: format, lint, types, import contracts, migrations, Django's own checks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GATES = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy", "."],
    "imports": ["importlinter.cli", "lint"],
    "migrations": ["django", "makemigrations", "--check", "--dry-run"],
    "checks": ["django", "check", "--fail-level", "WARNING"],
}
#: Lines of a module; beyond it is split by noun.
LONGEST_MODULE = 300


@pytest.mark.timeout(600)
@pytest.mark.parametrize("gate", GATES)
def test_the_tree_passes(gate: str) -> None:
    tool, *arguments = GATES[gate]
    command = {
        "importlinter.cli": [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
    }.get(tool, [sys.executable, "-m", tool, *arguments])

    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def environment() -> dict[str, str]:
    """Return the environment of the tools: they find our settings, and no warning of theirs is ours."""
    mine = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return {**mine, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT), "MYPY_FORCE_COLOR": "0"}


def test_no_module_is_longer_than_a_room_may_be() -> None:
    ours = [path for path in ROOT.rglob("*.py") if not {".venv", "migrations"} & set(path.relative_to(ROOT).parts)]
    too_long = {str(path.relative_to(ROOT)): lines for path in ours if (lines := count(path)) > LONGEST_MODULE}

    assert not too_long


def count(path: Path) -> int:
    """Return the lines of a file."""
    return len(path.read_text().splitlines())


def test_the_top_level_holds_only_what_was_agreed() -> None:
    agreed = {
        "manage.py", "pyproject.toml", "README.md", "LICENSE", "config", "customers", "catalog", "billing",
        "credentials", "templates", "tests",
    }  # fmt: skip
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__")) and path.name != "uv.lock"}

    assert found <= agreed
