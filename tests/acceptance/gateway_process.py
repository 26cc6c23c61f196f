"""The real gateway as a process on a socket that survives its restarts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


class GatewayProcess:
    """A gateway that can be killed and started again at the same address."""

    def __init__(self, data_dir: Path) -> None:
        self._environment = {**os.environ, "NETMON_DATA": str(data_dir)}
        self._log = (data_dir / "gateway.log").open("ab")
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.start()

    def start(self) -> None:
        number = self._socket.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "netmon", "gateway", "--fd", str(number)],
            pass_fds=(number,),
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self) -> bool:
        """Kill it; False where it had ended by itself."""
        alive = self._process.poll() is None
        self._process.kill()
        self._process.wait()
        return alive

    def close(self) -> None:
        self.kill()
        self._socket.close()
        self._log.close()
