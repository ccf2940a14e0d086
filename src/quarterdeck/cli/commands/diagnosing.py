"""Finding out what is wrong: `diagnose` a resource, `lookup` a request that was not served."""

from __future__ import annotations

from quarterdeck.cli import names
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import session

COMMON = Common()


def diagnose(
    resource: str | None = None, /, *, deployment: str | None = None, lines: int = 20, common: Common = COMMON
) -> None:
    """Print where a resource runs, its newest deployment and failure, its addresses, its proxy, and the last log lines.

    Secrets are masked: the answer may be given to others.

    qd diagnose shop
    qd diagnose shop --lines 50 > shop.json

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    deployment
        Look at this deployment (dep_…) instead of the newest one.
    lines
        How many lines of each log, at most 50.
    """
    with session(common) as opened:
        found = names.resource(opened.api, resource)
        query = {"tailLines": lines, "deploymentId": deployment}
        answer = opened.api.read("resources.diagnostic-summary", query, resourceId=found.id)
        opened.terminal.answer(answer, name=found.id, text=answer["copy"]["json"])


def lookup(request_id: str, /, *, common: Common = COMMON) -> None:
    """Say why a visitor was not served. The page that he saw, and the header X-Request-Id, show the id.

    qd lookup 6f0d6a3c-5b1e-4b43-9d0c-0a9a3d4f7c11

    Parameters
    ----------
    request_id
        The id.
    """
    with session(common) as opened:
        answer = opened.api.read("resources.access-failure-evidence.lookup", requestId=request_id)
        evidence = answer["evidence"]
        affected = evidence.get("affected") or {}
        lines = [
            f"{evidence['httpStatus']}  {evidence['code']}",
            f"  request     {affected.get('method', '')} {affected.get('hostname', '')}{affected.get('path', '')}",
            f"  when        {answer['capturedAt']}",
            *(f"  {name.removesuffix('Id'):<11} {ref}" for name, ref in (answer.get("relatedIds") or {}).items()),
            f"  look at     {answer['nextAction'].replace('-', ' ')}",
        ]
        opened.terminal.answer(answer, name=request_id, text="\n".join(lines))
