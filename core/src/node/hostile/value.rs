//! Value: nothing, too much, or totals that do not add up. What the ledger refuses from others, `submit` refuses from its own application.

use super::*;

#[test]
fn transfers_that_do_not_add_up() {
    use Refusal::{AmountZero, FalseDebits, InsufficientCredits, UnknownPayee};
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let d = bench.head(3).debits.0;
    assert!(d > 0);
    let credits = 10_000;
    let most = u64::MAX;
    let rows = [
        ("amount 0", 4, 0, d, AmountZero),
        ("debits below the amount", 4, 9, 8, FalseDebits),
        ("debits one too few", 4, 9, d + 8, FalseDebits),
        ("debits one too many", 4, 9, d + 10, FalseDebits),
        ("earlier debits forgotten", 4, 9, 9, FalseDebits),
        (
            "above the settled credits",
            4,
            credits - d + 1,
            credits + 1,
            InsufficientCredits,
        ),
        ("a sum above 64 bits", 4, most, most, Refusal::Overflow),
        (
            "a sum that wraps to what it was",
            4,
            most,
            d.wrapping_add(most),
            FalseDebits,
        ),
        ("to nobody", 9, 9, d + 9, UnknownPayee),
    ];
    for (name, to, amount, debits, refusal) in rows {
        let shape = honest.clone().transfer(to, amount, debits);
        bench.refused(name, &shape.frame(), refusal);
    }
    let all = honest.transfer(4, credits - d, credits);
    bench.taken("all that it has", &all);
}

#[test]
fn exits_that_do_not_add_up() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let d = bench.head(3).debits.0;
    let exit = |amount: u64, debits: u64, target: &[u8]| {
        let mut shape = honest.clone();
        shape.kind = 8;
        shape.body = encoded(|w| {
            w.array(3).unwrap();
            w.uint(amount).unwrap();
            w.uint(debits).unwrap();
            w.bytes(target).unwrap();
        });
        shape.frame()
    };
    bench.refused("amount 0", &exit(0, d, &[1; 20]), Refusal::AmountZero);
    bench.refused("false total", &exit(5, d, &[1; 20]), Refusal::FalseDebits);
    bench.refused(
        "too much",
        &exit(10_001 - d, 10_001, &[1; 20]),
        Refusal::InsufficientCredits,
    );
    bench.refused(
        "a target of 19 bytes",
        &exit(5, d + 5, &[1; 19]),
        Refusal::Malformed,
    );
}

/// A payee that watches its caps is told before it serves.
#[test]
fn a_payment_above_the_caps_is_told_as_such() {
    let mut bench = Bench::new();
    let d = bench.head(3).debits.0;
    bench.events();
    let small = bench.next(3).transfer(VICTIM as u64, 1_000, d + 1_000);
    bench.taken("at the cap", &small);
    bench.net.now += 5;
    let big = bench.next(3).transfer(VICTIM as u64, 1_001, d + 2_001);
    bench.taken("above the cap", &big);
    let told: Vec<bool> = bench
        .events()
        .iter()
        .filter_map(|e| match e {
            Event::Received { over_cap, .. } => Some(*over_cap),
            _ => None,
        })
        .collect();
    assert_eq!(told, [false, true]);
}

impl Bench {
    #[track_caller]
    fn not_submitted(&mut self, name: &str, submission: &Submission<'_>, refusal: Refusal) {
        let now = Millis(self.net.now);
        let before = fingerprint(self.node());
        let got = self.node().submit(now, submission, None);
        assert_eq!(got, Err(refusal), "{name}");
        assert_eq!(
            differences(&before, &fingerprint(self.node())),
            [""; 0],
            "{name}"
        );
        assert_eq!(self.events(), [], "{name}");
    }
}

#[test]
fn what_submit_refuses_leaves_nothing() {
    let mut bench = Bench::new();
    let to = |to: u16, amount: u64| Submission::Transfer {
        to: MemberIndex(to),
        amount: Amount(amount),
    };
    let exit = |amount: u64| Submission::Exit {
        amount: Amount(amount),
        target: [3; 20],
    };
    let rows = [
        ("amount 0", to(2, 0), Refusal::AmountZero),
        (
            "above the cap per transaction",
            to(2, 1_001),
            Refusal::CapTransaction,
        ),
        ("u64::MAX", to(2, u64::MAX), Refusal::CapTransaction),
        ("to nobody", to(5, 1), Refusal::UnknownPayee),
        ("to itself", to(VICTIM as u16, 1), Refusal::UnknownPayee),
        ("exit of 0", exit(0), Refusal::AmountZero),
        ("exit above the cap", exit(1_001), Refusal::CapTransaction),
        ("no body", Submission::Data(b""), Refusal::BodyLength),
        (
            "a body of 321 bytes",
            Submission::Data(&[1; 321]),
            Refusal::BodyLength,
        ),
        (
            "a service of 321 bytes",
            Submission::Service(&[1; 321]),
            Refusal::BodyLength,
        ),
        (
            "a trim by a device",
            Submission::Trim { cut: Millis(START) },
            Refusal::NotGlNode,
        ),
        (
            "a join by a device",
            Submission::Member(&[0x81, 0x02]),
            Refusal::NotGlNode,
        ),
    ];
    for (name, submission, refusal) in rows {
        bench.not_submitted(name, &submission, refusal);
    }
}

#[test]
fn caps_exposure_and_credits_end_what_submit_takes() {
    let mut bench = Bench::new();
    let pay = |bench: &mut Bench, to: u16, amount: u64| {
        bench.net.now += 5;
        let now = Millis(bench.net.now);
        let submission = Submission::Transfer {
            to: MemberIndex(to),
            amount: Amount(amount),
        };
        let ticket = bench.node().submit(now, &submission, None);
        bench.events();
        ticket
    };
    // What the traffic before spent with member 2 counts.
    let spent = bench.node().own.exposure(Some(MemberIndex(2))).0.0;
    for _ in 0..4 {
        pay(&mut bench, 2, 1_000).unwrap();
    }
    pay(&mut bench, 2, 1_000 - spent).unwrap();
    let one = Submission::Transfer {
        to: MemberIndex(2),
        amount: Amount(1),
    };
    bench.not_submitted("above the cap per peer", &one, Refusal::CapPeer);
    for _ in 0..5 {
        pay(&mut bench, 3, 1_000).unwrap();
    }
    // 10,000 are all that is settled, the cap on exposure is 20,000.
    let spent = bench.head(VICTIM as u16).debits.0;
    assert_eq!(spent, 10_000);
    let more = Submission::Transfer {
        to: MemberIndex(4),
        amount: Amount(1),
    };
    bench.not_submitted(
        "above the settled credits",
        &more,
        Refusal::InsufficientCredits,
    );
    let records = bench.node().tables.records(Epoch(1)).unwrap().to_vec();
    assert_eq!(records[VICTIM].caps.exposure, Amount(20_000));
}
