"""The environment of an agent: named variables alone, so that nothing of the worker's own reaches it (contract: tasks
§5).
"""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.tasks.agents.adapter import Adapter
from quarterdeck.tasks.orders import Person
from quarterdeck.tasks.running.account import Account

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy",
    "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
)  # fmt: skip
OURS = ("QUARTERDECK_", "LD_")
"""A project sets none of these: the first are how we find what is ours, the second change what our programs are."""


def environment(
    worker: Mapping[str, str],
    account: Account,
    adapter: Adapter,
    project: Mapping[str, str],
    person: Person,
    hook: Mapping[str, str],
) -> dict[str, str]:
    """What the program is given: of the worker's what is passed or the adapter names, then the adapter's own, then the
    project's.
    """
    own = {name: worker[name] for name in (*PASSED, *adapter.environment) if name in worker}
    local = f"{account.home}/.local/bin"
    return {
        "LANG": "C.UTF-8",
        **own,
        "PATH": f"{local}:{own.get('PATH') or SEARCH_PATH}",
        "HOME": str(account.home),
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": "/bin/sh",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "GIT_AUTHOR_NAME": person.name,
        "GIT_AUTHOR_EMAIL": person.email,
        "GIT_COMMITTER_NAME": person.name,
        "GIT_COMMITTER_EMAIL": person.email,
        "GIT_TERMINAL_PROMPT": "0",
        **adapter.extra_environment,
        **{name: value for name, value in project.items() if not name.startswith(OURS)},
        **hook,
    }
