"""What may be said about a project, value by value."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.projects.fields import check_environment, check_key, checked, require_described


@pytest.mark.parametrize("key", ["WEB", "a", "my-project", "9_lives", "x" * 64])
def test_a_key_is_letters_digits_and_two_signs(key):
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["", "-", "_a", "-a", "a b", "a/b", "é", "a.b", "x" * 65, "a\n", "%"])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(Invalid) as raised:
        check_key(key)
    assert raised.value.code == "project_key_invalid"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("repoUrl", "https://git.example.com/a/b.git"),
        ("repoUrl", "http://127.0.0.1:3000/a.git"),
        ("repoUrl", "http://[::1]:3000/a.git"),
        ("repoUrl", "git@git.example.com:a/b.git"),
        ("repoUrl", "ssh://git@git.example.com:2222/a/b.git"),
        ("sshUrl", "git@git.example.com:/srv/a.git"),
        ("sshUrl", "ssh://git.example.com/a"),
        ("forgeUrl", "https://git.example.com/api/v3"),
        ("defaultBranch", "release/1.x"),
        ("agentType", "claude"),
        ("agentType", "custom:reviewer"),
        ("maxTasks", 0),
        ("budgetUsd", 0.5),
    ],
)
def test_what_is_sound_is_kept_as_it_is(field, value):
    assert list(checked({field: value}).values()) == [value]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("repoUrl", ""),
        ("repoUrl", "--upload-pack=touch /tmp/x"),
        ("repoUrl", "ext::sh -c true"),
        ("repoUrl", "file:///srv/a.git"),
        ("repoUrl", "/srv/a.git"),
        ("repoUrl", "../a.git"),
        ("repoUrl", "https://ada:secret@git.example.com/a.git"),
        ("repoUrl", "https://token@git.example.com/a.git"),
        ("repoUrl", "https://git.example.com"),
        ("repoUrl", "https://git.example.com/a b"),
        ("repoUrl", "https://git.example.com/a%0ab"),
        ("repoUrl", "https:///a.git"),
        ("repoUrl", "https://-x/a.git"),
        ("repoUrl", "https://git.example.com:port/a.git"),
        ("repoUrl", "git@git.example.com:-x"),
        ("repoUrl", "git@git.example.com:a;touch"),
        ("repoUrl", "ssh://-oProxyCommand=x/a"),
        ("repoUrl", "ssh://-x@git.example.com/a"),
        ("repoUrl", "https://git.example.com/" + "a" * 1000),
        ("sshUrl", "https://git.example.com/a.git"),
        ("forgeUrl", "ssh://git.example.com"),
        ("forgeUrl", "git@git.example.com:a"),
        ("defaultBranch", "-x"),
        ("defaultBranch", "a..b"),
        ("defaultBranch", "a b"),
        ("defaultBranch", "a.lock"),
        ("defaultBranch", "/a"),
        ("defaultBranch", "a/"),
        ("defaultBranch", "a//b"),
        ("defaultBranch", "@"),
        ("defaultBranch", "a@{1}"),
        ("defaultBranch", None),
        ("agentType", "Claude"),
        ("agentType", "cladue"),
        ("agentType", "custom:a b"),
        ("forge", "sourcehut"),
        ("maxTasks", 1001),
        ("budgetUsd", float("nan")),
        ("budgetUsd", 0),
        ("customAgent", {"argv": []}),
        ("customAgent", {"argv": [" "]}),
        ("customAgent", {"argv": ["a\0"]}),
        ("customAgent", {"argv": ["a"], "readyPattern": "("}),
        ("customAgent", {"argv": ["a"], "readyPattern": ""}),
        ("customAgent", {"argv": ["a"], "authPatterns": ["ok", "["]}),
        ("customAgent", {"argv": ["a"], "dialogs": {"*": "y"}}),
        ("customAgent", {"argv": ["a"], "submitKey": ""}),
        ("customAgent", {"argv": ["a"], "env": {"1A": "x"}}),
        ("setupCommand", "x" * 10_001),
    ],
)
def test_what_could_do_harm_or_means_nothing_is_refused_by_its_name(field, value):
    with pytest.raises(Invalid) as raised:
        checked({field: value})
    assert raised.value.details["field"].startswith(field)
    assert "secret" not in raised.value.message


def test_a_custom_agent_is_kept_without_what_says_nothing_and_an_empty_command_is_none():
    told = {"argv": ["reviewer", "--run"], "readyPattern": "^> ", "env": None, "dialogs": {"trust\\?": "y"}}
    kept = {"argv": ["reviewer", "--run"], "readyPattern": "^> ", "dialogs": {"trust\\?": "y"}}
    assert checked({"customAgent": told, "setupCommand": " "}) == {"custom_agent": kept, "setup_command": None}


def test_variables_have_names_that_a_shell_takes():
    check_environment({"A": "x", "_b1": None}, "environment")
    for wrong in ({"1": "x"}, {"A-B": "x"}, {"": "x"}, {"A": "\0"}, {"A": "x" * 65_537}):
        with pytest.raises(Invalid):
            check_environment(wrong, "environment")


def test_a_custom_agent_has_to_be_described():
    with pytest.raises(Invalid, match="describes none") as raised:
        require_described("custom", None)
    assert raised.value.details["field"] == "customAgent"
    require_described("custom", {"argv": ["my-agent"]})
    require_described("custom:house", None)
    require_described(None, None)


def test_an_address_that_is_none_is_answered_with_what_one_looks_like():
    with pytest.raises(Invalid, match=r"https://git\.example\.com/team/shop\.git or .*git@git\.example\.com:team"):
        checked({"repoUrl": "shop"})
