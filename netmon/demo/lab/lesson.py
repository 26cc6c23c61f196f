"""A lesson's ping: ``python -m netmon.demo.lab.lesson SECONDS`` from the classroom.

Asks the measurement server's echo every 10 ms and prints one JSON list of
(seconds since start, round trip in seconds or null for a lost one).
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time

from netmon.demo.lab.topology import SERVER_IP
from probes.measure_protocol import ECHO_MIN_BYTES, ECHO_REQUEST

SPACING_S = 0.010
_WAIT_S = 0.5
_HEAD = struct.Struct("!4sI")


def ping(port: int, seconds: float) -> list[tuple[float, float | None]]:
    """Return when each echo was asked for and how long it took, in seconds.

    The second is None where none came back.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((SERVER_IP, port))
    sock.setblocking(False)
    started_s = time.monotonic()
    sent: list[float] = []
    back: dict[int, float] = {}
    while (now_s := time.monotonic()) < started_s + seconds + _WAIT_S:
        due_s = started_s + len(sent) * SPACING_S
        if now_s >= due_s and now_s < started_s + seconds:
            head = _HEAD.pack(ECHO_REQUEST, len(sent))
            sent.append(time.monotonic())
            sock.send(head.ljust(ECHO_MIN_BYTES, b"\0"))
        try:
            body = sock.recv(2048)
        except BlockingIOError:
            time.sleep(0.0005)
            continue
        _, number = _HEAD.unpack_from(body)
        back[number] = time.monotonic() - sent[number]
    return [(at - started_s, back.get(i)) for i, at in enumerate(sent)]


if __name__ == "__main__":
    print(json.dumps(ping(int(sys.argv[1]), float(sys.argv[2]))))
