"""`qd spec edit`, `diff`, `versions`, `export` and `validate`: the document of a spec."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from quarterdeck.cli import infra_documents, infra_naming
from quarterdeck.cli.commands import infra_specs as noun
from quarterdeck.cli.commands.infra_specs import File, Values
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.infra_options import Version, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common, Words
from quarterdeck.cli.session import Session
from quarterdeck.cli.states import Tone
from quarterdeck.cli.tasks import local

COMMON, CHANGING = Common(), Changing()
SpecId = Annotated[str | None, Parameter(name=["--id", "--spec-id"])]
SIGNS = {"added": "+", "removed": "-", "changed": "~"}
TONES: dict[str, Tone] = {"+": "good", "-": "bad", "~": "run"}
spec = noun.spec
"""With all its verbs."""


def edit(
    spec: str | None = None,
    /,
    *,
    spec_id: SpecId = None,
    file: File = None,
    values: Values = (),
    drift_identity_id: Annotated[str | None, Parameter(name="--drift-identity-id")] = None,
    comment: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Change the document of a spec: in your editor, from a file, or single values. Nothing is applied by it.

    qd spec edit ledger
    qd spec edit ledger --set cluster.node_max_size=8 --set databases.main.max_capacity=8
    qd spec edit ledger -f ledger.yaml
    qd spec edit ledger --drift-identity-id 9d0b1c2d-1111-4222-8333-444455556666

    Somebody else's change is never written over: it is refused with 6, and what you wrote is kept in a file.

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    spec_id
        The same, by name.
    file
        A YAML or JSON file with the whole document, or - for stdin.
    values
        One value of the document; may be given several times. Entries of lists go by number or name.
    drift_identity_id
        Whom looks for drift become in the cloud, by id, label or provider: one of the same account that can only read.
        None: the one of everything else.
    comment
        What this version is for; shown by qd spec versions.
    """
    with session(changing) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id), option="--id")
        name, identity = str(found["project_name"]), str(found["id"])
        before = opened.api.read("specs.show", specId=identity)["configuration"]
        written = None
        if file is not None:
            document = infra_documents.spec(file)
        elif values or drift_identity_id is not None:
            document = _document(opened, identity)
        else:
            written = _written(opened, identity, name)
            document = _read(written, name)
        document = infra_documents.with_values(document, values)
        if drift_identity_id is not None:
            none = drift_identity_id.lower() == "none"
            looks = None if none else infra_naming.identity(opened, drift_identity_id)["id"]
            document = {**document, "drift_cloud_identity_id": looks}
        body = {**document, "version": before["version"]} | ({"comment": comment} if comment else {})
        try:
            with about(conflict=f"qd spec diff {name}   then: qd spec edit {name}", usage=f"qd spec export {name}"):
                answer = opened.api.change("specs.replace", body, specId=identity)
        except Failure:
            if written is not None:
                _kept(opened, written, name)
            raise
        _changed(opened, answer, before)


def _changed(opened: Session, answer: Row, before: Row) -> None:
    """Say what came of it: nothing where the server had this document already, and what another name may do."""
    name, identity = str(before["project_name"]), str(before["id"])
    opened.sent()
    row = answer["configuration"]
    if all(row[key] == before[key] for key in ("version", "updated_at")):
        opened.done(answer, name=identity, text=f"Nothing is different: {name} is as it was.")
        return
    called = str(row["project_name"])
    text = f"Changed spec {name}." if called == name else f"Changed spec {name}, which is called {called} now."
    opened.done(answer, name=identity, text=text)
    if called != name and row.get("resources"):
        opened.terminal.say("  Resources are named after it: a plan may replace every one of them. Read it first.")
    opened.terminal.say(f"Try:   qd plan {called} --wait")


def _document(opened: Session, identity: str) -> Row:
    content = opened.api.read("specs.export", {"format": "json"}, specId=identity)["content"]
    return infra_documents.plain(json.loads(content), "The export")


def _written(opened: Session, identity: str, name: str) -> str:
    if not opened.terminal.asks:
        raise usage(
            "There is nobody at a terminal to edit.",
            f"qd spec edit {name} --set KEY=VALUE, or -f FILE",
            code="input_required",
        )
    before = str(opened.api.read("specs.export", {"format": "yaml"}, specId=identity)["content"])
    after = infra_documents.edited(before, name)
    if after == before:
        raise Failure("Nothing was changed.", code="declined")
    return after


def _read(written: str, name: str) -> Row:
    import yaml

    try:
        return infra_documents.plain(yaml.safe_load(written), "What you wrote")
    except (Failure, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        file = _saved(written, "spec")
        raise usage(
            f"What you wrote is no document of a spec{where}; it is kept in {file}.",
            f"qd spec edit {name} --file {file}",
            code="yaml",
        ) from None


def _kept(opened: Session, written: str, name: str) -> None:
    file = _saved(written, name)
    opened.terminal.say(f"What you wrote is kept in {file}; send it again with: qd spec edit {name} --file {file}")


def _saved(written: str, name: str) -> Path:
    with tempfile.NamedTemporaryFile("w", prefix=f"qd-{name}-", suffix=".yaml", delete=False, encoding="utf-8") as kept:
        kept.write(written)
    return Path(kept.name)


def versions(spec: str | None = None, /, *, spec_id: SpecId = None, common: Common = COMMON) -> None:
    """List what a spec was before, newest first.

    qd spec versions ledger

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    spec_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id), option="--id")
        rows = infra_naming.whole(opened.api, "specs.versions", "versions", specId=str(found["id"]))
        cells = [
            [
                str(row["number"]),
                local(row["created_at"]),
                "now" if row["current"] else "",
                "stands" if row["applied"] else "",
                str(row["configuration_hash"])[:12],
                str(row.get("comment") or ""),
            ]
            for row in rows
        ]
        columns = ["VERSION", "WRITTEN", "", "APPLIED", "HASH", "COMMENT"]
        numbers = [str(row["number"]) for row in rows]
        opened.terminal.table(rows, columns, cells, names=numbers, document={"versions": rows})


def diff(
    spec: str | None = None,
    first: Version | None = None,
    last: Version | None = None,
    /,
    *,
    spec_id: SpecId = None,
    before: Annotated[int | None, Parameter(name="--from")] = None,
    after: Annotated[int | None, Parameter(name="--to")] = None,
    common: Common = COMMON,
) -> None:
    """Show what changed between two versions of a spec. Without versions: by the last change.

    qd spec diff ledger
    qd spec diff ledger 3 5
    qd spec diff --id ledger --from 3 --to 5

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    first
        The earlier version, by its number.
    last
        The later version. Default: the newest.
    spec_id
        The spec, by name.
    before
        The earlier version, by name.
    after
        The later version, by name.
    """
    with session(common) as opened:
        found = infra_naming.spec(opened, one_of(spec, spec_id), option="--id")
        query = {"from": before if first is None else first, "to": after if last is None else last}
        with about(not_found=f"qd spec versions {found['project_name']}"):
            answer = opened.api.read("specs.diff", query, specId=str(found["id"]))
        _changes(opened, answer)


def _changes(opened: Session, answer: Row) -> None:
    terminal, found = opened.terminal, answer["changes"]
    if terminal.format != "text":
        rows = [[str(one["kind"]), str(one["path"]), _cell(one, "before"), _cell(one, "after")] for one in found]
        columns = ["CHANGE", "PATH", "BEFORE", "AFTER"]
        terminal.table(found, columns, rows, names=[str(one["path"]) for one in found], document=answer)
        return
    if not found:
        one, other = answer["from"], answer["to"]
        terminal.say(f"There is one version, {one}." if one == other else f"Versions {one} and {other} are alike.")
    arrow = "->" if terminal.ascii else "→"
    for one in found:
        sign = SIGNS[one["kind"]]
        sides = {"+": _cell(one, "after"), "-": _cell(one, "before")}
        said = sides.get(sign) or f"{_cell(one, 'before')} {arrow} {_cell(one, 'after')}"
        terminal.line(f"{terminal.paint(sign, TONES[sign])} {terminal.plain(one['path'])}  {terminal.plain(said)}")


def _cell(one: Row, side: str) -> str:
    absent = {"added": "before", "removed": "after"}.get(one["kind"])
    return "" if side == absent else json.dumps(one[side], ensure_ascii=False)


def export(
    spec: str | None = None,
    /,
    *,
    spec_id: SpecId = None,
    format: Annotated[Literal["yaml", "json", "legacy-yaml"], Parameter(name="--format")] = "yaml",  # noqa: A002 - its name on the command line
    common: Common = COMMON,
) -> None:
    """Print the document of a spec, without secrets, so that it can be kept, changed and sent back.

    qd spec export ledger > ledger.yaml
    qd spec export ledger --format json

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    spec_id
        The same, by name.
    format
        yaml, json, or legacy-yaml (as older clients have it).
    """
    with session(common) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id), option="--id")
        answer = opened.api.read("specs.export", {"format": format}, specId=str(found["id"]))
        opened.terminal.answer(answer, name=str(answer["filename"]), text=str(answer["content"]).rstrip("\n"))


def validate(
    file: Words | None = None,
    /,
    *,
    named: Annotated[str | None, Parameter(name=["--file", "-f"])] = None,
    common: Common = COMMON,
) -> None:
    """Check the document of a spec without keeping it. Ends with 0 when it is good, with 1 when it is not.

    qd spec validate ledger.yaml
    qd spec validate - < ledger.yaml

    Parameters
    ----------
    file
        A YAML or JSON file, or - for stdin.
    named
        The same, by name.
    """
    place = one_of(file, named, "--file")
    if place is None:
        raise usage("Say which file.", "qd spec validate ledger.yaml")
    document = infra_documents.spec(place)
    with session(common) as opened:
        answer = opened.api.change("specs.validate", document)
        found, called = answer["errors"], "What stdin says" if place == "-" else place
        if answer["valid"]:
            opened.terminal.answer(answer, name="valid", text=f"{called} is a good document.")
            return
        for one in found:
            opened.terminal.say(f"  {one['field']}: {one['message']}" if one.get("field") else f"  {one['message']}")
        number = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
        raise Failure(
            f"{called} has {number}.",
            exit=Exit.FAILED,
            code="spec_invalid",
            hint=f"Mend it, then: qd spec validate {place}",
            facts={"valid": False, "errors": found},
        )


for _command in (edit, versions, diff, export, validate):
    spec.command(_command)
