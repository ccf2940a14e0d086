"""The code flow with PKCE, from the button to a session, and the end of sessions that a provider tells of."""

from __future__ import annotations

import hmac
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from sqlalchemy import delete, select

from quarterdeck.access import Access
from quarterdeck.identity import sessions, signing_in, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import ExternalAccount, Organization, User, UserSession
from quarterdeck.identity.oidc import claims, providers
from quarterdeck.identity.oidc.admitting import admit, connect
from quarterdeck.identity.oidc.discovery import Discovery, Metadata, fetch, unreachable
from quarterdeck.identity.oidc.model import OidcNotice, OidcProvider, OidcRequest
from quarterdeck.identity.sessions import Opened, token_hash
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Problem, Unauthenticated, Unavailable
from quarterdeck.kernel.principal import Principal, current
from quarterdeck.kernel.vault import Secret

LIFE = timedelta(minutes=10)
"""For which somebody may take to sign in at the provider."""
NOTICES = timedelta(minutes=15)
"""For which a logout token is remembered: longer than one is accepted."""
VERIFIER = "verifier"


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what its cookie holds meanwhile; `name` is what people call the provider."""

    name: str
    address: str
    browser: Secret[str]


@dataclass(frozen=True, slots=True)
class Finished:
    """`opened` is missing where an account was connected. `address` is where the browser wanted to."""

    address: str
    opened: Opened | None


@dataclass(frozen=True, slots=True)
class _Client:
    provider_id: int
    organization_id: int
    slug: str
    name: str
    issuer: str
    client_id: str
    client_secret: Secret[str] | None
    scope: str
    groups_claim: str


@dataclass(frozen=True, slots=True)
class _Asked:
    nonce: str
    verifier: Secret[str]
    address: str
    user_id: int | None


class RelyingParty:
    def __init__(self, db: Database, access: Access, discovery: Discovery | None = None) -> None:
        self._db = db
        self._access = access
        self.discovery = discovery or Discovery()

    async def begin(self, slug: str, *, redirect_uri: str, address: str, member: Principal | None = None) -> Begun:
        """Send a browser to a provider: to sign in, or to connect an account to a `member` of its organization.

        Raises `NotFound` (`identity_provider_not_found`) and `Unavailable`.
        """
        client = await self._db.read(_client, slug)
        if member is not None and member.organization_id != client.organization_id:
            providers.missing(slug)  # another organization's word about somebody here counts nothing
        user_id = member.id if member is not None else None
        known = await self._known(client)
        ids = self._db.ids
        state, nonce, verifier, browser = (ids.token(32) for _ in range(4))
        await self._db.write(
            _remember, client.provider_id, state=state, nonce=nonce, verifier=verifier, browser=browser,
            address=address, user_id=user_id,
        )  # fmt: skip
        oauth = _oauth(client, known, redirect_uri)
        target, _ = oauth.create_authorization_url(
            known.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
        )
        await oauth.aclose()
        return Begun(client.name, target, Secret(browser))

    async def finish(
        self, slug: str, *, redirect_uri: str, answer: Mapping[str, str], browser: str, user_agent: str | None
    ) -> Finished:
        """What the provider's answer (the query of the callback) opens.

        Raises `Unauthenticated` (`oidc_state_invalid`, `oidc_refused`, `oidc_token_invalid`), `Forbidden`,
        `Conflict` and `Unavailable`; a refusal of somebody is audited.
        """
        client = await self._db.read(_client, slug)
        asked = await self._db.write(_take, client.provider_id, answer.get("state", ""), browser)
        if asked is None:
            raise Unauthenticated(
                "This answer belongs to no sign-in of this browser: it took too long, or it was used before.",
                code="oidc_state_invalid",
                hint="Sign in again.",
            )
        known = await self._known(client)
        try:
            found = await self._proved(client, known, asked, answer, redirect_uri)
            done = await self._db.write(self._enter, client.slug, found, asked.user_id, user_agent)
            if isinstance(done, Problem):
                raise done
        except Problem as problem:
            await self._db.write(_refused, client.slug, problem.code)
            raise
        return Finished(asked.address, done)

    async def _proved(
        self, client: _Client, known: Metadata, asked: _Asked, answer: Mapping[str, str], redirect_uri: str
    ) -> dict[str, Any]:
        if "error" in answer or not answer.get("code"):
            raise _turned_down(client, answer.get("error_description") or answer.get("error") or "no code")
        if (known.names_itself or "iss" in answer) and answer.get("iss") != known.issuer:
            raise claims.invalid("another issuer answered")
        token = await _exchanged(client, known, asked, answer["code"], redirect_uri)
        raw = token.get("id_token")
        if not isinstance(raw, str):
            raise claims.invalid("there is none")
        keys = await self.discovery.keys(known, claims.kid(raw))
        found = claims.id_token(
            raw, keys, issuer=known.issuer, client_id=client.client_id, nonce=asked.nonce, now=self._db.clock.now()
        )
        bearer = token.get("access_token")
        lacking = client.groups_claim not in found or "email" not in found
        if lacking and known.userinfo_endpoint is not None and isinstance(bearer, str):
            more = await fetch(known.issuer, known.userinfo_endpoint, bearer=bearer)
            if isinstance(more, dict) and more.get("sub") == found["sub"]:
                found = {**more, **found}
        return found

    def _enter(
        self, tx: Tx, slug: str, found: Mapping[str, Any], user_id: int | None, user_agent: str | None
    ) -> Opened | Problem | None:
        provider = providers.usable(tx, slug)
        if user_id is not None:
            user = tx.get(User, user_id)
            if user is None or not user.active:
                return Forbidden("Your account is not active.", code="user_inactive", hint="Ask an administrator.")
            tx.act_as(users.principal(user, provider.organization_id))
            connect(tx, provider, user, str(found["sub"]))
            return None
        admitted = admit(tx, self._access, provider, found)
        if isinstance(admitted, Problem):
            return admitted
        organization = tx.get(Organization, provider.organization_id)
        assert organization is not None  # noqa: S101 - a provider belongs to one
        opened = signing_in.begin(
            tx, admitted, organization, kinds=("session",), client_kind="web", user_agent=user_agent
        )
        subject = (ExternalAccount.issuer == provider.issuer, ExternalAccount.subject == str(found["sub"]))
        account = tx.first(select(ExternalAccount).where(*subject))
        assert account is not None  # noqa: S101 - made by `admit`
        opened.session.external_account_id = account.id
        sid = found.get("sid")
        opened.session.external_session = sid[:255] if isinstance(sid, str) else None
        return opened

    async def _known(self, client: _Client) -> Metadata:
        try:
            return await self.discovery.metadata(client.issuer)
        except Unavailable as problem:
            raise _told(problem, client) from None

    async def ended(self, slug: str, token: str) -> int:
        """End what a logout token names. Answers how many sessions. Raises `Unauthenticated` (`oidc_token_invalid`)."""
        client = await self._db.read(_client, slug)
        known = await self._known(client)
        keys = await self.discovery.keys(known, claims.kid(token))
        found = claims.logout_token(
            token, keys, issuer=known.issuer, client_id=client.client_id, now=self._db.clock.now()
        )
        ended = await self._db.write(_end, client.slug, found)
        if ended is None:
            raise claims.invalid("it was sent before")
        return ended


def _client(tx: Tx, slug: str) -> _Client:
    row = providers.usable(tx, slug)
    return _Client(
        row.id, row.organization_id, row.slug, row.name, row.issuer, row.client_id, providers.secret(tx, row),
        " ".join(row.scopes), row.groups_claim,
    )  # fmt: skip


def _remember(
    tx: Tx, provider_id: int, *, state: str, nonce: str, verifier: str, browser: str, address: str, user_id: int | None
) -> None:
    hashed = token_hash(state)
    tx.add(
        OidcRequest(
            hash=hashed,
            provider_id=provider_id,
            browser=token_hash(browser),
            nonce=nonce,
            verifier=tx.vault.seal(OidcRequest.__tablename__, hashed, VERIFIER, Secret(verifier)),
            address=address[:1000],
            user_id=user_id,
            expires_at=tx.now + LIFE,
        )
    )


def _take(tx: Tx, provider_id: int, state: str, browser: str) -> _Asked | None:
    """What was asked under this state, once. Only the browser that asked takes it, so that nobody else can end it."""
    hashed = token_hash(state)
    row = tx.first(select(OidcRequest).where(OidcRequest.hash == hashed, OidcRequest.provider_id == provider_id))
    if row is None or not hmac.compare_digest(row.browser, token_hash(browser)):
        return None
    taken = tx.execute(delete(OidcRequest).where(OidcRequest.hash == hashed))
    if taken.rowcount != 1 or row.expires_at <= tx.now:  # type: ignore[attr-defined]
        return None
    verifier = tx.vault.open(OidcRequest.__tablename__, hashed, VERIFIER, row.verifier)
    return _Asked(row.nonce, verifier, row.address, row.user_id)


def _end(tx: Tx, slug: str, found: Mapping[str, Any]) -> int | None:
    """None for a token that was taken before."""
    provider = providers.usable(tx, slug)
    hashed = token_hash(f"{provider.issuer} {found['jti']}")
    tx.lock(f"oidc-notice:{hashed}")
    if tx.first(select(OidcNotice).where(OidcNotice.hash == hashed)) is not None:
        return None
    tx.add(OidcNotice(hash=hashed, expires_at=tx.now + NOTICES))
    accounts = select(ExternalAccount.id).where(ExternalAccount.issuer == provider.issuer)
    if "sub" in found:
        accounts = accounts.where(ExternalAccount.subject == str(found["sub"]))
    named = select(UserSession).where(
        UserSession.external_account_id.in_(accounts),
        UserSession.organization_id == provider.organization_id,
        UserSession.revoked_at.is_(None),
    )
    if "sid" in found:
        named = named.where(UserSession.external_session == str(found["sid"]))
    live = list(tx.scalars(named))
    for session in live:
        sessions.revoke_row(tx, session)
        audit.record(
            tx,
            IdentityAction.SESSION_REVOKED,
            resource_type="session",
            resource_id=session.uid,
            organization_id=session.organization_id,
            detail={"identityProvider": provider.slug},
        )
    return len(live)


def _refused(tx: Tx, slug: str, code: str) -> None:
    provider: OidcProvider = providers.usable(tx, slug)
    audit.record(
        tx,
        IdentityAction.SIGN_IN_FAILED,
        resource_type="identity-provider",
        resource_id=provider.uid,
        organization_id=provider.organization_id,
        outcome="denied",
        detail={"reason": code, "address": current.get().address},
    )


def _told(problem: Unavailable, client: _Client) -> Unavailable:
    """Of a provider that answers for itself here: what administrators can look at."""
    problem.hint = f"{problem.hint} Administrators: qd identity-provider test {client.slug}"
    return problem


async def _exchanged(
    client: _Client, known: Metadata, asked: _Asked, code: str, redirect_uri: str
) -> Mapping[str, Any]:
    oauth = _oauth(client, known, redirect_uri)
    try:
        token = await oauth.fetch_token(
            known.token_endpoint, code=code, code_verifier=asked.verifier.reveal(), grant_type="authorization_code"
        )
    except AuthlibBaseError as error:
        raise _turned_down(client, error.error or "no reason given") from None
    except (httpx.HTTPError, OSError, ValueError) as error:
        raise _told(unreachable(client.issuer, type(error).__name__), client) from None
    finally:
        await oauth.aclose()
    return token if isinstance(token, Mapping) else {}


def _oauth(client: _Client, known: Metadata, redirect_uri: str) -> Any:
    """Authlib's client: imported at need, as an installation without a provider pays nothing for it."""
    with warnings.catch_warnings():
        import authlib.deprecate  # it would rather have a successor of httpx, and insists on being heard

        warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
        from authlib.integrations.httpx_client import AsyncOAuth2Client

    method = "none"
    if client.client_secret is not None:
        basic = "client_secret_basic" in known.methods or "client_secret_post" not in known.methods
        method = "client_secret_basic" if basic else "client_secret_post"
    return AsyncOAuth2Client(
        client_id=client.client_id,
        client_secret=client.client_secret.reveal() if client.client_secret is not None else None,
        scope=client.scope,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
        timeout=10.0,
        follow_redirects=False,
    )


def _turned_down(client: _Client, why: str) -> Unauthenticated:
    plain = "".join(letter for letter in why if letter.isprintable())[:200]
    return Unauthenticated(
        f"{client.name} did not let you in: {plain}.",
        code="oidc_refused",
        hint="Try again, or sign in with a password.",
    )
