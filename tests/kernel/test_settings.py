from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from quarterdeck.kernel.amounts import Size
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.settings import Settings, Site
from quarterdeck.kernel.settings_reading import load


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("QUARTERDECK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path


def test_defaults_are_a_server_on_loopback():
    settings = load()
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8700, None)
    assert (settings.no_worker, settings.no_edge, settings.edge_http_port, settings.sites) == (False, False, None, ())


def test_flags_beat_the_environment_which_beats_the_file(clean, monkeypatch):
    (clean / "data" / "quarterdeck.toml").write_text(
        'host = "file"\nport = 1\nedge_http_port = 1\n[[sites]]\nport = 9000\ndirectory = "/srv/ui"\n'
    )
    monkeypatch.setenv("QUARTERDECK_PORT", "2")
    monkeypatch.setenv("QUARTERDECK_EDGE_HTTP_PORT", "2")
    settings = load({"edge_http_port": 3, "port": None})
    assert (settings.host, settings.port, settings.edge_http_port) == ("file", 2, 3)
    assert [(site.port, site.directory) for site in settings.sites] == [(9000, Path("/srv/ui"))]


def test_a_file_may_be_named(clean):
    (clean / "mine.toml").write_text('log_level = "DEBUG"\ntrusted_proxy = ["10.0.0.0/8"]\n')
    settings = load(config=clean / "mine.toml")
    assert (settings.log_level, settings.trusted_proxy) == ("debug", ("10.0.0.0/8",))
    with pytest.raises(Invalid, match="does not exist"):
        load(config=clean / "none.toml")


def test_the_database_address_may_be_in_a_file_and_is_never_shown(clean):
    (clean / "url").write_text("postgresql://deck:hunter2@db/deck\n")
    settings = load({"database_url": f"@{clean / 'url'}"})
    assert settings.database_url is not None
    assert settings.database_url.reveal() == "postgresql://deck:hunter2@db/deck"
    assert "hunter2" not in f"{settings!r}{settings}{msgspec.json.encode(settings, enc_hook=str)!r}"


def test_lists_in_the_environment_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("QUARTERDECK_TRUSTED_PROXY", "10.0.0.0/8, 192.0.2.1")
    assert load().trusted_proxy == ("10.0.0.0/8", "192.0.2.1")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("QUARTERDECK_PORT", "eighty", "integer"),
        ("QUARTERDECK_PORT", "70000", "65535"),
        ("QUARTERDECK_NO_EDGE", "maybe", "boolean"),
        ("QUARTERDECK_PUBLIC_URL", "deck.example.com/x", "an address without a path"),
        ("QUARTERDECK_TRUSTED_PROXY", "10.0.0.0/99", "network"),
        ("QUARTERDECK_DATABASE_URL", "mysql://u:hunter2@db/x", "postgresql://"),
        ("QUARTERDECK_DATABASE_URL", "@/nowhere/hunter2", "cannot be read"),
        ("QUARTERDECK_SITES", "not json hunter2", "a list"),
        ("QUARTERDECK_LOG_LEVEL", "loud", "debug"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(monkeypatch, variable, value, said):
    monkeypatch.setenv(variable, value)
    with pytest.raises(Invalid) as refusal:
        load()
    assert refusal.value.code == "settings_invalid"
    assert said in refusal.value.message
    assert variable in refusal.value.message
    assert "hunter2" not in f"{refusal.value.message}{refusal.value.hint}"
    assert refusal.value.__context__ is None


def test_a_wrong_flag_and_a_wrong_key_are_named_as_such(clean):
    with pytest.raises(Invalid, match="--port"):
        load({"port": "x"})
    (clean / "data" / "quarterdeck.toml").write_text("prot = 1\n")
    with pytest.raises(Invalid, match=r"prot in .*quarterdeck\.toml"):
        load()
    (clean / "data" / "quarterdeck.toml").write_text("port = = 1\n")
    with pytest.raises(Invalid, match=r"quarterdeck\.toml"):
        load()


def test_a_public_address_loses_its_trailing_slash():
    assert load({"public_url": "https://deck.example.com/"}).public_url == "https://deck.example.com"


def test_a_server_stands_beside_another_on_postgresql_alone_and_runs_no_agents():
    with pytest.raises(Invalid, match="beside needs database_url"):
        load({"beside": True})
    database = {"database_url": "postgresql://deck@db/deck", "beside": True}
    with pytest.raises(Invalid, match="beside and agents exclude each other"):
        load({**database, "agents": True})
    assert load({**database, "advertised_url": "http://10.0.0.4:8700/"}).advertised_url == "http://10.0.0.4:8700"


def test_everything_that_is_wrong_is_told_at_once_with_where_it_was_given(clean, monkeypatch):
    file = clean / "data" / "quarterdeck.toml"
    file.write_text('tls = "sometimes"\nprot = 1\nsmtp_host = "mail.example.com"\n')
    monkeypatch.setenv("QUARTERDECK_BUILD_TASKS", "few")
    monkeypatch.setenv("QUARTERDECK_BESIDE", "yes")
    with pytest.raises(Invalid) as refused:
        load({"port": 70_000, "smtp_username": "deck"})
    assert refused.value.message == (
        "The settings are not usable. "
        "--port: must be an integer that is greater than or equal to 0 and less than or equal to 65535; "
        f"tls in {file}: must be 'auto', 'internal' or 'off'; "
        "QUARTERDECK_BUILD_TASKS: must be an integer that is greater than or equal to 16; "
        f"prot in {file}: there is no such setting; take it out or correct its name; "
        "smtp_host and smtp_sender belong together: give both or neither; "
        "smtp_username and smtp_password belong together: give both or neither; "
        "beside needs database_url: several servers share a PostgreSQL database."
    )


def test_what_is_wrong_by_itself_is_not_told_again_of_what_it_belongs_to():
    with pytest.raises(Invalid) as refused:
        load({"smtp_host": "mail.example.com", "smtp_sender": "nobody"})
    assert refused.value.message.count("smtp") == 1


def test_variables_are_read_in_lower_case_as_well(monkeypatch):
    monkeypatch.setenv("quarterdeck_port", "9000")
    assert load().port == 9000


def test_a_password_is_taken_as_it_is_written(monkeypatch):
    monkeypatch.setenv("QUARTERDECK_SMTP_USERNAME", "deck")
    for password in ("12345", "null", '"quoted"', "{}", " "):
        monkeypatch.setenv("QUARTERDECK_SMTP_PASSWORD", password)
        read = load().smtp_password
        assert read is not None
        assert read.reveal() == password


@pytest.mark.parametrize(("word", "meant"), [("1", True), ("YES", True), ("on", True), ("0", False), ("off", False)])
def test_a_switch_is_a_word_in_a_variable(monkeypatch, word, meant):
    monkeypatch.setenv("QUARTERDECK_NO_EDGE", word)
    assert load().no_edge is meant


def test_sites_are_json_in_a_variable_and_each_is_looked_at(monkeypatch):
    monkeypatch.setenv("QUARTERDECK_SITES", '[{"port": 9000, "directory": "/srv/ui"}]')
    assert load().sites == (Site(port=9000, directory=Path("/srv/ui")),)
    for wrong in (
        '[{"port": 9000}]',
        '[{"port": 70000, "directory": "/x"}]',
        '[{"port": 1, "directory": "/x", "a": 1}]',
    ):
        monkeypatch.setenv("QUARTERDECK_SITES", wrong)
        with pytest.raises(
            Invalid, match=r"QUARTERDECK_SITES: must be a list, each of it a table with port .* nothing"
        ):
            load()


@pytest.mark.parametrize("given", ["inf", "nan", "0", "two"])
def test_cores_are_a_number_that_there_can_be(monkeypatch, given):
    monkeypatch.setenv("QUARTERDECK_BUILD_CPUS", given)
    with pytest.raises(Invalid, match="QUARTERDECK_BUILD_CPUS: must be a number"):
        load()


@pytest.mark.parametrize("name", ["data_dir", "tls_key", "source_roots", "smtp_password"])
def test_a_path_below_a_home_that_there_is_not_is_refused_by_name(name):
    flag = name.replace("_", "-")
    with pytest.raises(Invalid, match=f"--{flag}: must be "):
        load({name: "@~nobody-of-that-name/x" if name == "smtp_password" else "~nobody-of-that-name/x"})


def test_a_file_that_holds_no_text_is_refused(clean):
    (clean / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid, match="--database-url: must be @FILE with the path of a file that holds text"):
        load({"database_url": f"@{clean / 'bytes'}"})
    with pytest.raises(Invalid, match="The settings cannot be read"):
        load(config=clean / "bytes")


def test_a_configuration_file_that_cannot_be_read_is_named(clean, monkeypatch):
    def no_access(self, **how):
        raise PermissionError(13, "Permission denied")

    (clean / "data" / "quarterdeck.toml").write_text("port = 1\n")
    monkeypatch.setattr(Path, "read_text", no_access)
    with pytest.raises(Invalid, match=r"quarterdeck\.toml: Permission denied"):
        load()


def test_an_address_is_refused_that_is_none():
    for address in ("https://[::1", "https://deck.example.com:99999", "deck"):
        with pytest.raises(Invalid, match="--public-url: must be an address without a path") as refused:
            load({"public_url": address})
        assert address not in refused.value.message.replace("https://deck.example.com.", "")


def test_every_setting_that_is_an_amount_is_written_as_one():
    amounts = [one.name for one in msgspec.structs.fields(Settings) if one.type == Size]
    assert amounts
    for name in amounts:
        assert getattr(load({name: "3M"}), name) == 3 << 20


def test_every_setting_is_a_flag_a_variable_and_a_key():
    assert set(Settings.__struct_fields__) >= {
        "host", "port", "data_dir", "database_url", "no_worker", "agents", "no_edge", "edge_http_port",
        "edge_https_port", "public_url", "trusted_proxy", "sites", "source_roots",
    }  # fmt: skip


def test_source_roots_are_full_paths_from_a_variable_or_a_list(clean, monkeypatch):
    assert load().source_roots is None
    monkeypatch.setenv("QUARTERDECK_SOURCE_ROOTS", "/srv/apps, ~/apps")
    assert load().source_roots == (Path("/srv/apps"), Path.home() / "apps")
    monkeypatch.setenv("QUARTERDECK_SOURCE_ROOTS", "apps")
    with pytest.raises(Invalid, match="QUARTERDECK_SOURCE_ROOTS: apps is not the full path"):
        load()


def test_limits_are_written_as_people_write_amounts(clean, monkeypatch):
    (clean / "data" / "quarterdeck.toml").write_text('build_disk = "1.5 GiB"\nsource_size = 5000000\n')
    monkeypatch.setenv("QUARTERDECK_BUILD_MEMORY", "512m")
    monkeypatch.setenv("QUARTERDECK_RUNTIME_CPUS", "0.5")
    settings = load()
    assert (settings.build_disk, settings.source_size, settings.build_memory) == (3 << 29, 5_000_000, 512 << 20)
    assert settings.runtime_cpus == 0.5


@pytest.mark.parametrize(
    ("given", "size", "share"), [(None, None, 0.75), ("none", None, None), ("50%", None, 0.5), ("2G", 2 << 30, None)]
)
def test_the_memory_of_applications_is_an_amount_a_share_or_without_limit(monkeypatch, given, size, share):
    if given is not None:
        monkeypatch.setenv("QUARTERDECK_RUNTIME_MEMORY", given)
    memory = load().runtime_memory
    assert (memory.size, memory.share) == (size, share)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("RUNTIME_MEMORY", "0%", "a share between 1% and 100%"),
        ("RUNTIME_MEMORY", "much", "an amount such as 512M"),
        ("RUNTIME_MEMORY", "10", "at least 1M"),
        ("BUILD_MEMORY", "2 fathoms", "an amount such as 512M or 2G"),
        ("BUILD_SECONDS", "0", "greater than or equal to 1"),
    ],
)
def test_an_amount_that_is_none_is_refused_by_name(monkeypatch, name, given, says):
    monkeypatch.setenv(f"QUARTERDECK_{name}", given)
    with pytest.raises(Invalid) as refused:
        load()
    assert f"QUARTERDECK_{name}" in refused.value.message
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"public_url": "https://192.0.2.7"}, "certificate authorities know names"),
        ({"public_url": "https://[2001:db8::1]"}, "certificate authorities know names"),
        ({"tls_certificate": __file__}, "tls_certificate and tls_key belong together"),
        ({"tls_certificate": "/nowhere.pem", "tls_key": __file__}, "must be a PEM file that can be read"),
        ({"acme_directory": "http://ca.example.com/directory"}, "https:// address of an ACME directory"),
        ({"tls": "sometimes"}, "'auto', 'internal' or 'off'"),
        ({"least_free_disk": "101"}, "less than or equal to 100"),
    ],
)
def test_a_front_door_that_cannot_be_is_refused(given, says):
    with pytest.raises(Invalid, match=says):
        load(given)


def test_an_address_can_be_public_with_a_certificate_that_nobody_is_asked_for():
    for more in (
        {"tls": "internal"},
        {"tls": "off"},
        {"no_edge": True},
        {"tls_certificate": __file__, "tls_key": __file__},
    ):
        assert load({"public_url": "https://192.0.2.7", **more}).public_url == "https://192.0.2.7"
    assert load({"public_url": "http://192.0.2.7"}).tls == "auto"


TRANSIT = {"transit_address": "https://vault.example.com:8200", "transit_token": "hunter2"}


def test_master_keys_are_kept_here_unless_a_key_backend_is_named(clean):
    assert load().key_backend == "local"
    (clean / "token").write_text("hunter2\n")
    settings = load({**TRANSIT, "key_backend": "transit", "transit_token": f"@{clean / 'token'}"})
    assert settings.transit_token is not None
    assert settings.transit_token.reveal() == f"@{clean / 'token'}"  # read again whenever it is used
    assert (settings.transit_mount, settings.transit_key) == ("transit", "quarterdeck")
    arn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    assert load({"key_backend": "aws-kms", "aws_kms_key": arn}).aws_kms_key == arn
    assert load({"aws_kms_key": "alias/deck", "aws_kms_region": "us-gov-east-1"}).key_backend == "local"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"key_backend": "vault"}, "'aws-kms', 'local' or 'transit'"),
        ({"key_backend": "transit"}, "key_backend transit needs transit_address and transit_token"),
        ({"transit_address": "https://vault.example.com"}, "transit_address and transit_token belong together"),
        ({"transit_token": "hunter2"}, "transit_address and transit_token belong together"),
        ({"transit_token": "@/nowhere/hunter2"}, "cannot be read"),
        ({**TRANSIT, "transit_address": "http://vault.example.com:8200"}, "an https:// address without a path"),
        ({**TRANSIT, "transit_address": "https://u:hunter2@vault.example.com"}, "an https:// address without a path"),
        ({**TRANSIT, "transit_address": "https://vault.example.com/v1"}, "an https:// address without a path"),
        ({**TRANSIT, "transit_mount": "../sys"}, "the path of a Transit engine"),
        ({**TRANSIT, "transit_key": "a/b"}, "the name of a key"),
        ({**TRANSIT, "transit_key": "x" * 60}, "together have at most 50 characters"),
        ({**TRANSIT, "transit_namespace": "a//b"}, "a namespace"),
        ({**TRANSIT, "transit_ca": "/nowhere.pem"}, "a PEM file"),
        ({"key_backend": "aws-kms"}, "key_backend aws-kms needs aws_kms_key"),
        ({"aws_kms_key": "alias/deck"}, "aws_kms_region is needed where aws_kms_key is no ARN"),
        ({"aws_kms_region": "eu-central-1"}, "how the key is reached that aws_kms_key names"),
        ({"aws_kms_key": "a b", "aws_kms_region": "eu-central-1"}, "the id, the ARN or the alias"),
        ({"aws_kms_key": "alias/deck", "aws_kms_region": "nowhere"}, "a region of AWS"),
        (
            {"aws_kms_key": "alias/deck", "aws_kms_region": "eu-central-1", "aws_kms_secret_key": "hunter2"},
            "aws_kms_access_key and aws_kms_secret_key belong together",
        ),
        (
            {"aws_kms_key": "alias/d", "aws_kms_region": "eu-central-1", "aws_kms_endpoint": "http://10.0.0.1"},
            "an https:// address",
        ),
    ],
)
def test_a_key_backend_that_is_not_usable_is_refused_before_anything_starts(given, said):
    with pytest.raises(Invalid) as refusal:
        load(given)
    assert said in refusal.value.message
    assert "hunter2" not in f"{refusal.value.message}{refusal.value.hint}"


def test_everything_that_is_wrong_with_key_backends_is_told_at_once():
    with pytest.raises(Invalid) as refusal:
        load({"key_backend": "transit", "aws_kms_region": "eu-central-1", "transit_key": "a/b", "port": "x"})
    for said in ("--port", "--transit-key", "how the key is reached"):
        assert said in refusal.value.message
