"""`qd repository`: what somebody's own account of a git host shows."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter, validators

from quarterdeck.cli import infra_documents, profiles
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.infra_session import session
from quarterdeck.cli.names import Row
from quarterdeck.cli.operations import address
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import Session
from quarterdeck.cli.terminal import Terminal

COMMON = Common()
Provider = Literal["github", "gitlab", "bitbucket"]
HOSTS: dict[Provider, str] = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket"}
Token = Annotated[str | None, Parameter(name="--token")]
SECONDS = 75.0
"""The server gives the git host a minute."""
HEADER = "x-provider-token"
CONNECT = "qd repository connect {} --token @FILE"
repository = App(
    name="repository", help="List what your own accounts of git hosts show; keep the tokens for that, or forget them."
)


def ls(
    provider: Provider | None = None,
    /,
    *,
    token: Token = None,
    search: str | None = None,
    page: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 1,
    limit: Annotated[int, Parameter(name=["--limit", "-n"], validator=validators.Number(gte=1, lte=5000))] = 100,
    common: Common = COMMON,
) -> None:
    """List the repositories that your token of a git host shows, the newest change first.

    qd repository list github
    qd repository list gitlab --search ledger -o json
    qd repository list bitbucket --token @git.token -n 20 --page 2

    Parameters
    ----------
    provider
        github, gitlab or bitbucket. Without one: the one that is connected.
    token
        Your token of the git host, for this once: @FILE, or - for stdin. Default: the one that connect keeps.
    search
        Only those with this in their whole names, in any case.
    page
        Which page of them.
    limit
        How many a page has, at most 5000.
    """
    given = infra_documents.secret(token, "--token") if token is not None else None
    with session(common) as opened:
        host = provider or _only(opened.api, given)
        found, cut = _listed(opened, host, given or _kept(opened.api, host))
        if search is not None:
            found = [row for row in found if search.lower() in str(row["full_name"]).lower()]
        shown = found[(page - 1) * limit : page * limit]
        document = {"repositories": shown, "total": len(found), "page": page, "limit": limit, "truncated": cut}
        _told(opened, host, shown, document)


def _told(opened: Session, host: Provider, shown: list[Row], document: Row) -> None:
    terminal, total = opened.terminal, int(document["total"])
    if terminal.format == "text":
        if not shown:
            terminal.say(f"{HOSTS[host]} shows none." if not total else f"There is no page {document['page']}.")
        elif int(document["page"]) * int(document["limit"]) < total:
            terminal.say(f"{len(shown)} of {total}; more with --page {document['page'] + 1}")
        if document["truncated"]:
            terminal.say(f"{HOSTS[host]} has more than the server reads; the oldest are left out.")
    if not shown and terminal.format == "text":
        return
    rows = [
        [
            str(row["full_name"]),
            "private" if row["private"] else "public",
            str(row["default_branch"] or ""),
            str(row["url"]),
        ]
        for row in shown
    ]
    columns = ["REPOSITORY", "", "BRANCH", "ADDRESS"]
    terminal.table(shown, columns, rows, names=[str(row["url"]) for row in shown], document=document)


def connect(provider: Provider, /, *, token: Token = None, common: Common = COMMON) -> None:
    """Keep your token of a git host in the profile, once the host has taken it.

    qd repository connect github --token @git.token
    qd repository connect gitlab --token - < git.token

    It stays on this machine, readable by you alone, and is shown to the server with each list; qd logout forgets it.

    Parameters
    ----------
    provider
        github, gitlab or bitbucket.
    token
        A token that may read repositories: @FILE, or - for stdin. Without it a person at a terminal is asked.
    """
    given = infra_documents.secret(token, "--token") if token is not None else None
    name, profile = profiles.chosen(common.profile)
    if name is None:
        raise usage(
            f"No profile for {profile.url} is saved: the server comes from the environment.",
            f"qd repository list {provider} --token @FILE   (each time), or: qd login {profile.url}",
            code="no_profile",
        )
    with session(common) as opened:
        if given is None:
            way = CONNECT.format(provider)
            given = opened.terminal.ask(f"Token of {HOSTS[provider]}", secret=True, otherwise=way).strip()
            if not given:
                raise Failure("Nothing was given, and nothing was changed.", code="declined", hint=way)
        found, cut = _listed(opened, provider, given)
        with profiles.changing() as store:
            store.profiles[name].git_tokens[provider] = given
        number = f"{'more than ' if cut else ''}{len(found)}"
        answer = {"provider": provider, "connected": True, "repositories": len(found), "truncated": cut}
        opened.terminal.answer(answer, name=provider, text=f"Connected {HOSTS[provider]}; it shows {number}.")


def disconnect(provider: Provider, /, *, common: Common = COMMON) -> None:
    """Forget your token of a git host. At the git host it stays good until you revoke it there.

    qd repository disconnect github

    Parameters
    ----------
    provider
        github, gitlab or bitbucket.
    """
    name, _ = profiles.chosen(common.profile)
    with profiles.changing() as store:
        saved = store.profiles.get(name) if name is not None else None
        if saved is None or provider not in saved.git_tokens:
            raise Failure(
                f"{HOSTS[provider]} is not connected.",
                exit=Exit.NOT_FOUND,
                code="not_connected",
                hint=CONNECT.format(provider),
            )
        del saved.git_tokens[provider]
    answer = {"provider": provider, "connected": False}
    Terminal(common).answer(answer, name=provider, text=f"Forgot the token of {HOSTS[provider]}.")


def _only(api: Api, given: str | None) -> Provider:
    """The host that is meant where none was named. Raises `Failure`."""
    known = [host for host in HOSTS if host in api.profile.git_tokens] if given is None else []
    if len(known) == 1:
        return known[0]
    if known or given is not None:
        choice = known or list(HOSTS)
        raise usage(
            f"Say which git host: {', '.join(choice)}.", f"qd repository list {choice[0]}", code="input_required"
        )
    raise usage("No git host is connected.", CONNECT.format("github"), code="not_connected")


def _kept(api: Api, host: Provider) -> str:
    """Raises `Failure` where no token is kept."""
    if host not in api.profile.git_tokens:
        raise usage(f"{HOSTS[host]} is not connected.", CONNECT.format(host), code="not_connected")
    return api.profile.git_tokens[host]


def _listed(opened: Session, host: Provider, token: str) -> tuple[list[Row], bool]:
    """All repositories, and whether there are more than the server reads. Raises `Failure`, which holds no token."""
    if not token.isascii() or any(ord(one) <= 32 or ord(one) == 127 for one in token):
        raise usage("The token has characters that no token has.", CONNECT.format(host), code="provider_token_invalid")
    try:
        method, path = address(f"repositories.{host}", {})
        answer = opened.api.call(method, path, headers={HEADER: token}, seconds=SECONDS)
    except Failure as failure:
        if failure.code == "git_host_refused":
            failure.hint = CONNECT.format(host)
        elif failure.code == "git_host_unreachable":
            failure.hint = failure.hint or "Try again later; an administrator sets where the git host is."
        raise
    return answer["repositories"], bool(answer.get("truncated"))


for _command in (connect, disconnect):
    repository.command(_command)
repository.command(ls, name="list")
