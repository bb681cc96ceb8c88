"""A small file system that can be filled up."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SIZE_MEGABYTES = 48
SHARED_MEMORY = Path("/dev/shm")
SMALL_BYTES = 512 * 1024**2
BLOCK = bytes(4096)


@dataclass(frozen=True)
class SmallDisk:
    """`folder` lies on it; `filler` is the file that takes up all the room."""

    folder: Path
    filler: Path

    def fill(self) -> None:
        """Leaves no room for a single block."""
        with suppress(OSError), self.filler.open("ab", buffering=0) as file:
            while True:
                file.write(BLOCK)

    def empty(self) -> None:
        self.filler.unlink(missing_ok=True)


@contextmanager
def small_disk() -> Iterator[SmallDisk | None]:
    """A tmpfs of its own where this process may mount one, or the small one that containers have as shared memory."""
    folder = Path(tempfile.mkdtemp(prefix="leeward-disk-"))
    folder.chmod(0o755)
    mounted = _mount(folder)
    try:
        if mounted:
            yield _disk(folder)
        elif _is_small(SHARED_MEMORY):
            with tempfile.TemporaryDirectory(dir=SHARED_MEMORY, prefix="leeward-disk-") as within:
                yield _disk(Path(within))
        else:
            yield None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def _mount(folder: Path) -> bool:
    mount = shutil.which("mount")
    if not mount:
        return False
    command = [mount, "-t", "tmpfs", "-o", f"size={SIZE_MEGABYTES}m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


def _disk(root: Path) -> SmallDisk:
    root.chmod(0o755)
    folder = root / "store"
    folder.mkdir()
    return SmallDisk(folder, root / "filler")


def _is_small(path: Path) -> bool:
    if not path.is_mount():
        return False
    found = os.statvfs(path)
    return found.f_frsize * found.f_blocks <= SMALL_BYTES
