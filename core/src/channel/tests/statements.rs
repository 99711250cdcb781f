//! Every statement on the wire, its size, and what is refused.

use super::*;

fn grant_bytes(number: ChannelNumber, epoch: u32, index: u64, to: u16) -> Vec<u8> {
    let op = Op::Grant {
        number,
        epoch: KeyEpoch(epoch),
        index: Index(index),
        to: MemberIndex(to),
        sealed: &[9; 80],
    };
    sign(&op)
}

fn sign(op: &Op<'_>) -> Vec<u8> {
    let (mut body, mut scratch) = ([0; 1400], [0; 1600]);
    let mut w = Writer::new(&mut body);
    op.write(&mut w).unwrap();
    let body = w.into_written();
    let message = statement::to_be_signed(&HERE, &Id([7; 32]), body, &mut scratch).unwrap();
    [body, &signer().sign(message).0].concat()
}

#[test]
fn statements_travel_and_no_other_bytes_do() {
    let wraps = [[1; WRAP]; 3];
    let batch = Batch {
        epoch: KeyEpoch(1),
        first: Index(64),
        count: 64,
        root: Id([5; 32]),
    };
    let ops = [
        Op::Announce {
            number: NUMBER,
            mode: Mode::Restricted,
            epoch: KeyEpoch(3),
            index: Index(70_000),
        },
        Op::Root {
            number: NUMBER,
            batch,
        },
        Op::Subscribe {
            owner: MemberIndex(4),
            number: NUMBER,
            key: &[6; 32],
        },
        Op::Grant {
            number: NUMBER,
            epoch: KeyEpoch(1),
            index: Index(9),
            to: MemberIndex(70),
            sealed: &[7; 80],
        },
        Op::Revoke {
            number: NUMBER,
            epoch: KeyEpoch(2),
            index: Index(0),
            ended: Index(90),
            wraps: &wraps,
        },
        Op::Path {
            number: NUMBER,
            to: MemberIndex(70),
            slot: 5,
            sealed: &[8; 32 * 4 + 16],
        },
        Op::Message {
            number: ChannelNumber { main: 1, sub: 2 },
            sealed: &[3; 40],
        },
    ];
    let (key, mut scratch) = (signer().public_key(), [0; 1600]);
    for op in ops {
        let bytes = sign(&op);
        println!("{} bytes: {op:?}", bytes.len());
        let parsed = Statement::parse(&bytes).unwrap();
        let mut check = |here: &Id, who: &Id, key: &PublicKey| {
            parsed.verify(here, who, key, &mut Software, &mut scratch)
        };
        assert_eq!(check(&HERE, &Id([7; 32]), &key), Ok(op));
        assert!(check(&Id([1; 32]), &Id([7; 32]), &key).is_err());
        assert!(check(&HERE, &Id([8; 32]), &key).is_err());
        for end in 0..bytes.len() {
            assert!(Statement::parse(&bytes[..end]).is_err());
        }
        let mut longer = bytes.clone();
        longer.insert(bytes.len() - 64, 0);
        assert_eq!(
            Statement::parse(&longer).err(),
            Some(ChannelError::Wire(WireError::TrailingBytes))
        );
    }
    // The grant's ceiling: 160 bytes, for 255 numbers, 255 key epochs, 65,535 members and all indexes.
    assert_eq!(grant_bytes(NUMBER, 1, 1000, 70).len(), 155);
    let one = ChannelNumber { main: 255, sub: 0 };
    assert_eq!(grant_bytes(one, 255, u32::MAX.into(), 999).len(), 160);
    assert_eq!(
        grant_bytes(
            ChannelNumber {
                main: u16::MAX,
                sub: 1
            },
            u32::MAX,
            u32::MAX.into(),
            u16::MAX
        )
        .len(),
        166
    );
    let refused = |bytes: &[u8]| {
        let bytes = [bytes, &[0; 64]].concat();
        Statement::parse(&bytes).err()
    };
    let range = Some(ChannelError::Wire(WireError::Range));
    assert_eq!(refused(&[0x81, 7]), Some(ChannelError::Op));
    assert_eq!(refused(&[0x85, 0, 1, 3, 1, 0]), Some(ChannelError::Mode));
    assert_eq!(refused(&[0x85, 0, 1, 1, 0, 0]), range);
    assert_eq!(
        refused(&[0x85, 0, 1, 1, 1, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
        range
    );
    assert_eq!(refused(&[0x86, 4, 1, 1, 0, 0, 0x40]), range);
    assert_eq!(refused(&[0x86, 4, 1, 2, 0, 0, 0x41, 0]), range);
    assert_eq!(refused(&[0x85, 5, 1, 1, 0, 0x40]), range);
}
