//! Decodes the worked example of docs/protocol.md section 7.7 and runs its election.

use iotedge_core::Id;
use iotedge_core::crypto::vrf::SecretKey;
use iotedge_core::posp::election::{
    Candidate, Election, Entry, Fresh, Record, Seed, encode_record, list_hash,
};
use iotedge_core::wire::Writer;

/// Of the example: chain and keys from one byte, the seed of term 3 without a G-Chain before and with one in it.
fn made() -> (Election, [Entry; 2]) {
    let chain = Id([0x11; 32]);
    let fresh = Fresh {
        merge: [0; 32],
        randomness: [0x77; 32],
    };
    let election = Election {
        chain,
        term: 3,
        seats: 1,
        seed: Seed::genesis(&chain)
            .next(None)
            .next(None)
            .next(Some(&fresh)),
    };
    let entry = |n: u8, units, reveals: bool| {
        let secret = SecretKey::from_seed(&[n; 32]).unwrap();
        Entry {
            candidate: Candidate {
                key: [n; 32],
                function: secret.public_key(),
                units,
                registered: 1,
            },
            proof: reveals.then(|| election.prove(&[n; 32], &secret).unwrap()),
        }
    };
    (election, [entry(1, 2, true), entry(2, 1, false)])
}

#[test]
fn the_worked_example_of_the_page() {
    let page = include_str!("../../docs/protocol.md");
    let section = page.split("\n### 7.7 ").nth(1).expect("section 7.7");
    let block = section.split("```hex\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let hex_only: String = block
        .lines()
        .map(|line| line.split(';').next().unwrap().replace(' ', ""))
        .collect();
    let (election, entries) = made();
    let mut room = [0; 512];
    let mut w = Writer::new(&mut room);
    encode_record(&election, &entries, &mut w).unwrap();
    assert_eq!(hex_only, hex::encode(w.written()));
    let bytes = hex::decode(hex_only).unwrap();
    let list = entries.map(|entry| entry.candidate);
    let list = list_hash(&election.chain, 3, &list).unwrap();
    let record = Record::parse(&bytes).unwrap();
    assert_eq!(record.election(), &election);
    let elected = record.run::<1>(&election, &list).unwrap();
    let members: Vec<_> = elected.members().map(|m| (m.key[0], m.stake)).collect();
    assert_eq!(members, [(1, 1)]);
}
