"""Runs a third-party program (a broker, a database server) and ends it when the process that started it is gone.

`python guardian.py SIGNAL SECONDS COMMAND…`, in a session of its own. Its standard input is a pipe from its parent.
When the parent ends, even by SIGKILL, the pipe closes: the guardian then sends SIGNAL to the program and all that it
started, and kills what is left after SECONDS. The program inherits its open files, such as a folder's lock. It imports
nothing of the project, so that it starts quickly.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(number: str, seconds: str, *command: str) -> int:
    for signal_ in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        # The program gets the signal too, being in the same group; the guardian waits for it to end.
        signal.signal(signal_, lambda *_: None)
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
