use super::*;
use crate::crypto::Software;
use crate::identity::record::Record;
use crate::types::Weight;

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).unwrap()
}

fn founders(count: u8) -> Vec<Record> {
    let caps = Caps {
        tx: Amount(5),
        peer: Amount(50),
        exposure: Amount(500),
    };
    let g0 = g0(&[7; 32], 3);
    let founder = |at: u8| {
        let roles = if at == 0 {
            Roles::GL_NODE.with(Roles::FULL_NODE)
        } else {
            Roles::NONE
        };
        let key = secret(at + 1).public_key();
        Record::enrolled(
            MemberIndex(u16::from(at)),
            key,
            roles,
            caps,
            Amount(1_000),
            g0,
        )
    };
    (0..count).map(founder).collect()
}

fn genesis(table: &MemberTable<'_>) -> Genesis {
    Genesis {
        nonce: [7; 32],
        chain_id: 3,
        start: Millis(1_700_000_000_000),
        period: Millis(10_000),
        parent_age: Millis(2_500),
        neighbours: 2,
        caps: Caps {
            tx: Amount(5),
            peer: Amount(50),
            exposure: Amount(500),
        },
        grant: Amount(1_000),
        max_members: 64,
        gl_node: MemberIndex(0),
        members: table.len() as u32,
        weight: table.total_weight(),
        table_root: table.root().unwrap(),
        validator_set: Id([8; 32]),
        set_age: Millis(600_000),
    }
}

fn example() -> Genesis {
    let mut memory = founders(3);
    genesis(&MemberTable::adopt(&mut memory, 3).unwrap())
}

fn signed(genesis: &Genesis) -> Vec<u8> {
    let mut out = [0; MAX_GENESIS];
    let len = genesis.sign(&secret(99), &mut out).unwrap();
    out[..len].to_vec()
}

#[test]
fn a_genesis_comes_back_and_names_its_neighbourhood() {
    let genesis = example();
    let bytes = signed(&genesis);
    let received = UnverifiedGenesis::parse(&bytes).unwrap();
    let (read, id) = received
        .verify(&secret(99).public_key(), &mut Software)
        .unwrap();
    assert_eq!((read, Ok(id)), (genesis, genesis.neighbourhood()));
    assert_eq!(received.neighbourhood(), id);
    let other = Genesis {
        chain_id: 4,
        ..genesis
    };
    assert_ne!(other.neighbourhood(), Ok(id));
    assert_ne!(other.g0(), genesis.g0());
    let mut message = [0; MAX_GENESIS];
    let key = secret(99).public_key();
    let len = genesis.signing_input(&key, &mut message).unwrap();
    let mut out = [0; MAX_GENESIS];
    let signature = secret(99).sign(&message[..len]);
    let len = genesis.assemble(&key, &signature, &mut out).unwrap();
    assert_eq!(&out[..len], bytes);
}

#[test]
fn the_longest_genesis_fits() {
    let long = Genesis {
        nonce: [255; 32],
        chain_id: u64::MAX,
        start: Millis(u64::MAX),
        period: Millis(1 << 31),
        parent_age: Millis(1 << 29),
        neighbours: u16::MAX,
        caps: Caps {
            tx: Amount(u64::MAX),
            peer: Amount(u64::MAX),
            exposure: Amount(u64::MAX),
        },
        grant: Amount(u64::MAX >> 16),
        max_members: 1 << 16,
        gl_node: MemberIndex(u16::MAX),
        members: 1 << 16,
        weight: u64::MAX,
        table_root: Id([255; 32]),
        validator_set: Id([255; 32]),
        set_age: Millis(u64::MAX),
    };
    let bytes = signed(&long);
    let received = UnverifiedGenesis::parse(&bytes).unwrap();
    assert_eq!(
        received
            .verify(&secret(99).public_key(), &mut Software)
            .unwrap()
            .0,
        long
    );
}

/// Signs a payload whatever it says.
fn forged(payload: &[u8]) -> Result<(Genesis, Id), GenesisError> {
    let key = secret(99);
    let header = sign1::protected(&key.public_key());
    let mut aad = [0; 20];
    let aad = sign1::domain_aad(DOMAIN, &mut aad).unwrap();
    let (mut message, mut out) = ([0; 600], [0; 600]);
    let message = sign1::to_be_signed(&header, aad, payload, &mut message).unwrap();
    let len = sign1::assemble(&header, payload, &key.sign(message), &mut out).unwrap();
    UnverifiedGenesis::parse(&out[..len])?.verify(&key.public_key(), &mut Software)
}

#[test]
fn every_bound_has_its_error() {
    let good = example();
    let caps = |tx, peer, exposure| Caps {
        tx: Amount(tx),
        peer: Amount(peer),
        exposure: Amount(exposure),
    };
    let bad = [
        (
            Genesis {
                period: Millis(0),
                ..good
            },
            GenesisError::Period,
        ),
        (
            Genesis {
                period: Millis((1 << 31) + 1),
                ..good
            },
            GenesisError::Period,
        ),
        (
            Genesis {
                parent_age: Millis(2_501),
                ..good
            },
            GenesisError::ParentAge,
        ),
        (
            Genesis {
                parent_age: Millis(0),
                ..good
            },
            GenesisError::ParentAge,
        ),
        (
            Genesis {
                neighbours: 0,
                ..good
            },
            GenesisError::Neighbours,
        ),
        (
            Genesis {
                neighbours: 64,
                ..good
            },
            GenesisError::Neighbours,
        ),
        (
            Genesis {
                caps: caps(0, 5, 5),
                ..good
            },
            GenesisError::Caps,
        ),
        (
            Genesis {
                caps: caps(6, 5, 9),
                ..good
            },
            GenesisError::Caps,
        ),
        (
            Genesis {
                caps: caps(5, 10, 9),
                ..good
            },
            GenesisError::Caps,
        ),
        (Genesis { members: 0, ..good }, GenesisError::Members),
        (
            Genesis {
                members: 65,
                ..good
            },
            GenesisError::Members,
        ),
        (
            Genesis {
                max_members: (1 << 16) + 1,
                ..good
            },
            GenesisError::Members,
        ),
        (
            Genesis {
                gl_node: MemberIndex(3),
                ..good
            },
            GenesisError::GlNode,
        ),
        (Genesis { weight: 0, ..good }, GenesisError::Weight),
        (
            Genesis {
                grant: Amount(u64::MAX / 3 + 1),
                ..good
            },
            GenesisError::Grant,
        ),
        (
            Genesis {
                set_age: Millis(9_999),
                ..good
            },
            GenesisError::SetAge,
        ),
    ];
    for (bad, error) in bad {
        assert_eq!(bad.sign(&secret(99), &mut [0; MAX_GENESIS]), Err(error));
    }
    // What is signed all the same is refused when it is read.
    let mut buffer = [0; MAX_PAYLOAD];
    let payload = good.payload(&mut buffer).unwrap().to_vec();
    assert_eq!(forged(&payload).map(|(read, _)| read), Ok(good));
    let at = payload
        .windows(3)
        .position(|w| w == [0x19, 0x09, 0xc4])
        .unwrap();
    let mut late = payload.clone();
    late[at + 2] += 1;
    assert_eq!(forged(&late), Err(GenesisError::ParentAge));
    let mut version = payload.clone();
    version[1] = 2;
    assert_eq!(forged(&version), Err(GenesisError::Version));
    let mut longer = payload.clone();
    longer.push(0);
    assert_eq!(
        forged(&longer),
        Err(GenesisError::Wire(WireError::TrailingBytes))
    );
    let mut more = payload.clone();
    more[0] += 1;
    more.push(0);
    assert_eq!(forged(&more), Err(GenesisError::Wire(WireError::Range)));
    assert_eq!(
        forged(&[0; MAX_PAYLOAD + 1]),
        Err(GenesisError::Wire(WireError::Range))
    );
    for end in 0..payload.len() {
        assert!(forged(&payload[..end]).is_err());
    }
}

#[test]
fn only_the_pinned_authority_counts() {
    let bytes = signed(&example());
    let received = UnverifiedGenesis::parse(&bytes).unwrap();
    assert_eq!(
        received.verify(&secret(98).public_key(), &mut Software),
        Err(GenesisError::WrongSigner)
    );
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        let outcome = UnverifiedGenesis::parse(&bad)
            .and_then(|g| g.verify(&secret(99).public_key(), &mut Software));
        assert!(outcome.is_err(), "byte {at}");
    }
}

#[test]
fn founders_begin_as_founders() {
    let check = |change: fn(&mut Record)| {
        let mut memory = founders(3);
        change(&mut memory[1]);
        let table = MemberTable::adopt(&mut memory, 3).unwrap();
        genesis(&table).check_founders(&table)
    };
    assert_eq!(check(|_| ()), Ok(()));
    let founder = Err(GenesisError::Founder(MemberIndex(1)));
    assert_eq!(check(|r| r.head_number = Number(1)), founder);
    assert_eq!(check(|r| r.head_id = Id::ZERO), founder);
    assert_eq!(check(|r| r.credits = Amount(1_001)), founder);
    assert_eq!(check(|r| r.debits = Amount(1)), founder);
    assert_eq!(check(|r| r.idle = 1), founder);
    assert_eq!(check(|r| r.device = Id([1; 32])), founder);
    assert_eq!(check(|r| (r.frozen, r.weight) = (true, Weight(0))), founder);
    assert_eq!(
        check(|r| (r.roles, r.weight) = (Roles::LEFT, Weight(0))),
        founder
    );
    assert_eq!(check(|r| r.weight = Weight(2)), founder);

    let mut memory = founders(3);
    let table = MemberTable::adopt(&mut memory, 3).unwrap();
    let good = genesis(&table);
    let named = Genesis {
        gl_node: MemberIndex(1),
        ..good
    };
    assert_eq!(named.check_founders(&table), Err(GenesisError::Role));
    for other in [
        Genesis { members: 2, ..good },
        Genesis { weight: 2, ..good },
        Genesis {
            table_root: Id::ZERO,
            ..good
        },
    ] {
        assert_eq!(other.check_founders(&table), Err(GenesisError::Table));
    }
}
