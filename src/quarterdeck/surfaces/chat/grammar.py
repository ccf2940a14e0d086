"""The one grammar of commands (contract: tasks §7.2): words, quotes, flags and `#42`."""

from __future__ import annotations

from dataclasses import dataclass, field

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import shown

LONGEST = 20_000
QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019", "\u00ab": "\u00bb"}
"""Telephones write quotation marks in pairs."""
DASHES = {"\u2014": "--", "\u2013": "--"}
"""And two dashes as one."""


@dataclass(frozen=True, slots=True)
class Spec:
    """`takes` is what stands behind the name: `text`, `task` (`#42`), `machine` or `nothing`. `permission` is what it
    needs, None for what anybody may who has come so far. `answer`: shown to everybody in the chat, or to the sender.
    """

    name: str
    usage: str
    about: str
    takes: str = "nothing"
    flags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    permission: str | None = None
    alone: bool = False


SPECS = (
    Spec("develop", 'develop "text" [--project KEY] [--on machine]', "create a task", "text", ("project", "on"),
         ("dev",), "tasks:tasks.create"),
    Spec("progress", "progress #id", "how a task stands", "task", permission="tasks:tasks.view"),
    Spec("cancel", "cancel #id", "end a task", "task", permission="tasks:tasks.act"),
    Spec("retry", "retry #id", "run a task that failed once more", "task", permission="tasks:tasks.act"),
    Spec("list", "list [--project KEY]", "the newest tasks", "nothing", ("project",), ("ls",), "tasks:tasks.view"),
    Spec("confirm", "confirm #id", "approve what a task waits for", "task", permission="tasks:tasks.act"),
    Spec("workspace", "workspace #id", "where a task works", "task", aliases=("ws",), permission="tasks:tasks.view"),
    Spec("logs", "logs #id", "the end of a task's output", "task", aliases=("log",), permission="tasks:tasks.view"),
    Spec("drain", "drain machine", "give a machine no new tasks", "machine", permission="tasks:machines.drain"),
    Spec("undrain", "undrain machine", "give it tasks again", "machine", permission="tasks:machines.drain"),
    Spec("bind", "bind", "say who you are in Quarterdeck", alone=True),
    Spec("info", "info", "which chat this is, and who you are", alone=True),
    Spec("help", "help", "this list", alone=True),
)  # fmt: skip
NAMED = {name: spec for spec in SPECS for name in (spec.name, *spec.aliases)}
HELP = "\n".join(f"{spec.usage}: {spec.about}" for spec in SPECS)


@dataclass(frozen=True, slots=True)
class Command:
    """`text` is the description of `develop` or the name of a machine; `task` the number of a task."""

    spec: Spec
    text: str = ""
    task: int = 0
    flags: dict[str, str] = field(default_factory=dict)


def parse(said: str) -> Command:
    """Read one command. Nothing at all means `help`. Raises `Invalid` with what to write instead."""
    words = tokens(said)
    if not words:
        return Command(NAMED["help"])
    name = words[0].text.lower().lstrip("/")
    spec = NAMED.get(name)
    if spec is None:
        raise _wrong(f"There is no command {shown(name, 40)!r}.", "Send `help` for the list.")
    rest, flags = _split(spec, words[1:])
    if spec.takes == "nothing":
        if rest:
            raise _wrong(f"`{spec.name}` takes nothing more than its flags.", f"Write `{spec.usage}`.")
        return Command(spec, flags=flags)
    if spec.takes == "task":
        return Command(spec, task=_task(spec, rest), flags=flags)
    text = " ".join(rest).strip()
    if not text:
        raise _wrong(f"`{spec.name}` needs to be told what.", f"Write `{spec.usage}`.")
    if spec.takes == "machine" and len(rest) > 1:
        raise _wrong(f"`{spec.name}` takes one machine.", f"Write `{spec.usage}`; put a name with spaces in quotes.")
    return Command(spec, text=text, flags=flags)


@dataclass(frozen=True, slots=True)
class Word:
    """`quoted`: some of it stood in quotes, so it is no flag whatever it looks like."""

    text: str
    quoted: bool


def tokens(said: str) -> list[Word]:
    """Words between white space; what stands in quotes is one, and a backslash takes the next character as it is. A
    quotation mark inside a word is a letter (`don't`). Raises `Invalid` for quotes that do not end.
    """
    if len(said) > LONGEST:
        raise _wrong(f"That is more than {LONGEST} characters.", "Write less.")
    found: list[Word] = []
    letters: list[str] = []
    closing, quoted, escaped = "", False, False
    for letter in said:
        if escaped:
            letters.append(letter)
            escaped = False
        elif letter == "\\":
            escaped = True
        elif closing:
            if letter == closing:
                closing = ""
            else:
                letters.append(letter)
        elif letter in QUOTES and (not letters or letters[-1] == "="):
            closing, quoted = QUOTES[letter], True
        elif letter.isspace():
            if letters or quoted:
                found.append(Word("".join(letters), quoted))
            letters, quoted = [], False
        else:
            letters.append(letter)
    if closing:
        raise _wrong("A quotation mark is not closed.", f"Put {closing} behind the text.")
    if letters or quoted or escaped:
        found.append(Word("".join(letters) + ("\\" if escaped else ""), quoted))
    return found


def _split(spec: Spec, words: list[Word]) -> tuple[list[str], dict[str, str]]:
    rest: list[str] = []
    flags: dict[str, str] = {}
    waiting: str | None = None
    for word in words:
        text = word.text
        plain = text if word.quoted and not text.startswith("--") else DASHES.get(text[:1], text[:1]) + text[1:]
        name, equals, value = plain[2:].partition("=")
        if waiting is not None:
            flags[waiting], waiting = text, None
        elif plain.startswith("--") and len(plain) > 2 and (not word.quoted or equals):
            if name not in spec.flags:
                raise _wrong(f"`{spec.name}` has no flag --{shown(name, 40)}.", f"Write `{spec.usage}`.")
            if name in flags:
                raise _wrong(f"--{name} is given twice.", f"Write `{spec.usage}`.")
            if equals:
                flags[name] = value
            else:
                waiting = name
        else:
            rest.append(text)
    if waiting is not None or any(not value.strip() for value in flags.values()):
        raise _wrong("A flag has no value.", f"Write `{spec.usage}`.")
    return rest, flags


def _task(spec: Spec, rest: list[str]) -> int:
    text = rest[0].removeprefix("#") if len(rest) == 1 else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _wrong(f"`{spec.name}` needs the number of a task.", f"Write `{spec.usage}`, such as #42.")
    return int(text)


def _wrong(what: str, hint: str) -> Invalid:
    return Invalid(what, code="chat_command_invalid", hint=hint)
