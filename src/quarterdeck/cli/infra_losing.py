"""Asking before something of an infrastructure is lost."""

from __future__ import annotations

from quarterdeck.cli.options import Losing
from quarterdeck.cli.session import Session


def sure(opened: Session, lost: str, name: str, losing: Losing) -> None:
    """Have the name of what is lost typed, unless --confirm gives it or --yes says that nobody is to be asked. A name
    that is given has to be right in either case. Raises `Failure`.
    """
    if losing.yes and losing.confirm is None:
        return
    opened.terminal.confirm_typed(lost, name, losing.confirm)
