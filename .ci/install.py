"""Makes the virtual environment of a checkout and installs logsql into it, in place.

    python .ci/install.py VENV [EXTRAS]

EXTRAS are those of pyproject.toml, joined by commas; without them the product alone. uv is used where it is on the
path, else the pip of the Python that runs this, else one that the environment is given. For the product alone
nothing is compiled ahead: a first start compiles what it uses, a small part of what is installed. Says what is fetched;
exit code of the installer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = 150
"""Megabytes that the product alone fetches, about."""
EXTRAS = {"crypto": 5, "forensic": 3, "xlsx": 2, "geoip": 1, "chart": 25, "patterns": 2, "timeseries": 30, "frames": 60}
EXTRAS |= {"net": 10, "keyring": 6, "ldap": 1, "sftp": 5, "db": 11, "live": 4}
EXTRAS |= {"all": 130, "dev": 41}
"""Megabytes that each of the extras fetches besides, about."""
_FETCHED = re.compile(r"\s*(Downloading|Using cached|Processing) (?:\S*/)?([\w.]+?)-\d\S*( \([\d.]+ [kMG]?B\))?")


def main() -> int:
    """Install as the command line says."""
    folder = Path(sys.argv[1])
    extras = sys.argv[2] if len(sys.argv) > 2 else ""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    say(announced(folder, extras, python.exists()))
    if not python.exists():
        venv.EnvBuilder(symlinks=os.name != "nt").create(folder)
    target = f"{ROOT}[{extras}]" if extras else str(ROOT)
    if (uv := shutil.which("uv")) is not None:
        return subprocess.run([uv, "pip", "install", "--python", str(python), "--editable", target]).returncode
    ahead = [] if extras else ["--no-compile"]
    return piped([*pip(python), *ahead, "--progress-bar", "off", "--editable", target])


def announced(folder: Path, extras: str, there: bool) -> str:
    """What is installed and how much that fetches; ``there``: the environment is, and most likely with the product.

    >>> announced(Path(".venv"), "forensic,xlsx", True)
    'installing logsql with forensic, xlsx into .venv: about 5 MB are fetched, unless they are in the cache'
    """
    names = [name.strip() for name in extras.split(",") if name.strip()]
    megabytes = sum(EXTRAS.get(name, 10) for name in names) + (0 if there and names else PRODUCT)
    what = f"logsql with {', '.join(names)}" if names else "logsql"
    return f"installing {what} into {folder}: about {megabytes} MB are fetched, unless they are in the cache"


def pip(python: Path) -> list[str]:
    """The command line of a pip that installs into the environment: giving it one of its own takes seconds."""
    if _pip() >= (22, 3):  # the first that knows --python; asking it costs more than a second
        return [sys.executable, "-m", "pip", "--python", str(python), "install", "--disable-pip-version-check"]
    own = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    if subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode:
        subprocess.run([str(python), "-m", "ensurepip", "--upgrade"], check=True, stdout=subprocess.DEVNULL)
    return own


def _pip() -> tuple[int, ...]:
    """The version of the pip of the Python that runs this; () where it has none."""
    try:
        return tuple(int(part) for part in version("pip").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return ()


def piped(command: list[str]) -> int:
    """Run pip: a line for each package that is fetched; all it said when it fails."""
    said: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace"
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            said.append(line)
            found = _FETCHED.match(line)
            if found is not None and not line.rstrip().endswith(".metadata"):
                say(f"  {'fetching' if found[1] == 'Downloading' else 'from the cache:'} {found[2]}{found[3] or ''}")
            elif line.startswith("Installing collected packages"):
                say(f"  unpacking {line.count(',') + 1} packages")
    if run.returncode:
        sys.stderr.write("".join(said))
    return run.returncode


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
