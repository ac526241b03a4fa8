"""The release program, as an operator runs it, for the checks that are written in Python."""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# PROGRAM names another binary than the release.
BINARY = Path(os.environ.get("PROGRAM", ROOT / "target/release/mediamanager-auth")).resolve()
READY_WITHIN_SECONDS = 20
GONE_WITHIN_SECONDS = 12

# A proxy of the developer's is no way to loopback.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Program:
    """One installation in a directory of its own. `sections` are those of its configuration; it gets a free port."""

    def __init__(self, home: Path, sections: dict[str, dict]) -> None:
        self.home, self.port = home, free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        ours = {"misc": {"frontend_url": f"http://localhost:{self.port}"}, "server": {"port": self.port}}
        write_toml(home / "config.toml", ours | sections)

    @property
    def log(self) -> str:
        return (self.home / "log").read_text()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Runs for the length of the block. It has to become ready, and to end well."""
        with (self.home / "log").open("w") as log:
            process = subprocess.Popen(
                [BINARY], cwd=self.home, env=environment(self.home), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self.wait_until_ready(process)
            yield
            process.terminate()
            ended_with = process.wait(GONE_WITHIN_SECONDS)
            assert ended_with == 0, f"the program ended with {ended_with}"
        finally:
            process.kill()
            process.wait()

    def wait_until_ready(self, process: subprocess.Popen) -> None:
        until = time.monotonic() + READY_WITHIN_SECONDS
        while not self.is_ready():
            assert process.poll() is None, f"the program did not start:\n{self.log}"
            assert time.monotonic() < until, f"the program was not ready within {READY_WITHIN_SECONDS} seconds:\n{self.log}"
            time.sleep(0.02)

    def is_ready(self) -> bool:
        try:
            with direct.open(f"{self.origin}/readyz", timeout=READY_WITHIN_SECONDS) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


def environment(home: Path) -> dict[str, str]:
    """Not the developer's own: a variable of theirs would change the configuration under test."""
    return {"PATH": os.environ["PATH"], "CONFIG_FILE": str(home / "config.toml")}


def command(home: Path, *arguments: str, stdin: str) -> None:
    """Runs one of the program's commands for the installation in `home`. It has to succeed."""
    ended = subprocess.run([BINARY, *arguments], cwd=home, env=environment(home), input=stdin, capture_output=True, text=True)
    assert ended.returncode == 0, f"{' '.join(arguments)} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"


def require_binary() -> None:
    if not BINARY.is_file():
        raise SystemExit(f"{BINARY} is not there: run `make build`, or name another one in PROGRAM")


def write_toml(path: Path, sections: dict[str, dict]) -> None:
    """Texts, numbers, truth values and lists are written alike in JSON and TOML."""
    tables = ["\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]) for name, keys in sections.items()]
    path.write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    path.chmod(0o600)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
