"""`qd secret read`, `set`, `rotate` and `get`: asking for secrets, and fetching once what was read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators

from quarterdeck.cli import secret_naming, secret_states, secret_values, secret_waiting
from quarterdeck.cli.failure import usage
from quarterdeck.cli.infra_options import Timeout
from quarterdeck.cli.names import Row
from quarterdeck.cli.operations import address
from quarterdeck.cli.options import Changing
from quarterdeck.cli.secret_options import Flag, Keys, Patience, Target
from quarterdeck.cli.secret_session import about, session
from quarterdeck.cli.secret_waiting import OwnKey
from quarterdeck.cli.session import Session

CHANGING, TARGET = Changing(), Target()
Alphabet = Literal["letters-digits", "hex", "digits", "printable"]
Length = Annotated[int, Parameter(validator=validators.Number(gte=16, lte=512))]
secret = App(name="secret", help="Ask for secrets, decide who gets them, and say where they are kept.")


def read(
    ref: str,
    /,
    *,
    key: Keys = None,
    wait: Flag = False,
    timeout: Timeout = None,
    direct: Flag = False,
    seal: Flag = False,
    target: Target = TARGET,
    changing: Changing = CHANGING,
) -> None:
    """Ask to read a secret, and with --wait print what was read. Values go to stdout and nowhere else.

    qd secret read apps/db --provider vault --project shop --environment production --key password --why "a restore"
    qd secret read apps/db --connection ours --key password --why "a restore" --wait > password
    qd secret read apps/db --connection ours --why "a restore" --wait -o json
    qd secret read apps/db --connection ours --key password --why "a restore" --seal

    Without --wait it prints the request; qd secret get fetches what it gives, once. One value is printed as it is,
    with nothing behind it; several are a JSON document.

    Ends with 0 when it was asked for (with --wait: when it was read), with 1 when it was rejected, failed or has
    expired, with 8 when that takes longer than --timeout.

    Parameters
    ----------
    ref
        Where in its store it is, such as a path of Vault.
    key
        A key of it; may be given several times. Default: all of them.
    wait
        Wait for the approval and for the value.
    timeout
        Seconds to wait. Default: until the request ends.
    direct
        Without approval, where a policy lets you. Never in production.
    seal
        Have the value sealed to a key that is made here for this request, so that the server cannot read it. The key
        is in the memory of this command alone, so it waits.
    """
    keys = list(dict.fromkeys(key or ()))
    patience = Patience(wait or seal, timeout)
    with session(changing) as opened, about(not_found="qd secret connection list"):
        only = len(keys) == 1
        if patience.wait and not opened.api.planning:
            secret_values.require_form(opened, only)
        body = secret_naming.asked(opened, ref, target)
        body |= {"target_keys": keys} if keys else {}
        body |= {"direct": True} if direct else {}
        own = OwnKey() if seal else None
        body |= {"recipient_key": own.public} if own is not None else {}
        made: Row = opened.api.change("secret-requests.read", body, what="request")
        opened.sent()
        if not patience.wait:
            _asked(opened, made, then=f"qd secret get {made['id']}")
            return
        done = secret_waiting.until_ended(opened, made, patience.timeout, own)
        _give(opened, str(done["id"]), keys[0] if only else None, own, raw=only)


def set_values(
    ref: str,
    /,
    *values: str,
    replace: Flag = False,
    wait: Flag = False,
    timeout: Timeout = None,
    target: Target = TARGET,
    changing: Changing = CHANGING,
) -> None:
    """Ask to have keys of a secret set. The others stay, but for --replace.

    qd secret set apps/db password=@new-password --provider vault --project shop --environment production --why leaked
    pwgen 32 1 | qd secret set apps/db password=- --connection ours --why "the yearly change" --wait

    A value never stands in the command line, which every user of the machine can read. The end of the line is no part
    of a value of one line.

    Ends with 0 when it was asked for (with --wait: when it was set), with 1 when it was rejected, failed or has
    expired, with 8 when that takes longer than --timeout.

    Parameters
    ----------
    ref
        Where in its store it is.
    values
        KEY=@FILE, or KEY=- for stdin.
    replace
        These keys become the whole secret; all others are gone.
    wait
        Wait for the approval, and until it was done.
    timeout
        Seconds to wait. Default: until the request ends.
    """
    patience = Patience(wait, timeout)
    if not values:
        raise usage("Say which keys are set.", "qd secret set REF KEY=@FILE", code="value_form")
    given = secret_values.given(values)
    with session(changing) as opened, about(not_found="qd secret connection list"):
        body = {**secret_naming.asked(opened, ref, target), "key_values": given}
        key = "secret-requests.replace" if replace else "secret-requests.set"
        _changed(opened, opened.api.change(key, body, what="request"), patience)


def rotate(
    ref: str,
    /,
    *,
    key: Keys = None,
    length: Length = 32,
    alphabet: Alphabet = "letters-digits",
    wait: Flag = False,
    timeout: Timeout = None,
    target: Target = TARGET,
    changing: Changing = CHANGING,
) -> None:
    """Ask for keys of a secret to get new values, which are made where it is kept and given to nobody.

    qd secret rotate apps/db --key password --provider vault --project shop --environment production --why "left us"

    Ends as qd secret set does.

    Parameters
    ----------
    ref
        Where in its store it is.
    key
        A key that gets a new value; may be given several times.
    length
        Characters of the new values, 16 to 512.
    alphabet
        Of which characters.
    wait
        Wait for the approval, and until it was done.
    timeout
        Seconds to wait. Default: until the request ends.
    """
    patience = Patience(wait, timeout)
    keys = list(dict.fromkeys(key or ()))
    if not keys:
        raise usage("Say which keys get new values.", "qd secret rotate REF --key password")
    with session(changing) as opened, about(not_found="qd secret connection list"):
        body = secret_naming.asked(opened, ref, target)
        body |= {"target_keys": keys, "length": length, "alphabet": alphabet}
        _changed(opened, opened.api.change("secret-requests.rotate", body, what="request"), patience)


def get(request: str, key: str | None = None, /, *, changing: Changing = CHANGING) -> None:
    """Fetch what a request has read. Each value is given out once, and is gone from the server with that.

    qd secret get 01a22dd4-094f-748f-9f4c-9f5f0fb80a92 password > password
    qd secret get 01a22dd4-094f -o json

    Ends with 7 while the request waits for approval, with 6 where its values were fetched already.

    Parameters
    ----------
    request
        Its id, or as much of it as is unique.
    key
        The one value that is fetched, printed as it is. Default: the only one there is; with -o json all of them.
    """
    with session(changing) as opened, about(not_found="qd secret request list"):
        identity = secret_naming.request(opened, request)
        secret_waiting.require_done(secret_waiting.show(opened, identity))
        _give(opened, identity, key, None, raw=key is not None)


def _give(opened: Session, request: str, wanted: str | None, own: OwnKey | None, *, raw: bool) -> None:
    rows = secret_waiting.delivered(opened, request, wanted, own)
    raw = raw or (len(rows) == 1 and not opened.terminal.structured)
    secret_values.require_form(opened, raw)
    if opened.api.planning:
        for row in rows:
            method, path = address("secret-requests.value", {"requestId": request, "wrapId": str(row["id"])})
            opened.api.plan.append({"operation": "secret-requests.value", "method": method, "path": path, "body": {}})
        opened.sent()
    fetched = secret_waiting.fetch(opened, request, rows, own)
    if fetched.values:
        secret_values.tell(opened, request, fetched.values, raw=raw)
    if fetched.broken is not None:
        raise fetched.broken


def _asked(opened: Session, made: Row, *, then: str) -> None:
    shown = opened.terminal.state(secret_states.request(made), sys.stderr)
    opened.terminal.answer(made, name=str(made["id"]), text=str(made["id"]))
    opened.terminal.say_styled(f"  {shown}")
    pending = made["status"] == "pending"
    agreed = f"   (once somebody agreed: qd secret request approve {made['id']})" if pending else ""
    opened.terminal.say(f"Try:   {then}{agreed}")


def _changed(opened: Session, made: Row, patience: Patience) -> None:
    opened.sent()
    if not patience.wait:
        _asked(opened, made, then=f"qd secret request show {made['id']}")
        return
    done = secret_waiting.until_ended(opened, made, patience.timeout)
    keys: Sequence[str] = done.get("target_keys") or ()
    opened.terminal.answer(
        done, name=str(done["id"]), text=f"Done: {', '.join(keys)} of {done.get('target_secret_ref')}."
    )


for _command in (read, rotate, get):
    secret.command(_command)
secret.command(set_values, name="set")
