//! Attacks on the stage: each is an order of events that one rule makes harmless. They end in what came of it, with the rule and without.

use super::stage::{Said, Stage};
use iotedge_core::tx::Body;
use iotedge_core::{Amount, MemberIndex};

/// What came of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// A promise was broken, or harm was done that the rule is there to prevent.
    pub harmed: bool,
    /// In words.
    pub what: String,
}

fn end(harmed: bool, what: impl Into<String>) -> End {
    End {
        harmed,
        what: what.into(),
    }
}

const ALL: [u16; 7] = [0, 1, 2, 3, 4, 5, 6];

fn roots(stage: &Stage<'_>, members: &[u16]) -> Vec<Said> {
    members.iter().map(|m| stage.root(*m)).collect()
}

fn refs(said: &[Said]) -> Vec<&Said> {
    said.iter().filter(|s| s.number > 0).collect()
}

fn payment(to: u16, amount: u64, debits: u64) -> Body<'static> {
    Body::Transfer {
        to: MemberIndex(to),
        amount: Amount(amount),
        debits: Amount(debits),
    }
}

/// The members say something later than c + T/2, the GL-node (the first of `heads`) trims, they approve the trim, and it is settled at member 0's
/// node. What was accepted, or why the epoch cannot be closed.
pub(super) fn close(
    stage: &mut Stage<'_>,
    heads: &mut [Said],
    cut: u64,
    hearing: &[u16],
) -> Result<Vec<iotedge_core::Id>, String> {
    let at = (cut + 4_010).max(stage.now + 10);
    stage.rounds(heads, at, 2, hearing);
    let trim = stage.trim(at + 60, &heads[0], &refs(&heads[1..]), cut);
    stage
        .show(hearing, &trim)
        .map_err(|refusal| format!("the trim is refused: {refusal:?}"))?;
    heads[0] = trim.clone();
    stage.rounds(heads, at + 80, 2, hearing);
    stage.settle(0, &trim, hearing)
}

/// 5.2: a payment that stands on another member's chain, so that its total begins anew.
pub fn beside_the_chain() -> End {
    Stage::with(4, &[2, 3], |stage| {
        let mut heads = roots(stage, &[0, 1, 2, 3]);
        stage.rounds(&mut heads, 1_500, 1, &[2, 3]);
        let one = stage.pay(1_700, &heads[1], &refs(&heads[2..]), 2, 900_000);
        let _ = stage.show(&[2, 3], &one);
        // Its next number, but upon member 0's chain, whose D is 0.
        let body = payment(3, 900_000, 900_000);
        let two = stage.say_as(1, 3, 1, 1_710, &heads[0], &[], body);
        let _ = stage.show(&[2, 3], &two);
        let mut others = [heads[0].clone(), heads[2].clone(), heads[3].clone()];
        let below = [&one, &two];
        for (place, head) in others.iter_mut().enumerate() {
            let tips: &[&Said] = if stage.holds(2, &two) {
                &below
            } else {
                &below[..1]
            };
            let next = stage.data(1_800 + place as u64, head, tips);
            let _ = stage.show(&[2, 3], &next);
            *head = next;
        }
        stage.rounds(&mut others, 1_900, 3, &[2, 3]);
        let both = stage.final_at(2, &one) && stage.final_at(3, &two);
        let sum = if both { "1,800,000" } else { "900,000" };
        end(both, format!("{sum} of 1,000,000 paid with Quorum"))
    })
}

/// 5.2: a transaction dated before its first parent. The settlement would replay them in the wrong order.
pub fn before_its_parent() -> End {
    Stage::with(4, &[0, 2], |stage| {
        let mut heads = roots(stage, &[0, 1, 2, 3]);
        stage.rounds(&mut heads, 5_000, 1, &[0, 2]);
        let back = stage.pay(4_900, &heads[1], &[], 2, 100);
        let taken = stage.show(&[0, 2], &back).is_ok();
        if taken {
            heads[1] = back.clone();
        }
        stage.rounds(&mut heads, 5_100, 3, &[0, 2]);
        match close(stage, &mut heads, 8_000, &[0, 2]) {
            Ok(leaves) if stage.final_at(2, &back) && !leaves.contains(&back.id) => {
                end(true, "100 paid with Quorum, dead in the header")
            }
            Ok(_) => end(false, "refused; the epoch is settled"),
            Err(why) => end(true, format!("the epoch cannot be closed: {why}")),
        }
    })
}

/// 5.2: a vertex upon a parent far below the cut, which nobody is bound to keep. Who comes later cannot place it, nor what stands on it.
pub fn upon_the_past() -> End {
    Stage::with(7, &[0, 4], |stage| {
        let mut heads = roots(stage, &ALL);
        // Member 4 hears nothing of the first epoch but its header.
        stage.rounds(&mut heads, 7_900, 2, &[0]);
        let old = heads[3].clone();
        stage.rounds(&mut heads, 7_940, 8, &[0]);
        if let Err(why) = close(stage, &mut heads, 8_000, &[0]) {
            return end(true, format!("no settlement: {why}"));
        }
        for frame in stage.news() {
            let _ = stage.show_bytes(&[4], &frame);
        }
        stage.serve();
        for said in stage.said_since(7_935) {
            let _ = stage.show(&[4], &said);
        }
        let at = stage.now + 100;
        let deep = stage.data(at, &heads[1], &[&old]);
        let taken = stage.show(&[0], &deep).is_ok();
        let mut stuck = 0;
        for (place, member) in [2usize, 3, 5, 6].into_iter().enumerate() {
            let tips: &[&Said] = if taken { &[&deep] } else { &[] };
            let next = stage.data(at + 10 + place as u64, &heads[member], tips);
            let _ = stage.show(&[0, 4], &deep);
            let _ = stage.show(&[0, 4], &next);
            stuck += u32::from(stage.holds(0, &next) && !stage.holds(4, &next));
        }
        end(
            stuck > 0,
            format!("{stuck} of 4 transactions of others cannot be placed by a latecomer"),
        )
    })
}

/// 5.3: a payment withheld until after the trim that covers its time, then shown with a new transaction on top.
pub fn late_approval() -> End {
    Stage::with(4, &[0, 2], |stage| {
        let mut heads = roots(stage, &[0, 2, 3]);
        stage.rounds(&mut heads, 6_900, 2, &[0, 2]);
        let x = stage.pay(7_000, &stage.root(1), &[], 2, 500);
        let settled = close(stage, &mut heads, 8_000, &[0, 2]);
        let leaves = match settled {
            Ok(leaves) => leaves,
            Err(why) => return end(true, format!("no settlement: {why}")),
        };
        let _ = stage.show(&[0, 2], &x);
        let at = stage.now + 50;
        let y = stage.data(at, &x, &refs(&heads));
        let _ = stage.show(&[0, 2], &y);
        let mut all: Vec<Said> = heads.to_vec();
        all.push(y);
        stage.rounds(&mut all, at + 10, 3, &[0, 2]);
        let lost = stage.final_at(2, &x) && !leaves.contains(&x.id);
        end(
            lost,
            if lost {
                "500 paid with Quorum, in no header"
            } else {
                "no Quorum after T/2"
            },
        )
    })
}

/// 5.3: two guilty of seven have a second chain each. One node sees five approve; the trim's cone holds three of them.
pub fn one_round() -> End {
    Stage::with(7, &[0, 4], |stage| {
        let x = stage.pay(7_000, &stage.root(3), &[], 4, 500);
        let _ = stage.show(&[4], &x);
        // Approvals by 1, 2 (guilty), 5 and 4: only node 4 hears them all.
        let mut fifth = Said::default();
        for (place, member) in [1u16, 2, 5, 4].into_iter().enumerate() {
            let v = stage.data(7_100 + place as u64, &stage.root(member), &[&x]);
            let _ = stage.show(&[4], &v);
            if member == 5 {
                fifth = v;
            }
        }
        // The others' side: the guilty on another chain, members 0 and 6, who have not heard of x, and 5, which goes on.
        let mut heads = roots(stage, &[0, 1, 2, 6]);
        for (place, head) in heads.iter_mut().enumerate() {
            let next = stage.data(7_150 + place as u64, head, &[]);
            let _ = stage.show(&[0], &next);
            *head = next;
        }
        let _ = stage.show(&[0], &x);
        let _ = stage.show(&[0], &fifth);
        for (place, head) in heads.iter_mut().enumerate() {
            let next = stage.data(12_050 + place as u64, head, &[]);
            let _ = stage.show(&[0], &next);
            *head = next;
        }
        let fifth = stage.data(12_080, &fifth, &refs(&heads));
        let _ = stage.show(&[0], &fifth);
        let trim = stage.trim(
            12_100,
            &heads[0],
            &[&heads[1], &heads[2], &heads[3], &fifth],
            8_000,
        );
        if let Err(refusal) = stage.show(&[0], &trim) {
            return end(true, format!("the trim is refused: {refusal:?}"));
        }
        heads[0] = trim.clone();
        heads.push(fifth);
        stage.rounds(&mut heads, 12_200, 2, &[0]);
        match stage.settle(0, &trim, &[0]) {
            Ok(leaves) => {
                let lost = stage.final_at(4, &x) && !leaves.contains(&x.id);
                end(
                    lost,
                    if lost {
                        "Quorum at the payee; dead in the header"
                    } else {
                        "no Quorum at the payee; dead in the header"
                    },
                )
            }
            Err(why) => end(true, format!("no settlement: {why}")),
        }
    })
}

/// 5.3: two guilty of seven talk a lot, each upon the other, once above each side of a fork.
pub fn many_vertices() -> End {
    let quorum = |to: u16| {
        Stage::with(7, &[to], |stage| {
            let x = stage.pay(2_000, &stage.root(1), &[], to, 500);
            let mut heads = [x.clone(), stage.root(2), stage.root(3)];
            let _ = stage.show(&[to], &x);
            stage.rounds(&mut heads[..2], 2_100, 12, &[to]);
            // One honest member is a witness beside them.
            let v = stage.data(2_500, &heads[2], &[&heads[0], &heads[1]]);
            let _ = stage.show(&[to], &v);
            stage.rounds(&mut heads[..2], 2_600, 6, &[to]);
            stage.final_at(to, &x)
        })
    };
    let sides = u32::from(quorum(4)) + u32::from(quorum(5));
    end(
        sides > 0,
        format!("{sides} of 2 sides of a fork with Quorum by 2 guilty of 7"),
    )
}

/// 5.5: the GL-node trims as soon as the cut is over. What gets its approvals in time, but after the trim, dies with it.
pub fn early_trim() -> End {
    Stage::with(7, &[0, 4], |stage| {
        let mut heads = roots(stage, &ALL);
        stage.rounds(&mut heads, 7_600, 2, &[0, 4]);
        let trim = stage.trim(8_100, &heads[0], &refs(&heads[1..]), 8_000);
        // Said before the cut, heard after the trim was issued.
        let x = stage.pay(7_900, &heads[3], &[], 4, 500);
        let taken = stage.show(&[0, 4], &trim);
        let _ = stage.show(&[0, 4], &x);
        heads[3] = x.clone();
        if taken.is_ok() {
            heads[0] = trim.clone();
        }
        stage.rounds(&mut heads, 8_200, 4, &[0, 4]);
        if taken.is_err() {
            let kept = close(stage, &mut heads, 8_000, &[0, 4]);
            let kept = kept.is_ok_and(|leaves| leaves.contains(&x.id));
            return end(
                !kept,
                "the trim is refused; the next one settles the payment",
            );
        }
        match stage.settle(0, &trim, &[0, 4]) {
            Ok(leaves) => {
                let lost = stage.final_at(4, &x) && !leaves.contains(&x.id);
                end(lost, "500 paid with Quorum, dead in the header")
            }
            Err(why) => end(false, format!("no settlement: {why}")),
        }
    })
}

/// 0011: trims in quick succession, each with a cut before the one before it came: what was said between them is of a void epoch at once.
pub fn hasty_cuts() -> End {
    Stage::with(4, &[0, 2], |stage| {
        let mut heads = roots(stage, &[0, 1, 2, 3]);
        stage.rounds(&mut heads, 7_600, 2, &[0, 2]);
        if let Err(why) = close(stage, &mut heads, 8_000, &[0, 2]) {
            return end(true, format!("no settlement: {why}"));
        }
        // Said upon the first trim, before the second.
        let x = stage.pay(stage.now + 10, &heads[3], &refs(&heads[..3]), 2, 500);
        let _ = stage.show(&[0, 2], &x);
        heads[3] = x.clone();
        stage.rounds(&mut heads, stage.now + 10, 3, &[0, 2]);
        let before = stage.final_at(2, &x);
        for cut in [8_100, 8_200] {
            if let Err(why) = close(stage, &mut heads, cut, &[0, 2]) {
                return end(false, format!("Quorum, and {why}"));
            }
        }
        match close(stage, &mut heads, x.time + 100, &[0, 2]) {
            Ok(leaves) => {
                let lost = before && !leaves.contains(&x.id);
                end(lost, "500 paid with Quorum, void at the fourth trim")
            }
            Err(why) => end(false, why),
        }
    })
}

/// 0015: the second trim is withheld until a payment has its Quorum without it; the third cuts right below the payment, and for the fourth
/// the payment is two epochs behind.
pub fn withheld_trim() -> End {
    Stage::with(7, &[0, 2], |stage| {
        let mut heads = roots(stage, &ALL);
        stage.rounds(&mut heads, 7_600, 2, &[0, 2]);
        if let Err(why) = close(stage, &mut heads, 8_000, &[0, 2]) {
            return end(true, format!("no settlement: {why}"));
        }
        stage.rounds(&mut heads, 20_010, 2, &[0, 2]);
        let second = stage.trim(20_070, &heads[0], &refs(&heads[1..]), 16_000);
        let x = stage.pay(20_080, &heads[3], &refs(&heads[4..]), 2, 500);
        let _ = stage.show(&[0, 2], &x);
        heads[3] = x.clone();
        stage.rounds(&mut heads[1..], 20_090, 4, &[0, 2]);
        let before = stage.final_at(2, &x);
        if let Err(refusal) = stage.show(&[0, 2], &second) {
            return end(true, format!("the second trim is refused: {refusal:?}"));
        }
        heads[0] = second.clone();
        stage.rounds(&mut heads, stage.now + 10, 2, &[0, 2]);
        if let Err(why) = stage.settle(0, &second, &[0, 2]) {
            return end(true, format!("no settlement: {why}"));
        }
        if close(stage, &mut heads, second.time, &[0, 2]).is_err() {
            let cut = stage.now;
            let kept = close(stage, &mut heads, cut, &[0, 2]);
            let kept = before && kept.is_ok_and(|leaves| leaves.contains(&x.id));
            return end(
                !kept,
                "the third trim is refused; one with a later cut settles the payment",
            );
        }
        match close(stage, &mut heads, x.time + 100, &[0, 2]) {
            Ok(leaves) => {
                let lost = before && !leaves.contains(&x.id);
                end(lost, "500 paid with Quorum, void at the fourth trim")
            }
            Err(why) => end(false, why),
        }
    })
}

/// 0011: a member that was away pays without two trims in its cone; those who hold them approve it.
pub fn overtaken() -> End {
    Stage::with(4, &[0, 2], |stage| {
        let mut heads = roots(stage, &[0, 1, 2]);
        let away = stage.data(7_500, &stage.root(3), &[]);
        let _ = stage.show(&[0, 2], &away);
        stage.rounds(&mut heads, 7_600, 2, &[0, 2]);
        let mut heads: Vec<Said> = heads;
        for cut in [8_000, 13_000] {
            if let Err(why) = close(stage, &mut heads, cut, &[0, 2]) {
                return end(true, format!("no settlement: {why}"));
            }
        }
        let x = stage.pay(stage.now + 300, &away, &[], 2, 500);
        let _ = stage.show(&[0, 2], &x);
        heads.push(x.clone());
        stage.rounds(&mut heads, stage.now + 10, 3, &[0, 2]);
        heads.pop();
        // What member 3 goes on to say is of the new epoch; x is not.
        let quorum = stage.final_at(2, &x);
        for cut in [x.time - 1, u64::MAX] {
            let cut = cut.min(stage.now);
            match close(stage, &mut heads, cut, &[0, 2]) {
                Ok(leaves) if leaves.contains(&x.id) => {
                    return end(false, "it lives");
                }
                Ok(_) => {}
                Err(why) => return end(true, format!("no settlement: {why}")),
            }
        }
        end(
            quorum,
            if quorum {
                "500 paid with Quorum, void at the fourth trim"
            } else {
                "no Quorum; void at the fourth trim"
            },
        )
    })
}

/// 5.5: the GL-node issues two trims with one predecessor.
pub fn two_trims() -> End {
    Stage::with(4, &[0, 2], |stage| {
        let mut heads = roots(stage, &[0, 1, 2, 3]);
        stage.rounds(&mut heads, 7_600, 2, &[0, 2]);
        stage.rounds(&mut heads, 12_050, 2, &[0, 2]);
        for cut in [8_000, 7_900] {
            let trim = stage.trim(stage.now + 50, &heads[0], &refs(&heads[1..]), cut);
            let _ = stage.show(&[0, 2], &trim);
            heads[0] = trim;
            stage.rounds(&mut heads, stage.now + 10, 2, &[0, 2]);
        }
        let heard = stage.heard(2);
        let (certified, told) = (heard.certified.len(), heard.equivocations);
        end(
            certified > 1,
            format!("{certified} of 2 certified, {told} told as rivals"),
        )
    })
}

/// 5.3: a fork whose sides are shown to two members each; then all hear both and stand on both.
pub fn both_approved() -> End {
    Stage::with(4, &[2, 3], |stage| {
        let x = stage.pay(2_000, &stage.root(1), &[], 2, 500);
        let y = stage.pay(2_001, &stage.root(1), &[], 3, 501);
        let mut heads = roots(stage, &[0, 2, 3]);
        let _ = stage.show(&[2, 3], &x);
        let _ = stage.show(&[2, 3], &y);
        for (head, tip) in heads.iter_mut().zip([&x, &x, &y]) {
            let next = stage.data(2_100 + u64::from(head.member), head, &[tip]);
            let _ = stage.show(&[2, 3], &next);
            *head = next;
        }
        stage.rounds(&mut heads, 2_200, 4, &[2, 3]);
        let sides = u32::from(stage.final_at(2, &x)) + u32::from(stage.final_at(3, &y));
        end(sides > 1, format!("{sides} of 2 sides with Quorum"))
    })
}

/// 5.5: both sides of a fork are in Done.
pub fn both_sides() -> End {
    Stage::with(4, &[0, 2], |stage| {
        let x = stage.pay(7_000, &stage.root(1), &[], 2, 500);
        let y = stage.pay(7_001, &stage.root(1), &[], 3, 501);
        let _ = stage.show(&[0, 2], &x);
        let _ = stage.show(&[0, 2], &y);
        // Members 2 and 3 each approve the side that they saw; then all stand on both.
        let mut heads = roots(stage, &[0, 2, 3]);
        for (head, tip) in heads[1..].iter_mut().zip([&x, &y]) {
            let next = stage.data(7_100 + u64::from(head.member), head, &[tip]);
            let _ = stage.show(&[0, 2], &next);
            *head = next;
        }
        stage.rounds(&mut heads, 7_200, 2, &[0, 2]);
        match close(stage, &mut heads, 8_000, &[0, 2]) {
            Ok(leaves) => {
                let both = leaves.contains(&x.id) && leaves.contains(&y.id);
                end(both, "the epoch is settled without them")
            }
            Err(why) => end(true, format!("the epoch cannot be closed: {why}")),
        }
    })
}

/// 5.5: a branch from below the settled head, longer than what was settled.
pub fn below_the_head() -> End {
    Stage::with(4, &[0, 2], |stage| {
        let mut heads = roots(stage, &[0, 1, 2, 3]);
        stage.rounds(&mut heads, 7_000, 1, &[0, 2]);
        let fork = heads[1].clone();
        let paid = stage.pay(7_100, &heads[1], &refs(&heads[2..]), 2, 900);
        let _ = stage.show(&[0, 2], &paid);
        heads[1] = paid;
        stage.rounds(&mut heads, 7_200, 2, &[0, 2]);
        let settled = heads[1].number;
        let mut branch = fork;
        let mut others = vec![heads[0].clone(), heads[2].clone(), heads[3].clone()];
        if let Err(why) = close(stage, &mut others, 8_000, &[0, 2]) {
            return end(true, format!("no settlement: {why}"));
        }
        let mut last = Ok(());
        while branch.number < settled + 2 && last.is_ok() {
            let next = stage.pay(stage.now + 10, &branch, &refs(&others), 3, 100);
            last = stage.show(&[0, 2], &next);
            branch = next;
        }
        others.push(branch);
        stage.rounds(&mut others, stage.now + 10, 2, &[0, 2]);
        let cut = stage.now.max(13_000);
        match close(stage, &mut others, cut, &[0, 2]) {
            Ok(_) => end(false, "the branch is dead; the epoch is settled"),
            Err(why) => end(true, format!("the epoch cannot be closed: {why}")),
        }
    })
}

fn false_payment(second: Body<'static>) -> End {
    Stage::with(4, &[0, 2], |stage| {
        let mut heads = roots(stage, &[0, 1, 2, 3]);
        let first = stage.pay(7_000, &heads[1], &[], 2, 500);
        let _ = stage.show(&[0, 2], &first);
        let x = stage.say(7_100, &first, &[], second);
        let taken = stage.show(&[0, 2], &x).is_ok();
        heads[1] = if taken { x.clone() } else { first };
        stage.rounds(&mut heads, 7_200, 3, &[0, 2]);
        let quorum = stage.final_at(2, &x);
        match close(stage, &mut heads, 8_000, &[0, 2]) {
            Ok(_) => end(quorum, "refused; the epoch is settled"),
            Err(why) => end(
                true,
                format!("Quorum: {quorum}; the epoch cannot be closed: {why}"),
            ),
        }
    })
}

/// 5.6: a payment whose total leaves out the one before.
pub fn false_total() -> End {
    false_payment(payment(2, 600, 600))
}

/// 5.6: a payment of what the payer does not have.
pub fn overspent() -> End {
    false_payment(payment(2, 2_000_000, 2_000_500))
}

/// 5.6: payments far above the caps, served for before anything is final.
pub fn above_the_caps() -> End {
    Stage::with(4, &[2], |stage| {
        let mut head = stage.root(1);
        for n in 0..4 {
            let x = stage.pay(2_000 + n, &head, &[], 2, 200_000);
            let _ = stage.show(&[2], &x);
            head = x;
        }
        let served = stage.heard(2).served;
        end(served > 0, format!("{served} served for before Quorum"))
    })
}

/// 5.7: a neighbour floods a device with transactions whose signatures do not hold.
pub fn flood() -> End {
    Stage::with(4, &[2], |stage| {
        let before = stage.checks(2);
        let root = stage.root(1);
        for n in 0..6_000u64 {
            let mut said = Said {
                time: 2_000,
                ..stage.data(1_000, &root, &[])
            };
            let last = said.frame.len() - 1 - (n % 30) as usize;
            said.frame[last] ^= 1 + (n / 30 % 255) as u8;
            let _ = stage.show(&[2], &said);
        }
        let checks = stage.checks(2) - before;
        end(
            checks > 1_000,
            format!("{checks} checks for 6,000 frames in no time"),
        )
    })
}

/// 5.7: strangers without a certificate.
pub fn strangers() -> End {
    Stage::with(4, &[2], |stage| {
        let before = stage.checks(2);
        let root = stage.root(1);
        for n in 0..1_000u16 {
            let body = Body::Data(&[0x81, 0xa1, 0x02, 0x01]);
            let said = stage.say_as(1_000 + n, 1, 1, 1_500, &root, &[], body);
            let _ = stage.show(&[2], &said);
        }
        let checks = stage.checks(2) - before;
        end(checks > 0, format!("{checks} checks for 1,000 strangers"))
    })
}
