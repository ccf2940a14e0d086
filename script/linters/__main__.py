"""Our own linters: `python script/linters` prints every complaint and ends with 1 if there is one."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from borders import LINTERS as BORDERS
from complaint import Linter, sources
from documented import LINTERS as DOCUMENTED
from size_and_names import LINTERS as SIZE_AND_NAMES
from words import LINTERS as WORDS

LINTERS: tuple[Linter, ...] = (*SIZE_AND_NAMES, *BORDERS, *WORDS, *DOCUMENTED)


def main() -> int:
    complaints = 0
    for source in sources(Path(__file__).resolve().parents[2]):
        for linter in LINTERS:
            for complaint in linter.check(source):
                complaints += 1
                print(f"{complaint.path}:{complaint.line}: {linter.name}: {complaint.text}")
    if not complaints:
        print(f"house: {len(LINTERS)} linters, no complaint")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
