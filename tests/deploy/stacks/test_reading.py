"""Compose files as they are written: what each says, and what is refused by name before anything is touched."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from quarterdeck.deploy.detection.tree import MemoryTree
from quarterdeck.deploy.stacks import services
from quarterdeck.deploy.stacks.reading import Reading, Variables, look
from quarterdeck.deploy.stacks.values import Service
from quarterdeck.workspace import dotenv

NONE = Variables()
TAIL = "\nvolumes: {data: }\nnetworks: {back: }\n"


def reading(text: str, variables: Variables = NONE, file: str = "compose.yml", **files: str) -> Reading:
    tree = MemoryTree({file: text, "Dockerfile": "FROM a", "app/Dockerfile": "FROM a", **files})
    return look(tree, file, variables)


def service(keys: str, variables: Variables = NONE, **files: str) -> Service:
    """The one service of a file, with these further keys."""
    found = reading("services:\n  a:\n    image: i\n" + _indented(keys) + TAIL, variables, **files)
    assert found.refusals == ()
    assert found.stack is not None
    return found.stack.service("a")


def _indented(keys: str) -> str:
    return "".join(f"    {line}\n" for line in keys.splitlines())


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("command: python -m web 'a b'", {"command": ("python", "-m", "web", "a b")}),
    ("command: [sh, -c, 'a b']", {"command": ("sh", "-c", "a b")}),
    ("entrypoint: /run.sh", {"entrypoint": ("/run.sh",)}),
    ("environment: {A: 1, FLAG: yes, TIME: 22:22, V: 1.10, N: }", {
        "environment": {"A": "1", "FLAG": "yes", "TIME": "22:22", "V": "1.10"}}),
    ("environment: [A=1=2, 'B=', C]", {"environment": {"A": "1=2", "B": ""}}),
    ("expose: [80, '81/tcp']", {"ports": (80, 81), "published": False}),
    ("ports: ['8080:80']", {"ports": (80,), "published": True}),
    ("ports: [127.0.0.1:8080:80/tcp]\nexpose: [81]", {"ports": (80, 81), "published": True}),
    ("ports: [{target: 80, published: 8080, mode: host}]", {"ports": (80,), "published": True}),
    ("volumes: ['data:/d:ro']", {"volumes": ({"volume": "data", "path": "/d", "read_only": True},)}),
    ("volumes: [{type: volume, source: data, target: /d}]", {"volumes": ({"volume": "data", "path": "/d"},)}),
    ("volumes: [{type: tmpfs, target: /t}]\ntmpfs: /u", {"tmpfs": ("/u", "/t")}),
    ("volumes: ['./app/Dockerfile:/etc/x:ro', {type: bind, source: ./app, target: /app, read_only: true}]", {
        "copies": ({"source": "app/Dockerfile", "path": "/etc/x"}, {"source": "app", "path": "/app"})}),
    ("healthcheck: {test: [CMD, a, b], interval: 1m30s, timeout: 500ms, retries: 3, start_period: 1h}", {
        "health": {"test": ("CMD", "a", "b"), "interval": 90.0, "timeout": 0.5, "retries": 3, "start_period": 3600.0}}),
    ("healthcheck: {disable: true}", {"health": {"test": ("NONE",)}}),
    ("restart: always", {"restart": "unless-stopped"}),
    ("restart: 'no'", {"restart": "no"}),
    ("restart: on-failure:3", {"restart": "on-failure", "restart_retries": 3}),
    ("user: '1000:1000'\nworking_dir: /w\nhostname: h\ninit: true\nread_only: true", {
        "user": "1000:1000", "working_dir": "/w", "hostname": "h", "init": True, "read_only": True}),
    ("stop_signal: SIGINT\nstop_grace_period: 1m30s", {"stop_signal": "SIGINT", "stop_seconds": 90}),
    ("mem_limit: 512m\ncpus: 0.5", {"memory": 512 << 20, "cpus": 0.5}),
    ("deploy: {replicas: 1, resources: {limits: {memory: 1G, cpus: '2'}}}", {"memory": 1 << 30, "cpus": 2.0}),
    ("labels: [a=1, b]", {"labels": {"a": "1", "b": ""}}),
    ("networks: {back: {aliases: [b]}, default: }", {"aliases": ("b",)}),
    ("privileged: false\nx-more: [1]\ndevelop: {watch: []}", {"name": "a", "image": "i"}),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "expected"), GOOD)
def test_a_key_means_what_compose_means_by_it(keys: str, expected: dict[str, Any]) -> None:
    found = msgspec.to_builtins(service(keys))
    assert {name: found.get(name, getattr(service(keys), name)) for name in expected} == expected


FILLED = [
    ("$A", "1"), ("${A}", "1"), ("x${A}y$A.", "x1y1."), ("$$A", "$A"), ("${B:-b}", "b"), ("${B-b}", "b"),
    ("${E:-b}", "b"), ("${E-b}", ""), ("${A:-b}", "1"), ("${A:?no}", "1"), ("${A:+set}", "set"), ("${B:+set}", ""),
    ("${E:+set}", ""), ("${E+set}", "set"), ("${B:-${A}}", "1"), ("${B:-${C:-deep}}", "deep"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FILLED)
def test_texts_are_filled_in_with_variables(text: str, expected: str) -> None:
    found = service(f"hostname: 'x{text}'", Variables({"A": "1", "E": ""}))
    assert found.hostname == f"x{expected}"


BAD = [
    ("privileged: true", "privileged gives the container the whole server"),
    ("network_mode: host", "network_mode takes part of the whole server"),
    ("network_mode: 'service:b'", "network_mode"),
    ("pid: host", "pid takes part"),
    ("ipc: host", "ipc takes part"),
    ("cap_add: [NET_ADMIN]", "cap_add gives the container rights"),
    ("devices: ['/dev/sda:/dev/sda']", "devices gives the container rights"),
    ("security_opt: ['apparmor:unconfined']", "security_opt gives"),
    ("container_name: one", "container_name is one name for the whole server"),
    ("secrets: [s]", "secrets is not supported"),
    ("configs: [s]", "configs is not supported"),
    ("extends: {file: other.yml, service: a}", "extends is not supported"),
    ("links: [b]", "links ties"),
    ("volumes: ['/:/host']", "mounts / of the server"),
    ("volumes: ['/var/run/docker.sock:/var/run/docker.sock']", "mounts /var/run/docker.sock of the server"),
    ("volumes: ['./data:/data']", "mounts ./data of the source to be written to"),
    ("volumes: ['~/x:/data:ro']", "mounts ~/x of the server"),
    ("volumes: [{type: bind, source: /etc, target: /e}]", "mounts /etc of the server"),
    ("volumes: ['./../x:/x:ro']", "leads out of the source"),
    ("volumes: ['.:/x:ro']", "which cannot be copied by name"),
    ("volumes: ['./a*:/x:ro']", "which cannot be copied by name"),
    ("volumes: ['./nowhere:/x:ro']", "mounts nowhere, which is not in the source"),
    ("volumes: ['/data']", "a volume without a name"),
    ("volumes: ['other:/data']", "names the volume other, which the file does not declare"),
    ("volumes: ['data:relative']", "has the path relative"),
    ("volumes: ['data:/']", "has the path /"),
    ("volumes: ['data:/d', 'data:/d']", "mounts two things at one path"),
    ("ports: ['3000-3005:3000-3005']", "which is none"),
    ("ports: ['53:53/udp']", "publishes a port for udp"),
    ("ports: [0]", "the port 0, which is none"),
    ("expose: [70000]", "the port 70000"),
    ("env_file: ../secrets.env", "leads out of the source"),
    ("env_file: /etc/passwd", "leads out of the source"),
    ("env_file: missing.env", "which is not in the source"),
    ("env_file: broken.env", "whose lines [1] are not KEY=value"),
    ("build: ../..", "leads out of the source"),
    ("build: https://example.test/x.git", "needs https:/example.test/x.git/Dockerfile, which is not in the source"),
    ("build: {context: ., ssh: [default]}", "build.ssh is not supported"),
    ("build: {context: nowhere}", "needs nowhere/Dockerfile, which is not in the source"),
    ("build: {context: ., args: {A: $SECRET}}", "needs the variable SECRET"),
    ("depends_on: [b]", "names b, which is no service"),
    ("depends_on: [a]", "a circle in depends_on (a → a)"),
    ("depends_on: {a: {condition: service_ready}}", "has an unknown condition"),
    ("healthcheck: {test: [a, b]}", "is no test"),
    ("healthcheck: {test: a, interval: soon}", "is no duration"),
    ("restart: sometimes", "is no policy"),
    ("mem_limit: much", "is no amount of memory"),
    ("mem_limit: 1k", "less than 6 MB"),
    ("cpus: -1", "is no number of cores"),
    ("cpus: 0.0000000001", "is no number of cores"),
    ("deploy: {replicas: 3}", "asks for several containers"),
    ("deploy: {placement: {}}", "deploy.placement is not supported"),
    ("labels: {quarterdeck.managed: 'no'}", "a label that begins with quarterdeck."),
    ("networks: [elsewhere]", "names elsewhere, which the file does not declare"),
    ("networks: {back: {ipv4_address: 10.0.0.2}}", "networks.back.ipv4_address is not supported"),
    ("hostname: ${MISSING}", "needs the variable MISSING, which is not set"),
    ("hostname: ${MISSING:?the database}", "needs the variable MISSING: the database"),
    ("hostname: ${A:~b}", "has a $ that begins no variable"),
    ("hostname: ${" + "A:-${" * 9, "has a $ that begins no variable"),
    ("command: sh 'x", "has a quote that does not close"),
    ("colour: red", "colour is not supported"),
    ("image: [a]", "is no text"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "why"), BAD)
def test_what_cannot_be_kept_is_refused_by_file_service_and_key(keys: str, why: str) -> None:
    image = "" if keys.startswith("image") else "    image: i\n"
    found = reading(f"services:\n  a:\n{image}" + _indented(keys) + TAIL, **{"broken.env": "nothing"})
    assert found.stack is None
    (refusal,) = found.refusals
    assert why in refusal.message
    assert refusal.message.startswith("compose.yml")
    assert "circle" in why or "service a" in refusal.message, refusal.message
    assert refusal.hint.endswith(".")


WHOLE = [
    ("", "holds no services"),
    ("services:", "holds no services"),
    ("- a", "holds no services"),
    ("services: {a: {}}", "has neither an image nor a build"),
    ("services: [a]", "services is no mapping"),
    ("services:\n  a: {image: i\n", "is not valid YAML"),
    ("services: {a: {image: !!python/object:os.system i}}", "has the tag"),
    ("services: {a: {image: i, image: j}}", "gives image twice"),
    ("services: {'a b': {image: i}}", "is no name of a service"),
    ("include: [other.yml]\nservices: {a: {image: i}}", "include takes other files in"),
    ("services: {a: {image: i}}\nsecrets: {s: {file: x}}", "secrets is not supported"),
    ("services: {a: {image: i}}\nvolumes: {v: {external: true}}", "volumes.v belongs to something outside"),
    ("services: {a: {image: i}}\nvolumes: {v: {name: shared}}", "volumes.v.name is not supported"),
    ("services: {a: {image: i}}\nvolumes: {v: {driver_opts: {device: /etc}}}", "volumes.v.driver_opts"),
    ("services: {a: {image: i}}\nnetworks: {n: {external: true}}", "networks.n belongs to something outside"),
    ("services: {a: {image: i}}\nnetworks: {n: {driver: host}}", "networks.n.driver is not supported"),
    ("services: {a: {image: i}}\nmystery: 1", "mystery is not supported"),
    ("services:\n" + "".join(f"  s{n}: {{image: i}}\n" for n in range(31)), "has more than 30 services"),
    ("services: {a: {image: i, profiles: [dev]}}", "has no service without a profile"),
    ("services: {a: {image: i, depends_on: [b]}, b: {image: i, profiles: [dev]}}", "whose profile is not asked for"),
    ("services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}", "circle in depends_on"),
    ("# " + "x" * (1 << 20), "is larger than 1 MB"),
    ("a: &a [*a]\nservices: {a: {image: i}}", "says more than any stack needs"),
    ("a: " + "[" * 900 + "]" * 900, "says more than any stack needs"),
    ("a: " + "[" * 100_000, "says more than any stack needs"),
    ("a: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
     "says more than any stack needs"),
    ("a: &a " + "x" * 100_000 + "\nb: [" + "*a, " * 100 + "*a]", "says more than any stack needs"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), WHOLE, ids=[why for _, why in WHOLE])
def test_a_file_that_is_no_stack_is_refused_soon(text: str, why: str) -> None:
    began = time.process_time()
    found = reading(text)
    assert time.process_time() - began < 3
    assert found.stack is None
    (refusal,) = found.refusals
    assert why in refusal.message
    assert refusal.message.startswith("compose.yml")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = reading("services:\n  a: {image: i, pid: host, cpus: x}\n  b: {image: i, privileged: true}\n")
    assert [one.message.split(" ", 1)[1].split(" ")[1].rstrip(",") for one in found.refusals] == ["a", "a", "b"]


def test_anchors_merges_profiles_and_files_beside_a_nested_file_are_read() -> None:
    text = """
x-usual: &usual
  restart: "no"
  environment: &env {A: one}
services:
  a:
    <<: *usual
    build: {context: .., dockerfile: app/Dockerfile, args: [PUBLIC_V]}
    env_file: [one.env, {path: two.env, required: false}]
    environment: {<<: *env, B: two}
  b: {image: i, profiles: [debug]}
  c: {image: i, profiles: [other]}
"""
    variables = Variables({"COMPOSE_PROFILES": "debug"}, {"PUBLIC_V": "7"})
    found = reading(text, variables, "deploy/compose.yml", **{"deploy/one.env": "A=0\nE=file # no\n"})
    assert found.refusals == ()
    assert found.stack is not None
    assert [one.name for one in found.stack.services] == ["a", "b"]
    a = found.stack.service("a")
    assert a.build is not None
    assert (a.build.context, a.build.dockerfile, a.build.args) == (".", "app/Dockerfile", {"PUBLIC_V": "7"})
    assert (a.environment, a.restart) == ({"A": "one", "E": "file", "B": "two"}, "no")


def test_services_start_after_what_they_depend_on_and_what_has_to_end_is_not_started_again() -> None:
    text = """
services:
  web: {image: i, depends_on: {job: {condition: service_completed_successfully}, db: {condition: service_healthy}}}
  job: {image: i, depends_on: [db]}
  db: {image: i, healthcheck: {test: "true"}}
"""
    stack = reading(text).stack
    assert stack is not None
    assert [one.name for one in stack.services] == ["db", "job", "web"]
    assert [one.restart for one in stack.services] == ["unless-stopped", "no", "unless-stopped"]
    assert stack.waited_for("db") == "service_healthy"


@pytest.mark.parametrize(
    "keys", ["ports: ['$S']", "volumes: ['$S:/d']", "volumes: ['./$S:/d']", "restart: $S", "user: [$S]"]
)
def test_no_refusal_repeats_what_was_filled_in(keys: str) -> None:
    found = reading("services:\n  a:\n    image: i\n" + _indented(keys), Variables({"S": "Hush-4711"}))
    (refusal,) = found.refusals
    assert "Hush" not in refusal.message + refusal.hint
    assert "is not what it may be once its variables are filled in" in refusal.message


def test_what_is_kept_of_a_file_has_no_variable_filled_in() -> None:
    found = reading("services: {a: {image: i, environment: {A: $SECRET}}}", Variables({"SECRET": "hidden"}))
    assert found.stack is not None
    assert found.stack.service("a").environment == {"A": "hidden"}
    assert "hidden" not in repr(found)
    assert b"hidden" not in msgspec.json.encode(found.definition)


def test_all_texts_of_a_file_together_may_not_grow_beyond_a_bound() -> None:
    """Each of these texts is short enough by itself; together they would be 500 MB."""
    long = Variables({"A": "x" * 500_000})
    labels = "".join(f"      l{number}: $A\n" for number in range(50))
    text = "services:\n" + "".join(f"  s{n}:\n    image: i\n    labels:\n{labels}" for n in range(20))
    found = reading(text, long)
    assert found.stack is None
    assert "the file becomes longer than 8 MB" in found.refusals[0].message


def test_an_env_file_is_read_once_however_many_services_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    parse = dotenv.parse
    monkeypatch.setattr(services.dotenv, "parse", lambda text: read.append(text) or parse(text))
    text = "services:\n" + "".join(f"  s{n}:\n    image: i\n    env_file: [a.env, a.env, b.env]\n" for n in range(9))
    found = reading(text, **{"a.env": "A=1", "b.env": "A=2"})
    assert found.stack is not None
    assert {one.environment["A"] for one in found.stack.services} == {"2"}
    assert sorted(read) == ["A=1", "A=2"]


def test_a_service_names_a_bounded_number_of_env_files() -> None:
    found = reading(f"services:\n  a:\n    image: i\n    env_file: [{', '.join(['a.env'] * 31)}]\n", **{"a.env": "A=1"})
    assert "Name at most 30." in str(found.refusals[0])
