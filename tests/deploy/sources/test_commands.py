from __future__ import annotations

from pathlib import Path

from quarterdeck.deploy.sources.git import answers, commands
from quarterdeck.fleet.git import commands as git
from quarterdeck.fleet.git import locators
from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.kernel.vault import Secret

STORE = Path("/work/git")


def configuration(environment) -> dict[str, object]:
    count = int(environment["GIT_CONFIG_COUNT"])
    return {environment[f"GIT_CONFIG_KEY_{n}"]: environment[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}


def test_a_branch_is_asked_for_and_fetched_by_these_commands():
    url = "https://h.test/a.git"
    assert [c.argv for c in commands.ask_commands(url, "main", {})] == [
        ("git", "ls-remote", "--symref", "--", url, "refs/heads/main", "refs/tags/main", "refs/tags/main^{}")
    ]
    fetch = ("git", "--git-dir=/work/git", "fetch", "--progress", "--no-tags", "--no-write-fetch-head")
    fetch = (*fetch, "--no-recurse-submodules")
    assert [c.argv for c in commands.fetch_commands(url, STORE, "refs/heads/main", {})] == [
        ("git", "init", "--quiet", "--bare", "--template=", "--", "/work/git"),
        (*fetch, "--depth=1", "--", url, "+refs/heads/main:refs/quarterdeck/source"),
    ]
    assert commands.fetch_commands(url, STORE, None, {})[1].argv == (
        *fetch,
        "--",
        url,
        "+refs/heads/*:refs/quarterdeck/heads/*",
        "+refs/tags/*:refs/quarterdeck/tags/*",
    )
    assert commands.checkout_command(STORE, Path("/work/tree"), "a" * 40, {}).argv == (
        "git", "--git-dir=/work/git", "--work-tree=/work/tree", "checkout", "--quiet", "--force", "--detach", "a" * 40,
        "--",
    )  # fmt: skip


def test_the_environment_lets_nothing_of_the_host_in_and_one_protocol_out():
    address = locators.parse("https://h.test:8443/a.git")
    inherited = {"PATH": "/bin", "HOME": "/root", "GIT_DIR": "/x", "SECRET": "y", "https_proxy": "http://p.test:3128"}
    env = git.environment(address, Path("/work"), inherited=inherited)
    settings = configuration(env)
    assert {k: v for k, v in env.items() if not k.startswith("GIT_CONFIG_")} == {
        "PATH": "/bin",
        "https_proxy": "http://p.test:3128",
        "HOME": "/work",
        "LC_ALL": "C",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_SSH_VARIANT": "ssh",
        "GIT_SSH_COMMAND": "/bin/false",
    }
    assert (env["GIT_CONFIG_NOSYSTEM"], env["GIT_CONFIG_GLOBAL"]) == ("1", "/dev/null")
    assert settings["protocol.allow"] == settings["protocol.ext.allow"] == "never"
    assert settings["protocol.https.allow"] == "always"
    assert settings["core.hooksPath"] == "/dev/null"
    assert settings["http.followRedirects"] == "initial"


def test_a_token_travels_in_one_header_for_one_origin():
    address = locators.parse("https://h.test:8443/a.git")
    env = git.environment(address, Path("/work"), token=GitToken(Secret("pw"), "ada"))
    settings = configuration(env)
    header = settings["http.https://h.test:8443/.extraHeader"]
    assert isinstance(header, Secret)
    assert header.reveal() == "Authorization: Basic YWRhOnB3"
    assert settings["http.followRedirects"] == "false"
    assert "YWRhOnB3" not in repr(env)


def test_ssh_asks_nobody_and_trusts_no_file_but_ours():
    first = git.ssh_command(git.Ssh(Path("/data/known hosts"), Path("/work/key")))
    again = git.ssh_command(git.Ssh(Path("/data/known hosts"), None, host_is_known=True))
    assert first == (
        "ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none -o PasswordAuthentication=no"
        " -o KbdInteractiveAuthentication=no -o StrictHostKeyChecking=accept-new"
        " -o 'UserKnownHostsFile=\"/data/known hosts\"' -o GlobalKnownHostsFile=/dev/null -o HashKnownHosts=no"
        " -o UpdateHostKeys=no -o ForwardAgent=no -o ClearAllForwardings=yes -o ConnectTimeout=30"
        " -o ServerAliveInterval=15 -o ServerAliveCountMax=2 -o 'IdentityFile=\"/work/key\"'"
    )
    assert "StrictHostKeyChecking=yes" in again
    assert "IdentityFile=none" in again


def test_a_branch_is_preferred_to_a_tag_and_an_empty_repository_has_no_default():
    text = b"ref: refs/heads/main\tHEAD\naa\tHEAD\naa\trefs/heads/x\nbb\trefs/tags/x\nbb\trefs/tags/y\n"
    remote = answers.advertised(text)
    assert [remote.pick(ref) for ref in (None, "x", "y", "z", "refs/tags/x")] == [
        "refs/heads/main", "refs/heads/x", "refs/tags/y", None, "refs/tags/x",
    ]  # fmt: skip
    assert answers.advertised(b"ref: refs/heads/main\tHEAD\n").pick(None) is None


def test_a_listing_counts_files_and_names_submodules():
    lines = [
        b"100644 blob aa      12\ta.txt",
        b"160000 commit bb       -\tlib",
        b"120000 blob cc       3\tx/.gitattributes",
    ]
    listing = answers.listing(b"\0".join(lines) + b"\0")
    assert listing == answers.Listing(15, 2, {"lib": "bb"}, uses_large_files=True)
    text = b"submodule.a.b.path\nlib\0submodule.a.b.url\n../lib.git\0submodule.c.url\nx\0"
    assert answers.modules(text) == {"lib": "../lib.git"}
