"""A coding agent that does what its prompt says: each line that begins with `do ` is one thing to do.

    do say TEXT          print a line                    do done              print the marker of the stage
    do fail REASON       print the marker of failure     do boxed             print it wrapped in a frame
    do wrong             print markers of others         do quote             print the instruction itself
    do sleep SECONDS                                     do hang              never come back
    do exit STATUS                                       do crash             SIGKILL to itself
    do flood BYTES       lines of y                      do child             leave a process that ignores signals
    do ask TEXT          wait for an answer              do hook JSON         call the hook that the worker gave
    do await NAME        until its directory has a file of that name
    do stubborn          ignore SIGINT and SIGTERM       do literal TEXT      a line of its own, as is
    do environment       write the environment down      do size              print the size of the terminal
    do spin SECONDS      draw the screen again and again  do stop / do notify   as Claude Code and Codex end a turn

It draws its prompt back as real ones do, keeps sessions in the directory FAKE_AGENT_HOME, and writes down there what it
was told (`told.jsonl`). Flags: --session ID, --resume ID, --not-logged-in, --limited, --slow SECONDS, --dialog,
--plain (a line at a time, without bracketed paste), --deaf (its first submit key is lost, as to a dialog),
--once PROMPT, --version.
"""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

NONCE = re.compile(r"STAGE_DONE, a space, ([0-9a-f]{12}),")
FINISHED: list[str] = []
"""What Claude Code's settings say is to be run when a turn ends."""
NOTIFY: list[str] = []
"""What Codex is told to run then."""
SESSION = [""]
PASSED: list[str] = []
"""The points that were passed since one was armed."""
HOME = Path(os.environ.get("FAKE_AGENT_HOME", "."))


def out(text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(1, data) :]


def line(text: str) -> None:
    out(text + "\r\n")


def remember(what: dict[str, object]) -> None:
    with (HOME / "told.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


def point(name: str) -> None:
    """A place where a test may kill it, as `quarterdeck.kernel.faults` has them for the product."""
    if not (HOME / "trace").exists():
        return
    with (HOME / "trace").open("a", encoding="utf-8") as trace:
        trace.write(f"{name}\n")
    try:
        wanted, number = (HOME / "armed").read_text(encoding="utf-8").split()[:2]
    except FileNotFoundError:
        PASSED.clear()
        return
    PASSED.append(name)
    if wanted == name and PASSED.count(name) >= int(number):
        (HOME / "armed").unlink()
        os.kill(os.getpid(), signal.SIGKILL)


class Keyboard:
    """Keys as they come; what is pasted in brackets is text, with its line ends."""

    def __init__(self, plain: bool, deaf: bool = False) -> None:
        self.plain, self.deaf = plain, deaf
        self.kept = ""
        if not plain and os.isatty(0):
            mode = termios.tcgetattr(0)
            mode[3] &= ~(termios.ECHO | termios.ICANON)
            mode[0] &= ~termios.ICRNL
            termios.tcsetattr(0, termios.TCSANOW, mode)
            out("\x1b[?2004h")

    def more(self) -> None:
        data = os.read(0, 65536)
        if not data:
            sys.exit(0)
        self.kept += data.decode(errors="replace")

    def prompt(self) -> str:
        end = "\n" if self.plain else "\r"
        text, pasting = "", False
        while True:
            while not self.kept:
                self.more()
            if self.kept.startswith("\x1b[200~"):
                pasting, self.kept = True, self.kept[6:]
            elif self.kept.startswith("\x1b[201~"):
                pasting, self.kept = False, self.kept[6:]
            elif self.kept[0] == "\x1b" and len(self.kept) < 6:
                select.select([0], [], [])
                self.more()
            else:
                one, self.kept = self.kept[0], self.kept[1:]
                if one == end and not pasting and self.deaf:
                    self.deaf = False
                    out("\r> " + text.rpartition("\n")[2])
                    continue
                if one == end and not pasting:
                    return text
                text += "\n" if one == "\r" else one


def draw(text: str, width: int = 100) -> None:
    """The prompt as an agent shows it: framed, wrapped at a width of its own."""
    for one in text.split("\n"):
        for start in range(0, max(len(one), 1), width):
            line("│ " + one[start : start + width])


def hook(event: str) -> None:
    """Call the worker as any program may."""
    subprocess.run([*shlex.split(os.environ["QUARTERDECK_HOOK"]), event], check=False)


def child() -> None:
    body = (
        "import os, signal, time\n"
        "for one in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM): signal.signal(one, signal.SIG_IGN)\n"
        "os.setsid() if os.getpid() != os.getsid(0) else None\n"
        f"open({str(HOME / 'child')!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    clean = {"PATH": os.environ["PATH"]}
    subprocess.Popen([sys.executable, "-c", body], env=clean, start_new_session=True)
    while not (HOME / "child").exists() or not (HOME / "child").read_text():
        time.sleep(0.01)


def perform(prompt: str, keyboard: Keyboard) -> None:
    found = NONCE.search(prompt)
    nonce = found.group(1) if found else "?" * 12
    remember({"prompt": prompt})
    point("agent.prompted")
    for said in prompt.split("\n"):
        if not said.startswith("do "):
            continue
        verb, _, rest = said[3:].partition(" ")
        match verb:
            case "say":
                line(f"● {rest}")
                point("agent.working")
            case "literal":
                line(rest)
            case "done":
                line(f"● [[STAGE_DONE {nonce}]]")
                point("agent.done")
            case "fail":
                line(f"[[STAGE_FAIL {nonce} {rest}]]")
            case "boxed":
                text = f"[[STAGE_DONE {nonce}]]"
                for start in range(0, len(text), 7):
                    line(f"│ {text[start : start + 7]:7} │")
            case "wrong":
                line("[[STAGE_DONE 000000000000]]")
                line("[[STAGE_DONE]]")
                line(f"STAGE_DONE {nonce}")
                line("[[STAGE_FAIL 0123456789ab it is not ours]]")
            case "quote":
                line(prompt[prompt.index("When all of this") :])
            case "sleep":
                time.sleep(float(rest))
            case "await":
                while not (HOME / rest).exists():
                    time.sleep(0.05)
            case "hang":
                while True:
                    time.sleep(60)
            case "exit":
                sys.exit(int(rest))
            case "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            case "flood":
                block = ("y" * 78 + "\r\n") * 800
                for _ in range(int(rest) // len(block)):
                    out(block)
            case "child":
                child()
            case "ask":
                out(f"? {rest} ")
                answer = keyboard.prompt()
                remember({"answer": answer})
                line(f"\r● Thank you for {answer}.")
            case "hook":
                hook(rest)
            case "stop":
                for command in FINISHED:
                    event = {"hook_event_name": "Stop", "session_id": SESSION[0], "transcript_path": rest}
                    subprocess.run(["/bin/sh", "-c", command], input=json.dumps(event).encode(), check=False)
            case "notify":
                event = {"type": "agent-turn-complete", "thread-id": "thread-1", "last-assistant-message": "fine"}
                subprocess.run([*NOTIFY, json.dumps(event)], check=False)
            case "stubborn":
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)
            case "environment":
                (HOME / "environment.json").write_text(json.dumps(dict(os.environ)), encoding="utf-8")
            case "size":
                size = os.get_terminal_size()
                line(f"{size.columns} columns, {size.lines} rows")
            case "spin":
                until = time.monotonic() + float(rest)
                while time.monotonic() < until:
                    out("\x1b[2K\r✻ Thinking… \x1b[1A\x1b[1B")
                    time.sleep(0.02)
                line("")


def main(arguments: list[str]) -> None:
    def value(name: str) -> str | None:
        return arguments[arguments.index(name) + 1] if name in arguments else None

    if "--version" in arguments:
        line("fake-agent 1.2.3")
        return
    sessions = HOME / "sessions"
    sessions.mkdir(exist_ok=True)
    resume = value("--resume")
    if resume is not None and not (sessions / resume).exists():
        line(f"No conversation found with session ID: {resume}")
        sys.exit(1)
    session = resume or value("--session") or value("--session-id")
    SESSION[0] = session or ""
    settings = value("--settings")
    if settings is not None:
        told = json.loads(Path(settings).read_text(encoding="utf-8"))["hooks"]
        FINISHED.extend(hook["command"] for one in told["Stop"] for hook in one["hooks"])
    setting = value("-c") or ""
    if setting.startswith("notify="):
        NOTIFY.extend(json.loads(setting.removeprefix("notify=")))
    if session:
        (sessions / session).touch()
    remember({"began": session, "resumed": resume is not None, "pid": os.getpid()})
    point("agent.began")
    time.sleep(float(value("--slow") or 0))
    once = value("--once")
    if once is not None:
        perform(once, Keyboard(plain=True))
        return
    keyboard = Keyboard("--plain" in arguments, "--deaf" in arguments)
    if "--not-logged-in" in arguments:
        line("● Not logged in. Please run /login")
    if "--dialog" in arguments:
        line("│ Do you trust this fake agent? │")
        while keyboard.prompt() != "yes":
            pass
        out("\x1b[2J\x1b[H")
    while True:
        out("> " if settings or setting else "fake> ")
        prompt = keyboard.prompt()
        draw(prompt)
        if "--limited" in arguments:
            line("● Usage limit reached. It resets in 2 hours.")
            continue
        perform(prompt, keyboard)


if __name__ == "__main__":
    main(sys.argv[1:])
