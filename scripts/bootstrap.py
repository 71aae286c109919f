"""Make .venv with pinned packages: `python3 scripts/bootstrap.py run|dev`.

Runs on any Python 3, so that a wrong one is named instead of failing on its syntax. Says in
one line what is missing and what to do about it; pip's own words stay in .venv/install.log.
"""

import compileall
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(HERE, ".venv")
LOG = os.path.join(VENV, "install.log")
WANTED = (3, 11)

NETWORK = (
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "name resolution",
    "Network is unreachable",
    "ProxyError",
    "No matching distribution found",
)
COMPILER = ("command 'gcc' failed", "command 'cc' failed", "unable to execute", "Python.h")


def stop(problem, remedy):
    """One line for the person at the keyboard, and no traceback."""
    sys.stderr.write("voltill: {0} -> {1}\n".format(problem, remedy))
    raise SystemExit(1)


def require_python():
    if sys.version_info[:2] < WANTED:
        stop(
            "Python {0}.{1} is too old, 3.11 or newer is needed".format(*sys.version_info[:2]),
            "install python3.11 or newer, or name one: make PYTHON=/path/to/python3.11 run",
        )


def make_venv():
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        stop(
            "this Python cannot make a virtual environment (no venv or ensurepip module)",
            "apt-get install python3-venv (or your system's package of that name)",
        )


def install(extras):
    python = os.path.join(VENV, "bin", "python")
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--retries", "2"]
    command += ["-c", os.path.join(HERE, "constraints.txt"), "-e", HERE + extras]
    with open(LOG, "wb") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return
    with open(LOG, encoding="utf-8", errors="replace") as log:
        said = log.read()
    if any(mark in said for mark in COMPILER):
        stop(
            "a package had to be compiled and there is no compiler",
            "apt-get install gcc python3-dev, then again (details: .venv/install.log)",
        )
    if any(mark in said for mark in NETWORK):
        stop(
            "the package index could not be reached, or lacks a pinned package",
            "connect to the network or set pip's index, then again (details: .venv/install.log)",
        )
    stop("installing the packages failed", "read .venv/install.log")


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "run"
    ready = os.path.join(VENV, kind + ".ready")
    require_python()
    begun = [name for name in ("run", "dev") if os.path.exists(os.path.join(VENV, name + ".ready"))]
    if not begun:
        sys.stderr.write("voltill: making .venv (once; about a minute)\n")
        make_venv()
    install("[dev]" if kind == "dev" else "")
    for package in ("models", "engine", "console"):
        compileall.compile_dir(os.path.join(HERE, package), quiet=2)
    with open(ready, "w", encoding="ascii"):
        pass


if __name__ == "__main__":
    main()
