"""The command line: ``netmon <command>``; one file a command group."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
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

# What is missing of these is a fault; anything else an extra that is not installed.
_OURS = {"netmon", "probes", "collectors", "dashboards", "alerts"}


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
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (NetmonError, OSError, ModuleNotFoundError) as error:
        told = list(_told(error, texts))
        if not told:
            raise
        print(*told, sep="\n", file=sys.stderr)
        return 1
    return status


def _told(error: Exception, texts: Texts) -> Iterator[str]:
    """Yield what a person reads of an error; nothing of a fault of ours."""
    match error:
        case InputError():
            for problem in error.problems:
                yield str(in_words(problem, texts))
            yield texts("cli.refused", n=len(error.problems))
        case NetmonError():
            yield failure_in_words(error, texts)
        case OSError() if error.filename is not None:
            yield f"{error.filename}: {os_reason(error, texts)}"
        case ModuleNotFoundError(name=str(name)):
            package = name.partition(".")[0]
            if package not in _OURS:
                yield texts("cli.no_package", package=package)
        case _:
            pass
