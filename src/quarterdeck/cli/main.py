"""The entry point of `quarterdeck` and `qd`: which command, and with which exit status it ends."""

from __future__ import annotations

import difflib
import errno
import json
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from quarterdeck import __version__
from quarterdeck.cli.catalogue import BY_NAME, COMMANDS, NEAR, overview
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.infra_words import canonical

if TYPE_CHECKING:
    from cyclopts import App, CycloptsError

EXAMPLE = ("qd ", "quarterdeck ", "eval ")
VALUED = {"-o", "--output", "--profile"}


def main() -> NoReturn:
    """What the installed programs call."""
    sys.exit(run())


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit status."""
    tokens = canonical(command_first(sys.argv[1:] if argv is None else argv))
    if sys.stdin is None:  # begun with it closed, as some supervisors do: then nobody can be asked
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    status = int(Exit.DONE)
    try:
        try:
            status = _run(tokens)
        except Failure as failure:
            status = int(failure.exit)
            told(failure, tokens)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        _leave_stdout()  # whoever read it has enough
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _leave_stdout()
        print("Error: The output could not be written whole: no room is left there.", file=sys.stderr)
        return int(Exit.FAILED)
    return status


def _leave_stdout() -> None:
    """Closing it again at exit must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command_first(words: Sequence[str]) -> list[str]:
    """Options before the command (`qd -o json ls`) are moved behind it."""
    tokens = stdin_marks(words)
    leading: list[str] = []
    rest = list(tokens)
    while rest and rest[0].startswith("-") and rest[0] not in {"--help", "-h", "--version"}:
        option = rest.pop(0)
        leading.append(option)
        if option in VALUED and rest:
            leading.append(rest.pop(0))
    if not rest or rest[0].startswith("-"):
        return tokens
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *leading, *rest[end:]]


def stdin_marks(words: Sequence[str]) -> list[str]:
    """`--password -` as `--password=-`: a lone dash is a value (read stdin), not an option."""
    merged: list[str] = []
    for word in words:
        before = merged[-1] if merged else ""
        if word == "-" and (before == "-f" or (before.startswith("--") and "=" not in before and before != "--")):
            merged[-1] += "=-"
        else:
            merged.append(word)
    return merged


def _run(tokens: list[str]) -> int:
    if not tokens or tokens[0] in {"--help", "-h", "help"}:
        if len(tokens) > 1 and tokens[1] in BY_NAME:
            return _run([tokens[1], "--help"])
        print(overview(__version__))
        return int(Exit.DONE)
    if tokens[0] == "--version":
        print(f"quarterdeck {__version__}")
        return int(Exit.DONE)
    name = tokens[0]
    if name not in BY_NAME:
        near = NEAR.get(name.lower()) or _near(name, [command.name for command in COMMANDS])
        raise Failure(
            f"There is no command {name}.",
            exit=Exit.USAGE,
            code="unknown_command",
            hint=f"qd {near}" if near else "qd --help",
        )
    return _command(name, tokens)


def _near(word: str, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(word.lower(), list(known), n=1)
    return close[0] if close else None


def _command(name: str, tokens: list[str]) -> int:
    from cyclopts import CycloptsError

    from quarterdeck.kernel.errors import Problem

    app = application(name)
    asked, below, depth = name, app[name], 1
    while verbs := [verb for verb in below if not verb.startswith("-")]:
        word = tokens[depth] if len(tokens) > depth else ""
        if word in {"--help", "-h"}:
            break
        if word not in verbs:
            if below.default_command is not None:
                break
            raise _no_verb(asked, word, verbs)
        asked, below, depth = f"{asked} {word}", below[word], depth + 1
    try:
        result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise Failure(_told(error, asked, tokens), exit=Exit.USAGE, code="usage", hint=f"qd {asked} --help") from None
    except Problem as problem:
        raise _of_problem(problem) from None
    return int(result) if isinstance(result, int) else int(Exit.DONE)


def _no_verb(noun: str, word: str, verbs: list[str]) -> Failure:
    """`qd project delte`: say which verbs there are, and which one is near."""
    near = _near(word, verbs) if word else None
    lists = f"ls {noun}s" in NEAR.values() and (word == "ls" or NEAR.get(word.lower()) == "ls")
    hint = f"qd {noun} {near}" if near else f"qd ls {noun}s" if lists else f"qd {noun} --help"
    said = f"There is no command {noun} {word}" if word else f"Say what to do with the {noun}"
    return Failure(f"{said}: {', '.join(verbs)}.", exit=Exit.USAGE, code="unknown_command", hint=hint)


def application(*chosen: str) -> App:
    """The commands as Cyclopts knows them; only those named, or all of them for the reference page."""
    from importlib import import_module

    from cyclopts import App, Parameter

    app = App(
        name="qd",
        help="",
        help_format="plaintext",
        version=__version__,
        suppress_keyboard_interrupt=False,
        help_flags=["--help", "-h"],
        default_parameter=Parameter(negative="", show_default=False),
    )
    for name in chosen or [command.name for command in COMMANDS]:
        module, _, function = BY_NAME[name].place.partition(":")
        target: Any = getattr(import_module(f"quarterdeck.cli.commands.{module}"), function)
        app.command(target, **({} if isinstance(target, App) else {"name": name}))
        lead_with_examples(app[name])
    return app


def lead_with_examples(app: App) -> None:
    """The help of a command shows how it is used before it says more."""
    from inspect import cleandoc, getdoc

    for child in (name for name in app if not name.startswith("-")):
        lead_with_examples(app[child])
    if app.default_command is None:
        return
    said = cleandoc(getdoc(app.default_command) or "").split("Parameters\n---")[0].strip().splitlines()
    examples = [line for line in said if line.startswith(EXAMPLE)]
    prose = "\n".join(line for line in said if line not in examples)
    first, _, rest = prose.partition("\n\n")
    app.help = "\n\n".join(part for part in (first, "\n".join(examples), rest.strip()) if part.strip())


def _told(error: CycloptsError, name: str, tokens: Sequence[str]) -> str:
    from cyclopts import MissingArgumentError, UnusedCliTokensError

    if isinstance(error, UnusedCliTokensError):
        return f"qd {name} does not know what to do with: {shlex.join(error.unused_tokens or [])}"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        option = error.argument.names[0]
        if option in tokens:
            return f"{option} needs a value."
        given = error.argument.field_info.is_positional
        word = option.lstrip("-").replace("-", "_").upper() if given else option
        return f"qd {name} needs {word}."
    return " ".join(str(error).split())


def _of_problem(problem: Any) -> Failure:
    """What the server's own code refuses when it runs inside this process (`serve`, `migrate`)."""
    exits = {
        "invalid": Exit.USAGE,
        "unauthenticated": Exit.NOT_SIGNED_IN,
        "forbidden": Exit.NOT_ALLOWED,
        "not-found": Exit.NOT_FOUND,
        "conflict": Exit.CONFLICT,
        "timeout": Exit.TIMED_OUT,
    }
    return Failure(problem.message, exit=exits.get(problem.kind, Exit.FAILED), code=problem.code, hint=problem.hint)


def told(failure: Failure, tokens: Sequence[str]) -> None:
    """Say what went wrong where it belongs."""
    from quarterdeck.cli.terminal import clean, coloured

    words = clean(failure.message)
    label = "\x1b[31mError:\x1b[0m" if coloured(sys.stderr, off="--no-color" in tokens) else "Error:"
    if failure.exit is Exit.INTERRUPTED:
        label = ""
    print(f"{label} {words}".strip(), file=sys.stderr)
    if failure.hint:
        print(f"Try:   {clean(failure.hint)}", file=sys.stderr)
    if failure.request_id and failure.exit is Exit.FAILED:
        print(f"Request: {clean(failure.request_id)}", file=sys.stderr)
    form = asked_format(tokens)
    if form in {"json", "jsonl"}:
        print(json.dumps(failure.body(), indent=2 if form == "json" else None, ensure_ascii=False))


def asked_format(tokens: Sequence[str]) -> str:
    """Which output form the command line asks for, read so that a broken one is understood too."""
    form = "text"
    for index, word in enumerate(tokens):
        if word == "--":
            break
        if word == "--json":
            form = "json"
        elif word in {"-o", "--output"} and index + 1 < len(tokens):
            form = tokens[index + 1]
        elif word.startswith(("--output=", "-o=")):
            form = word.split("=", 1)[1]
        elif word.startswith("-o") and len(word) > 2:
            form = word[2:]
    return form


if __name__ == "__main__":
    main()
