#!/usr/bin/env python3
"""Runs the steps of the GitHub Action and of the GitLab component as those systems do.

    packaging/release.sh && packaging/install/pipelines.py

Each installs dist/ from a server on loopback. Then a later step of the job clones a
repository from a git server that accepts only the token, and docker's helper answers. No
output shows the key or the token, except the line that makes GitHub mask it. Needs PyYAML.
"""

import base64
import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging/bench"))
from issuer import TOKEN, Issuer  # noqa: E402

REGISTRY = "registry.acme.test"
SHELLS = {"sh": ["sh"], "bash": ["bash", "--noprofile", "--norc"]}


def must(condition, complaint):
    if not condition:
        sys.exit(f"packaging/install/pipelines.py: {complaint}")


class Git(http.server.BaseHTTPRequestHandler):
    """git http-backend behind a gate that takes the token as a password."""

    repositories = None

    def do_GET(self):
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        if base64.b64decode(given).decode().partition(":")[2] != TOKEN:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = subprocess.run(
            ["git", "http-backend"], input=body, stdout=subprocess.PIPE, check=True, timeout=60,
            env={"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.repositories),
                 "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": self.command, "PATH_INFO": path,
                 "QUERY_STRING": query, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                 "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
                 "GIT_CONFIG_VALUE_0": "*"}).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Away(http.server.BaseHTTPRequestHandler):
    """Redirects to another server."""

    to = None

    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", self.to + self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Files(http.server.SimpleHTTPRequestHandler):
    """The release."""

    def log_message(self, *_):
        pass


def serve(handler, tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class World:
    """Servers, a key and a home for the jobs."""

    def __init__(self, scratch, issuer):
        self.scratch, self.issuer = scratch, issuer.url
        pem = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True,
                             capture_output=True, text=True).stdout
        self.key = json.dumps({"type": "serviceaccount", "keyId": "1", "key": pem, "userId": "2"})
        Git.repositories = scratch / "repositories"
        work = scratch / "work"
        commands = [["init", "-q", "--bare", Git.repositories / "team/app.git"],
                    ["init", "-q", work], ["-C", work, "commit", "-q", "--allow-empty", "-m", "first"],
                    ["-C", work, "push", "-q", Git.repositories / "team/app.git", "HEAD:refs/heads/main"],
                    ["-C", Git.repositories / "team/app.git", "symbolic-ref", "HEAD", "refs/heads/main"]]
        who = ["-c", "user.name=a", "-c", "user.email=a@acme.test"]
        for command in commands:
            subprocess.run(["git", *who, *command], check=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
             scratch / "tls.key", "-out", scratch / "tls.crt"], check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(scratch / "tls.crt", scratch / "tls.key")
        self.git = f"localhost:{serve(Git, tls)}"
        release = lambda *given: Files(*given, directory=str(ROOT / "dist"))  # noqa: E731
        self.releases = f"http://127.0.0.1:{serve(release)}"
        (scratch / "plain").mkdir()
        (scratch / "plain/install.sh").write_text("echo came by plain http")
        plain = lambda *given: Files(*given, directory=str(scratch / "plain"))  # noqa: E731
        Away.to = f"http://127.0.0.1:{serve(plain)}"
        self.away = f"localhost:{serve(Away, tls)}"
        self.version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
        self.inputs = {"issuer": self.issuer, "git-hosts": f"{self.git} *.acme.test", "registries": REGISTRY,
                       "projects": "317240000000000001", "roles": "true", "from": self.releases}

    def job(self):
        """Returns a job's own directory and environment, in which git stores passwords."""
        home = Path(tempfile.mkdtemp(dir=self.scratch))
        (home / ".gitconfig").write_text("[credential]\n\thelper = store\n")
        return home, {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8",
                      "GIT_SSL_CAINFO": str(self.scratch / "tls.crt"), "GIT_TERMINAL_PROMPT": "0",
                      "CURL_CA_BUNDLE": str(self.scratch / "tls.crt")}

    def later(self):
        """Returns the later step's commands: a clone, and docker's request."""
        return (f"git clone -q https://{self.git}/team/app.git app && git -C app log -1 --format=%s\n"
                f"echo {REGISTRY} | docker-credential-zitadel get >answer.json\n"
                "env | grep GIT_CONFIG_KEY_\n")

    def served(self, home, output, mode):
        must("first" in output, f"{mode}: the clone says {output}")
        must("=credential.https://*.acme.test.helper" in output, f"{mode}: git is set up by {output}")
        must(TOKEN not in output, f"{mode}: the token is shown")
        must("PRIVATE KEY" not in output, f"{mode}: the key is shown")
        login = json.loads(next(home.rglob("answer.json")).read_text())
        must(login["Secret"] == TOKEN, f"{mode}: docker's helper says {login}")
        config = json.loads((home / ".docker/config.json").read_text())
        must(config == {"credHelpers": {REGISTRY: "zitadel"}}, f"{mode}: docker has {config}")
        must(not (home / ".git-credentials").exists(), f"{mode}: git stored the token")


def github(world, **changed):
    """Runs the composite action, and a later step; returns home and output."""
    action = yaml.safe_load((ROOT / "packaging/github/action.yml").read_text())
    inputs = {name: given.get("default", "") for name, given in action["inputs"].items()}
    inputs |= world.inputs | {"key": world.key} | changed
    home, environment = world.job()
    (home / "file.acme.test").touch()
    for name in ("env", "path"):
        (home / name).touch()
    environment |= {"RUNNER_TEMP": str(home / "temp with a space"), "CI": "true",
                    "GITHUB_ENV": str(home / "env"), "GITHUB_PATH": str(home / "path"),
                    "GITHUB_ACTION_PATH": str(ROOT / "packaging/github")}
    Path(environment["RUNNER_TEMP"]).mkdir()
    steps = [*action["runs"]["steps"], {"shell": "bash", "run": world.later()}]
    output = ""
    for step in steps:
        must(step["shell"] == "bash", f"{step} has another shell")
        condition = re.fullmatch(r"inputs\.([a-z-]+) != ''", step.get("if", ""))
        must(condition or "if" not in step, f"{step} has an unknown condition")
        if condition and not inputs[condition[1]]:
            continue
        fill = lambda text: re.sub(  # noqa: E731
            r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: inputs[found[1]], text)
        must("${{" not in step["run"], f"{step.get('name')}: an input is in the script's text")
        own = {name: fill(value) for name, value in step.get("env", {}).items()}
        kept = dict(line.split("=", 1) for line in (home / "env").read_text().splitlines())
        path = ":".join([*reversed((home / "path").read_text().splitlines()), environment["PATH"]])
        script = home / "step.sh"
        script.write_text(step["run"])
        run = subprocess.run(
            [*SHELLS["bash"], "-eo", "pipefail", script], env=environment | kept | own | {"PATH": path},
            cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=300, check=False)
        output += run.stdout
        if run.returncode:
            return home, output, run.returncode
    must("PRIVATE" not in (home / "env").read_text(), "the key is in GITHUB_ENV")
    must(TOKEN not in (home / "env").read_text(), "the token is in GITHUB_ENV")
    return home, output, 0


def gitlab(world, shell, key=True, **changed):
    """Runs a job that extends the component; returns home and output."""
    text = (ROOT / "templates/zitadel-credential.yml").read_text()
    head, _, _ = text.partition("\n---\n")
    spec = yaml.safe_load(head)["spec"]["inputs"]
    inputs = {name: given.get("default", "") for name, given in spec.items()}
    inputs |= world.inputs | {"version": world.version} | changed
    unknown = set(re.findall(r"\$\[\[ inputs\.([a-z-]+) \]\]", text)) ^ set(spec)
    must(not unknown, f"the component's inputs and their uses differ: {unknown}")
    filled = re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda found: str(inputs[found[1]]), text)
    job = list(yaml.safe_load_all(filled))[1][".zitadel-credential"]
    home, environment = world.job()
    (home / "builds/app.tmp").mkdir(parents=True)
    (home / "builds/app").mkdir()
    (home / "builds/app/file.acme.test").touch()
    # In the state in which the docker executor leaves it.
    file = home / "builds/app.tmp/ZITADEL_CREDENTIAL_KEY_FILE"
    file.write_text(world.key)
    file.chmod(0o666)
    environment |= {"CI_PROJECT_DIR": str(home / "builds/app"), "CI_JOB_ID": "17", "CI": "true"}
    if key:
        environment["ZITADEL_CREDENTIAL_KEY_FILE"] = str(file)

    def run(lines):
        script = "set -e\n" + "\n".join(lines)
        return subprocess.run(
            [*SHELLS[shell], "-c", script], env=environment, cwd=home / "builds/app",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=300, check=False)

    main = run([*job["before_script"], 'test "$(umask)" = 0022', world.later()])
    after = run(job["after_script"])
    must(after.returncode == 0, f"after_script says {after.stdout}")
    left = [path for path in (home / "builds/app.tmp").iterdir() if path != file]
    must(not left, f"the job left {left}")
    return home, main.stdout, main.returncode


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as scratch, Issuer() as issuer:
        world = World(Path(scratch), issuer)
        home, output, code = github(world)
        must(code == 0, f"the action says {output}")
        mask = f"::add-mask::{TOKEN}\n"
        must(output.count(mask) == 1, "the action does not mask the token")
        world.served(home, output.replace(mask, ""), "the action")
        modes = {path.stat().st_mode & 0o777 for path in home.rglob("key.json")}
        must(modes == {0o600}, f"the key's modes are {modes}")
        _, output, code = github(world, key="")
        must(code and "::error::the input key is empty" in output, f"without a key: {output}")
        _, output, code = github(world, version="9.9.9")
        must(code and "no archive of version 9.9.9" in output, f"another version: {output}")
        _, output, code = github(world, issuer="http://127.0.0.1:1")
        must(code and "connection refused" in output, f"no issuer: {output}")
        print("the GitHub Action: git clones, docker is answered, the token is masked")
        for shell in SHELLS:
            home, output, code = gitlab(world, shell)
            must(code == 0, f"the component says {output}")
            world.served(home, output, f"the component under {shell}")
            _, output, code = gitlab(world, shell, key=False)
            must(code and "of type File" in output, f"without a key: {output}")
            _, output, code = gitlab(world, shell, version="9.9.9")
            must(code and "no archive of version 9.9.9" in output, f"another version: {output}")
            for url in [f"https://{world.away}", Away.to.replace("127.0.0.1", "127.0.0.1.nip.test"),
                        Away.to.replace("//127.0.0.1", "//127.0.0.1:80@localhost")]:
                _, output, code = gitlab(world, shell, **{"from": url})
                must(code and "plain http" not in output, f"from {url}: {output}")
            print(f"the GitLab component under {shell}: git clones, docker is answered")


if __name__ == "__main__":
    main()
