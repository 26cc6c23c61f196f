"""Starts the city, says what runs, and stops all of it again."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from netmon.accounts.passwords import hash_password
from netmon.clock import SystemClock, to_ms
from netmon.config import Secret
from netmon.demo import city, generated
from netmon.demo.checkup import CheckUp
from netmon.demo.files import (
    MAX_TESTS,
    DemoFiles,
    MailPeer,
    community,
    trap_address,
)
from netmon.demo.mailbox import Mailbox
from netmon.demo.panel import Panel
from netmon.demo.plan import (
    Plan,
    line_shapes,
    make_plan,
    with_addresses,
)
from netmon.demo.processes import Child, Children
from netmon.demo.switches import Switches
from netmon.demo.victoria import Victoria, is_installed
from netmon.demo.worlds import LinesAnswer, LinesStart
from netmon.ingest import new_token, token_hash
from netmon.inventory import content_hash, encode
from netmon.running import told_to_stop
from netmon.storage.account_records import Role
from netmon.storage.records import SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts
from probes.loopback import Ceiling, measure_ceiling

COLLECTOR = "demo-collector"
ACCOUNT = "demo"
FEED_INTERVAL_S = 20.0
_READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: for ever (``minutes`` None) or checking itself for a while.

    ``listening`` is the status site's socket; it is closed at the end.
    """

    minutes: float | None
    listening: socket.socket
    data: Path | None


class Demo:
    """One run of the demo."""

    def __init__(self, options: Options, texts: Texts) -> None:
        self._options = options
        self._texts = texts
        self._plan: Plan = make_plan(city.load())
        self._started_s = time.monotonic()
        self._deaths = 0
        self._password = Secret("")
        self._switches = Switches(self._plan, texts)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> int:
        """Run until told to stop or time is up; return the exit status."""
        self._loop = asyncio.get_running_loop()
        stop = told_to_stop()
        async with AsyncExitStack() as stack:
            stack.callback(print, self._texts("demo.stopped"), flush=True)
            checkup = await self._start(stack)
            status = await self._stay(stop, checkup)
            print(self._texts("demo.stopping"), flush=True)
        return status

    async def _start(self, stack: AsyncExitStack) -> CheckUp:
        files = DemoFiles(self._folder(stack))
        texts, plan = self._texts, self._plan
        print(
            texts("demo.starting", live=len(plan.live), others=len(plan.others)),
            flush=True,
        )
        children = Children(files.logs, self._died)
        stack.push_async_callback(children.stop)
        listening = stack.enter_context(self._options.listening)
        site_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        store = SqliteStore(files.state)
        stack.callback(store.close)

        # One machine has one ceiling: fourteen that measure it at once find less.
        now_ms = to_ms(SystemClock().now())
        ceiling = Ceiling(await asyncio.to_thread(measure_ceiling), now_ms)
        password, measure_token, measure_key = new_token(), new_token(), new_token()
        mailbox = Mailbox(files.root, "netmon", password)
        await mailbox.start()
        stack.push_async_callback(mailbox.stop)
        panel = Panel(texts, site_url, mailbox.mails, self._press_from_thread)
        panel.start()
        stack.callback(panel.stop)
        stack.callback(files.write_pointer(panel.url, panel.key))

        world, addresses = await asyncio.gather(
            self._start_lines(children, measure_token, measure_key),
            self._start_devices(children),
        )
        inventory = with_addresses(plan.city, addresses)
        store.inventories.save(content_hash(inventory), encode(inventory), now_ms)
        feed_token = self._add_sources(store, files)
        self._add_account(store)
        tsdb_url = await self._start_tsdb(stack, files)
        files.write_settings(
            tsdb_url=tsdb_url,
            site_url=site_url,
            mail=MailPeer(mailbox.port, Secret(password), mailbox.certificate_path),
            collector_token=files.token(COLLECTOR),
            measure_port=world.leased,
            measure_key=Secret(measure_key),
        )
        config = ("--config", str(files.settings))
        await children.start(
            "gateway",
            "-m",
            "netmon",
            "gateway",
            *config,
            "--fd",
            str(listening.fileno()),
            fd=listening.fileno(),
        )
        await self._answering(site_url)
        await children.start("alerts", "-m", "netmon", "alerts", "run", *config)
        for name, command in (("collector", "collect"), ("relay", "relay")):
            if name == "relay" and not tsdb_url:
                continue
            await children.start(
                name, "-m", "netmon", command, "run", *config, patient=True
            )
        for building in plan.live:
            probe = files.write_probe(
                plan, building.id, site_url, world, Secret(measure_token), ceiling
            )
            await children.start(
                f"probe-{building.id}",
                "-m",
                "netmon",
                "probe",
                "run",
                "--config",
                probe,
            )
        others = await children.start(
            "others", "-m", "netmon.demo.worlds", "others", talks=True, patient=True
        )
        await others.tell(
            json.dumps(
                {
                    "state": str(files.state),
                    "gateway": site_url,
                    "token": feed_token.reveal(),
                    "interval_s": FEED_INTERVAL_S,
                }
            ).encode()
        )
        checkup = CheckUp(plan, store, mailbox.mails, self._switches.press, texts)
        self._say_ready(site_url, panel.url, children, files, checkup)
        reading = asyncio.create_task(self._tell_history(others))
        stack.callback(reading.cancel)
        return checkup

    def _folder(self, stack: AsyncExitStack) -> Path:
        if self._options.data is not None:
            return self._options.data
        folder = Path(tempfile.mkdtemp(prefix="netmon-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def _add_sources(self, store: SqliteStore, files: DemoFiles) -> Secret:
        for building in self._plan.live:
            for probe in self._plan.city.probes:
                if probe.building_id == building.id:
                    token = files.new_token(probe.id)
                    store.sources.create(
                        probe.id, SourceKind.PROBE, building.id, token_hash(token)
                    )
        token = files.new_token(COLLECTOR)
        store.sources.create(COLLECTOR, SourceKind.COLLECTOR, None, token_hash(token))
        feed = new_token()
        store.sources.create(
            generated.SOURCE,
            SourceKind.COLLECTOR,
            None,
            token_hash(feed),
            generated=True,
        )
        return Secret(feed)

    def _add_account(self, store: SqliteStore) -> None:
        """Make the account the demo tells of; its password is new at every start."""
        letters = "abcdefghkmnpqrstuvwxyz23456789"
        parts = ["".join(secrets.choice(letters) for _ in range(4)) for _ in range(4)]
        self._password = Secret("-".join(parts))
        hashed = hash_password(self._password.reveal(), ACCOUNT)
        now_ms = to_ms(SystemClock().now())
        store.accounts.save(ACCOUNT, Role.ADMIN, None, hashed, now_ms)

    async def _start_lines(
        self, children: Children, token: str, key: str
    ) -> LinesAnswer:
        child = await children.start(
            "lines", "-m", "netmon.demo.worlds", "lines", talks=True
        )
        start = LinesStart(
            token=token,
            key=key,
            community=community(),
            max_tests=MAX_TESTS,
            lines=line_shapes(self._plan),
        )
        await child.tell(msgspec.json.encode(start))
        answer = msgspec.json.decode(await child.hear(), type=LinesAnswer)
        self._switches.lines = child
        return answer

    async def _start_devices(self, children: Children) -> dict[str, str]:
        child = await children.start(
            "devices", "-m", "netmon.demo.worlds", "devices", talks=True, patient=True
        )
        wanted = [building.id for building in self._plan.live]
        start = {"buildings": wanted, "traps_to": trap_address()}
        await child.tell(json.dumps(start).encode())
        answer = json.loads(await child.hear())
        self._switches.devices = child
        return dict(answer["addresses"])

    async def _start_tsdb(self, stack: AsyncExitStack, files: DemoFiles) -> str:
        """Start a time-series database if there is one; return its address or ""."""
        if not is_installed():
            print(self._texts("demo.no_tsdb"), flush=True)
            return ""
        victoria = Victoria(files.root / "victoria")
        await asyncio.to_thread(victoria.start)
        stack.push_async_callback(asyncio.to_thread, victoria.stop)
        return victoria.url

    async def _answering(self, site_url: str) -> None:
        # The socket listens already: the request waits until the gateway serves it.
        async with httpx.AsyncClient(timeout=_READY_S) as client:
            await client.get(f"{site_url}/")

    async def _tell_history(self, others: Child) -> None:
        answer = json.loads(await others.hear() or b"{}")
        if "records" in answer:
            n, buildings = self._texts.number(answer["records"]), len(self._plan.others)
            print(self._texts("demo.history", n=n, buildings=buildings), flush=True)

    def _say_ready(
        self,
        site_url: str,
        panel_url: str,
        children: Children,
        files: DemoFiles,
        checkup: CheckUp,
    ) -> None:
        names = [name for name in children.names if not name.startswith("probe-")]
        program = ".venv/bin/netmon" if Path(".venv/bin/netmon").exists() else "netmon"
        print(
            self._texts(
                "demo.ready",
                seconds=round(time.monotonic() - self._started_s),
                site=site_url,
                account=ACCOUNT,
                password=self._password.reveal(),
                mails=panel_url,
                parts=", ".join([*names, f"{len(self._plan.live)} probes"]),
                data=files.root,
                command=f"{program} demo",
                line_building=checkup.line_building.id,
                full_building=checkup.full_building.id,
                ap_building=checkup.ap_building.id,
                ap=checkup.ap.id,
                report=f"{program} report annual --demo --year 2025 --out bericht",
            ),
            flush=True,
        )

    async def _stay(self, stop: asyncio.Event, checkup: CheckUp) -> int:
        if self._options.minutes is None:
            await stop.wait()
            return 0
        # The minutes are the most it may take.
        checking = asyncio.create_task(checkup.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait(
            [checking, stopping],
            timeout=self._options.minutes * 60,
            return_when=asyncio.FIRST_COMPLETED,
        )
        stopping.cancel()
        checking.cancel()
        with suppress(asyncio.CancelledError):
            await checking
        left = ", ".join([*checkup.open.values(), *checkup.false_alarms()])
        if not left and not self._deaths:
            print(self._texts("demo.passed"), flush=True)
            return 0
        print(self._texts("demo.failed", what=left or "-"), flush=True)
        return 1

    def _died(self, name: str, status: int) -> None:
        self._deaths += 1
        log = f"logs/{name}.log"
        print(self._texts("demo.died", name=name, status=status, log=log), flush=True)

    def _press_from_thread(self, command: dict[str, str]) -> str:
        """Run a command of the panel, whose requests come in threads of their own."""
        loop = self._loop
        if loop is None:
            raise RuntimeError("the demo is not running")

        async def press() -> str:
            return self._switches.press(command)

        return asyncio.run_coroutine_threadsafe(press(), loop).result(timeout=10)


def run(options: Options, texts: Texts) -> int:
    """Run the demo; return its exit status."""
    os.environ.pop("NETMON_DATA", None)  # the demo's own settings say where data is
    return asyncio.run(Demo(options, texts).run())
