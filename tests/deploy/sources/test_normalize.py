from __future__ import annotations

import dataclasses
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.deploy.sources import images, paths
from quarterdeck.deploy.sources.normalize import commit_sha, fingerprint, git_ref, normalize
from quarterdeck.deploy.sources.spec import GitKey, SourceSpec
from quarterdeck.fleet.git import locators
from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret


def test_a_github_tree_address_is_taken_apart():
    source = normalize(SourceSpec("git-public", "https://github.com/acme/shop/tree/main/apps/web"))
    assert source == SourceSpec(
        "git-public",
        "https://github.com/acme/shop.git",
        git_ref="main",
        base_directory="apps/web",
        original_locator="https://github.com/acme/shop/tree/main/apps/web",
    )
    assert normalize(source) == source


def test_what_was_given_beats_what_the_address_says():
    given = SourceSpec("git-public", "https://github.com/acme/shop/tree/main/a", git_ref="v2", base_directory="b")
    source = normalize(given)
    assert (source.git_ref, source.base_directory) == ("v2", "b")


def test_other_pages_of_github_are_refused():
    with pytest.raises(Invalid, match="not a repository"):
        normalize(SourceSpec("git-public", "https://github.com/acme/shop/issues/3"))


@pytest.mark.parametrize(
    ("locator", "url", "host"),
    [
        ("https://Git.Example.test/a/b.git", "https://git.example.test/a/b.git", "git.example.test"),
        ("http://127.0.0.1:3000/a", "http://127.0.0.1:3000/a", "127.0.0.1"),
        ("ssh://git@example.test:2222/a/b", "ssh://git@example.test:2222/a/b", "example.test"),
        ("git@example.test:a/b.git", "git@example.test:a/b.git", "example.test"),
        ("file:///srv/git/a.git", "file:///srv/git/a.git", None),
        ("https://[::1]:8443/a", "https://[::1]:8443/a", "::1"),
    ],
)
def test_addresses_of_the_allowed_protocols(locator, url, host):
    address = locators.parse(locator)
    assert (address.url, address.host) == (url, host)


@pytest.mark.parametrize(
    "locator",
    [
        "",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x",
        "ext::sh -c id",
        "fd::17",
        "ssh://-oProxyCommand=id/x",
        "-x@example.test:a",
        "git@-oProxyCommand=id:a",
        "git@example.test:-a",
        "git@example.test:/-a",
        "https://example.test",
        "https://example.test/-x",
        "git://example.test/a",
        "ftp://example.test/a",
        "file://other.host/a",
        "file://relative",
        "https://exa mple.test/a",
        "https://example.test/a\n--x",
        "https://example.test:99999/a",
        "./relative/path",
        "/etc/passwd",
        "ssh://a b@example.test/x",
        "https://exa$(id).test/a",
        "file:///a%00b",
        "file:///a%0Ab",
        "http://127.0.0.1:1/%0a",
        "https://example.test/a%7f",
        "https://example.test/a?b=%0d",
        "https://a%0ab:c@example.test/a",
        "https://example.test/%2dx",
        "https://example.test//",
        "ssh://example.test/~-x",
        "ssh://example.test/%7e%2dx",
        "ssh://example.test/a/-b",
        "ssh://example.test/a%00b",
        "ssh://example.test/a%3bid",
        "example.test:x;y",
        "example.test:~-x",
        "example.test:a/-b",
        "example.test:a$(id)",
        "example.test:a'b",
    ],
)
def test_addresses_that_git_could_misread_are_refused(locator):
    with pytest.raises(Invalid) as caught:
        normalize(SourceSpec("remote-git", locator))
    assert caught.value.code == "source_locator_invalid"
    assert caught.value.hint


@pytest.mark.parametrize("path", ["/srv/shop", "./shop", "~/shop"])
def test_a_path_given_for_a_repository_is_told_how_folders_are_given(path):
    with pytest.raises(Invalid) as caught:
        locators.parse(path)
    assert "local-folder" in caught.value.hint
    assert "file:///" in caught.value.hint
    with pytest.raises(Invalid) as caught:
        normalize(SourceSpec("local-folder", "shop/../x"))
    assert "full path" in caught.value.hint


CONTROLS = st.sampled_from([*map(chr, range(32)), "\x7f"])
PATHS = st.text(st.sampled_from("ab/-~.;%20"), max_size=8)


@given(
    before=PATHS, control=CONTROLS, after=PATHS, place=st.sampled_from(["https://h.test/", "ssh://h.test/", "file:///"])
)
def test_no_control_character_gets_through_however_it_is_spelt(before, control, after, place):
    for spelt in (control, f"%{ord(control):02x}", f"%{ord(control):02X}"):
        with pytest.raises(Invalid):
            locators.parse(f"{place}a{before}{spelt}{after}")


@given(path=PATHS, place=st.sampled_from(["ssh://git@h.test/", "git@h.test:", "h.test:"]))
def test_no_part_of_a_path_for_ssh_can_be_read_as_an_option_or_a_command(path, place):
    try:
        address = locators.parse(place + path)
    except Invalid:
        return
    sent = address.path if "://" not in place else unquote(address.path)
    assert ";" not in sent
    assert not any(part.startswith(("-", "~-")) for part in sent.split("/"))


@pytest.mark.parametrize(
    "locator", ["ssh://h.test/~ada/a-b", "ssh://h.test/a%20b", "h.test:~ada/a.git", "file:///a%20b"]
)
def test_homes_dashes_and_spaces_within_a_path_are_taken(locator):
    assert locators.parse(locator).url == locator


def test_a_token_in_an_address_becomes_a_secret():
    source = normalize(SourceSpec("remote-git", "https://ada:s3cr3t@example.test/a.git"))
    assert source.locator == "https://example.test/a.git"
    assert isinstance(source.credentials, GitToken)
    assert (source.credentials.username, source.credentials.token.reveal()) == ("ada", "s3cr3t")
    assert "s3cr3t" not in repr(source)
    alone = normalize(SourceSpec("remote-git", "https://s3cr3t@example.test/a.git"))
    assert (alone.credentials.username, alone.credentials.token.reveal()) == ("x-access-token", "s3cr3t")


def test_a_deploy_key_needs_an_ssh_address():
    with pytest.raises(Invalid, match="SSH"):
        normalize(SourceSpec("git-deploy-key", "https://example.test/a", credentials=GitKey(Secret("k"))))


@pytest.mark.parametrize(
    ("locator", "image"),
    [
        ("nginx:alpine", images.Image("nginx", "alpine")),
        ("nginx", images.Image("nginx")),
        ("registry.example.test:5000/a/b", images.Image("registry.example.test:5000/a/b")),
        ("registry.example.test:5000/a/b:1.2", images.Image("registry.example.test:5000/a/b", "1.2")),
        ("docker://a/b:x@sha256:" + "0" * 64, images.Image("a/b", "x", "sha256:" + "0" * 64)),
    ],
)
def test_images_are_split_into_name_tag_and_digest(locator, image):
    source = normalize(SourceSpec("docker-image", locator))
    assert images.Image(source.image_name, source.image_tag, source.image_digest) == image
    assert images.parse(locator) == image


@pytest.mark.parametrize("locator", ["", "Nginx", "nginx:", "nginx@sha256:12", "a b", "-x", "a//b", "nginx:$x", "a@"])
def test_names_that_no_image_has_are_refused(locator):
    with pytest.raises(Invalid):
        images.parse(locator)


@pytest.mark.parametrize(
    ("given", "normal"), [(None, None), ("", None), (".", None), ("./a//b/", "a/b"), ("apps/web app", "apps/web app")]
)
def test_a_base_directory_has_one_form(given, normal):
    assert paths.base_directory(given) == normal


@pytest.mark.parametrize(
    "given", ["/a", "..", "a/../b", "https://x/y", "C:\\x", "a;b", "$(x)", "`x`", "a|b", "-a", "a\nb"]
)
def test_a_base_directory_that_leaves_or_commands_is_refused(given):
    with pytest.raises(Invalid):
        paths.base_directory(given)


@pytest.mark.parametrize("given", ["main", "feature/x", "v1.2.3", "refs/pull/3/head", "a" * 40])
def test_names_that_a_ref_can_have(given):
    assert git_ref(given) == given


@pytest.mark.parametrize(
    "given", ["-x", "a..b", "a b", "a~1", "a^", "a:b", "@", "a@{1}", "/a", "a/", "a.lock", ".a", "a\\b"]
)
def test_names_that_no_ref_can_have_are_refused(given):
    with pytest.raises(Invalid):
        git_ref(given)


def test_a_commit_is_whole():
    assert commit_sha("A" * 40) == "a" * 40
    with pytest.raises(Invalid):
        commit_sha("abc123")


def test_the_fingerprint_names_the_place_not_the_commit_nor_the_credentials():
    source = SourceSpec("git-public", "https://github.com/acme/shop/tree/main/web")
    assert fingerprint(source) == fingerprint(normalize(source))
    assert fingerprint(source) == fingerprint(dataclasses.replace(source, commit_sha="a" * 40))
    assert fingerprint(source) == fingerprint(dataclasses.replace(source, credentials=GitToken(Secret("x"))))
    assert fingerprint(source) != fingerprint(dataclasses.replace(source, git_ref="next"))
    assert len(fingerprint(source)) == len("srcfp_") + 8


@pytest.mark.parametrize(
    ("parent", "url", "whole"),
    [
        ("https://h.test/a/b.git", "../c.git", "https://h.test/a/c.git"),
        ("https://h.test/a/b.git", "../../x/c.git", "https://h.test/x/c.git"),
        ("https://h.test/a/b.git", "./c.git", "https://h.test/a/b.git/c.git"),
        ("git@h.test:a/b.git", "../c.git", "git@h.test:a/c.git"),
        ("git@h.test:b.git", "../c.git", "git@h.test:c.git"),
        ("https://h.test/a/b.git", "https://other.test/c", "https://other.test/c"),
    ],
)
def test_relative_addresses_of_submodules_count_from_their_parent(parent, url, whole):
    assert locators.relative_to(locators.parse(parent), url) == whole
