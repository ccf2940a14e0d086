from __future__ import annotations

import pytest

from quarterdeck.fleet.docker.build.ignore import Ignore


@pytest.mark.parametrize(
    ("rules", "excluded", "kept"),
    [
        ("*.log", ["a.log"], ["dir/a.log", "a.logs"]),
        ("**/*.log", ["a.log", "x/y/a.log"], ["a.txt"]),
        ("node_modules", ["node_modules", "node_modules/a/b"], ["x/node_modules", "node_modules2"]),
        ("**/node_modules", ["node_modules/a", "x/y/node_modules/z"], ["x/node_modulesy"]),
        ("/build/", ["build", "build/x"], ["x/build"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a/b", "z"]),
        ("*", ["a", "a/b", ".hidden"], []),
        ("**", ["a", "a/b"], []),
        ("?.txt", ["a.txt"], ["ab.txt", "/.txt"]),
        ("[a-c].txt\n[^x]y", ["a.txt", "zy"], ["d.txt", "xy"]),
        ("# a comment\n\n  spaced  ", ["spaced"], ["# a comment"]),
        ("*\n!keep", ["other"], ["keep", "keep/below"]),
        ("docs\n!docs/README.md", ["docs", "docs/a"], ["docs/README.md"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md", "README-x.md"]),
        ("!a\na", ["a"], []),
        (r"\#odd" + "\n" + r"a\*b", ["#odd", "a*b"], ["axb"]),
        ("a.b", ["a.b"], ["axb"]),
        ("./x\ny/../z", ["x", "z"], ["y"]),
    ],
)
def test_rules_choose_what_stays_at_home(rules: str, excluded: list[str], kept: list[str]) -> None:
    ignore = Ignore(rules)
    assert {path: ignore.excludes(path) for path in excluded + kept} == {
        **dict.fromkeys(excluded, True),
        **dict.fromkeys(kept, False),
    }


def test_nothing_excludes_the_dockerfile() -> None:
    ignore = Ignore("**", frozenset({"deploy/Dockerfile"}))
    assert not ignore.excludes("deploy/Dockerfile")
    assert ignore.excludes("deploy/other")
    assert ignore.may_enter("deploy")


def test_an_excluded_directory_is_entered_only_when_a_later_rule_could_take_something_back() -> None:
    ignore = Ignore("node_modules\ndocs\n!docs/*/keep\n!x/**/y")
    assert ignore.may_enter("docs")
    assert ignore.may_enter("docs/any")
    assert ignore.may_enter("x/anything")
    assert not ignore.may_enter("node_modules")
    assert not ignore.may_enter("docs/any/keep")
