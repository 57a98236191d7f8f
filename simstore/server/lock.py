"""A lock on a folder, which a server takes over from the program that started it."""

import os
from pathlib import Path
from typing import Self

from simstore.domain.errors import BackendUnavailableError


class FolderLock:
    """The right to run a server in `folder`; ``server.lock`` in it says who has it.

    It is held as long as this object or any process that inherited `descriptor` has it open. So a
    server that survives its program keeps it, and none is left behind by one that died.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.descriptor = -1

    def take(self) -> Self:
        """Take it.

        Raises:
            BackendUnavailableError: a server that runs has it.
            OSError: the folder cannot be written.
        """
        import fcntl  # noqa: PLC0415 — Windows has none, and no server either

        path = self._folder / "server.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            told = os.read(descriptor, 200).decode(errors="replace").strip()
            os.close(descriptor)
            raise BackendUnavailableError(
                f"the folder {self._folder} is in use by a server that runs"
                + (f": {told}" if told else "")
            ) from error
        except BaseException:
            os.close(descriptor)
            raise
        self.descriptor = descriptor
        self.tell("")
        return self

    def tell(self, text: str) -> None:
        """Have others told `text`, when they are refused."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def release(self) -> None:
        """Give it back. The file stays: removing it could take it from under the next."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
