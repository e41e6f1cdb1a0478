"""A program that writes to a store, for tests that need another process.

append HOME         adds entries one by one for ever; prints each size once durable
count HOME N        adds N entries, each transaction reading the size first
hold PATH           takes the writer lock, prints, and waits
abandon HOME        is killed in mid-transaction, with pages already written
overfill HOME       commits what its file size limit does not allow
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path

from ledger.errors import HomeError
from ledger.storage.lock import WriterLock
from ledger.storage.sqlite import SqliteStore
from tests.storage.samples import entries
from tests.storage.samples import entry


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def append(home: Path) -> None:
    store = SqliteStore.open(home)
    while True:
        with store.transaction():
            size = store.size()
            store.add_entries(entries(size, size + 1 + size % 3))
            size = store.size()
        say(size)


def count(home: Path, number: int) -> None:
    store = SqliteStore.open(home)
    for _ in range(number):
        with store.transaction():
            store.add_entries([entry(store.size())])
    store.close()


def hold(path: Path) -> None:
    with WriterLock(path):
        say(os.getpid())
        time.sleep(60)


def abandon(home: Path) -> None:
    store = SqliteStore.open(home)
    store.all("PRAGMA cache_size = 1")
    store.begin()
    size = store.size()
    store.add_entries(entries(size, size + 5000))
    os.kill(os.getpid(), signal.SIGKILL)


def overfill(home: Path) -> None:
    store = SqliteStore.open(home)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    room = (home / "ledger.db").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    store.begin()
    store.add_entries(entries(store.size(), store.size() + 300))
    for attempt in (store.commit, store.size, store.begin, store.rollback):
        try:
            attempt()
            say("done")
        except HomeError as error:
            say(error.code)


def main() -> None:
    command, place, *rest = sys.argv[1:]
    match command:
        case "append":
            append(Path(place))
        case "count":
            count(Path(place), int(rest[0]))
        case "hold":
            hold(Path(place))
        case "abandon":
            abandon(Path(place))
        case "overfill":
            overfill(Path(place))


if __name__ == "__main__":
    main()
