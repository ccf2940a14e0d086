"""Whatever secret goes through a route of a real server is afterwards nowhere that anybody else can read."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyotp

from quarterdeck.app import handlers, openapi_document
from quarterdeck.fleet.credentials.keys import new_pair
from serving.process import Served, serving
from support.mailbox import Mailbox, mailbox
from support.mailbox import token as link_of

SECRET = re.compile(
    r"(?i).*(password|secret|token|private_?key)|value|content|code|.*_code|totpCode|refresh_?token|device_code"
)
"""Fields of bodies that carry something secret."""
OPEN = {"errorCode", "expectedStatusCode"}
APART = {
    "POST /api/bootstrap/auth/first-admin": "the other way to the first administrator, by the same rule as setup",
    "POST /api/usage-intents": "`value` is a quantity",
}
FULL = "CREATE TRIGGER canary_full BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'full'); END"
FULL_POSTGRESQL = (
    "CREATE FUNCTION canary_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$; "
    "CREATE TRIGGER canary_full BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION canary_full()"
)


def bearing() -> set[str]:
    """Routes whose bodies have a field that carries something secret."""
    document = openapi_document()
    found = set()
    for handler in handlers():
        endpoint = getattr(handler, "opt", {}).get("endpoint")
        if endpoint is None or endpoint.method == "GET":
            continue
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if any(SECRET.fullmatch(one) for one in fields(content["schema"], document, 0)):
                found.add(f"{endpoint.method} {endpoint.path}")
    return found


def fields(schema: Any, document: Any, depth: int) -> set[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found = set(schema.get("properties", {})) - OPEN
    inner = [*schema.get("properties", {}).values(), *schema.get("oneOf", []), *schema.get("anyOf", [])]
    if depth < 4:
        for one in inner:
            found |= fields(one, document, depth + 1)
    return found


class Sower:
    """Sends secrets, and keeps them with every refusal that was answered."""

    def __init__(self, served: Served, box: Mailbox) -> None:
        self.served, self.box = served, box
        self.client = httpx.Client(base_url=served.url, timeout=60, trust_env=False)
        self.sent: dict[str, tuple[str, Any, str | None]] = {}
        self.secrets: dict[str, str] = {}
        self.refusals: list[str] = []
        self.token: str | None = None

    def secret(self, what: str) -> str:
        made = f"canary-{what}-{uuid.uuid4().hex}"
        self.secrets[what] = made
        return made

    def learned(self, what: str, value: str) -> str:
        self.secrets[f"{what} {len(self.secrets)}"] = value
        return value

    def ask(self, name: str, body: Any = None, /, *, token: str | None = "", **path: str) -> httpx.Response:
        method, address = name.split(" ")
        bearer = self.token if token == "" else token
        self.client.cookies.clear()
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        answer = self.client.request(method, address.format(**path), json=body, headers=headers)
        if answer.is_error:
            self.refusals.append(answer.text)
        return answer

    def do(self, name: str, body: Any = None, /, *, token: str | None = "", **path: str) -> Any:
        self.sent[name] = (name.split(" ")[1].format(**path), body, self.token if token == "" else token)
        answer = self.ask(name, body, token=token, **path)
        assert answer.is_success, f"{name}: {answer.status_code} {answer.text}"
        found = answer.json() if answer.content else {}
        for key in ("accessToken", "refreshToken", "access_token", "refresh_token", "mfa_token"):
            if isinstance(found, dict) and found.get(key):
                self.learned(f"{name} {key}", found[key])
        return found

    def again(self) -> None:
        """Every call once more with what it was not meant to have: secrets as the wrong type, and as nobody."""
        for name, (address, body, token) in list(self.sent.items()):
            method = name.split(" ")[0]
            for wrong, bearer in (
                ({"x": [body]} if not isinstance(body, dict) else twisted(body), token),
                (body, None),
            ):
                self.client.cookies.clear()
                headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
                answer = self.client.request(method, address, json=wrong, headers=headers)
                if answer.is_error:
                    self.refusals.append(answer.text)


def twisted(body: dict[str, Any]) -> dict[str, Any]:
    """The same with every secret where a text belongs inside of a list."""
    return {key: [value] if SECRET.fullmatch(key) else value for key, value in body.items()}


def sow(sower: Sower) -> None:
    do, secret, learned = sower.do, sower.secret, sower.learned
    password = secret("first password")
    made = do(
        "POST /api/auth/setup", {"username": "ada", "password": password, "vault_password": secret("vault")}, token=None
    )
    sower.token = made["access_token"]
    do("PUT /api/users/profile", {"email": "ada@example.com"})
    confirming = learned("address link", link_of(waited(sower.box, 1)))
    do("POST /api/auth/confirm-address", {"token": confirming}, token=None)
    ada = {"username": "ada", "password": password}
    do("POST /api/auth/login", ada, token=None)
    do("POST /api/auth/sign-in/email", {"email": "ada@example.com", "password": password}, token=None)
    do("POST /api/v1/auth/login", {"email": "ada@example.com", "password": password}, token=None)
    sower.ask("POST /api/auth/login", {"username": "ada", "password": secret("mistyped")}, token=None)
    session = do("POST /api/auth/login", ada, token=None)
    fresh = do("POST /api/auth/refresh", {"refreshToken": session["refreshToken"]}, token=None)
    do("POST /api/auth/logout", {"refreshToken": fresh["refreshToken"]}, token=fresh["accessToken"])
    login = {"device_code": str(uuid.uuid4())}
    learned("device code", login["device_code"])
    do("POST /api/auth/cli/generate", login)
    told = do("POST /api/auth/cli/exchange", login, token=None)
    do("POST /api/auth/cli/refresh", {"refresh_token": told["refresh_token"]}, token=None)
    people(sower)
    things(sower)
    infrastructure(sower)
    tasks(sower)


def people(sower: Sower) -> None:
    do, secret, learned = sower.do, sower.secret, sower.learned
    asked = do("POST /api/users", {"username": "bob", "email": "bob@example.com"})
    learned("invitation", asked["token"])
    learned("mailed invitation", link_of(waited(sower.box, 2)))
    word = secret("invited password")
    bob = accepted(sower, asked["token"], word)
    do("POST /api/auth/verify-identity", {"password": word}, token=bob)
    newer = secret("changed password")
    do("POST /api/users/password", {"current_password": word, "new_password": newer}, token=bob)
    key = do("POST /api/auth/me/ssh-key", token=bob)
    learned("own ssh key", key["private_key"])
    begun = do("POST /api/auth/mfa/enroll", token=bob)
    totp = pyotp.TOTP(learned("totp", begun["totp_secret"]))
    codes = do("POST /api/auth/mfa/confirm", {"code": totp.now()}, token=bob)["backup_codes"]
    step = do("POST /api/auth/login", {"username": "bob", "password": newer}, token=None)
    do("POST /api/auth/mfa/verify", {"mfa_token": step["mfa_token"], "code": codes[0]}, token=None)
    renewed = do("POST /api/auth/mfa/backup-codes/regenerate", {"code": codes[1], "password": newer}, token=bob)
    for one in (*codes, *renewed["backup_codes"]):
        learned("recovery code", one)
    do("POST /api/auth/mfa/disable", {"code": renewed["backup_codes"][0], "password": newer}, token=bob)
    do("POST /api/auth/forgot-password", {"email": "bob@example.com"}, token=None)
    link = learned("reset link", link_of(waited(sower.box, 3)))
    answer = sower.ask("POST /api/auth/password-reset/" + link, {"password": secret("reset password")}, token=None)
    assert answer.is_success, answer.text
    sower.sent["POST /api/auth/password-reset/{token}"] = (f"/api/auth/password-reset/{link}", {"password": "x"}, None)
    do(
        "POST /api/users/{user_id}/reset-password",
        {"new_password": secret("set password")},
        user_id=str(asked["user"]["id"]),
    )
    first = secret("developer password")
    cleo = do("POST /api/admin/developers", {"name": "cleo", "password": first, "role": "lead"})
    session = do("POST /api/auth/login", {"username": "cleo", "password": first}, token=None)["access_token"]
    setup = do("POST /api/web/profile/totp/setup", {}, token=session)
    factor = pyotp.TOTP(learned("totp", setup["secret"]))
    for one in do("POST /api/web/profile/totp/verify", {"code": factor.now()}, token=session)["recoveryCodes"]:
        learned("recovery code", one)
    learned("personal token", do("POST /api/web/profile/tokens", {"label": "laptop"}, token=session)["token"])
    word = {"currentPassword": first, "newPassword": secret("profile password")}
    do("PUT /api/web/profile/password", word, token=session)
    do("PUT /api/admin/developers/{id}", {"password": secret("given password")}, id=str(cleo["id"]))


def accepted(sower: Sower, link: str, password: str) -> str:
    name = "POST /api/auth/invite/{token}"
    answer = sower.ask(f"POST /api/auth/invite/{link}", {"password": password}, token=None)
    assert answer.is_success, answer.text
    sower.sent[name] = (f"/api/auth/invite/{link}", {"password": password}, None)
    return sower.learned("session", answer.json()["access_token"])


def things(sower: Sower) -> None:
    do, secret, learned = sower.do, sower.secret, sower.learned
    provider = {
        "slug": "team",
        "issuer": "https://login.example.com",
        "clientId": "deck",
        "clientSecret": secret("client"),
    }
    made = do("POST /api/identity-providers", provider)["id"]
    do(
        "PATCH /api/identity-providers/{identityProviderId}",
        {"clientSecret": secret("newer client")},
        identityProviderId=made,
    )
    project = do("POST /api/projects", {"name": "Shop"})["id"]
    environment = do("POST /api/environments", {"projectId": project, "name": "live", "kind": "production"})["id"]
    where = {"projectId": project, "environmentId": environment, "name": "web"}
    locator = f"https://ada:{secret('locator')}@git.example.com/shop.git"
    web = do("POST /api/resources", {**where, "source": {"kind": "git-public", "locator": locator}})["id"]
    hidden = {"key": "FIG", "value": secret("environment"), "kind": "secret", "exposure": "runtime"}
    do("POST /api/environments/{environmentId}/variables", hidden, environmentId=environment)
    variable = {"key": "PLUM", "value": secret("variable"), "exposure": "runtime", "isSecret": True}
    do("POST /api/resources/{resourceId}/variables", variable, resourceId=web)
    text = {"content": f"LIME={secret('imported')}\n", "exposure": "runtime", "secretKeys": ["LIME"]}
    do("POST /api/resources/{resourceId}/variables/import", text, resourceId=web)
    do("POST /api/resources/{resourceId}/secrets", {"key": "KIWI", "value": secret("kept")}, resourceId=web)
    do("POST /api/resources/{resourceId}/secrets/{key}", {"value": secret("rotated")}, resourceId=web, key="KIWI")
    body = {"name": "Deploy", "kind": "ssh-private-key", "privateKey": learned("ssh key", new_pair().private.reveal())}
    credential = do("POST /api/credentials/ssh", body)["id"]
    newer = {
        "privateKey": learned("ssh key", new_pair().private.reveal()),
        "confirmation": {"credentialId": credential},
    }
    do("POST /api/credentials/ssh/{credentialId}/rotate", newer, credentialId=credential)
    server = do("POST /api/servers", {"name": "There", "host": "127.0.0.1", "port": 9, "providerKey": "generic-ssh"})[
        "id"
    ]
    way = {"kind": "ssh-private-key", "privateKey": learned("ssh key", new_pair().private.reveal()), "username": "x"}
    do("POST /api/servers/{serverId}/credentials", {"credential": way}, serverId=server)
    draft = {"host": "127.0.0.1", "port": 9, "providerKey": "generic-ssh", "credential": way}
    do("POST /api/servers/connectivity-tests", {"server": draft})
    here = (do("GET /api/organizations/current-context"))["currentOrganization"]["organizationId"]
    scope = {"workflowCommands": ["preview-cleanup"]}
    wish = {"organizationId": here, "displayName": "ci", "scope": scope, "idempotencyKey": "once"}
    token = do("POST /api/deploy-tokens", wish)
    learned("deploy token", shown(token))
    confirmed = {"organizationId": here, "confirmation": {"tokenId": token["tokenId"]}, "idempotencyKey": "twice"}
    learned("deploy token", shown(do("POST /api/deploy-tokens/{tokenId}/rotate", confirmed, tokenId=token["tokenId"])))


def infrastructure(sower: Sower) -> None:
    """What specifications and runners are entrusted with."""
    do, secret, learned = sower.do, sower.secret, sower.learned
    spec = {
        "project_name": "ledger",
        "region": "here",
        "provider": "local",
        "module": {"kind": "git", "url": "https://git.example.com/infra.git", "commit": "9f2c1ab0" * 5},
    }
    do("POST /api/cli/configurations/validate", {**spec, "module_token": secret("examined module")})
    made = do("POST /api/cli/configurations", {**spec, "module_token": secret("module")})["configuration"]["id"]
    do("PUT /api/cli/configurations/{name}", {**spec, "module_token": secret("newer module")}, name=made)
    do("POST /api/jobs", {"job_type": "PLAN", "configuration_id": made})
    minted = do("POST /api/cli/workers/enrolment-tokens", {"label": "rack"})
    joined = do("POST /api/workers/bootstrap", {"token": learned("runner enrolment", minted["token"])}, token=None)
    learned("runner token", joined["worker_token"])
    foreign = do("POST /api/cli/workers", {"name": "rack-7", "mode": "self-hosted"})
    learned("foreign runner token", foreign["worker_token"])
    begun = do("POST /api/cli/providers/{provider}/init", {"name": "theirs"}, provider="aws")
    learned("external id", begun["external_id"])


def tasks(sower: Sower) -> None:
    """What agents, machines and chats are entrusted with."""
    do, secret, learned = sower.do, sower.secret, sower.learned
    code = {
        "key": "SHOP", "name": "Shop of agents", "repoUrl": "https://git.example.com/shop.git",
        "environment": {"API_KEY": secret("agent")},
    }  # fmt: skip
    do("POST /api/admin/projects", code)
    do("PUT /api/web/projects/{key}/git-token", {"token": secret("git-token")}, key="SHOP")
    token = learned("enrolment token", do("POST /api/admin/worker-tokens", {"label": "shed"})["token"])
    machine = {"token": token, "machineId": str(uuid.uuid4()), "name": "shed", "capabilities": ["claude"]}
    joined = do("POST /api/workers/register", machine, token=None)
    learned("worker token", joined["token"])
    papers = {
        "machineId": joined["machineId"],
        "recoverySecret": learned("recovery secret", joined["recoverySecret"]),
    }
    back = do("POST /api/workers/recover", papers, token=None)
    learned("worker token", back["token"])
    learned("recovery secret", back["recoverySecret"])
    bot = {
        "platform": "lark", "appId": "cli_1", "name": "Deck", "appSecret": secret("bot"),
        "webhookToken": secret("webhook"), "encryptKey": secret("encryption"),
    }  # fmt: skip
    made = do("POST /api/admin/bots", bot)
    newer = {"appSecret": secret("newer-bot"), "webhookToken": secret("newer-webhook")}
    do("PUT /api/admin/bots/{id}", newer, id=str(made["id"]))
    # A chat's token comes from the chat: one that nobody was given is refused, and kept nowhere.
    strange = {"token": secret("chat")}
    assert sower.ask("POST /api/web/profile/bind-platform", strange).status_code in {400, 404, 410}
    sower.sent["POST /api/web/profile/bind-platform"] = ("/api/web/profile/bind-platform", strange, sower.token)
    hook = do("POST /api/admin/hooks", {"name": "ci", "url": "https://ci.example.com/h", "secret": secret("hook")})
    do("PUT /api/admin/hooks/{id}", {"secret": secret("newer-hook")}, id=str(hook["id"]))


def shown(token: dict[str, Any]) -> str:
    """The one text of an answer that is a deploy token."""
    texts = [(key, value) for key, value in token.items() if isinstance(value, str)]
    found = [value for key, value in texts if re.search("token|secret", key, re.IGNORECASE)]
    return max(found, key=len)


def waited(box: Mailbox, count: int) -> Any:
    until = time.monotonic() + 30
    while len(box.letters) < count:
        assert time.monotonic() < until
        time.sleep(0.02)
    return box.letters[count - 1]


@contextlib.contextmanager
def arguments(pid: int) -> Iterator[set[str]]:
    """Of every process below one, as long as this lasts."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen.update(lines_of(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def lines_of(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        yield Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from lines_of(int(child))


@contextlib.contextmanager
def full_trail(address: Path | str) -> Iterator[None]:
    """The database refuses audit events: every change becomes a defect, which is logged with where it happened."""
    ends = "DROP TRIGGER canary_full"
    if isinstance(address, Path):
        for statement in (FULL, ends):
            with contextlib.closing(sqlite3.connect(address, timeout=30)) as connection:
                connection.execute(statement)
                connection.commit()
            if statement == FULL:
                yield
        return
    for statement in (FULL_POSTGRESQL, f"{ends} ON audit_events"):
        with psycopg.connect(address) as connection:
            connection.execute(statement)
        if statement == FULL_POSTGRESQL:
            yield


def rows_of(address: str) -> str:
    with psycopg.connect(address) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found = [connection.execute(f'SELECT t::text FROM "{name}" t').fetchall() for (name,) in tables]
    return "\n".join(row for rows in found for (row,) in rows)


def forms(value: str) -> set[str]:
    """A secret as it may lie somewhere; of a key one line in its middle."""
    lines = [line for line in value.splitlines() if line and "PRIVATE KEY" not in line]
    plain = lines[len(lines) // 2] if len(lines) > 1 else value.strip()
    packed = base64.b64encode(plain.encode()).decode().rstrip("=")[:-1]
    return {plain, packed, json.dumps(plain)[1:-1], plain.encode().hex()}


def test_every_route_that_takes_a_secret_is_sown(tmp_path, database_address, database_kind):
    data = tmp_path / "data"
    settings: dict[str, Any] = {"log_level": "debug", "no_worker": None}
    if database_kind == "postgresql":
        settings["database_url"] = database_address
    with (
        mailbox() as box,
        serving(data, **settings, **box.settings) as served,
    ):
        served.ready()
        sower = Sower(served, box)
        with arguments(served.process.pid) as lines:
            sow(sower)
            assert bearing() - {*APART} <= {*sower.sent}
            with full_trail(database_address if database_kind == "postgresql" else data / "quarterdeck.db"):
                sower.again()
                for name, (address, body, token) in sower.sent.items():
                    headers = {"authorization": f"Bearer {token}"} if token else {}
                    answer = sower.client.request(name.split(" ")[0], address, json=body, headers=headers)
                    sower.refusals += [answer.text] if answer.is_error else []
        metrics = sower.client.get("/metrics").text
        trail = sower.client.get("/api/audit/export", headers={"authorization": f"Bearer {sower.token}"}).text
        sower.client.close()
        looked = {
            "the output": served.said(),
            "refusals": "\n".join(sower.refusals),
            "metrics": metrics,
            "the trail": trail,
            "arguments": "\n".join(lines),
        }
        assert '"request_failed"' in looked["the output"]
        assert "quarterdeck_http_requests_total" in metrics
        assert "user.first-administrator-created" in trail
        assert lines
        if database_kind == "postgresql":
            looked["rows"] = rows_of(str(database_address))
        files = {str(file.relative_to(data)): file.read_bytes() for file in data.rglob("*") if file.is_file()}
        served.stop()
    files |= {f"{file.relative_to(data)} afterwards": file.read_bytes() for file in data.rglob("*") if file.is_file()}
    found = []
    for what, value in sower.secrets.items():
        for form in forms(value):
            found += [f"{what} in {place}" for place, text in looked.items() if form in text]
            found += [f"{what} in {name}" for name, content in files.items() if form.encode() in content]
    assert len(sower.secrets) > 60
    assert found == []
