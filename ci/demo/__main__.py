#!/usr/bin/env python3
"""`make demo`: eight devices in C, a gateway and four validators trade, settle two epochs and prove it, on this machine.

One sells its readings sealed, by the message; buyer and seller are killed in the middle and started again. The gateway is killed for five
seconds, one device cheats, one frame in fifty is corrupted. Exit status 0 only if every check
held. Everything is left under out/demo: summary.json, logs, and files that a stranger can check (`make interop`).
"""
import shutil
import signal
import sys
import time

import build
import checks
import collect
import neighbourhood
import report
import settings
from processes import Family
from report import Stop, say
from watch import Watch


def prepare():
    shutil.rmtree(settings.OUT, ignore_errors=True)
    settings.LOG.mkdir(parents=True)
    settings.WORK.mkdir()


def story(n, family):
    """The run; gives the watch with the times of the outage, and the metrics at the end."""
    watch = Watch(n, family)
    say(f"starting the gateway and {settings.VALIDATORS} validators on 127.0.0.1")
    watch.start_gateway()
    watch.start_validators()
    say(f"starting {settings.DEVICES} devices; they enrol, and the gateway founds the neighbourhood with them")
    watch.start_devices()
    watch.wait_for_members()
    watch.wait_for_units(settings.RESTARTS_AFTER[0])
    watch.restart(settings.PAYER, "who pays for the stream")
    watch.wait_for_units(settings.RESTARTS_AFTER[1])
    watch.restart(settings.OWNER, "who sells it")
    watch.wait_until(settings.GATEWAY_DIES_AT)
    watch.kill_gateway()
    watch.wait_until(settings.GATEWAY_IS_BACK_AT)
    watch.restart_gateway()
    watch.wait_until(settings.CHEAT_AT)
    say(f"{n.devices[settings.CHEAT].name} signs two transactions with one number")
    while watch.elapsed() < settings.LONGEST:
        watch.wait_until(watch.elapsed() + 2)
        if watch.settled_and_proved():
            break
    else:
        say("not everything was settled and proved in time; the checks will say what is missing")
    watch.wait_until(watch.elapsed() + 2)
    metrics = watch.metrics()
    return watch, metrics


def finish(n, watch, metrics, family):
    say("ending everybody with SIGTERM")
    family.end_all(grace=10.0)
    summaries = {name: watch.summary(name) for name in watch.devices}
    silent = [name for name, summary in summaries.items() if not summary.get("summary")]
    if silent:
        raise Stop(f"no summary from {', '.join(silent)}; see {settings.LOG}")
    headers = collect.export()
    result = checks.Result(summaries, n.devices[settings.CHEAT].name, headers, metrics, watch.down, watch.up)
    outcome = checks.every_check(result)
    summary = collect.summary(result, outcome)
    print()
    report.table(collect.rows(result))
    print()
    failed = report.checks(outcome)
    path = report.write_summary(summary)
    print(f"\nsummary: {path.relative_to(settings.ROOT)}; logs: {settings.LOG.relative_to(settings.ROOT)}/")
    print("next: make interop checks the transactions, certificates and receipts with independent libraries")
    print(f"{len(outcome) - failed} passed, {failed} failed")
    return failed


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    try:
        prepare()
        build.everything()
        n = neighbourhood.make()
        with Family() as family:
            watch, metrics = story(n, family)
            failed = finish(n, watch, metrics, family)
    except Stop as stop:
        print(f"\ndemo: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; all processes were ended", file=sys.stderr)
        return 130
    say(f"done in {time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
