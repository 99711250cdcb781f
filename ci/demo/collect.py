"""What is gathered after the run: the gateway's export, figures for the table, the summary."""
import time
from collections import Counter

import settings
from neighbourhood import tool
from report import milliseconds, percentile

SAMPLES = 60  # transactions and receipts that are left for a stranger


def export():
    """Lets the gateway write out samples; gives the headers."""
    tool("export", "--data", settings.WORK / "gateway-data", "--out", settings.OUT, "--limit", SAMPLES)
    headers = []
    for path in sorted(settings.OUT.glob("*.macro.cose")):
        headers.append(tool("inspect", "--json", path)["statement"])
    return headers


def rows(r):
    sizes = [t["bytes"] for t in r.payments()]
    readings = [t["bytes"] for t in r.transactions() if t["kind"] == "reading" and t["bytes"]]
    everything = r.transactions(r.summaries)
    kinds = Counter(t["kind"] for t in everything)
    refused = ", ".join(f"{reason} {count}" for reason, count in r.refusals().most_common())
    latency = lambda grade: f"p50 {milliseconds(r.latency(grade, 50))}, p99 {milliseconds(r.latency(grade, 99))}"
    totals = sorted({header["total_value"] for header in r.headers})
    return [
        ("devices", f"{len(r.summaries)}, one of them a cheat"),
        ("transactions", f"{len(everything)}: {', '.join(f'{count} {kind}s' for kind, count in kinds.most_common())}"),
        ("bytes per transfer", f"{percentile(sizes, 50)} typical, {max(sizes, default=0)} at most"),
        ("bytes per reading", f"{percentile(readings, 50)} typical, {max(readings, default=0)} at most"),
        ("time to Witnessed", latency("witnessed")),
        ("time to Quorum", latency("quorum")),
        ("time to Settled", latency("settled")),
        *stream(r),
        ("conflicts", f"{max(s['equivocations'] for s in r.summaries.values())} found, members frozen: {r.cheat_member()}"),
        ("dead transactions", sum(t["dead"] for t in r.transactions())),
        ("frames corrupted", r.total("corrupted")),
        ("frames refused", f"{sum(r.refusals().values())}: {refused}"),
        ("receipts verified", r.total("receipts_verified")),
        ("epochs settled", ", ".join(f"{h['number']} ({h['accepted']} transactions)" for h in r.headers)),
        ("value in = value out", f"{settings.GRANT * (settings.DEVICES + 1)} granted, {', '.join(map(str, totals))} in the records"),
        ("gateway dead for", milliseconds(r.up - r.down)),
    ]


def stream(r):
    """What each of the three could read of the sealed stream, and what it paid."""
    # The stranger saw all of it; the owner counts from its restart on.
    rows = [("sealed stream", f"{r.stream()[1][2]['sealed']} messages, {settings.MESSAGE_PRICE} micro-tokens each")]
    for who, party in zip(("  who pays", "  who stopped paying", "  a stranger"), r.buyers()):
        bought = party["purchase"]
        paid = f"locked {bought['deposit']}, paid {party['claimed']}, got {party['refund']} back" if bought["deposit"] else "paid nothing"
        rows.append((who, f"read {bought['heard']} of the {bought['units']} it locked for; {paid}" if bought["deposit"] else f"read {party['read']}; {paid}"))
    return rows


def summary(r, outcome):
    """summary.json: the table in numbers, the checks, and each device's own words."""
    return {
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "passed": all(problem is None for _, problem in outcome),
        "checks": [{"check": name, "passed": problem is None, "problem": problem} for name, problem in outcome],
        "devices": len(r.summaries),
        "transactions": len(r.transactions(r.summaries)),
        "transfer_bytes": {"p50": percentile([t["bytes"] for t in r.payments()], 50), "max": max((t["bytes"] for t in r.payments()), default=0)},
        "latency_ms": {
            grade: {"p50": r.latency(grade, 50), "p99": r.latency(grade, 99)} for grade in ("witnessed", "quorum", "settled")
        },
        "dead": sum(t["dead"] for t in r.transactions()),
        "stream": dict(zip(("owner", "payer", "lapser", "stranger"), [r.stream()[0], *r.buyers()])),
        "corrupted": r.total("corrupted"),
        "refused": dict(r.refusals()),
        "receipts_verified": r.total("receipts_verified"),
        "value": {"granted": settings.GRANT * (settings.DEVICES + 1), "in_records": {h["number"]: h["total_value"] for h in r.headers}},
        "gateway_dead_ms": r.up - r.down,
        "headers": r.headers,
        "per_device": r.summaries,
    }
