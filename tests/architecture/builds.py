"""How the packaging tests make distributions, and environments to install them in."""

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Built:
    """Both roads to a wheel, and where they began: a copy without what lies about in a checkout."""

    checkout: Path
    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


def build(checkout: Path, into: Path) -> Built:
    """Build the distributions of `checkout`, in environments of their own."""
    for name, options in (("straight", ["--wheel"]), ("around", [])):
        run(sys.executable, "-m", "build", *options, "--outdir", into / name, cwd=checkout)
    return Built(
        checkout=checkout,
        sdist=_only(into / "around", "*.tar.gz"),
        wheel=_only(into / "straight", "*.whl"),
        wheel_of_sdist=_only(into / "around", "*.whl"),
    )


def fresh_python(folder: Path) -> Path:
    """The Python of a new environment in `folder`, with pip and nothing else."""
    venv.create(folder, with_pip=True, symlinks=True)
    return folder / "bin" / "python"


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command that must succeed; if it does not, the test shows its output."""
    done = subprocess.run(
        command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found
