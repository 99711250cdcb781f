"""What must hold at the end, each a name and, where it does not hold, what is wrong.

Input: the devices' summaries, the headers and tables that the gateway exported, the metrics, and the times of the outage.
"""
from collections import Counter

import settings
from report import percentile


def spelled(name):
    """`WrongType` as the C interface spells it: WRONG_TYPE."""
    return "".join("_" + c if c.isupper() else c for c in name).lstrip("_").upper()


class Result:
    """Everything that was collected, with the questions that checks and table both ask."""

    def __init__(self, summaries, cheat, headers, metrics, down, up):
        self.summaries = summaries  # device name -> summary line
        self.cheat = cheat  # name of the device that signed twice
        self.headers = sorted(headers, key=lambda header: header["number"])
        self.metrics = metrics
        self.down, self.up = down, up

    def honest(self):
        return {name: s for name, s in self.summaries.items() if name != self.cheat}

    def transactions(self, of=None):
        chosen = of if of is not None else self.honest()
        return [t for summary in chosen.values() for t in summary["transactions"]]

    def payments(self):
        return [t for t in self.transactions(self.summaries) if t["kind"] == "payment" and t["bytes"]]

    def latency(self, grade, share):
        times = [t[grade] - t["sent"] for t in self.transactions() if t.get(grade) and t.get("sent")]
        return percentile(times, share)

    def refusals(self):
        total = Counter()
        for summary in self.summaries.values():
            total.update(summary["refused"])
        for page in self.metrics.values():
            for key, value in page.items():
                if key.startswith("iotedge_refused_total{"):
                    total[spelled(key.split('"')[1])] += int(value)
        return +total

    def total(self, key):
        return sum(summary[key] for summary in self.summaries.values())

    def stream(self):
        """What the owner of the channel says, and its three readers."""
        of = lambda i, what: self.summaries[f"device-{i}"][what]
        return of(settings.OWNER, "channel"), [of(i, "reader") for i in (settings.PAYER, settings.LAPSER, settings.STRANGER)]

    def buyers(self):
        """The three readers, with what the owner claimed of each and what came back of its deposit: what it owns beyond its grant, since nobody else pays it."""
        channel, readers = self.stream()
        parties = []
        for i, reader in zip((settings.PAYER, settings.LAPSER, settings.STRANGER), readers):
            device = self.summaries[f"device-{i}"]
            claimed = sum(sale["claimed"] * sale["price"] for sale in channel["sales"] if sale["member"] == device["member"] and sale["settled"])
            refund = device["credits"] - settings.GRANT if reader["purchase"]["deposit"] else 0
            parties.append({**reader, "claimed": claimed, "refund": refund})
        return parties

    def cheat_member(self):
        return self.summaries[self.cheat]["member"]


def every_check(r):
    """(name, None or what is wrong), in the order of the story."""
    return [
        ("every device is a member", members(r)),
        (f"every honest device verified receipts of its own in {settings.EPOCHS} epochs", receipts(r)),
        ("no receipt was wrong", wrong_receipts(r)),
        ("devices reached Quorum while the gateway was dead", quorum_without_gateway(r)),
        ("the cheat was proved and is frozen on every device", frozen_on_devices(r)),
        ("the cheat is frozen at the gateway and the validators", frozen_on_servers(r)),
        ("corrupted frames were refused and counted", corrupted(r)),
        ("value in = value out in every epoch", conserved(r)),
        ("nothing is lost: settled, dead and said so, or later than the last cut", nothing_lost(r)),
        (f"a transfer is at most {settings.TRANSFER_BYTES} bytes", transfer_size(r)),
        ("readings of this machine could be read by every neighbour", readable(r)),
        ("who pays reads the sealed stream, who stopped paying reads no more, a stranger nothing", stream(r)),
        ("each message was paid, to a unit, and the rest of each deposit came back", paid(r)),
        ("an element that lies, fails, is late or silent harms nothing", element(r)),
    ]


def members(r):
    outside = [name for name, s in r.summaries.items() if s["member"] is None]
    return f"not members: {', '.join(outside)}" if outside else None


def receipts(r):
    for name, summary in r.honest().items():
        epochs = {t["header"] for t in summary["transactions"] if t["receipt"]}
        if len(epochs & set(range(1, settings.EPOCHS + 1))) < settings.EPOCHS:
            return f"{name} has receipts of epochs {sorted(epochs)} only"
        settled = [t for t in summary["transactions"] if t["settled"] and not t["receipt"]]
        if settled:
            return f"{name}: {len(settled)} transactions are settled and have no receipt"
    return None


def wrong_receipts(r):
    wrong = {name: s["receipts_wrong"] for name, s in r.summaries.items() if s["receipts_wrong"]}
    return f"{wrong}" if wrong else None


def quorum_without_gateway(r):
    for name, summary in r.honest().items():
        alone = [t for t in summary["transactions"] if t["sent"] and t["quorum"] and r.down < t["sent"] and t["quorum"] < r.up]
        if not alone:
            return f"{name} saw no transaction of its own go from sent to Quorum between {r.down} and {r.up}"
    return None


def frozen_on_devices(r):
    cheat = r.cheat_member()
    for name, summary in r.honest().items():
        if summary["frozen_members"] != [cheat]:
            return f"{name} holds {summary['frozen_members']} frozen, not [{cheat}]"
    return None


def frozen_on_servers(r):
    for name, page in r.metrics.items():
        if page.get("iotedge_frozen_members") != 1:
            return f"{name} says iotedge_frozen_members {page.get('iotedge_frozen_members')}"
    return None


# What a flipped bit can run into. Those in hints (announcements, requests, beacons) may pass: they name what is not there.
DAMAGE = {"MALFORMED", "NOT_DETERMINISTIC", "WRONG_TYPE", "VERSION", "NEIGHBOURHOOD", "UNSUPPORTED_KIND", "SIGNATURE", "SUITE", "ATTACHMENT"}


def corrupted(r):
    sent, refused = r.total("corrupted"), r.refusals()
    damaged = sum(count for reason, count in refused.items() if reason in DAMAGE)
    if sent == 0:
        return "no frame was corrupted: the check checks nothing"
    if damaged < sent // 5:
        return f"{sent} frames were corrupted, {damaged} refused for their form or signature: {dict(refused)}"
    missing = [reason for reason in ("SIGNATURE", "NEIGHBOURHOOD", "MALFORMED") if not refused[reason]]
    return f"none was refused as {missing}" if missing else None


def conserved(r):
    granted = settings.GRANT * (settings.DEVICES + 1)
    if len(r.headers) < settings.EPOCHS:
        return f"{len(r.headers)} macro transactions instead of {settings.EPOCHS}"
    for header in r.headers:
        if header["total_value"] + header.get("exited", 0) != granted:
            return f"epoch {header['number']}: {header['total_value']} in the records, {granted} were granted"
    return None


def nothing_lost(r):
    cut = r.headers[-1]["cut"] if r.headers else 0
    lost = [t for t in r.transactions() if t["sent"] and not (t["receipt"] or t["dead"] or t["sent"] > cut - 1)]
    unsent = [t for t in r.transactions() if not t["sent"] and not t.get("failed") and t["submitted"] < cut]
    if lost:
        return f"{len(lost)} of {len(r.transactions())} transactions, the first {lost[0]['id']}"
    if unsent:
        return f"{len(unsent)} were submitted before the last cut and never sent"
    listed = sum(s["unlisted"] for s in r.honest().values())
    return f"{listed} transactions found no place in the devices' lists" if listed else None


def transfer_size(r):
    sizes = [t["bytes"] for t in r.payments()]
    if not sizes:
        return "there was none"
    return f"{max(sizes)} bytes" if max(sizes) > settings.TRANSFER_BYTES else None


def readable(r):
    deaf = [name for name, s in r.summaries.items() if s["readings_heard"] == 0]
    # The cheat's two stories are text, not readings.
    bad = {name: s["readings_unreadable"] for name, s in r.summaries.items() if s["readings_unreadable"] > 2}
    return f"heard none: {deaf}; unreadable: {bad}" if deaf or bad else None


def stream(r):
    channel, (payer, lapser, stranger) = r.stream()
    whole = lambda reader: reader["read"] == reader["readings"] == reader["attributed"] and reader["read"] > 0
    heard = lambda reader: reader["purchase"]["heard"]
    wrong = [
        what
        for what, holds in [
            ("what was read was no reading, or not the owner's", whole(payer) and whole(lapser)),
            # Each of the two power cuts may cost a unit, of the one or the other.
            ("the payer did not read all that it locked for", abs(heard(payer) - settings.UNITS) <= 1),
            ("who stopped paying did not read what it paid for", 0 <= heard(lapser) - settings.LAPSES_AFTER <= 1 and heard(lapser) == lapser["read"]),
            ("not both were revoked, once", channel["revoked"] == 2 and payer["revoked"] == lapser["revoked"] == 1),
            ("who stopped paying saw nothing sealed after it", lapser["sealed"] > 0),
            ("the stranger read something, or saw nothing", stranger["read"] == 0 and stranger["sealed"] > 0 and not stranger["purchase"]["deposit"]),
        ]
        if not holds
    ]
    return f"{'; '.join(wrong)}: {channel}, {payer}, {lapser}, {stranger}" if wrong else None


def paid(r):
    """Ticks given, units delivered, the settled claims and the balances, which four devices count each for itself."""
    channel, _ = r.stream()
    payer, lapser, _ = r.buyers()
    wrong = []
    for who, party in (("the payer", payer), ("who stopped paying", lapser)):
        bought = party["purchase"]
        given = bought["ticks"] * settings.MESSAGE_PRICE
        if abs(bought["ticks"] - bought["heard"]) > 1:
            wrong.append(f"{who} paid {bought['ticks']} units and read {bought['heard']}")
        if not 0 <= given - party["claimed"] <= settings.MESSAGE_PRICE or party["claimed"] == 0:
            wrong.append(f"{who} gave ticks worth {given}, {party['claimed']} were claimed")
        if party["claimed"] + party["refund"] != bought["deposit"]:
            wrong.append(f"{who} locked {bought['deposit']}, paid {party['claimed']} and got {party['refund']} back")
    income = r.summaries[f"device-{settings.OWNER}"]["credits"] - settings.GRANT
    if income != payer["claimed"] + lapser["claimed"]:
        wrong.append(f"the owner has {income} more than its grant")
    if len(channel["sales"]) != 2 or channel["locks_refused"]:
        wrong.append(f"sales: {channel['sales']}, {channel['locks_refused']} locks refused")
    return "; ".join(wrong) or None


def element(r):
    """The device whose element lies, fails, is late and is silent says what it has to say all the same."""
    name = f"device-{settings.ES256}"
    said = r.summaries[name]["element"]
    if said["asked"] < len(settings.ELEMENT) or said["wrong"] != settings.ELEMENT.count("w"):
        return f"{name}: its element was asked {said['asked']} times and lied {said['wrong']} times"
    if said["refused"] < said["wrong"]:
        return f"{name}: {said['wrong']} wrong signatures, {said['refused']} refused"
    return None if r.summaries[name]["settled"] > 0 else f"{name}: nothing of it was settled"
