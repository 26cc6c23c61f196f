"""The command line: ``netmon <command>``; one file a command group."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from netmon import __version__
from netmon.cli.usage import explain, speak
from netmon.errors import InputError, NetmonError
from netmon.refused import failure_in_words, in_words, os_reason
from netmon.texts import DEFAULT_LANGUAGE, LANGUAGES, Texts

# One line per command group: each is netmon/cli/<name>.py with `add(commands, texts)`.
COMMANDS = (
    "inventory",
    "probe",
    "measure_server",
    "gateway",
    "relay",
    "collect",
    "alerts",
    "sources",
    "accounts",
    "report",
    "coverage",
    "evidence",
    "demo",
)


def build_parser(texts: Texts) -> argparse.ArgumentParser:
    """Return the parser of all commands; importing them imports nothing heavy."""
    speak(texts)
    parser = argparse.ArgumentParser(prog="netmon", description=texts("cli.about"))
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar=texts("cli.command"), required=True)
    for name in COMMANDS:
        import_module(f"netmon.cli.{name}").add(commands, texts)
    explain(parser, texts)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 done, 1 refused or failed, 2 wrong usage."""
    language = os.environ.get("NETMON_LANG", DEFAULT_LANGUAGE)
    texts = Texts(language if language in LANGUAGES else DEFAULT_LANGUAGE)
    args = build_parser(texts).parse_args(argv)
    try:
        status: int = args.run(args, texts)
    except InputError as error:
        for problem in error.problems:
            print(in_words(problem, texts), file=sys.stderr)
        print(texts("cli.refused", n=len(error.problems)), file=sys.stderr)
        return 1
    except NetmonError as error:
        print(failure_in_words(error, texts), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        # A folder or file of the user's; anything else is a fault of ours.
        if error.filename is None:
            raise
        print(f"{error.filename}: {os_reason(error, texts)}", file=sys.stderr)
        return 1
    return status
