"""Does the program answer whatever fits its OpenAPI description, and whatever does not, as the description says?

Usage: .ci/with-python tests/schemathesis/requirements.txt python tests/schemathesis/check.py

For each visitor it starts the program on a fresh SQLite database, and lets schemathesis make requests from the description that the
program serves: valid ones, broken ones, and chains in which an answer is the next question. Says what was asked and answered, and ends
with 1 if an answer is wrong or one is 5xx. PROGRAM names another binary than the release, DESCRIPTION another file than the served one.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

import program
import provider

HERE = Path(__file__).resolve().parent


@dataclass
class Visitor:
    """Who asks, and what the program has: a mail server that is down, and a provider."""

    name: str
    has_mail: bool = True
    has_provider: bool = True

    def __str__(self) -> str:
        return f"{self.name}, {'with' if self.has_mail else 'without'} mail, {'with' if self.has_provider else 'without'} provider"


VISITORS = [
    Visitor("nobody"),
    Visitor("administrator"),
    Visitor("member"),
    Visitor("nobody", has_mail=False, has_provider=False),
    Visitor("member", has_mail=False, has_provider=False),
]


@dataclass
class Run:
    """What came of it."""

    operations: int
    cases: int
    answers: dict[int, int]
    # What is wrong, in words.
    faults: list[str]
    seconds: float = 0

    def answered(self, hundred: int) -> int:
        return sum(number for status, number in self.answers.items() if status // 100 == hundred)

    def __str__(self) -> str:
        by_class = ", ".join(f"{self.answered(hundred)} {hundred}xx" for hundred in range(2, 6))
        return f"{self.operations} operations, {self.cases} cases; answers: {by_class}; in {self.seconds:.0f} s"


def ask(visitor: Visitor) -> Run:
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mediamanager-schemathesis-")))
        installed = program.Program(home, sections(visitor, stack))
        stack.enter_context(installed.running())
        described = f"{installed.origin}/api/v1/openapi.json"
        description = Path(os.environ["DESCRIPTION"]).resolve() if "DESCRIPTION" in os.environ else fetch(described, home)
        run = schemathesis(visitor, home, installed.origin, description)
        run.faults += [
            f"the description is not OpenAPI 3.1: {fault.json_path}: {fault.message.splitlines()[0]}"
            for fault in OpenAPIV31SpecValidator(json.loads(description.read_text())).iter_errors()
        ]
        if run.answered(5):
            run.faults.append(f"{run.answered(5)} answers are 5xx. The program's log:\n{installed.log[-20_000:]}")
    run.seconds = time.monotonic() - began
    return run


def sections(visitor: Visitor, stack: contextlib.ExitStack) -> dict[str, dict]:
    keys = {
        "auth": {"token_secret": secrets.token_urlsafe(32), "admin_emails": [], "email_password_resets": visitor.has_mail},
        # It would answer 429 to nearly everything.
        "policy.throttle": {"enabled": False},
    }
    if visitor.has_provider:
        keys["auth.openid_connect"] = stack.enter_context(provider.serving())
    if visitor.has_mail:
        # Nobody listens there, and nobody else can.
        dead = stack.enter_context(socket.socket())
        dead.bind(("127.0.0.1", 0))
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": dead.getsockname()[1], "from_email": "auth@example.org", "use_tls": False}
        keys["notifications.smtp_config"] = smtp
    return keys


def fetch(url: str, home: Path) -> Path:
    description = home / "openapi.json"
    with program.direct.open(url) as answer:
        description.write_bytes(answer.read())
    return description


def schemathesis(visitor: Visitor, home: Path, origin: str, description: Path) -> Run:
    report, answers = home / "report.json", home / "answers.json"
    command = ["schemathesis", "--config-file", HERE / "schemathesis.toml", "--no-color", "run", description, "--url", origin]
    command += ["--report", "json", "--report-json-path", report]
    variables = {"VISITOR": visitor.name, "API": f"{origin}/api/v1", "HOME_OF_PROGRAM": str(home), "ANSWERS": str(answers), "NO_PROXY": "*"}
    variables["SCHEMATHESIS_HOOKS"] = str(HERE / "hooks.py")
    # In the directory of the program, where what it may leave behind goes with it.
    ended = subprocess.run(command, cwd=home, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not (report.is_file() and answers.is_file()):
        return Run(0, 0, {}, [f"schemathesis ended with {ended.returncode}:\n{ended.stdout}"])
    told = json.loads(report.read_text())
    counted = {int(status): number for status, number in json.loads(answers.read_text()).items()}
    run = Run(told["operations"]["tested"], told["test_cases"]["generated"], counted, [ended.stdout] if ended.returncode else [])
    if run.operations != told["operations"]["total"]:
        run.faults.append(f"there are {told['operations']['total']} operations")
    if visitor.name != "nobody" and "GET /api/v1/users/me" in told["warnings"]["missing_auth"]:
        run.faults.append("nobody was logged in")
    return run


def main() -> int:
    program.require_binary()
    runs = []
    # schemathesis has one thread, and each visitor an installation of their own.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for visitor, run in zip(VISITORS, pool.map(ask, VISITORS), strict=True):
            for fault in run.faults:
                print(fault)
            print(f"{'FAILED' if run.faults else 'ok'} {visitor}: {run}", flush=True)
            runs.append(run)
    answers = sum(sum(run.answers.values()) for run in runs)
    print(f"{sum(run.cases for run in runs)} cases, {answers} answers, {sum(run.answered(5) for run in runs)} of them 5xx")
    return 1 if any(run.faults for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
