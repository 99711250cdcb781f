//! Before the genesis and around the recovery of a chain head: what a stranger can say to a device that knows little.

use super::*;
use crate::identity::Genesis;
use crate::posp::{Validator, ValidatorSet};
use crate::wire::EnrolStatus;

fn set_bytes(set: &ValidatorSet) -> Vec<u8> {
    encoded(|w| set.encode(w).unwrap())
}

fn unbound(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = [0; MAX_FRAME];
    let len = frame.write([0; 4], &mut out).unwrap();
    out[..len].to_vec()
}

fn outside() -> Bench {
    let net = Network::new(5);
    let neighbourhood = crate::identity::UnverifiedGenesis::parse(&net.genesis)
        .unwrap()
        .neighbourhood();
    Bench { net, neighbourhood }
}

#[test]
fn nothing_of_a_neighbourhood_before_its_genesis() {
    let mut bench = outside();
    let n = bench.neighbourhood;
    let vote = crate::wire::list::Vote {
        index: 0,
        signature: Signature([1; 64]),
    };
    let frames = [
        ("a transaction", tx_frame(&n, &cose(b"x", &[1; 64]))),
        (
            "an announcement",
            written(&n, &Frame::Announce(List::of(&[n.prefix()]))),
        ),
        (
            "a request",
            written(&n, &Frame::Request(List::of(&[n.prefix()]))),
        ),
        (
            "numbers",
            written(
                &n,
                &Frame::Sync {
                    first: MemberIndex(0),
                    highest: List::of(&[]),
                },
            ),
        ),
        (
            "a header",
            written(
                &n,
                &Frame::Header {
                    cose: b"x",
                    path: List::of(&[]),
                },
            ),
        ),
        (
            "votes",
            written(
                &n,
                &Frame::Votes {
                    header: HeaderNumber(1),
                    votes: List::of(&[vote]),
                },
            ),
        ),
        (
            "a head",
            written(
                &n,
                &Frame::Heads {
                    member: MemberIndex(1),
                    number: Number(1),
                    id: n,
                },
            ),
        ),
        (
            "a beacon",
            written(
                &n,
                &Frame::Beacon {
                    now: Millis(1),
                    header: HeaderNumber(1),
                    tips: List::of(&[]),
                },
            ),
        ),
    ];
    for (name, frame) in &frames {
        bench.refused(name, frame, Refusal::Neighbourhood);
    }
}

#[test]
fn a_genesis_of_another_authority_or_with_another_set() {
    let mut bench = outside();
    let set = set_bytes(&bench.net.set);
    let (genesis, _) = crate::identity::UnverifiedGenesis::parse(&bench.net.genesis)
        .unwrap()
        .verify(&secret(201).public_key(), &mut Software)
        .unwrap();
    let signed = |genesis: &Genesis, key: u8| {
        let mut out = [0; 600];
        let len = genesis.sign(&secret(key), &mut out).unwrap();
        out[..len].to_vec()
    };
    let frame = |cose: &[u8], set: &[u8]| unbound(&Frame::Genesis { cose, set });
    let theirs = signed(&genesis, 202);
    bench.refused(
        "another authority",
        &frame(&theirs, &set),
        Refusal::ForgedGenesis,
    );
    let mut bent = bench.net.genesis.clone();
    *bent.last_mut().unwrap() ^= 1;
    bench.refused(
        "a bent signature",
        &frame(&bent, &set),
        Refusal::ForgedGenesis,
    );
    let mut bent = bench.net.genesis.clone();
    bent[40] ^= 1;
    bench.refused(
        "a bent payload",
        &frame(&bent, &set),
        Refusal::ForgedGenesis,
    );
    let validators: Vec<Validator> = (0..4)
        .map(|n| Validator {
            key: secret(60 + n).public_key().bytes().try_into().unwrap(),
            stake: 25,
        })
        .collect();
    let other = set_bytes(&ValidatorSet::new(1, HeaderNumber(1), &validators).unwrap());
    let true_one = bench.net.genesis.clone();
    bench.refused(
        "another set",
        &frame(&true_one, &other),
        Refusal::WrongValidatorSet,
    );
    bench.refused(
        "no set",
        &frame(&true_one, &[0x80]),
        Refusal::WrongValidatorSet,
    );
    assert_eq!(bench.node().phase, Phase::Outside);
    assert_eq!(bench.give(&frame(&true_one, &set)), Ok(()));
    assert_eq!(bench.node().phase, Phase::Synchronising);
    // A second one, even of the same authority, changes nothing.
    let mut second = genesis;
    second.nonce = [8; 32];
    let before = fingerprint(bench.node());
    let _ = bench.give(&frame(&signed(&second, 201), &set));
    assert_eq!(differences(&before, &fingerprint(bench.node())), [""; 0]);
}

#[test]
fn enrolment_results_for_another_device() {
    let mut bench = outside();
    let result = |device: Id, status| {
        unbound(&Frame::EnrolResult {
            device,
            status,
            index: None,
        })
    };
    let other = Id([4; 32]);
    bench.refused(
        "accepted",
        &result(other, EnrolStatus::Accepted),
        Refusal::NotForMe,
    );
    bench.refused(
        "member",
        &result(other, EnrolStatus::Member),
        Refusal::NotForMe,
    );
    bench.events();
    let device = bench.node().device;
    let own = result(device, EnrolStatus::Accepted);
    assert_eq!(bench.give(&own), Ok(()));
    assert_eq!(bench.events(), [Event::EnrolAccepted]);
    let mut bench = Bench::new();
    let device = bench.node().device;
    let late = result(device, EnrolStatus::Full);
    bench.refused("to a member", &late, Refusal::NotForMe);
}

#[test]
fn heads_that_nobody_asked_for() {
    let mut bench = Bench::new();
    let n = bench.neighbourhood;
    let heads = |member: u16| {
        written(
            &n,
            &Frame::Heads {
                member: MemberIndex(member),
                number: Number(u32::MAX),
                id: Id([9; 32]),
            },
        )
    };
    bench.refused("its own", &heads(VICTIM as u16), Refusal::NotForMe);
    bench.refused("another's", &heads(3), Refusal::NotForMe);
    let request = written(
        &n,
        &Frame::HeadsRequest {
            member: MemberIndex(9),
        },
    );
    bench.refused("asked of nobody", &request, Refusal::UnknownIssuer);
}

/// One neighbour that claims a head which it cannot show delays a recovery; it does not end it.
#[test]
fn one_liar_does_not_silence_a_device() {
    let mut net = Network::started(5);
    net.traffic(3);
    net.reboot(VICTIM, true);
    // Neighbour 2 answers every time with a number that nobody can deliver.
    net.cut = vec![(VICTIM as u16, 2)];
    let mut bench = Bench {
        neighbourhood: net.node(0).neighbourhood,
        net,
    };
    let lie = written(
        &bench.neighbourhood,
        &Frame::Heads {
            member: MemberIndex(VICTIM as u16),
            number: Number(u32::MAX),
            id: Id([9; 32]),
        },
    );
    let began = bench.net.now;
    for _ in 0..25_000 {
        let _ = bench.give(&lie);
        bench.net.pump(bench.net.now + 2);
        if bench.node().phase == Phase::Active {
            break;
        }
    }
    assert_eq!(bench.node().phase, Phase::Active);
    assert!(bench.net.now - began > 20_000, "it was waited for");
    let equivocated = bench.net.events[0]
        .iter()
        .any(|e| matches!(e, Event::Equivocation { .. }));
    assert!(!equivocated);
}
