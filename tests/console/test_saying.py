"""Everything that the audit trail tells has words for people, and each thing its name and, if there is one, a page."""

from __future__ import annotations

import ast
from pathlib import Path

import quarterdeck
from quarterdeck.console.domain.places import KINDS, LOOKS, ONLY, subject_of
from quarterdeck.console.domain.saying import OTHERWISE, SAID, said
from quarterdeck.fleet.credentials import credentials
from quarterdeck.fleet.credentials.keys import new_pair
from quarterdeck.identity import sessions
from quarterdeck.kernel.principal import Context, current
from support.deck import running, signed_in

SOURCES = Path(quarterdeck.__file__).parent


def declared():
    """Every action that a class of the vocabulary declares, whether its module is loaded or not."""
    for file in SOURCES.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "Action)" not in text:
            continue
        for made in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)):
            if any(ast.unparse(base).rpartition(".")[2] == "Action" for base in made.bases):
                values = (node.value for node in made.body if isinstance(node, ast.Assign))
                yield from (value.value for value in values if isinstance(value, ast.Constant))


def test_every_action_of_the_trail_has_words_and_nothing_else_has():
    assert sorted(SAID) == sorted(declared())
    assert {action for action, _ in OTHERWISE} <= set(SAID)
    for action, words in SAID.items():
        assert words == words.strip(), action
        assert words[0].islower(), action
    assert said("deployment.finished", "failure") == "could not deploy"
    assert said("thing.of-another-release", "success") == "thing of another release:"


def test_every_type_of_thing_in_the_trail_is_known_by_name():
    """Those that stand in the calls that write it; a type that is not written out there is one of these."""
    written = set()
    for file in SOURCES.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "resource_type=" not in text or "/console/" in str(file) or "/surfaces/" in str(file):
            continue
        for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
            for one in call.keywords:
                if one.arg == "resource_type" and isinstance(one.value, ast.Constant):
                    written.add(one.value.value)
    assert len(written) > 25
    further = {
        "bot",
        "webhook",
        "audit-archive",
        "legal-hold",
        "route-surface",
        "deployment-overlay",
        "usage-intent",
        "secret",
    }
    assert set(KINDS) == written | further
    assert set(LOOKS) | ONLY <= set(KINDS)


async def test_things_have_their_names_and_their_pages_and_what_is_gone_what_is_left_of_it(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        deck = await signed_in(made)
        body = {"key": "WEB", "name": "Shop", "repoUrl": "https://git.example.com/a.git", "agentType": "claude"}
        answer = await deck.client.post(
            "/api/admin/projects", json=body, headers={"authorization": f"Bearer {deck.token}"}
        )
        assert answer.status_code == 201, answer.text

        who = await deck.instance.db.read(sessions.authenticate, deck.token)
        current.set(Context(principal=who))

        def verb(tx):
            return credentials.create(tx, name="deploy", private_key=new_pair().private).ref

        key = await deck.instance.db.write(verb)

        def names(tx):
            return {ref: subject_of(tx, ref) for ref in called(key)}

        assert await deck.instance.db.read(names) == called(key)


def called(key):
    return {
        f"ssh-credential:{key}": ("SSH key deploy", "/console/fleet/keys"),
        "ssh-credential:gone": ("SSH key gone", None),
        "task:42": ("task #42", "/console/tasks/42"),
        "task-project:WEB": ("WEB", "/console/tasks/projects/WEB"),
        "task-project:GONE": ("GONE", None),
        "task-settings:1": ("the settings of tasks", "/console/tasks/settings"),
        "retention-run:*": ("retention runs", None),
        "prune-policy:*": ("tidying policies", "/console/fleet/policies"),
        "job:*": ("jobs", "/console/jobs"),
        "job:gone": ("job gone", "/console/jobs"),
        "bot:3": ("bot 3", "/console/tasks/bots"),
        "worker:gone": ("machine gone", None),
        "server:srv_gone": ("srv_gone", None),
        "thing:1": ("thing 1", None),
    }
