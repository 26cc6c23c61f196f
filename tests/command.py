"""The command line in this process, without what `main` catches."""

from __future__ import annotations

from netmon.cli import build_parser
from netmon.texts import DEFAULT_LANGUAGE, Texts


def run_command(*words: object, language: str = DEFAULT_LANGUAGE) -> int:
    """Run ``netmon WORDS``; errors of a command come out as they are."""
    texts = Texts(language)
    args = build_parser(texts).parse_args([str(word) for word in words])
    return int(args.run(args, texts))
