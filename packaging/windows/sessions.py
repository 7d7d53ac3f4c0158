#!/usr/bin/env python3
"""Runs the sessions of a Windows user under wine, against the tests' issuer.

    packaging/windows/check.sh      (which builds what this runs)

A user whose name has a space, files whose lines end in CRLF, paths with backslashes:
each tool's setup is shown, done, done again and undone, byte for byte; Ctrl-C stops the
agent and exec; a token is requested over TLS; and a process that is killed while it holds
a lock blocks no other. packaging/windows/tools.sh builds git.exe and kubectl.exe.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "windows"
PROGRAM = WORK / "x86_64-pc-windows-gnu" / "debug" / "zitadel-credential.exe"
TOOLS = WORK / "tools"
WINE = "/usr/lib/wine/wine64"
HOME = WORK / "Jane Doe"
BIN, ALONE = HOME / "bin", HOME / "alone"
CONFIG = HOME / "AppData" / "config.toml"
NAMES = ["git-credential-zitadel", "docker-credential-zitadel", "cargo-credential-zitadel"]
TIMEOUT = 120


def must(condition, complaint):
    if not condition:
        sys.exit(f"packaging/windows/sessions.py: {complaint}")


def windows(path):
    return "Z:" + str(path).replace("/", "\\")


def environment(search=(BIN, TOOLS), **more):
    """Returns the environment of a call; wine puts WINEPATH before its own PATH."""
    return {
        "PATH": os.environ["PATH"],
        "WINEPREFIX": str(WORK / "wine"), "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "WINEPATH": ";".join(windows(path) for path in search),
        "GIT_CONFIG_GLOBAL": windows(HOME / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "KUBECONFIG": windows(HOME / ".kube" / "config"),
        "CARGO_HOME": windows(HOME / ".cargo"),
        "DOCKER_CONFIG": windows(HOME / ".docker"),
        "ZITADEL_CREDENTIAL_CACHE_DIR": windows(HOME / "cache"),
        "HOME": str(HOME), **more}


def start(program, *arguments, search=(BIN, TOOLS), **more):
    return subprocess.Popen(
        [WINE, program, *arguments], env=environment(search, **more), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process, code=0, stdin=b"", timeout=TIMEOUT):
    """Waits for a process; returns its stdout and stderr."""
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        sys.exit(f"packaging/windows/sessions.py: {process.args[1:]} hangs")
    must(process.returncode == code,
         f"{process.args[1:]} exits with {process.returncode}, not {code}: {out}{err}")
    return out.decode(), err.decode()


def run(*arguments, code=0, program=BIN / "zitadel-credential.exe", stdin=b"", config=CONFIG,
        **more):
    given = ["--config", windows(config)] if config else []
    return ended(start(program, *given, *arguments, **more), code, stdin)


def issuer(directory, *kind):
    """Starts the tests' issuer; returns a function that returns the number of token requests."""
    program = ROOT / "target" / "debug" / "examples" / "issuer"
    process = subprocess.Popen([program, directory, *kind], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    url = process.stdout.readline().strip()

    def say(line=""):
        print(line, file=process.stdin, flush=True)
        return int(process.stdout.readline())
    return url, say


def files():
    """Returns each setup's change: the arguments of `setup`, the file, its content before,
    and a text that it contains after."""
    exe = re.escape(windows(BIN / "zitadel-credential.exe"))
    config = re.escape(windows(CONFIG))
    slashes = config.replace(re.escape("\\"), "/")
    kube = "\r\n".join([
        "apiVersion: v1", "kind: Config", "current-context: dev", "clusters:", "- name: dev",
        "  cluster:", "    server: https://k8s.acme.dev", "contexts:", "- name: dev",
        "  context:", "    cluster: dev", "    user: jane", "users:", "- name: jane",
        "  user:", r"    client-key: C:\Users\Jane Doe\key.pem", ""])
    return {
        "git": (["git", "git.acme.dev", "--no-try"], HOME / ".gitconfig",
                '[user]\r\n\tname = Jane Doe\r\n\tsigningkey = "C:\\\\Keys\\\\jane"\r\n',
                rf"helper = zitadel --config '{slashes}'\n"),
        "kubectl": (["kubectl", "--user", "zitadel", "--context", "dev"], HOME / ".kube/config", kube,
                    rf"- {config}\n[\s\S]*command: {exe}\n"),
        "cargo": (["cargo", "cargo.acme.dev"], HOME / ".cargo/config.toml",
                  '[registries.acme]\r\nindex = "sparse+https://cargo.acme.dev/index/"\r\n',
                  r'credential-provider = \["cargo-credential-zitadel", "--config", .*\]\r\n'),
        "docker": (["docker", "registry.acme.dev:5000"], HOME / ".docker/config.json",
                   '{\r\n  "auths": {}\r\n}\r\n',
                   r'\r\n    "registry\.acme\.dev:5000": "zitadel"\r\n'),
    }


def setups():
    """Runs each tool's setup: shown, done, done again, undone."""
    before = CONFIG.read_bytes()
    for tool, (words, file, text, after) in files().items():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode())
        shown, _ = run("setup", *words, "--dry-run")
        must("\n+" in shown, f"setup {tool}'s dry run says {shown}")
        must(file.read_bytes() == text.encode(), f"setup {tool}'s dry run changes the file")
        run("setup", *words)
        first = file.read_bytes()
        must(re.search(after, first.decode()), f"setup {tool} writes {first.decode()}")
        again, _ = run("setup", *words)
        must("nothing to change" in again and file.read_bytes() == first,
             f"setup {tool} the second time: {again}")
        listed, _ = run("setup", "list")
        must(windows(file) in listed, f"setup list, after {tool}: {listed}")
        run("setup", *words, "--undo")
        must(file.read_bytes() == text.encode(),
             f"setup {tool}'s undo leaves {file.read_bytes()}")
        must(CONFIG.read_bytes() == before, f"setup {tool}'s undo leaves the config file changed")
        print(f"setup {tool}: dry run, twice, undo", flush=True)


def all_setups():
    """Runs all setups, and undoes them with `setup undo`; created files are removed again."""
    texts = {}
    for tool, (words, file, text, _) in files().items():
        if tool == "docker":
            shutil.rmtree(file.parent)
        texts[file] = file.read_bytes() if file.exists() else None
        run("setup", *words)
    run("setup", "undo", "--all")
    for file, text in texts.items():
        must((file.read_bytes() if file.exists() else None) == text, f"setup undo leaves {file}")
    must(not (HOME / ".docker").exists(), "setup undo leaves the directory that it made")
    listed, _ = run("setup", "list")
    must("registry.acme.dev" not in listed, f"setup list says {listed}")
    print("setup list, setup undo", flush=True)


def without_names():
    """If none of our names is on PATH, git calls us with our path."""
    words, file, _, _ = files()["git"]
    run("setup", *words, program=ALONE / "zitadel-credential.exe", search=[TOOLS])
    program = str(windows(ALONE / "zitadel-credential.exe")).replace("\\", "/")
    key = "credential.https://git.acme.dev.helper"
    value, _ = ended(start(TOOLS / "git.exe", "config", "--global", "--get-all", key))
    must(value.startswith(f"\n!'{program}' git --config 'Z:/"), f"git's helper is {value}")
    doctor, _ = run("doctor", "git.acme.dev", program=ALONE / "zitadel-credential.exe",
                    search=[TOOLS])
    must("host rule git.acme.dev" in doctor, f"doctor says {doctor}")
    run("setup", *words, "--undo", program=ALONE / "zitadel-credential.exe", search=[TOOLS])
    must(ended(start(TOOLS / "git.exe", "config", "--global", "--get-all", key), 1)[0] == "", "undo")
    print("git's helper by its path", flush=True)


def helpers(token):
    """Calls us as git and docker do, under the names of hard links and copies."""
    ask = b"protocol=https\nhost=git.acme.dev\n\n"
    config = {"ZITADEL_CREDENTIAL_CONFIG": windows(CONFIG)}
    answer, err = ended(start(TOOLS / "git.exe", "credential-zitadel", "get", **config), stdin=ask)
    must((f"password={token}\n" in answer and "\r" not in answer, err) == (True, ""),
         f"git credential-zitadel get: {answer}{err}")
    answer, err = run("get", program=BIN / "docker-credential-zitadel.exe", config=None,
                      stdin=b"registry.acme.dev:5000\r\n", **config)
    must((json.loads(answer)["Secret"], err) == (token, ""), f"docker: {answer}{err}")
    exec_info, _ = run("kubectl", "--profile", "prod")
    must(json.loads(exec_info)["status"]["token"] == token, f"kubectl: {exec_info}")
    print("git credential-zitadel, docker-credential-zitadel, kubectl", flush=True)


def profiles(url):
    """Sets up a profile with a key whose path has backslashes and a space."""
    config = HOME / "new" / "config.toml"
    key = windows(CONFIG.parent / "key.json")
    run("setup", "profile", "ci", "--issuer", url, "--key-file", key, config=config)
    written = tomllib.loads(config.read_text())["profiles"]["ci"]
    must(written == {"issuer": url, "key-file": key}, f"setup profile writes {written}")
    listed, _ = run("profile", "list", config=config)
    must("ci" in listed, f"profile list says {listed}")
    shown, _ = run("config", "show", config=config)
    must(key in shown and windows(config) in shown, f"config show says {shown}")
    must(run("token", config=config)[0].strip(), "no token by the new profile")
    run("setup", "profile", "ci", "--undo", config=config)
    must(not config.exists() and not config.parent.exists(), "the profile's undo leaves its file")
    print("setup profile, profile list, config show", flush=True)


def agent():
    """Checks files that are written once and kept, and Ctrl-C for the agent and for exec."""
    file = HOME / "a token"
    run("agent", "--profile", "prod", "--write", windows(file), "--once")
    token = run("token", "--profile", "prod")[0].strip()
    must(file.read_text() == token, f"agent --once writes {file.read_text()!r}, not {token!r}")
    run("agent", "--check", windows(file))
    file.unlink()
    run("agent", "--check", windows(file), code=1)
    program, config = BIN / "zitadel-credential.exe", ["--config", windows(CONFIG)]
    keep = [*config, "agent", "--profile", "prod", "--write", windows(file)]
    for words in ([], [*config, "exec", "--profile", "prod", "--", windows(program)]):
        process = start(program, *words, *keep)
        wait(file.exists, "the agent writes no file")
        # wine turns SIGINT into Ctrl-C; a console sends it to all of its processes.
        for pid in (process.pid, *inner(process.pid)):
            os.kill(pid, signal.SIGINT)
        ended(process)
        must(file.read_text() == token, "the agent's file is gone")
        file.unlink()
    print("agent and exec end by Ctrl-C", flush=True)


def inner(pid):
    """Returns the processes that run an agent, except this one."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if b"agent" in line and b"a token" in line and b"exec" not in line and int(place.name) != pid:
            yield int(place.name)


def wait(is_so, complaint):
    end = time.monotonic() + 60
    while not is_so():
        must(time.monotonic() < end, complaint)
        time.sleep(0.05)


def kills(requests):
    """Checks that a process killed during its request blocks no other."""
    for words in (["token", "--refresh"], ["token"]):
        if len(words) == 1:
            run("cache", "clear")
        before = requests("hang")
        holder = start(BIN / "zitadel-credential.exe", "--config", windows(CONFIG), *words,
                       "--profile", "prod")
        wait(lambda: requests() > before, "the holder sends no request")
        others = [start(BIN / "zitadel-credential.exe", "--config", windows(CONFIG), *words,
                        "--profile", "prod") for _ in range(5)]
        time.sleep(1)
        holder.kill()
        holder.communicate()
        tokens = {ended(other, timeout=30)[0] for other in others}
        must(len(tokens) == 1 or "--refresh" in words, f"{len(tokens)} tokens after a kill")
    print("a killed holder blocks nobody", flush=True)


def tls():
    """Gets a token over TLS, with a private certificate authority."""
    place = HOME / "tls"
    place.mkdir()
    url, _ = issuer(place, "tls")
    must(url.startswith("https://"), url)
    config = place / "config.toml"
    must(run("token", "--profile", "prod", config=config)[0].strip(), "no token over TLS")
    text = config.read_text()
    config.write_text(text.replace('ca-file  = "ca.pem"\n', ""))
    _, err = run("token", "--profile", "prod", "--no-cache", config=config, code=1)
    must("certificate" in err, f"without the authority it says {err}")
    print("TLS", flush=True)


def main():
    shutil.rmtree(HOME, ignore_errors=True)
    for place in (BIN, ALONE, CONFIG.parent):
        place.mkdir(parents=True)
    for place in (BIN, ALONE):
        shutil.copy(PROGRAM, place / "zitadel-credential.exe")
    os.link(BIN / "zitadel-credential.exe", BIN / f"{NAMES[0]}.exe")
    for name in NAMES[1:]:
        shutil.copy(PROGRAM, BIN / f"{name}.exe")
    url, requests = issuer(CONFIG.parent)
    token = run("token", "--profile", "prod")[0].strip()
    helpers(token)
    setups()
    all_setups()
    without_names()
    profiles(url)
    agent()
    kills(requests)
    tls()


if __name__ == "__main__":
    main()
