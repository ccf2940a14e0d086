"""Base images for tests, made on this machine without any registry.

`python tests/real/base_images.py --host unix:///var/run/docker.sock [--only python,node]` gives the engine what the
generated Dockerfiles start from: `busybox`, `python:<version>-slim`, `node:<version>-alpine`, `nginx:<version>-alpine`.
All but busybox are Debian (or whatever debootstrap makes of this host's own distribution) under the usual tags: enough
to build and run real applications, not a copy of the official images. Needs root, debootstrap and tar.

The package indexes, certificate authorities and proxy settings of this host are copied in, so that apt, pip and npm
work inside builds as they work outside; credentials in npm's configuration are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CARRIED = re.compile(
    r"(?i:(https?|all|no)_proxy)|PIP_\w+|(?i:npm_config_\w+)|[A-Z_]*(CA_BUNDLE|CA_CERTS|SSL_CERT_FILE|SSL_CAINFO)"
)
CREDENTIAL = re.compile(r"_auth|_password|token|username", re.IGNORECASE)
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Recipe:
    tags: tuple[str, ...]
    fill: Callable[[Path], None]
    changes: tuple[str, ...]


def cache_directory() -> Path:
    given = os.environ.get("QUARTERDECK_TEST_CACHE")
    return Path(given) if given else Path(tempfile.gettempdir()) / "quarterdeck-base-images"


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        sys.exit(f"{' '.join(command[:4])} … ended with {done.returncode}:\n{tail}")


def inside(root: Path, script: str) -> None:
    run("chroot", str(root), "/usr/bin/env", "-i", f"PATH={PATH}", "DEBIAN_FRONTEND=noninteractive", *carried(root),
        "/bin/sh", "-ec", script)  # fmt: skip


def carried(root: Path) -> list[str]:
    """The host's proxy, certificate and index settings as `NAME=value`, without paths the root does not have."""
    chosen = {key: present(value, root) for key, value in sorted(os.environ.items()) if CARRIED.fullmatch(key)}
    return [f"{key}={value}" for key, value in chosen.items() if value]


def present(value: str, root: Path) -> str:
    """`value` without those of its words that name files of this host which are not in `root`."""

    def stays(word: str) -> bool:
        path = word.removeprefix("file://")
        return not path.startswith("/") or (root / path.lstrip("/")).exists()

    return " ".join(word for word in value.split() if stays(word.strip('"')))


def settings(source: Path, root: Path) -> str:
    """An ini-like configuration file without credentials and without paths that exist only on this host."""
    kept = []
    for line in source.read_text().splitlines():
        key, sign, value = line.partition("=")
        if not sign:
            kept.append(line)
        elif present(value, root) and not CREDENTIAL.search(key):
            kept.append(f"{key}={present(value, root)}")
    return "\n".join(kept) + "\n"


def host_files() -> list[Path]:
    """What tells apt, pip and npm of this host where to fetch from and whom to trust."""
    files = [*Path("/etc/apt").glob("sources.list"), *Path("/etc/apt/sources.list.d").glob("*.[sl]*")]
    files = [file for file in files if file.suffix in {".list", ".sources"}]
    files += [*Path("/etc/apt/auth.conf.d").glob("*"), *Path("/etc/apt/trusted.gpg.d").glob("*")]
    files += [file for file in Path("/etc/apt/apt.conf.d").glob("*") if "Acquire::" in file.read_text()]
    files += [*Path("/usr/local/share/ca-certificates").glob("**/*.crt")]
    signed = [re.findall(r"(?i)signed-by[:=]\s*(/\S+?)[\s\]]", file.read_text(errors="replace")) for file in files]
    files += [Path(name) for names in signed for name in names]
    files += [
        Path(value) for key, value in os.environ.items() if CARRIED.fullmatch(key) and value.endswith((".crt", ".pem"))
    ]
    files += [Path(BUNDLE), Path("/etc/resolv.conf")]
    return [file for file in files if file.is_file()]


def pip_files() -> list[Path]:
    home = Path.home()
    places = ("/etc/pip.conf", "/etc/xdg/pip/pip.conf", home / ".config/pip/pip.conf", home / ".pip/pip.conf")
    return [Path(place) for place in places if Path(place).is_file()]


def npm_files() -> list[Path]:
    return [file for file in (Path("/usr/etc/npmrc"), Path("/etc/npmrc"), Path.home() / ".npmrc") if file.is_file()]


def configuration() -> str:
    """Eight digits that change when images made with another configuration of this host would not do any more."""
    digest = hashlib.sha256(repr(carried(Path("/"))).encode())
    for file in (*host_files(), *pip_files(), *npm_files()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def copy_host_configuration(root: Path) -> None:
    for file in host_files():
        target = root / str(file).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(file, target)
    for directory in (Path("/etc/xdg/pip"),):
        if directory.is_dir():
            shutil.copytree(directory, root / str(directory).lstrip("/"), dirs_exist_ok=True)
    home = Path.home()
    for file in pip_files():
        target = root / ("root" / file.relative_to(home) if home in file.parents else str(file).lstrip("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(settings(file, root))
    npm = npm_files()
    for place in ("usr/local/etc/npmrc", "usr/etc/npmrc", "etc/npmrc"):  # where npm of either prefix looks
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text("".join(settings(file, root) for file in npm))


def suite_and_mirror() -> tuple[str, str]:
    """The host's own release, and where its apt takes it from."""
    facts = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suite = facts["VERSION_CODENAME"].strip('"')
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)"], capture_output=True, text=True, check=False
    )
    mirrors = [line.split(" ", 1)[1] for line in listed.stdout.splitlines() if line.startswith(f"{suite} ")]
    return suite, mirrors[0] if mirrors else ""


def base_tarball(cache: Path) -> Path:
    suite, mirror = suite_and_mirror()
    tarball = cache / f"base-{suite}-{configuration()}.tar"
    if not tarball.exists():
        with tempfile.TemporaryDirectory(dir=cache, prefix="base-") as place:
            root = Path(place) / "root"
            extra = ["--components=main,universe"] if "ubuntu" in Path("/etc/os-release").read_text().lower() else []
            include = "--include=ca-certificates,curl"
            run("debootstrap", "--variant=minbase", include, *extra, suite, str(root), *([mirror] if mirror else []))
            (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
            (root / "usr/sbin/policy-rc.d").chmod(0o755)
            copy_host_configuration(root)
            inside(root, "update-ca-certificates; apt-get update; rm -rf /var/cache/apt/archives/*.deb")
            packed = Path(place) / "packed.tar"
            run("tar", "-C", str(root), "-cf", str(packed), ".")
            packed.rename(tarball)
    return tarball


def carried_into_base(cache: Path) -> list[str]:
    """Settings for the image's environment; of paths only those that the base has."""
    with tarfile.open(base_tarball(cache)) as tar:
        names = set(tar.getnames())
    pairs = (pair.partition("=") for pair in carried(Path("/")))
    chosen = [(key, value) for key, _, value in pairs if not value.startswith("/") or f".{value}" in names]
    return [f"{key}={json.dumps(value)}" for key, value in chosen]


INSTALL = "apt-get install -y --no-install-recommends"


def fill_python(root: Path) -> None:
    inside(root, f"{INSTALL} python3 python3-pip python3-venv; rm -f /usr/lib/python3*/EXTERNALLY-MANAGED")
    for name, target in (("python", "python3"), ("python3", "python3"), ("pip", "pip3"), ("pip3", "pip3")):
        link = root / "usr/local/bin" / name
        link.symlink_to(f"/usr/bin/{target}")


def fill_node(root: Path) -> None:
    if not copy_host_node(root):
        inside(root, f"{INSTALL} nodejs npm")
    inside(root, "useradd --uid 1000 --user-group --create-home --shell /bin/sh node; node --version; npm --version")


def copy_host_node(root: Path) -> bool:
    """The host's Node.js, if it starts inside the root."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return False
    modules = Path(npm).resolve().parents[2]
    if modules.name != "node_modules":
        return False
    shutil.copy(Path(node).resolve(), root / "usr/local/bin/node")
    if subprocess.run(
        ["chroot", str(root), "/usr/local/bin/node", "--version"], capture_output=True, check=False
    ).returncode:
        (root / "usr/local/bin/node").unlink()
        return False
    for module, commands in (("npm", ("npm", "npx")), ("corepack", ("corepack",))):
        if not (modules / module).is_dir():
            continue
        shutil.copytree(modules / module, root / "usr/local/lib/node_modules" / module, symlinks=True)
        binaries = json.loads((modules / module / "package.json").read_text())["bin"]
        for command in commands:
            (root / "usr/local/bin" / command).symlink_to(
                f"../lib/node_modules/{module}/{binaries[command].lstrip('./')}"
            )
    return True


NGINX = """user nginx;
worker_processes 1;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /dev/stdout;
  sendfile on;
  include /etc/nginx/conf.d/*.conf;
}
"""
SITE = """server {
  listen 80;
  server_name localhost;
  location / { root /usr/share/nginx/html; index index.html index.htm; }
}
"""


def fill_nginx(root: Path) -> None:
    inside(root, f"{INSTALL} nginx-light; useradd --system --user-group --no-create-home nginx")
    (root / "etc/nginx/nginx.conf").write_text(NGINX)
    (root / "etc/nginx/conf.d").mkdir(exist_ok=True)
    (root / "etc/nginx/conf.d/default.conf").write_text(SITE)
    html = root / "usr/share/nginx/html"
    html.mkdir(parents=True, exist_ok=True)
    (html / "index.html").write_text("<!doctype html><title>Welcome to nginx</title><h1>Welcome to nginx</h1>\n")


def debian_tar(name: str, recipe: Recipe, cache: Path) -> Path:
    """The recipe's whole file system as a tar file, kept for the next engine."""
    tarball = cache / f"{name}-{suite_and_mirror()[0]}-{configuration()}.tar"
    if tarball.exists():
        return tarball
    with tempfile.TemporaryDirectory(dir=cache, prefix="image-") as place:
        root, packed = Path(place) / "root", Path(place) / "packed.tar"
        root.mkdir(mode=0o755)
        run("tar", "-C", str(root), "-xf", str(base_tarball(cache)))
        copy_host_configuration(root)
        recipe.fill(root)
        inside(
            root, "update-ca-certificates; apt-get clean; rm -rf /usr/share/doc/* /usr/share/man/* /usr/share/locale/*"
        )
        shutil.rmtree(root / "var/lib/apt/lists")
        (root / "var/lib/apt/lists/partial").mkdir(parents=True)
        (root / "etc/resolv.conf").write_text("")
        run("tar", "-C", str(root), "--exclude=./dev/*", "-cf", str(packed), ".")
        packed.rename(tarball)
    return tarball


def in_pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(1 << 20):
            yield piece


def busybox_tar() -> Iterator[bytes]:
    program = shutil.which("busybox")
    if program is None:
        sys.exit("busybox is not installed (package busybox-static)")
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, mode in (("bin", 0o755), ("etc", 0o755), ("root", 0o700), ("tmp", 0o1777), ("var", 0o755)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        accounts = {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
                    "etc/group": "root:x:0:\nnobody:x:65534:\n"}  # fmt: skip
        for name, text in accounts.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
        content = Path(program).read_bytes()
        entry = tarfile.TarInfo("bin/busybox")
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
        for applet in listed:
            if applet != "busybox":
                entry = tarfile.TarInfo(f"bin/{applet}")
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, "busybox", 0o777
                tar.addfile(entry)
    yield whole.getvalue()


RECIPES = {
    "busybox": Recipe(("busybox:latest",), lambda _root: None, ('CMD ["sh"]',)),
    "python": Recipe(
        tuple(f"python:{version}-slim" for version in ("3", "3.10", "3.11", "3.12", "3.13", "3.14")),
        fill_python,
        ('CMD ["python3"]', "ENV LANG=C.UTF-8"),
    ),
    "node": Recipe(
        tuple(f"node:{version}-{kind}" for version in (18, 20, 22, 24) for kind in ("alpine", "slim")),
        fill_node,
        ('CMD ["node"]',),
    ),
    "nginx": Recipe(
        ("nginx:1.27-alpine", "nginx:alpine", "nginx:latest"),
        fill_nginx,
        ('CMD ["nginx", "-g", "daemon off;"]', "EXPOSE 80/tcp"),
    ),
}


def client(host: str) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=host.removeprefix("unix://")) if host.startswith("unix://") else None
    base = "http://docker" if transport else host.replace("tcp://", "http://")
    return httpx.Client(transport=transport, base_url=base, timeout=300, trust_env=False)


def ensure(host: str, only: list[str] | None = None, cache: Path | None = None) -> list[str]:
    """Make what the engine at `host` lacks; an image that exists is kept. Returns the tags made."""
    cache = cache or cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    made = []
    with client(host) as docker:
        for name in only or list(RECIPES):
            recipe = RECIPES[name]
            missing = [tag for tag in recipe.tags if docker.get(f"/images/{tag}/json").status_code == 404]
            if len(missing) == len(recipe.tags):
                environment = [f"ENV PATH={PATH}"]
                if name != "busybox":
                    environment += [f"ENV {pair}" for pair in carried_into_base(cache)]
                stream = busybox_tar() if name == "busybox" else in_pieces(debian_tar(name, recipe, cache))
                import_image(docker, recipe, stream, environment)
            present_tag = next(tag for tag in recipe.tags if tag not in missing or len(missing) == len(recipe.tags))
            for tag in missing:
                repository, _, label = tag.partition(":")
                docker.post(f"/images/{present_tag}/tag", params={"repo": repository, "tag": label}).raise_for_status()
            made += missing
    return made


def import_image(docker: httpx.Client, recipe: Recipe, stream: Iterator[bytes], environment: list[str]) -> None:
    repository, _, label = recipe.tags[0].partition(":")
    changes = [*recipe.changes, *environment]
    asked = [("fromSrc", "-"), ("repo", repository), ("tag", label), *(("changes", change) for change in changes)]
    answer = docker.post("/images/create", params=asked, content=stream)
    answer.raise_for_status()
    for line in answer.text.splitlines():
        if "error" in json.loads(line):
            sys.exit(f"{recipe.tags[0]}: {json.loads(line)['error']}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make base images for tests locally")
    parser.add_argument("--host", default=os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    parser.add_argument("--only", help=f"comma-separated: {','.join(RECIPES)}")
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    started = time.monotonic()
    made = ensure(given.host, given.only.split(",") if given.only else None, given.cache)
    sys.stdout.write(f"made {', '.join(made) or 'nothing'} in {time.monotonic() - started:.1f} s\n")


if __name__ == "__main__":
    main()
