"""The alarm process: evaluate, queue mails, send them, until told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from alerts.engine import Engine, Evaluation
from alerts.pipeline import Pipeline
from alerts.sender import Sent, send_due
from alerts.smtp import Mailer
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.errors import NetmonError
from netmon.storage.current import CurrentInventory
from netmon.storage.ports import Store
from netmon.texts import Texts

_log = logging.getLogger(__name__)


class AlertService:
    """Engine, pipeline and sender over one store.

    Mails are sent in a thread of their own, so that a slow mail server holds up
    no evaluation. Without a mailer they wait in the store.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        mailer: Mailer | None,
        texts: Texts,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._mailer = mailer
        inventory = CurrentInventory(store.inventories)
        self.engine = Engine(store, inventory, settings, clock)
        self.pipeline = Pipeline(store, inventory, settings, texts, clock)
        self._sent = Sent()
        self._queued = threading.Event()
        self._stopping = threading.Event()

    def evaluate(self) -> tuple[Evaluation, int]:
        """Evaluate what is new; return what it did and how many mails it queued.

        Raises:
            StorageError: the store refused; nothing of the failed part counts.
        """
        evaluation = self.engine.run_once()
        queued = self.pipeline.run_once()
        if queued:
            self._queued.set()
        return evaluation, queued

    def send(self) -> Sent:
        """Send the mails that are due; return what this round did.

        Raises:
            StorageError: the outbox could not be read or marked.
        """
        if self._mailer is None:
            return Sent()
        alarms = self._store.alarms
        done = send_due(
            alarms,
            self._mailer,
            self._settings.mail.sender,
            self._clock,
            go_on=lambda: not self._stopping.is_set(),
        )
        self._sent += done
        counts = alarms.mail_counts()
        waiting = sum(n for (_, sent), n in counts.items() if not sent)
        self._store.heartbeats.beat(
            "mail",
            to_ms(self._clock.now()),
            {
                "mails_failed_total": self._sent.failed,
                "mails_refused_total": self._sent.refused,
                "mails_sent_total": self._sent.sent,
                "mails_waiting_count": waiting,
            },
        )
        return done

    def stop(self) -> None:
        """Make `run` return soon; may be called from any thread or signal handler."""
        self._stopping.set()
        self._queued.set()

    def run(self) -> None:
        """Work until `stop`; a busy or failing store is tried again next time.

        A mail that is being sent is finished first.

        An unexpected error of either thread ends both and is raised: half a
        service that looks alive is worse than none.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="mail-sender") as pool:
            sending = pool.submit(self._send_loop)
            sending.add_done_callback(lambda _: self.stop())
            try:
                while not self._stopping.is_set():
                    _tried(self.evaluate)
                    self._stopping.wait(self._settings.alerts.interval_s)
            finally:
                self.stop()
        sending.result()

    def _send_loop(self) -> None:
        while not self._stopping.is_set():
            self._queued.clear()
            if self._stopping.is_set():
                # Stopped between the two lines above: nothing will wake us again.
                return
            _tried(self.send)
            self._queued.wait(self._settings.alerts.interval_s)


def _tried(work: Callable[[], object]) -> None:
    try:
        work()
    except NetmonError as error:
        _log.warning("not done, trying again: %s", error)
