"""Mara's own account, as a test's console knows it: what she signs in with, and what acts for her."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.views.account import Enrolment, NewToken, OrganizationRow, SignInView, TokenRow
from quarterdeck.kernel.errors import Invalid

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ADDRESS = f"otpauth://totp/Quarterdeck:mara?secret={SECRET}&issuer=Quarterdeck"
CODES = tuple(f"{number:08x}-4e5f6a7b" for number in range(10))
PASSWORD = "correct horse battery"
TOKEN = "ov_pat_3_Zm9yLXRoaXMtYW5zd2VyLWFsb25lLWFuZC1uby1vdGhlcg"


class OwnSide:
    _did: Any
    """What was done is written down by whoever inherits this."""
    empty: bool
    own = SignInView(password=True, factor=None, codes=0, others=1, tokens=2)

    async def sign_in_view(self, who: Any) -> SignInView:
        return self.own

    async def change_password(self, who: Any, *, present: str, new: str) -> None:
        if present != PASSWORD:
            raise Invalid("The current password is wrong.", hint="Type the one.", field="currentPassword")
        if len(new) < 10:
            raise Invalid("A password has 10 to 512 characters.", hint="Choose a longer one.", field="password")
        self._did("change-password", new)

    async def sign_out_elsewhere(self, who: Any) -> int:
        self._did("sign-out-elsewhere")
        return 1

    async def begin_factor(self, who: Any) -> Enrolment:
        self._did("begin-factor")
        return Enrolment(SECRET, ADDRESS)

    async def begun_factor(self, who: Any, secret: str) -> Enrolment | None:
        return Enrolment(SECRET, ADDRESS) if secret == SECRET else None

    async def confirm_factor(self, who: Any, code: str) -> tuple[str, ...]:
        return self._with(code, "confirm-factor")

    async def renew_codes(self, who: Any, code: str) -> tuple[str, ...]:
        return self._with(code, "renew-codes")

    def _with(self, code: str, deed: str) -> tuple[str, ...]:
        if code != "123456":
            raise Invalid("The code is wrong.", code="second_factor_code_wrong", hint="Give the newest.")
        self._did(deed)
        return CODES

    async def switch_off_factor(self, who: Any, *, password: str, code: str) -> None:
        if password != PASSWORD:
            raise Invalid("The current password is wrong.", code="password_wrong", hint="Give yours.")
        self._with(code, "factor-off")

    async def tokens(self, who: Any) -> tuple[TokenRow, ...]:
        if self.empty:
            return ()
        ago = timedelta(days=1)
        return (
            TokenRow("3", "laptop", "ov_pat_3_Zm9yL", (), "Saltmarsh", NOW - ago, None, NOW, None, False),
            TokenRow(
                "2", "backup <b>job</b>", "ov_pat_2_aaaaa", ("deploy:read", "runbooks"), "Saltmarsh", NOW - 40 * ago,
                NOW + 50 * ago, None, None, False,
            ),
            TokenRow("1", "old", "ov_pat_1_bbbbb", (), "Saltmarsh", NOW - 90 * ago, NOW - ago, NOW - ago, None, True),
        )  # fmt: skip

    async def create_token(self, who: Any, *, label: str, scopes: tuple[str, ...], days: int | None) -> NewToken:
        if not label:
            raise Invalid("A token is called by 1 to 200 characters.", hint="Say what it is for.", field="label")
        self._did("create-token", label, scopes, days)
        return NewToken(label, TOKEN)

    async def revoke_token(self, who: Any, ref: str) -> None:
        self._did("revoke-token", ref)

    async def organizations(self, who: Any) -> tuple[OrganizationRow, ...]:
        here = OrganizationRow("org_1", "Saltmarsh", "saltmarsh", "owner", True)
        return (here,) if self.empty else (here, OrganizationRow("org_2", "Acme Ltd", "acme", "developer", False))

    async def switch_organization(self, who: Any, ref: str) -> None:
        self._did("switch-organization", ref)
