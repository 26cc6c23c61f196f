"""The alarm process: evaluate, plan mails, tell people and sinks, until told to stop."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from alerts.engine import Engine, Evaluation
from alerts.notify import Advisers, Notifier
from alerts.rule_settings import strangers
from alerts.sender import Sent, send_due
from alerts.sinks import Context, Sink, sinks_from
from alerts.smtp import Mailer
from netmon.calendars import Calendars
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.errors import NetmonError
from netmon.rule_overrides import aim_lines
from netmon.storage.current import CurrentInventory
from netmon.storage.ports import Store
from netmon.texts import Texts

_log = logging.getLogger(__name__)

# Who is further behind than this catches up first, and tells what is still so then.
_LATELY_S = 15 * 60.0


class _Courier:
    """A thread's work: done when woken, and every now and then without."""

    def __init__(self, name: str, work: Callable[[], object], every_s: float) -> None:
        self.name = name
        self._work = work
        self._every_s = every_s
        self._woken = threading.Event()

    def wake(self) -> None:
        """Let the work be done soon; may be called from any thread."""
        self._woken.set()

    def run(self, stopping: threading.Event) -> None:
        """Work until ``stopping`` is set and somebody wakes it."""
        while not stopping.is_set():
            self._woken.clear()
            if stopping.is_set():
                # Stopped between the two lines above: nothing will wake us again.
                return
            _tried(self._work)
            self._woken.wait(self._every_s)


class AlertService:
    """Engine, planner, sender and sinks over one store.

    Mails and each sink have a thread of their own, so that a slow server holds up
    neither an evaluation nor another server. Without a mailer mails wait in the store.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        mailer: Mailer | None,
        texts: Texts,
        *,
        advisers: Advisers | None = None,
    ) -> None:
        """Read the calendars.

        Raises:
            ConfigError: a calendar file is missing or wrong.
        """
        self._store = store
        self._settings = settings
        self._clock = clock
        self._mailer = mailer
        aim = partial(aim_lines, settings.alerts.rules)
        inventory = self._inventory = CurrentInventory(store.inventories, aim)
        self.calendars = Calendars(settings.measure, inventory)
        self.engine = Engine(store, inventory, settings, clock, self.calendars.of)
        self.notifier = Notifier(
            store,
            inventory,
            settings,
            texts,
            clock,
            advisers or Advisers(self.calendars),
        )
        context = Context(store, inventory, settings, texts, clock)
        self.sinks = sinks_from(context)
        self._posted: Counter[tuple[str, str]] = Counter()
        self._sent = Sent()
        self._stopping = threading.Event()
        self._couriers = [
            _Courier("mail", self.send, settings.alerts.interval_s),
            *(
                _Courier(sink.name, partial(self.post, sink), sink.every_s)
                for sink in self.sinks
            ),
        ]

    def evaluate(self) -> tuple[Evaluation, int]:
        """Evaluate what is new; return what it did and how many mails it queued.

        Raises:
            StorageError: the store refused; nothing of the failed part counts.
        """
        evaluation = self.engine.run_once()
        # What is open at a moment so long ago may have ended since.
        lately = evaluation.behind_s <= _LATELY_S
        queued = self.notifier.run_once() if lately else 0
        if queued or evaluation.transitions:
            self._wake()
        return evaluation, queued

    def send(self) -> Sent:
        """Send the mails that are due; return what this round did.

        Raises:
            StorageError: the outbox could not be read or marked.
        """
        if self._mailer is None:
            return Sent()
        done = send_due(
            self._store.outbox,
            self._mailer,
            self._settings.mail.sender,
            self._clock,
            go_on=lambda: not self._stopping.is_set(),
        )
        self._sent += done
        unwritten, why = self._store.outbox.unwritten()
        counts = self._store.outbox.counts()
        waiting = sum(n for (_, sent), n in counts.items() if not sent)
        self._store.heartbeats.beat(
            "mail",
            to_ms(self._clock.now()),
            {
                "mails_failed_total": self._sent.failed,
                "mails_refused_total": self._sent.refused,
                "mails_sent_total": self._sent.sent,
                "mails_unwritten_count": unwritten,
                "mails_waiting_count": waiting,
            },
            why,
        )
        return done

    def post(self, sink: Sink) -> None:
        """Let a sink tell what it has to; what it did goes into its figures.

        Raises:
            StorageError: the store refused.
        """
        done = sink.run_once()
        if done.error:
            _log.warning("%s, trying again: %s", sink.name, done.error)
        self._posted[sink.name, "posted"] += done.posted
        self._posted[sink.name, "failed"] += done.failed
        self._store.heartbeats.beat(
            f"sink-{sink.name}",
            to_ms(self._clock.now()),
            {
                "events_failed_total": self._posted[sink.name, "failed"],
                "events_posted_total": self._posted[sink.name, "posted"],
                "events_waiting_count": self._store.deliveries.waiting_count(sink.name),
            },
            # What was refused for good is tried seldom, and stays wrong until then.
            done.error or self._store.deliveries.last_error(sink.name),
        )

    def _warn(self) -> None:
        """Log what the settings have for nobody, and holidays that end soon."""
        self.calendars.warn_of_end(to_ms(self._clock.now()))
        for problem in strangers(self._settings.alerts, self._inventory()):
            _log.warning("%s", problem)

    def _hurry(self) -> None:
        """Try again at once: what was refused may be why somebody started us anew."""
        now_ms = to_ms(self._clock.now())
        self._store.outbox.hurry(now_ms)
        self._store.deliveries.hurry(now_ms)

    def stop(self) -> None:
        """Make `run` return soon; may be called from any thread or signal handler."""
        self._stopping.set()
        self._wake()

    def run(self) -> None:
        """Work until `stop`; a busy or failing store is tried again next time.

        A mail that is being sent is finished first.

        An unexpected error of any thread ends all and is raised: half a service
        that looks alive is worse than none.
        """
        _tried(self._warn)
        _tried(self._hurry)
        with ThreadPoolExecutor(len(self._couriers)) as pool:
            working = [pool.submit(one.run, self._stopping) for one in self._couriers]
            for one in working:
                one.add_done_callback(lambda _: self.stop())
            try:
                while not self._stopping.is_set():
                    _tried(self.evaluate)
                    self._stopping.wait(self._settings.alerts.interval_s)
            finally:
                self.stop()
        for sink in self.sinks:
            sink.close()
        for one in working:
            one.result()

    def _wake(self) -> None:
        for courier in self._couriers:
            courier.wake()


def _tried(work: Callable[[], object]) -> None:
    try:
        work()
    except NetmonError as error:
        _log.warning("not done, trying again: %s", error)
