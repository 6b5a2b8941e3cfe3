"""Prove that the embedded services are shared, survive violence and leave nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import ServicesUnavailable, provided_services, running_services, stop_unused_services, urls
from config.embedded.home import PROJECT_ROOT, postgres_socket, socket_directory, valkey_socket
from config.embedded.locks import release, try_exclusive
from config.embedded.postgres import Postgres
from config.embedded.server import listener_pid, wait_until
from config.embedded.valkey import Valkey

USER_PROGRAM = """
import sys
from pathlib import Path
from config.embedded import running_services
from config.embedded.home import postgres_socket
from config.embedded.server import listener_pid
home = Path(sys.argv[1])
with running_services(home, durable=False):
    print(listener_pid(postgres_socket(home)), flush=True)
    sys.stdin.read()
"""
User = subprocess.Popen[str]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """One finished home to copy, because creating a cluster takes longer than all else here."""
    with new_home() as home:
        with running_services(home, durable=False):
            pass
        yield home


@pytest.fixture
def home(cluster: Path) -> Iterator[Path]:
    """A home with a stopped cluster; what a failed test left running is stopped."""
    with new_home() as copy:
        shutil.copytree(cluster / "postgres", copy / "postgres")
        yield copy


@contextmanager
def new_home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="meterdesk-embedded-"))
    try:
        yield home
    finally:
        stop_unused_services(home)
        shutil.rmtree(home)


def start_user(home: Path) -> User:
    """Start a process that uses the services until its input ends."""
    command = [sys.executable, "-c", USER_PROGRAM, str(home)]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def server_of(user: User) -> int:
    """Wait until the user has its services and return the process id of its PostgreSQL."""
    assert user.stdout is not None
    return int(user.stdout.readline())


def finish(user: User) -> None:
    user.communicate()
    assert user.returncode == 0


def kill(user: User) -> None:
    user.kill()
    user.communicate()


def servers_of(home: Path) -> list[int]:
    return [pid for path in (postgres_socket(home), valkey_socket(home)) if (pid := listener_pid(path)) is not None]


def answers(home: Path) -> bool:
    with psycopg.connect(urls(home).database_url) as connection, redis.Redis.from_url(urls(home).redis_url) as broker:
        return connection.execute("SELECT current_database()").fetchone() == ("meterdesk",) and bool(broker.ping())


def are_gone(home: Path) -> bool:
    """Whether no process of either server is left, which is exactly when their locks are free."""
    locks = [try_exclusive(server(home, durable=False).lock) for server in (Postgres, Valkey)]
    for lock in locks:
        if lock is not None:
            release(lock)
    return None not in locks


def test_processes_that_start_at_once_share_one_server_and_the_last_one_out_stops_it() -> None:
    """One of them also creates the cluster, whose first creation was cut off halfway."""
    with new_home() as home:
        (home / "postgres.unfinished" / "base").mkdir(parents=True)
        users = [start_user(home) for _ in range(5)]
        assert len({server_of(user) for user in users}) == 1

        for user in users[:-1]:
            finish(user)
        assert answers(home)

        finish(users[-1])
        assert are_gone(home)


def test_the_cluster_sorts_by_code_point_and_speaks_utf8_and_no_tcp(home: Path) -> None:
    with running_services(home, durable=False) as found, psycopg.connect(found.database_url) as connection:
        row = connection.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding), current_setting('listen_addresses')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        with redis.Redis.from_url(found.redis_url) as broker:
            valkey_port = broker.config_get("port")

    assert row == ("b", "C.UTF-8", "UTF8", "")
    assert valkey_port == {"port": "0"}


def test_services_are_durable_unless_told_otherwise(home: Path) -> None:
    for times in (1, 2):
        with running_services(home) as found, redis.Redis.from_url(found.redis_url) as broker:
            assert broker.incr("starts") == times
            with psycopg.connect(found.database_url) as connection:
                assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_entering_again_while_the_services_run_reuses_them(home: Path) -> None:
    with running_services(home, durable=False):
        first = servers_of(home)
        with running_services(home, durable=False):
            assert servers_of(home) == first
        assert answers(home)


def test_a_killed_user_does_not_keep_the_services_from_the_next_one_or_alive_after_it(home: Path) -> None:
    killed = start_user(home)
    server = server_of(killed)
    kill(killed)

    heir = start_user(home)

    assert server_of(heir) == server
    finish(heir)
    assert are_gone(home)


def test_services_whose_last_user_was_killed_can_be_swept_away(home: Path) -> None:
    killed = start_user(home)
    server_of(killed)
    with running_services(home, durable=False):
        assert not stop_unused_services(home), "they are in use"
    assert answers(home)
    kill(killed)

    assert stop_unused_services(home)
    assert are_gone(home)


def test_both_servers_come_back_after_kill_9_with_their_old_files_in_place(home: Path) -> None:
    """A connection stays open, so that PostgreSQL has a child to orphan."""
    with running_services(home, durable=False) as found, closing(psycopg.connect(found.database_url)):
        for server in servers_of(home):
            os.kill(server, signal.SIGKILL)
        assert wait_until(lambda: servers_of(home) == [], 5)
        assert (home / "postgres" / "postmaster.pid").exists()

        with running_services(home, durable=False):
            assert answers(home)


@pytest.mark.parametrize("life", ["living stranger", "zombie", "dead"])
def test_a_stale_pid_file_does_not_stop_the_start(home: Path, life: str) -> None:
    """PostgreSQL alone refuses to start on the first two: the pid answers to signals."""
    program = "import time; time.sleep(600)" if life == "living stranger" else "pass"
    with subprocess.Popen([sys.executable, "-c", program]) as stranger:
        if life == "zombie":
            os.waitid(os.P_PID, stranger.pid, os.WEXITED | os.WNOWAIT)
        if life == "dead":
            stranger.wait()
        socket_directory(home).mkdir(mode=0o700)
        for path in (home / "postgres" / "postmaster.pid", postgres_socket(home).with_suffix(".5432.lock")):
            path.write_text(f"{stranger.pid}\n{home / 'postgres'}\n1700000000\n5432\n{home}\n\n\nready   \n")

        with running_services(home, durable=False):
            assert answers(home)

        stranger.kill()


@pytest.mark.parametrize("path", ['"$x"+%41 é', "two,hosts", "long " * 30])
def test_a_long_or_strange_path_of_the_home_does_no_harm(home: Path, path: str) -> None:
    strange = home / path
    shutil.copytree(home / "postgres", strange / "postgres")

    with running_services(strange, durable=False):
        assert answers(strange)
        assert socket_directory(strange).stat().st_mode & 0o777 == 0o700

    assert are_gone(strange)
    socket_directory(strange).rmdir()


def test_only_the_service_that_is_not_named_is_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/theirs")
    monkeypatch.delenv("REDIS_URL", raising=False)

    with provided_services(home, durable=False):
        assert os.environ["DATABASE_URL"] == "postgresql://db.example.com/theirs"
        assert os.environ["REDIS_URL"] == urls(home).redis_url
        assert listener_pid(valkey_socket(home)) is not None
        assert listener_pid(postgres_socket(home)) is None

    assert "REDIS_URL" not in os.environ


def test_nothing_is_started_or_created_when_both_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/theirs")
    monkeypatch.setenv("REDIS_URL", "redis://broker.example.com/0")

    with provided_services(home / "never"):
        assert not (home / "never").exists()


def test_a_child_neither_keeps_the_services_alive_nor_stops_them(home: Path) -> None:
    """One child is a plain program, the other a bare fork; both outlive the block."""
    reading, writing = os.pipe()
    with running_services(home, durable=False):
        program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        if (fork := os.fork()) == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
        os.close(reading)

    assert are_gone(home)
    os.close(writing)
    os.waitpid(fork, 0)
    program.communicate(b"\n")


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(home: Path) -> None:
    with running_services(home, durable=False):
        assert os.getsid(0) not in {os.getsid(server) for server in servers_of(home)}


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_running(home: Path) -> None:
    (home / "postgres" / "PG_VERSION").write_text("9.6\n")

    with (
        pytest.raises(ServicesUnavailable, match="database files are incompatible with server"),
        running_services(home, durable=False),
    ):
        pytest.fail("the block was entered")

    assert wait_until(lambda: are_gone(home), 5)


def test_a_home_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Only root can give a directory away; anybody else finds the root directory to be somebody else's."""
    foreign = tmp_path if os.geteuid() == 0 else Path("/")
    if os.geteuid() == 0:
        os.chown(foreign, 12345, -1)

    with pytest.raises(ServicesUnavailable, match="METERDESK_HOME"), running_services(foreign):
        pytest.fail("the block was entered")
