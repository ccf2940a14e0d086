from __future__ import annotations

import base64
import json

import pytest

from quarterdeck.fleet.docker.address import EngineAddress, engine_address
from quarterdeck.fleet.docker.containers import Container
from quarterdeck.fleet.docker.engine import decode, has_buildkit, read_ping, refusal
from quarterdeck.fleet.docker.execution import exec_body
from quarterdeck.fleet.docker.filters import filters
from quarterdeck.fleet.docker.images import RegistryAuth, registry_header, split_reference, tell
from quarterdeck.fleet.docker.messages import Message
from quarterdeck.fleet.docker.networks import create_body
from quarterdeck.fleet.docker.specs import ContainerSpec, Mount, create_spec
from quarterdeck.fleet.docker.stats import Raw, sample
from quarterdeck.fleet.docker.system import prune_query
from quarterdeck.kernel.errors import Invalid, Problem, Unavailable
from quarterdeck.kernel.vault import Secret


def test_a_bare_container_is_hardened_and_bounded() -> None:
    assert create_spec(ContainerSpec("sha256:abc")) == {
        "Image": "sha256:abc",
        "Env": [],
        "Labels": {},
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10485760", "max-file": "3"}},
            "Init": True,
            "SecurityOpt": ["no-new-privileges"],
            "CapDrop": ["NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP"],
            "ReadonlyRootfs": False,
            "PidsLimit": 4096,
        },
    }


def test_every_wish_stands_in_the_create_request() -> None:
    spec = ContainerSpec(
        image="web:1",
        command=("serve", "--port", "8080"),
        entrypoint=("/bin/app",),
        env={"A": "1", "B": "x=y"},
        labels={"quarterdeck.managed": "true"},
        internal_port=8080,
        host_port=20001,
        memory_bytes=268435456,
        cpus=0.5,
        pids_limit=100,
        restart="on-failure",
        restart_retries=3,
        healthcheck_disabled=False,
        network="qd",
        aliases=("web",),
        mounts=(Mount("data", "/data"), Mount("/srv/x", "/x", read_only=True)),
        log_max_bytes=1000,
        log_files=1,
        init=False,
        read_only=True,
        cap_drop=("ALL",),
        no_new_privileges=False,
        user="1000:1000",
        working_dir="/app",
        hostname="web",
        extra_hosts=("db:10.0.0.1",),
        tmpfs=("/tmp",),
        stop_signal="SIGINT",
        stop_seconds=30,
        tty=True,
    )
    assert create_spec(spec) == {
        "Image": "web:1",
        "Cmd": ["serve", "--port", "8080"],
        "Entrypoint": ["/bin/app"],
        "Env": ["A=1", "B=x=y"],
        "Labels": {"quarterdeck.managed": "true"},
        "User": "1000:1000",
        "WorkingDir": "/app",
        "Hostname": "web",
        "StopSignal": "SIGINT",
        "StopTimeout": 30,
        "Tty": True,
        "ExposedPorts": {"8080/tcp": {}},
        "NetworkingConfig": {"EndpointsConfig": {"qd": {"Aliases": ["web"]}}},
        "HostConfig": {
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1000", "max-file": "1"}},
            "Init": False,
            "SecurityOpt": [],
            "CapDrop": ["ALL"],
            "ReadonlyRootfs": True,
            "Memory": 268435456,
            "MemorySwap": 268435456,
            "NanoCpus": 500000000,
            "PidsLimit": 100,
            "NetworkMode": "qd",
            "Mounts": [
                {"Type": "volume", "Source": "data", "Target": "/data", "ReadOnly": False},
                {"Type": "bind", "Source": "/srv/x", "Target": "/x", "ReadOnly": True},
            ],
            "ExtraHosts": ["db:10.0.0.1"],
            "Tmpfs": {"/tmp": ""},
            "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "20001"}]},
        },
    }


def test_an_internal_port_alone_publishes_nothing() -> None:
    body = create_spec(ContainerSpec("web:1", internal_port=8080))
    assert body["ExposedPorts"] == {"8080/tcp": {}}
    assert "PortBindings" not in body["HostConfig"]


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, EngineAddress("/var/run/docker.sock")),
        ({"DOCKER_HOST": "unix:///run/x.sock"}, EngineAddress("/run/x.sock")),
        ({"DOCKER_HOST": "tcp://127.0.0.1:2375"}, EngineAddress("tcp://127.0.0.1:2375")),
        ({"DOCKER_HOST": "tcp://[::1]"}, EngineAddress("tcp://[::1]:2375")),
        (
            {"DOCKER_HOST": "tcp://engine", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"},
            EngineAddress("tcp://engine:2376", "/certs"),
        ),
    ],
)
def test_the_address_is_read_as_docker_reads_it(environ: dict[str, str], address: EngineAddress) -> None:
    assert engine_address(environ) == address


@pytest.mark.parametrize("host", ["ssh://root@x", "unix://relative", "/run/docker.sock", "tcp://"])
def test_an_address_that_cannot_be_dialed_is_refused(host: str) -> None:
    with pytest.raises(Invalid) as caught:
        engine_address({"DOCKER_HOST": host})
    assert caught.value.code == "docker_host_invalid"


def test_an_old_or_foreign_engine_is_refused_when_connecting() -> None:
    assert read_ping(200, {"Api-Version": "1.41"}).api_version == (1, 41)
    for status, headers, code in (
        (200, {"Api-Version": "1.24"}, "docker_too_old"),
        (200, {}, "docker_unavailable"),
        (500, {"Api-Version": "1.41"}, "docker_unavailable"),
    ):
        with pytest.raises(Unavailable) as caught:
            read_ping(status, headers)
        assert caught.value.code == code


def test_the_builder_is_the_engines_own_preference() -> None:
    assert has_buildkit({"Builder-Version": "2"})
    assert not has_buildkit({"Builder-Version": "1"})
    assert has_buildkit({"Ostype": "linux"})
    assert not has_buildkit({"Ostype": "linux", "Libpod-API-Version": "4.3.1"})
    assert not has_buildkit({"Ostype": "windows"})


def test_a_refusal_names_the_call_and_keeps_the_first_line_only() -> None:
    problem = refusal(404, b'{"message":"No such image: x\\nsecond"}', "/images/x/json?a=b")
    assert (problem.kind, problem.code, problem.message) == (
        "not-found",
        "docker_not_found",
        "Docker: No such image: x",
    )
    assert problem.details == {"call": "/images/x/json"}
    assert refusal(409, b"not json", "/x").message == "Docker: status 409"
    assert {status: refusal(status, b"{}", "/x").kind for status in (400, 409, 500, 503)} == {
        400: "invalid",
        409: "conflict",
        500: "provider",
        503: "provider",
    }


def test_an_answer_of_another_shape_is_a_provider_failure() -> None:
    with pytest.raises(Problem) as caught:
        decode(b'{"Id": 3}', Container)
    assert caught.value.code == "docker_error"


def test_filters_are_one_json_value() -> None:
    assert filters() == {}
    assert filters({"a": "1", "b": ""}, status="running") == {"filters": '{"label":["a=1","b"],"status":["running"]}'}


def test_pruning_without_a_label_is_refused() -> None:
    with pytest.raises(ValueError, match="label"):
        prune_query("containers", {})
    assert prune_query("images", {"a": "1"}, until="24h") == {
        "filters": '{"dangling":["false"],"label":["a=1"],"until":["24h"]}'
    }
    assert prune_query("volumes", {"a": "1"}, until="24h") == {"filters": '{"label":["a=1"]}'}


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("busybox", ("busybox", "latest")),
        ("busybox:1", ("busybox", "1")),
        ("host:5000/a/b", ("host:5000/a/b", "latest")),
        ("host:5000/a/b:2", ("host:5000/a/b", "2")),
        ("a/b@sha256:00", ("a/b", "sha256:00")),
    ],
)
def test_references_are_split_into_name_and_tag(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts


def test_registry_credentials_are_one_header() -> None:
    header = registry_header(RegistryAuth("docker.io", "me", Secret("pä?ss>")))["X-Registry-Auth"]
    assert json.loads(base64.urlsafe_b64decode(header)) == {
        "username": "me",
        "password": "pä?ss>",
        "serveraddress": "https://index.docker.io/v1/",
    }
    assert "pä?ss>" not in repr(RegistryAuth("docker.io", "me", Secret("pä?ss>")))


def test_bodies_of_networks_and_executions() -> None:
    assert create_body("n", {"a": "1"}, internal=True) == {
        "Name": "n",
        "CheckDuplicate": True,
        "Driver": "bridge",
        "Internal": True,
        "Labels": {"a": "1"},
    }
    assert exec_body(["sh", "-c", "x"], env={"A": "1"}, user="u", working_dir="/w", tty=True, attach_input=True) == {
        "Cmd": ["sh", "-c", "x"],
        "Env": ["A=1"],
        "User": "u",
        "WorkingDir": "/w",
        "Tty": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
    }


def test_a_sample_counts_cores_and_leaves_out_droppable_memory() -> None:
    raw = decode(
        b"""{"read":"t","cpu_stats":{"cpu_usage":{"total_usage":300},"system_cpu_usage":2000,"online_cpus":2},
        "precpu_stats":{"cpu_usage":{"total_usage":100},"system_cpu_usage":1000},
        "memory_stats":{"usage":1000,"limit":5000,"stats":{"total_inactive_file":400}},
        "networks":{"eth0":{"rx_bytes":1,"tx_bytes":2},"eth1":{"rx_bytes":10,"tx_bytes":20}},
        "blkio_stats":{"io_service_bytes_recursive":[{"op":"Read","value":7},{"op":"Write","value":8}]},
        "pids_stats":{"current":4}}""",
        Raw,
    )
    made = sample(raw)
    assert (made.cpu_percent, made.memory_bytes, made.memory_limit) == (40.0, 600, 5000)
    assert (made.received_bytes, made.sent_bytes, made.read_bytes, made.written_bytes, made.pids) == (11, 22, 7, 8, 4)
    assert sample(Raw()).cpu_percent == 0.0


@pytest.mark.parametrize(
    ("said", "code", "hint"),
    [
        ("no matching manifest for linux/amd64 in the manifest list entries", "image_architecture_differs", "made for"),
        ("manifest for a:1 not found: manifest unknown", "image_pull_failed", "name and tag"),
    ],
)
async def test_why_an_image_cannot_be_had_is_told_apart(said: str, code: str, hint: str) -> None:
    with pytest.raises(Problem) as refused:
        await tell(Message(error=said), {}, None, "a:1")
    assert refused.value.code == code
    assert hint in (refused.value.hint or "")
