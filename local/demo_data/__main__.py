"""``python -m local.demo_data --out DIR [--true-dates]``: makes the demonstration's data, says where they are from."""

import argparse
import time
from pathlib import Path

from local.demo_data import PROVENANCE, TRUE_DATE_PROVENANCE, build


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.demo_data", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(".local/demo-data"), help="folder to make (%(default)s)")
    parser.add_argument("--true-dates", action="store_true", help="keep the real dates of 1919-2019, do not re-date")
    options = parser.parse_args()
    began = time.monotonic()
    out = build(options.out, redate=not options.true_dates)
    print(f"{out} is ready ({time.monotonic() - began:.1f} s)")
    for job, sentence in (TRUE_DATE_PROVENANCE if options.true_dates else PROVENANCE).items():
        print(f"  {job}: {sentence}")


if __name__ == "__main__":
    main()
