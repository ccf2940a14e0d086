"""`qd set` and `qd unset`: variables and profile fields of a resource."""

from __future__ import annotations

import difflib
import re
import sys
from shlex import quote
from typing import Any

from quarterdeck.cli import names
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing
from quarterdeck.cli.session import session
from quarterdeck.cli.terminal import Terminal

CHANGING = Changing()
RUNTIME = {
    "strategy": "strategy",
    "install-command": "installCommand",
    "build-command": "buildCommand",
    "start-command": "startCommand",
    "publish-directory": "publishDirectory",
    "dockerfile": "dockerfilePath",
    "compose-file": "dockerComposeFilePath",
    "build-target": "buildTarget",
}
SOURCE = {"branch": "gitRef", "base-directory": "baseDirectory"}
NETWORK = {
    "port": "internalPort",
    "protocol": "upstreamProtocol",
    "exposure": "exposureMode",
    "host-port": "hostPort",
    "service": "targetServiceName",
}
ACCESS = {"path-prefix": "pathPrefix", "generated-address": "generatedAccessMode"}
HEALTH = {
    "health-tries": "retries",
    "health-interval": "intervalSeconds",
    "health-timeout": "timeoutSeconds",
    "health-start-period": "startPeriodSeconds",
}
HEALTH_HTTP = {"health-path": "path", "health-status": "expectedStatusCode"}
FIELDS = {**RUNTIME, **SOURCE, **NETWORK, **ACCESS, **HEALTH, **HEALTH_HTTP, "health": "enabled"}
NUMBERS = frozenset({"internalPort", "hostPort", "expectedStatusCode", *HEALTH.values()})
PORTS = frozenset({"internalPort", "hostPort"})
PROFILES = {
    "runtime": ("resources.configure-runtime", "runtimeProfile", RUNTIME),
    "source": ("resources.configure-source", "source", SOURCE),
    "network": ("resources.configure-network", "networkProfile", NETWORK),
    "access": ("resources.configure-access", "accessProfile", ACCESS),
}
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
READ_ONLY = {"sourceBindingFingerprint", "healthCheck"}


def set_values(
    resource: str,
    /,
    *values: str,
    secret: list[str] | None = None,
    build_time: bool = False,
    variable: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Change fields and variables of a resource. They take effect with its next deployment.

    Fields are port, protocol, exposure, host-port, service (of a Compose file, which receives the requests),
    strategy, install-command, build-command, start-command, publish-directory, dockerfile, compose-file,
    build-target, branch, base-directory, path-prefix, generated-address, health (on or off), health-path,
    health-status, health-tries, health-interval, health-timeout and health-start-period; an empty value removes a
    command, a path or a number. Everything else is a variable.

    qd set shop port=3000
    qd set shop LOG_LEVEL=debug start-command="gunicorn app:app"
    qd set shop --secret DATABASE_URL < url.txt

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    values
        KEY=VALUE, as many as wanted.
    secret
        A secret variable; its value is asked for, or read from stdin (one line each, in the order given).
    build_time
        The variables are for the build; their names begin with PUBLIC_ or VITE_.
    variable
        Take every key as a variable, also one that is the name of a field.
    """
    fields, variables = sorted_out(values, as_variables=variable)
    if not fields and not variables and not secret:
        raise usage("There is nothing to set.", f"qd set {quote(resource)} port=3000")
    with session(changing) as opened:
        found = names.resource(opened.api, resource)
        secrets = secret_values(opened.terminal, secret or [])
        _set_fields(opened.api, found.id, fields)
        exposure = "build-time" if build_time else "runtime"
        for key, value in variables:
            body: dict[str, Any] = {"key": key, "value": value, "kind": "plain-config", "exposure": exposure}
            opened.api.change("resources.set-variable", body, resourceId=found.id)
        for key, value in secrets:
            body = {"key": key, "value": value, "kind": "secret", "exposure": "runtime", "isSecret": True}
            opened.api.change("resources.set-variable", body, resourceId=found.id)
        opened.sent()
        keys = [*fields, *(key for key, _ in variables), *(key for key, _ in secrets)]
        opened.terminal.answer(
            {"resourceId": found.id, "changed": keys},
            name=found.id,
            text=f"Set {', '.join(keys)} of {found.path}.",
        )
        opened.terminal.say(f"Takes effect with the next deployment: qd redeploy {found.path}")


def sorted_out(values: tuple[str, ...], *, as_variables: bool) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Fields and variables of what was typed. A misspelt field is refused, not kept as a variable."""
    fields: dict[str, str] = {}
    variables: list[tuple[str, str]] = []
    for text in values:
        key, equals, value = text.partition("=")
        if not equals:
            raise usage(f"{text} is not KEY=VALUE.", "qd set shop port=3000")
        if key in FIELDS and not as_variables:
            fields[key] = value
        elif not VARIABLE.fullmatch(key) or (key.islower() and not as_variables):
            close = difflib.get_close_matches(key, FIELDS, n=1)
            hint = f"{close[0]}={value}" if close else f"--variable {text}   if it is a variable"
            raise usage(f"{key} is not a field of a resource.", hint, code="unknown_field")
        else:
            variables.append((key, value))
    return fields, variables


def secret_values(terminal: Terminal, keys: list[str]) -> list[tuple[str, str]]:
    """The values of secrets, asked for or read from stdin, in the order given."""
    for given in keys:
        key, equals, _ = given.partition("=")
        if equals:
            raise usage(
                f"--secret takes a name alone: the value of {key or 'a secret'} is never an argument, "
                "because every user of this machine can read command lines.",
                f"--secret {key or 'NAME'}   which asks for it; take another value if this one was real",
            )
    return [(key, _value(terminal, key)) for key in keys]


def _value(terminal: Terminal, key: str) -> str:
    if sys.stdin.isatty():
        return terminal.ask(key, secret=True, otherwise=f"Give the value of {key} on stdin.")
    line = sys.stdin.readline()
    if not line:
        raise usage(f"There is no value for {key} on stdin.", f"Give it as a line: --secret {key} < file")
    return line.rstrip("\r\n")


def _set_fields(api: Api, resource_id: str, fields: dict[str, str]) -> None:
    """Lay the fields over the profiles as they are, and send each profile that is touched, whole."""
    if not fields:
        return
    shown = api.read("resources.show", resourceId=resource_id)
    for operation, part, known in PROFILES.values():
        touched = {known[key]: value for key, value in fields.items() if key in known}
        if not touched:
            continue
        profile = {key: value for key, value in (shown.get(part) or {}).items() if key not in READ_ONLY}
        for key, value in touched.items():
            if value:
                profile[key] = _number(key, value)
            else:
                profile.pop(key, None)
        if part == "networkProfile" and "internalPort" not in profile:
            raise usage("The port is not set yet.", "Set it in the same command: port=3000")
        if part == "source" and "kind" not in profile:
            raise usage(
                "This resource has no source yet.", f"qd deploy SOURCE --name {quote(str(shown['resource']['slug']))}"
            )
        api.change(operation, {part: profile}, resourceId=resource_id)
    if policy := _health(shown.get("healthPolicy") or {}, fields):
        api.change("resources.configure-health", {"healthCheck": policy}, resourceId=resource_id)


def _health(now: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
    """The health policy with the fields laid over it; empty when none of them is one of health."""
    own = {HEALTH[key]: value for key, value in fields.items() if key in HEALTH}
    asked = {HEALTH_HTTP[key]: value for key, value in fields.items() if key in HEALTH_HTTP}
    switch = fields.get("health")
    if not own and not asked and switch is None:
        return {}
    if switch not in {None, "on", "off"}:
        raise usage(f"health is on or off, not {switch}.", "health=on")
    http = dict(now.get("http") or {})
    policy = {**now, "enabled": switch != "off"}
    for values, target in ((own, policy), (asked, http)):
        for key, value in values.items():
            if value:
                target[key] = _number(key, value)
            else:
                target.pop(key, None)
    return {**policy, "http": http} if http else policy


def _number(key: str, value: str) -> Any:
    if key not in NUMBERS:
        return value
    if key in PORTS and (not value.isdigit() or not 1 <= int(value) <= 65535):
        raise usage(f"{value} is not a port.", "Give a number from 1 to 65535.")
    if not value.isdigit():
        raise usage(f"{value} is not a number.", "Give a whole number.")
    return int(value)


def unset(
    resource: str,
    /,
    *keys: str,
    build_time: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Remove variables of a resource. They are gone with its next deployment.

    qd unset shop LOG_LEVEL

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    keys
        The names of the variables.
    build_time
        The variables of the build.
    """
    if not keys:
        raise usage("There is nothing to remove.", f"qd unset {quote(resource)} KEY")
    exposure = "build-time" if build_time else "runtime"
    with session(changing) as opened:
        found = names.resource(opened.api, resource)
        for key in keys:
            opened.api.change("resources.unset-variable", {"exposure": exposure}, resourceId=found.id, key=key)
        opened.done(
            {"resourceId": found.id, "removed": list(keys)},
            name=found.id,
            text=f"Removed {', '.join(keys)} of {found.path}.",
        )
