"""The measured programs, and a home in which each finds its answer."""

import base64
import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from issuer import TOKEN

ROOT = Path(__file__).resolve().parents[2]
PATH = os.environ["PATH"]
GIT_QUESTION = "protocol=https\nhost=git.acme.dev\n\n"
DOCKER_QUESTION = "registry.acme.dev:5000\n"
ECR_REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
KUBECTL = "kubectl, cached"
PLAIN = "kubectl, cached, plain build"
GIT = "git get, cached"
FAR = "2099-01-01T00:00:00Z"


@dataclasses.dataclass
class Command:
    """A whole process to measure, and the action before each run."""

    name: str
    argv: list
    home: Path
    stdin: Path = Path(os.devnull)
    variables: dict = dataclasses.field(default_factory=dict)
    before: Callable = lambda: None

    @property
    def environment(self):
        return {"HOME": str(self.home), "PATH": PATH, **self.variables}

    def output(self):
        """Returns its output, once: proof that it answers from the prepared files."""
        self.before()
        with open(self.stdin, "rb") as stdin:
            run = subprocess.run(self.argv, env=self.environment, stdin=stdin, timeout=60,
                                 capture_output=True, text=True, check=True)
        return run.stdout


def installed(binary, directory):
    """Returns a copy that the system must read from disk, as after a boot.

    A file that was just copied lies in memory in large pieces, and a process
    maps those quicker: it would flatter the larger program, which is ours.
    """
    directory.mkdir(exist_ok=True)
    copy = Path(shutil.copy(binary, directory))
    with open(copy, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return copy


def build_packaged(directory):
    """Builds our binary as in the packages, and installs it in a directory."""
    built = subprocess.run([ROOT / "packaging/build.sh"], check=True, stdout=subprocess.PIPE,
                           text=True).stdout
    return installed(ROOT / built.strip(), directory)


def build_plain(directory):
    """Builds our binary as `cargo install` does, and installs it in a directory."""
    target = ROOT / "target"
    subprocess.run(["cargo", "build", "--release", "--quiet", "--locked", "--target-dir", target],
                   cwd=ROOT, check=True)
    return installed(target / "release/zitadel-credential", directory)


def build_empty(directory):
    """Builds an empty Rust program with our profile, and installs it."""
    manifest = (ROOT / "Cargo.toml").read_text()
    profile = manifest[manifest.index("[profile.release]") :]
    (directory / "src").mkdir(parents=True)
    (directory / "src/main.rs").write_text("fn main() {}\n")
    (directory / "Cargo.toml").write_text(
        f'[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n\n{profile}'
    )
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=directory, check=True,
                   env={**os.environ, "CARGO_TARGET_DIR": str(directory / "target")})
    return installed(directory / "target/release/empty", directory / "bin")


def write_home(home, issuer):
    """Returns a home with a config file and a key."""
    config = home / ".config/zitadel-credential"
    config.mkdir(parents=True)
    home.chmod(0o700)
    key = subprocess.run(["openssl", "genrsa", "-traditional", "2048"],
                         check=True, capture_output=True, text=True).stdout
    (home / "key.json").write_text(
        json.dumps({"type": "serviceaccount", "keyId": "100509901696068329", "key": key,
                    "userId": "100507859606888466"})
    )
    (config / "config.toml").write_text(
        f'default-profile = "bench"\n\n[profiles.bench]\nissuer = "{issuer.url}"\n'
        'key-file = "~/key.json"\n\n[hosts."git.acme.dev"]\nprofile = "bench"\n\n'
        '[hosts."registry.acme.dev:5000"]\nprofile = "bench"\n'
    )
    return home


def cached_calls(scratch, binary, issuer):
    """Returns one call of each kind, all answered from the cache."""
    (scratch / "git-question").write_text(GIT_QUESTION)
    (scratch / "docker-question").write_text(DOCKER_QUESTION)
    home = write_home(scratch / "home", issuer)
    Command("token", [binary, "token"], home).output()
    return [
        Command(KUBECTL, [binary, "kubectl"], home),
        Command(GIT, [binary, "git", "get"], home, scratch / "git-question"),
        Command("docker get, cached", [binary, "docker", "get"], home,
                scratch / "docker-question"),
    ]


def fill_cache(home, entries):
    """Copies the single entry of a cache under other names up to this number of entries."""
    (entry,) = (home / ".cache").rglob("*.json")
    text = entry.read_bytes()
    for n in range(entries - 1):
        name = hashlib.sha256(str(n).encode()).hexdigest()[:32]
        other = entry.with_name(f"{name}.json")
        other.write_bytes(text)
        other.chmod(0o600)


def peers(home, scratch):
    """Returns other tools' helpers, which answer from their own file or cache.

    Returns those that this machine has, and why the others are left out.
    """
    home.mkdir()
    question = scratch / "git-question"
    ecr_question = scratch / "ecr-question"
    ecr_question.write_text(ECR_REGISTRY)
    found, left_out = [], {}

    def add(name, program, argv=(), **more):
        path = shutil.which(program)
        if not path:
            left_out[name] = "it is not installed"
            return
        command = Command(name, [path, *argv], home, **more)
        try:
            answered = TOKEN in command.output()
        except subprocess.SubprocessError as error:
            answered, left_out[name] = False, f"it does not answer without a network: {error}"
        if answered:
            found.append(command)
        else:
            left_out.setdefault(name, "its answer is not the one prepared")

    (home / ".git-credentials").write_text(f"https://ci:{TOKEN}@git.acme.dev\n")
    where = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
    add("git credential-store get", f"{where.stdout.strip()}/git-credential-store", ["get"],
        stdin=question)

    (home / ".kube").mkdir()
    (home / ".kube/gke_gcloud_auth_plugin_cache").write_text(
        json.dumps({"current_context": "", "access_token": TOKEN, "token_expiry": FAR,
                    "extra_args": ""})
    )
    add("gke-gcloud-auth-plugin, cached", "gke-gcloud-auth-plugin")

    # Its name for an entry: the region, and the key's ID followed by the MD5 of an empty text.
    key_id = b"AKIDBENCH"
    account = base64.b64encode(key_id + hashlib.md5(b"").digest()).decode()
    entry = {"AuthorizationToken": base64.b64encode(f"AWS:{TOKEN}".encode()).decode(),
             "RequestedAt": "2026-01-01T00:00:00Z", "ExpiresAt": FAR, "Service": "ecr",
             "ProxyEndpoint": f"https://{ECR_REGISTRY}", "Username": "AWS"}
    (home / ".ecr").mkdir()
    (home / ".ecr/cache.json").write_text(
        json.dumps({"Version": "1.0", "Registries": {f"us-east-1-{account}-123456789012": entry}})
    )
    add("docker-credential-ecr-login get, cached", "docker-credential-ecr-login", ["get"],
        stdin=ecr_question,
        variables={"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": key_id.decode(),
                   "AWS_SECRET_ACCESS_KEY": "x"})
    return found, left_out
