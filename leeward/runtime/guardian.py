"""Runs a program of others' (a broker, a database server), and ends it when whoever asked for it is gone.

`python guardian.py SIGNAL SECONDS COMMAND…`, in a session of its own. Its input is a pipe, of which whoever started it
holds the other end: when that is closed, as the system does for a process that is killed, it sends the signal to the
program and all that it started, and kills what is left after so many seconds. What it inherits, such as the lock on a
folder, the program inherits too. It imports nothing of ours, so that it is there at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(number: str, seconds: str, *command: str) -> int:
    for asked in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(asked, lambda *_: None)  # the program gets it too, being of the same group; here it is waited for
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)
    orphaned = threading.Event()

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        orphaned.set()
        os.killpg(0, int(number))
        try:
            program.wait(float(seconds))
        finally:
            os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    ended = program.wait()
    if orphaned.is_set():
        os.killpg(0, signal.SIGKILL)  # and whatever it left behind
    return ended


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
