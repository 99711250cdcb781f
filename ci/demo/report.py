"""What the demo says: progress, the table, summary.json."""
import json
import time

import settings

BEGIN = time.monotonic()


class Stop(Exception):
    """The demo cannot go on; the text says what happened and where to look."""


def say(text):
    print(f"[{time.monotonic() - BEGIN:5.1f} s] {text}", flush=True)


def percentile(values, share):
    """The smallest value with at least this share of all at or below it; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def milliseconds(value):
    return "-" if value is None else f"{value / 1000:.2f} s"


def table(rows):
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")


def checks(results):
    """Prints every check; gives how many failed."""
    failed = 0
    for name, problem in results:
        if problem:
            failed += 1
            print(f"  FAILED  {name}: {problem}")
        else:
            print(f"  ok      {name}")
    return failed


def write_summary(summary):
    path = settings.OUT / "summary.json"
    path.write_text(json.dumps(summary, indent=2) + "\n")
    return path
