"""``python -m benchmarks [files] [imports] [million] [messages] [drop_in] [--scale 0.1]``."""

import argparse

from benchmarks import drop_in, files, imports, messages, million
from simstore.bench.machine import this_machine

PARTS = {
    "files": files.main,
    "imports": imports.main,
    "million": million.main,
    "messages": messages.main,
    "drop_in": drop_in.main,
}


def main() -> None:
    """Run the parts that are asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="less work: 0.1 for a tenth")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    machine = this_machine()
    print(f"{machine.processor}, {machine.cores} cores, {machine.system}; {machine.python}")
    for part in arguments.parts or PARTS:
        PARTS[part](arguments.scale)


if __name__ == "__main__":
    main()
