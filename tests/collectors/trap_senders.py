"""Who sends traps and informs: pysnmp, and Debian's net-snmp."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    NotificationType,
    ObjectIdentity,
    ObjectType,
    OctetString,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    send_notification,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
)

from collectors.pysnmp_engine import new_engine

CLIENT_MAC = "de:ad:be:ef:00:17"
MAC_OID = "1.3.6.1.4.1.14823.2.3.1.11.1.1.60"
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"


# pysnmp keeps what it learns of an engine in these: a new one for each sender.
def kommune(version: int = 1) -> CommunityData:
    return CommunityData("kommune", mpModel=version)


def user(
    auth: str = "authentic-secret", priv: str | None = "private-secret"
) -> UsmUserData:
    return UsmUserData(
        "netmon",
        authKey=auth,
        privKey=priv,
        authProtocol=usmHMAC192SHA256AuthProtocol,
        privProtocol=usmAesCfb128Protocol if priv else None,
    )


Auth = Callable[[], CommunityData | UsmUserData]


@asynccontextmanager
async def engine() -> AsyncIterator[SnmpEngine]:
    made = new_engine()
    try:
        yield made
    finally:
        made.close_dispatcher()


async def send(
    port: int,
    auth: Auth,
    *,
    source: str,
    name: str = LINK_DOWN,
    kind: str = "trap",
    count: int = 1,
) -> object:
    """Send by pysnmp; return the last error indication."""
    async with engine() as sender:
        target = await UdpTransportTarget.create(
            ("127.0.0.1", port), timeout=30.0, retries=0
        )
        target.set_local_address((source, 0))
        said: object = None
        for _ in range(count):
            said, _, _, _ = await send_notification(
                sender,
                auth(),
                target,
                ContextData(),
                kind,
                NotificationType(ObjectIdentity(name)).add_varbinds(
                    ObjectType(ObjectIdentity(MAC_OID), OctetString(CLIENT_MAC))
                ),
                lookupMib=False,
            )
        return said


async def net_snmp_send(
    folder: str,
    port: int,
    *auth: str,
    source: str,
    inform: bool,
    name: str = LINK_DOWN,
    timeout_s: int = 20,
) -> int:
    """Send by net-snmp; return its exit code (an inform without answer fails)."""
    process = await asyncio.create_subprocess_exec(
        f"{folder}/snmptrap",
        *(["-Ci"] if inform else []),
        *auth,
        f"--clientaddr={source}",
        "-t",
        str(timeout_s),
        "-r",
        "0",
        f"127.0.0.1:{port}",
        "",
        name,
        MAC_OID,
        "s",
        CLIENT_MAC,
        env={"MIBS": "", "SNMP_PERSISTENT_DIR": os.devnull, "PATH": folder},
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(30):
        return await process.wait()
