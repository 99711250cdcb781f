use super::*;
use crate::crypto::Signature;
use crate::wire::near::{Sighting, Stand};
use proptest::prelude::*;

const TAG: [u8; 4] = [1, 2, 3, 4];

fn write(frame: &Frame<'_>) -> Result<Vec<u8>, FrameError> {
    let mut out = [0; 2048];
    frame.write(TAG, &mut out).map(|len| out[..len].to_vec())
}

/// Parses type and body under a tag of some neighbourhood.
fn refused(kind: u8, body: &str) -> FrameError {
    let mut bytes = TAG.to_vec();
    bytes.push(kind);
    bytes.extend(hex::decode(body.replace(' ', "")).unwrap());
    Frame::parse(&bytes).map(|_| ()).expect_err(body)
}

const P1: Prefix = Prefix([1; 16]);
const P2: Prefix = Prefix([2; 16]);
const I1: Id = Id([1; 32]);
const I2: Id = Id([2; 32]);
const VOTES: [Vote; 2] = [
    Vote {
        index: 3,
        signature: Signature([7; 64]),
    },
    Vote {
        index: 63,
        signature: Signature([8; 64]),
    },
];

const SEEN: [Sighting; 2] = [
    Sighting {
        id: I1,
        stand: Stand::Unknown,
        time: Millis(0),
        epoch: Epoch(0),
    },
    Sighting {
        id: I2,
        stand: Stand::Approved,
        time: Millis(1_750_000_000_000),
        epoch: Epoch(4),
    },
];

/// At least one frame of every type.
fn samples() -> Vec<Frame<'static>> {
    let header = HeaderNumber(9);
    let epoch = Epoch(10);
    let member = MemberIndex(300);
    vec![
        Frame::Tx {
            cose: &[0x80],
            attachment: None,
        },
        Frame::Tx {
            cose: &[0x81, 0x01],
            attachment: Some(&[0x82, 0x80, 0xf6]),
        },
        Frame::Announce(List::of(&[P1, P2])),
        Frame::Request(List::of(&[P2])),
        Frame::Beacon {
            now: Millis(1_750_000_000_000),
            header,
            tips: List::of(&[P1]),
        },
        Frame::Beacon {
            now: Millis(0),
            header,
            tips: List::of(&[]),
        },
        Frame::Sync {
            first: member,
            highest: List::of(&[Number(0), Number(70_000)]),
        },
        Frame::Header {
            cose: &[1, 2, 3],
            path: List::of(&[I1, I2]),
        },
        Frame::Votes {
            header,
            votes: List::of(&VOTES),
        },
        Frame::HeaderRequest { header },
        Frame::ProofRequest {
            ids: List::of(&[I2, I1]),
        },
        Frame::Proof {
            header,
            id: I1,
            leaf: 5,
            size: 100,
            path: List::of(&[I2]),
        },
        Frame::TableRequest {
            epoch,
            first: member,
        },
        Frame::Table {
            epoch,
            first: member,
            records: List::of(&[Raw(&[0x81, 0x05]), Raw(&[0xa1, 0x01, 0x02])]),
        },
        Frame::LocksRequest {
            header: HeaderNumber(7),
            first: 70_000,
        },
        Frame::Locks {
            header: HeaderNumber(7),
            first: 70_000,
            locks: List::of(&[Raw(&[0x81, 0x05]), Raw(&[0xa1, 0x01, 0x02])]),
        },
        Frame::Enrol {
            certificates: Certificates {
                first: &[1],
                second: Some(&[2, 3]),
            },
            proof: &[9; 64],
            attestation: None,
        },
        Frame::Enrol {
            certificates: Certificates {
                first: &[1],
                second: None,
            },
            proof: &[9; 64],
            attestation: Some(&[8; 300]),
        },
        Frame::Challenge {
            device: I1,
            challenge: &[7; 16],
        },
        Frame::EnrolResult {
            device: I1,
            status: EnrolStatus::Measurement,
            index: None,
        },
        Frame::EnrolResult {
            device: I1,
            status: EnrolStatus::Member,
            index: Some(member),
        },
        Frame::EnrolResult {
            device: I1,
            status: EnrolStatus::Full,
            index: None,
        },
        Frame::Genesis {
            cose: &[4, 5],
            set: &[0x83, 0, 0, 0x80],
        },
        Frame::GenesisRequest,
        Frame::Proposal {
            cose: &[6],
            credited: 9,
        },
        Frame::AccountVote {
            header: HeaderNumber(7),
            credited: 70_000,
            index: 63,
            v: 28,
            signature: &[8; 64],
        },
        Frame::Anchored {
            header: HeaderNumber(7),
            block: 1 << 40,
            votes: List::of(&VOTES),
        },
        Frame::HeadsRequest { member },
        Frame::Heads {
            member,
            number: Number(77),
            id: I2,
        },
        Frame::SetRequest { term: 2 },
        Frame::Set(&[0x83, 0, 0, 0x80]),
        Frame::Near(Near::Claim(&[1, 2])),
        Frame::Near(Near::OfferRequest),
        Frame::Near(Near::Offer {
            place: 1,
            term: 7,
            now: Millis(1_750_000_000_000),
            header,
            tips: List::of(&[I2, I1]),
        }),
        Frame::Near(Near::WitnessRequest(List::of(&[I1, I2]))),
        Frame::Near(Near::Witness(List::of(&SEEN))),
        Frame::Near(Near::RecordRequest { epoch, device: I1 }),
        Frame::Near(Near::Record {
            epoch,
            record: Raw(&[0x81, 0x05]),
            path: List::of(&[I1]),
        }),
        Frame::Near(Near::ShowRequest { member }),
        Frame::Near(Near::Show {
            member,
            number: Number(9),
            proof: None,
        }),
        Frame::Near(Near::Show {
            member,
            number: Number(9),
            proof: Some((&[5, 6], I2)),
        }),
    ]
}

#[test]
fn every_type_goes_there_and_back() {
    let samples = samples();
    for kind in FrameType::ALL {
        assert!(samples.iter().any(|f| f.frame_type() == *kind), "{kind:?}");
        assert_eq!(FrameType::from_number(kind.number()), Some(*kind));
    }
    for frame in &samples {
        let bytes = write(frame).unwrap();
        assert_eq!(bytes[..4], TAG);
        assert_eq!(bytes[4], frame.frame_type().number());
        assert_eq!(Frame::parse(&bytes), Ok((TAG, *frame)));
        // What was parsed writes the same bytes.
        assert_eq!(write(&Frame::parse(&bytes).unwrap().1), Ok(bytes));
    }
}

#[test]
fn cut_and_lengthened_frames_are_refused() {
    for frame in &samples() {
        let bytes = write(frame).unwrap();
        for end in 0..bytes.len() {
            // A transaction without its attachment is a whole frame.
            let whole = matches!(frame, Frame::Tx { cose, attachment: Some(_) } if end == HEAD_LEN + cose.len());
            let want = if end < HEAD_LEN {
                FrameError::TooShort
            } else {
                FrameError::Wire(WireError::Truncated)
            };
            let got = Frame::parse(&bytes[..end]).map(|_| ());
            assert_eq!(got, if whole { Ok(()) } else { Err(want) }, "{frame:?}");
        }
        let mut longer = bytes.clone();
        longer.push(0xf6);
        // After a transaction one more item may follow, and after that none.
        if matches!(
            frame,
            Frame::Tx {
                attachment: None,
                ..
            }
        ) {
            longer.push(0xf6);
        }
        assert_eq!(
            Frame::parse(&longer),
            Err(FrameError::Wire(WireError::TrailingBytes)),
            "{frame:?}"
        );
        let mut short = vec![0; bytes.len() - 1];
        assert_eq!(
            frame.write(TAG, &mut short),
            Err(FrameError::Wire(WireError::Full))
        );
    }
}

#[test]
fn tags_of_no_neighbourhood() {
    for frame in &samples() {
        let mut bytes = write(frame).unwrap();
        bytes[..4].fill(0);
        let number = frame.frame_type().number();
        let may = (0x0d..=0x10).contains(&number) || number == 0x1f;
        let mut out = [0; 2048];
        let written = frame.write([0; 4], &mut out);
        if may {
            assert_eq!(Frame::parse(&bytes), Ok(([0; 4], *frame)));
            assert_eq!(written, Ok(bytes.len()));
        } else {
            assert_eq!(Frame::parse(&bytes), Err(FrameError::Unbound));
            assert_eq!(written, Err(FrameError::Unbound));
        }
    }
}

#[test]
fn counts_have_limits_both_ways() {
    let many = [P1; 65];
    let ids = [I1; 33];
    let votes: Vec<_> = (0..17)
        .map(|index| Vote {
            index,
            signature: Signature([0; 64]),
        })
        .collect();
    let records = [Raw(&[0x00]); 9];
    let header = HeaderNumber(1);
    for (frame, good) in [
        (Frame::Announce(List::of(&many[..64])), true),
        (Frame::Announce(List::of(&many)), false),
        (Frame::Announce(List::of(&[])), false),
        (Frame::Request(List::of(&many[..64])), true),
        (Frame::Request(List::of(&many)), false),
        (Frame::Request(List::of(&[])), false),
        (
            Frame::Beacon {
                now: Millis(0),
                header,
                tips: List::of(&many[..8]),
            },
            true,
        ),
        (
            Frame::Beacon {
                now: Millis(0),
                header,
                tips: List::of(&many[..9]),
            },
            false,
        ),
        (
            Frame::Header {
                cose: &[],
                path: List::of(&ids[..32]),
            },
            true,
        ),
        (
            Frame::Header {
                cose: &[],
                path: List::of(&ids),
            },
            false,
        ),
        (
            Frame::Votes {
                header,
                votes: List::of(&votes[..16]),
            },
            true,
        ),
        (
            Frame::Votes {
                header,
                votes: List::of(&votes),
            },
            false,
        ),
        (
            Frame::Votes {
                header,
                votes: List::of(&[]),
            },
            false,
        ),
        (
            Frame::Anchored {
                header,
                block: 1,
                votes: List::of(&votes),
            },
            false,
        ),
        (
            Frame::Anchored {
                header,
                block: 1,
                votes: List::of(&[]),
            },
            false,
        ),
        (
            Frame::ProofRequest {
                ids: List::of(&ids[..16]),
            },
            true,
        ),
        (
            Frame::ProofRequest {
                ids: List::of(&ids[..17]),
            },
            false,
        ),
        (Frame::ProofRequest { ids: List::of(&[]) }, false),
        (
            Frame::Table {
                epoch: Epoch(1),
                first: MemberIndex(0),
                records: List::of(&records[..8]),
            },
            true,
        ),
        (
            Frame::Table {
                epoch: Epoch(1),
                first: MemberIndex(0),
                records: List::of(&records),
            },
            false,
        ),
        (
            Frame::Table {
                epoch: Epoch(1),
                first: MemberIndex(0),
                records: List::of(&[]),
            },
            false,
        ),
        (
            Frame::Locks {
                header: HeaderNumber(1),
                first: 0,
                locks: List::of(&records),
            },
            false,
        ),
    ] {
        // Written without the writer's own check, so that the reader's is seen.
        let mut out = [0; 2048];
        let mut w = Writer::new(&mut out);
        w.raw(&TAG).unwrap();
        w.raw(&[frame.frame_type().number()]).unwrap();
        let count = FrameError::Count;
        if good {
            assert!(write(&frame).is_ok(), "{frame:?}");
            continue;
        }
        assert_eq!(write(&frame), Err(count), "{frame:?}");
        match &frame {
            Frame::Announce(l) | Frame::Request(l) => l.write(&mut w, 0..=99).unwrap(),
            Frame::ProofRequest { ids } => ids.write(&mut w, 0..=99).unwrap(),
            Frame::Beacon { tips, .. } => {
                head(&mut w, &[0, 1], 3);
                tips.write(&mut w, 0..=99).unwrap();
            }
            Frame::Header { path, .. } => {
                w.array(2).unwrap();
                w.bytes(&[]).unwrap();
                path.write(&mut w, 0..=99).unwrap();
            }
            Frame::Votes { votes, .. } => {
                head(&mut w, &[1], 2);
                votes.write(&mut w, 0..=99).unwrap();
            }
            Frame::Anchored { votes, .. } => {
                head(&mut w, &[1, 1], 3);
                votes.write(&mut w, 0..=99).unwrap();
            }
            Frame::Table { records, .. } | Frame::Locks { locks: records, .. } => {
                head(&mut w, &[1, 0], 3);
                records.write(&mut w, 0..=99).unwrap();
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(Frame::parse(w.written()).err(), Some(count), "{frame:?}");
    }
}

#[test]
fn frames_have_a_longest() {
    let long = [0u8; MAX_FRAME];
    assert_eq!(
        Frame::parse(&[1; MAX_FRAME + 1]).err(),
        Some(FrameError::TooLong)
    );
    // Tag, type, array of two, byte string head, a 0: ten bytes.
    let fits = Frame::Proposal {
        cose: &long[..MAX_FRAME - 10],
        credited: 0,
    };
    assert_eq!(write(&fits).map(|b| b.len()), Ok(MAX_FRAME));
    let longer = Frame::Proposal {
        cose: &long[..MAX_FRAME - 9],
        credited: 0,
    };
    assert_eq!(write(&longer), Err(FrameError::TooLong));
}

#[test]
fn malformed_bodies_are_refused() {
    use WireError::{NotDeterministic, Range, Truncated, Type};
    let wire = FrameError::Wire;
    for (kind, body, want) in [
        (0x00, "80", FrameError::UnknownType),
        (0x1f, "80", wire(Range)),
        (0x20, "80", FrameError::UnknownType),
        (0x16, "80", wire(Range)),
        (0x17, "8100", wire(Range)),
        (0x18, "850000000081", wire(WireError::Truncated)),
        (0x18, "85190100 00000080", wire(Range)),
        (0x19, "80", FrameError::Count),
        (0x1e, "83000080", wire(Range)),
        (0xff, "80", FrameError::UnknownType),
        (0x01, "", wire(Truncated)),
        (0x01, "1800", wire(NotDeterministic)),
        (0x02, "8141ff", wire(Range)),
        (0x02, "81f6", wire(Type)),
        (
            0x02,
            "9f50 01010101010101010101010101010101 ff",
            wire(NotDeterministic),
        ),
        (0x04, "830000", wire(Truncated)),
        (0x04, "820000", wire(Range)),
        (0x04, "83200080", wire(Type)),
        (0x04, "83001b000000010000000080", wire(Range)),
        (0x05, "821a0001000080", wire(Range)),
        (0x05, "820081 1b0000000100000000", wire(Range)),
        (0x08, "80", wire(Range)),
        (0x08, "820101", wire(Range)),
        (0x0b, "820100 00", wire(WireError::TrailingBytes)),
        (0x0c, "83010081 1800", wire(NotDeterministic)),
        (0x10, "8100", wire(Range)),
        (0x12, "811a00010000", wire(Range)),
        (0x15, "f7", wire(Type)),
        (0x15, "818181818181818100", wire(WireError::TooDeep)),
    ] {
        assert_eq!(refused(kind, body), want, "{kind:02x} {body}");
    }
    let id = format!("5820{}", "00".repeat(32));
    assert_eq!(refused(0x0e, &format!("83{id}08f6")), FrameError::Status);
    assert_eq!(refused(0x0e, &format!("83{id}00f5")), wire(Type));
    let signature = format!("5840{}", "00".repeat(64));
    let vote = |i: u8| {
        format!(
            "82{}{signature}",
            hex::encode(if i < 24 { vec![i] } else { vec![0x18, i] })
        )
    };
    let votes = |a, b| format!("820182{}{}", vote(a), vote(b));
    assert_eq!(refused(0x07, &votes(1, 1)), FrameError::Order);
    assert_eq!(refused(0x07, &votes(2, 1)), FrameError::Order);
    assert_eq!(refused(0x07, &votes(1, 64)), wire(Range));
    assert_eq!(refused(0x0d, &format!("8280{signature}")), wire(Range));
    assert_eq!(refused(0x0d, &format!("828140{signature}")), wire(Range));
    assert_eq!(
        refused(0x0d, &format!("8283410141024103{signature}")),
        wire(Range)
    );
    assert_eq!(refused(0x0d, "82814101 41ff"), wire(Range));
    let unordered = [VOTES[1], VOTES[0]];
    let frame = Frame::Votes {
        header: HeaderNumber(1),
        votes: List::of(&unordered),
    };
    assert_eq!(write(&frame), Err(FrameError::Order));
    let high = [Vote {
        index: 64,
        signature: Signature([0; 64]),
    }];
    let frame = Frame::Votes {
        header: HeaderNumber(1),
        votes: List::of(&high),
    };
    assert_eq!(write(&frame), Err(wire(Range)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Random bodies, and sample frames with a few bytes changed: parsing never panics, and what parses is written back as it was.
    #[test]
    fn hostile_frames_never_panic(
        kind in 0u8..0x18,
        body in prop::collection::vec(any::<u8>(), 0..80),
        sample in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut random = TAG.to_vec();
        random.push(kind);
        random.extend(body);
        let samples = samples();
        let mut bent = write(&samples[sample.index(samples.len())]).unwrap();
        for (at, byte) in changes {
            let at = at.index(bent.len());
            bent[at] = byte;
        }
        for bytes in [random, bent] {
            if let Ok((tag, frame)) = Frame::parse(&bytes) {
                let mut out = [0; 2048];
                let len = frame.write(tag, &mut out).unwrap();
                prop_assert_eq!(&out[..len], &bytes[..]);
            }
        }
    }
}
