"""The command line's own words: argparse's texts and what values are called.

argparse asks gettext for its texts. Ours stand in the message catalogues, so its
question is answered from there; a text that a later Python adds stays English.
"""

from __future__ import annotations

import argparse

from netmon.texts import Texts

# argparse's text, and the message below ``cli.usage`` that says it.
_MESSAGES = {
    "usage: ": "usage",
    "positional arguments": "positional",
    "options": "options",
    "show this help message and exit": "help",
    "show program's version number and exit": "version",
    "%(prog)s: error: %(message)s\n": "error",
    "argument %(argument_name)s: %(message)s": "argument",
    "the following arguments are required: %s": "required",
    "one of the arguments %s is required": "one_required",
    "unrecognized arguments: %s": "unrecognized",
    "expected one argument": "one_value",
    "expected at most one argument": "at_most_one_value",
    "expected at least one argument": "at_least_one_value",
    "expected %s argument": "n_values",
    "expected %s arguments": "n_values",
    "invalid choice: %(value)r (choose from %(choices)s)": "choice",
    "invalid %(type)s value: %(value)r": "type",
    "not allowed with argument %s": "not_with",
    "ambiguous option: %(option)s could match %(matches)s": "ambiguous",
    "ignored explicit argument %r": "no_value",
}


def speak(texts: Texts) -> None:
    """Let argparse speak a language from here on, for the whole process."""

    def say(message: str) -> str:
        key = _MESSAGES.get(message)
        return message if key is None else texts(f"cli.usage.{key}")

    def say_number(one: str, many: str, number: int) -> str:
        return say(one if number == 1 else many)

    vars(argparse).update({"_": say, "ngettext": say_number})


def explain(parser: argparse.ArgumentParser, texts: Texts) -> None:
    """Let every ``--help`` say what the command is for, and what its values are called.

    A value is called ``cli.value.<name>`` and a command described by the line that its
    group has for it, if nothing else was said.
    """
    # argparse has no other way to what was added to it.
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for line in action._choices_actions:  # noqa: SLF001
                below = action.choices[line.dest]
                below.description = below.description or line.help
                explain(below, texts)
        elif action.metavar is None and action.choices is None and action.nargs != 0:
            action.metavar = texts(f"cli.value.{action.dest}")
