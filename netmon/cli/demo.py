"""``netmon demo``: a whole city on this machine, and the switches to break it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.base import port_of
from netmon.demo.faults import ApFault
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands

DEFAULT_PORT = 8080
_ACTIONS = {"break": ("line", "ap"), "heal": ("line", "ap"), "fill": ("line",)}


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group; without an action it starts the demo."""
    parser = commands.add_parser("demo", help=texts("demo.help.about"))
    parser.add_argument("--minutes", type=float, help=texts("demo.help.minutes"))
    parser.add_argument(
        "--port",
        type=port_of(texts),
        default=DEFAULT_PORT,
        help=texts("demo.help.port"),
    )
    parser.add_argument("--data", type=Path, help=texts("demo.help.data"))
    parser.set_defaults(run=_start)
    actions = parser.add_subparsers(metavar="break|heal|fill")
    for action, things_of in _ACTIONS.items():
        switch = actions.add_parser(action, help=texts(f"demo.help.{action}"))
        things = switch.add_subparsers(
            required=True,
            metavar="|".join(things_of),
            dest="what",
            help=texts("demo.help.what"),
        )
        for what in things_of:
            thing = things.add_parser(what)
            thing.add_argument("building", help=texts("demo.help.building"))
            if what == "ap":
                thing.add_argument("ap", help=texts("demo.help.ap"))
            if (action, what) == ("break", "ap"):
                thing.add_argument(
                    "--how",
                    choices=[fault.value for fault in ApFault],
                    default=ApFault.POWER.value,
                    help=texts("demo.help.how"),
                )
            thing.set_defaults(run=_press, action=action)


def _start(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.base import listen
    from netmon.demo.supervise import Options, run

    # Before anything is started: a port that is taken is told at once.
    listening = listen("127.0.0.1", args.port, texts)
    return run(Options(args.minutes, listening, args.data), texts)


def _press(args: argparse.Namespace, texts: Texts) -> int:
    import json

    import httpx

    from netmon.demo.files import pointer_path

    command = {
        "action": args.action,
        "what": args.what,
        "building": args.building,
        "ap": getattr(args, "ap", ""),
        "how": getattr(args, "how", ""),
    }
    try:
        pointer = json.loads(pointer_path().read_text(encoding="utf-8"))
        answer = httpx.post(pointer["url"], json={"key": pointer["key"], **command})
        text = answer.json()["text"]
    except (OSError, ValueError, KeyError, httpx.HTTPError):
        print(texts("demo.not_running"), file=sys.stderr)
        return 1
    print(text, file=sys.stdout if answer.is_success else sys.stderr)
    return 0 if answer.is_success else 1
