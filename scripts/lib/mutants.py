"""Adds up what cargo-mutants found in each room; exits 1 where more than 3 % of the mutants survive."""
import json
import sys
from pathlib import Path

MOST = 3.0


def row(name: str, counts: list[int]) -> float:
    caught, missed, timeout, unviable = counts
    tried = caught + missed + timeout
    survival = 100 * missed / tried if tried else 0.0
    print(f"{name:10} {caught + timeout:6} caught ({timeout} by time-out) {missed:4} missed {unviable:4} do not compile {survival:6.1f} % survive")
    return survival


total = [0, 0, 0, 0]
survivors = []
for path in sorted(Path(sys.argv[1]).glob("*/mutants.out/outcomes.json")):
    outcomes = json.loads(path.read_text())
    counts = [outcomes[kind] for kind in ("caught", "missed", "timeout", "unviable")]
    row(path.parts[-3], counts)
    total = [sum(pair) for pair in zip(total, counts)]
    survivors += (path.parent / "missed.txt").read_text().splitlines()
print("\n".join(survivors))
sys.exit(row("all", total) > MOST)
