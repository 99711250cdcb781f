//! What settling an epoch costs who replays it, over the bare cost of checking its signatures: from the bytes of each transaction to the roots that the header names.
//!
//! The DAG is not in it: which transactions live, a validator finds out while it follows (see the window's figures).

use crate::figure::{Ceiling, Figure};
use crate::interleave::{interleave, thread_nanos};
use iotedge_core::crypto::batch::Batch;
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, Software, Verify};
use iotedge_core::identity::{CoseKey, Record, Roles};
use iotedge_core::ledger::{Effect, End, Entry, Lock, Locks, Settled, Settlement};
use iotedge_core::posp::Header;
use iotedge_core::posp::close::{epoch_levels, epoch_root, epoch_size, header_payload};
use iotedge_core::tx::{
    Body, Draft, Fitted, MAX_COSE, MAX_SIGNING_INPUT, Parents, Unverified, sign_with, signing_input,
};
use iotedge_core::wire::merkle::{self, Levels};
use iotedge_core::{
    Amount, Epoch, HeaderNumber, Id, MAX_PAYLOAD, MemberIndex, Millis, Number, Weight,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::hint::black_box;

const NEIGHBOURHOOD: Id = Id([0x5a; 32]);
const MEMBERS: u16 = 1_000;
/// Signatures that are checked together, as in a turn of the gateway.
const TURN: usize = 256;
const GRANT: Amount = Amount(1 << 40);

/// A transfer as it is stored, with the full ids that its signature covers.
struct Stored {
    cose: Vec<u8>,
    parents: [Id; 3],
}

/// One epoch of transfers of [`MEMBERS`] members in turn, each upon its issuer's last and the two newest of others.
pub struct EpochOf {
    records: Vec<Record>,
    stored: Vec<Stored>,
}

impl EpochOf {
    /// Signs `count` transfers: some 20 us each.
    pub fn new(count: u32) -> Self {
        let secrets: Vec<SecretKey> = (0..MEMBERS)
            .map(|m| {
                let mut seed = [7; 32];
                seed[..2].copy_from_slice(&m.to_be_bytes());
                SecretKey::from_seed(&seed).expect("a seed")
            })
            .collect();
        let records: Vec<Record> = (0..MEMBERS)
            .zip(&secrets)
            .map(|(m, secret)| Record {
                index: MemberIndex(m),
                device: CoseKey::thumbprint(&secret.public_key()),
                key: secret.public_key(),
                weight: Weight(1),
                roles: Roles::NONE,
                head_id: Id([1; 32]),
                credits: GRANT,
                ..Record::EMPTY
            })
            .collect();
        let mut heads = vec![Id([1; 32]); MEMBERS.into()];
        let mut tips = [Id([2; 32]), Id([3; 32])];
        let stored = (0..count).map(|n| {
            let issuer = (n % u32::from(MEMBERS)) as u16;
            let number = n / u32::from(MEMBERS) + 1;
            let draft = Draft {
                epoch: Epoch(1),
                issuer: MemberIndex(issuer),
                number: Number(number),
                offset: n + 1,
                first: heads[usize::from(issuer)],
                tips: &tips,
                body: Body::Transfer {
                    to: MemberIndex((issuer + 1 + (n % 7) as u16) % MEMBERS),
                    amount: Amount(3),
                    debits: Amount(3 * u64::from(number)),
                },
            };
            let mut room = [0; MAX_PAYLOAD];
            let Fitted {
                payload, parents, ..
            } = draft.encode(&mut room).expect("fits");
            let mut cose = [0; MAX_COSE];
            let secret = &secrets[usize::from(issuer)];
            let tx =
                sign_with(secret, &NEIGHBOURHOOD, payload, &parents, &mut cose).expect("signs");
            let id = tx.id();
            let full = parents.as_slice().try_into().expect("two tips fit");
            heads[usize::from(issuer)] = id;
            tips = [tips[1], id];
            Stored {
                cose: tx.cose().to_vec(),
                parents: full,
            }
        });
        let stored = stored.collect();
        Self { records, stored }
    }

    fn key(&self, issuer: MemberIndex) -> &PublicKey {
        &self.records[usize::from(issuer.0)].key
    }

    /// What is checked: key, message and signature of each, as bare checks take them.
    fn messages(&self) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        let message = |stored: &Stored| {
            let tx = Unverified::parse(&stored.cose).expect("parses");
            let (message, key) = self.message(&tx, &stored.parents);
            (*key, message, *tx.signature())
        };
        self.stored.iter().map(message).collect()
    }

    fn message(&self, tx: &Unverified<'_>, parents: &[Id]) -> (Vec<u8>, &PublicKey) {
        let mut buffer = [0; MAX_SIGNING_INPUT];
        let hash = Parents::new(parents[0], &parents[1..])
            .expect("in order")
            .hash();
        let bytes = tx.payload_bytes();
        let message = signing_input(&NEIGHBOURHOOD, tx.suite(), bytes, &hash, &mut buffer);
        let key = self.key(tx.payload().issuer);
        (message.expect("fits").to_vec(), key)
    }

    /// Replays from the bytes: parses, checks signatures one by one or a turn at once, settles, and makes the roots.
    pub fn replay(&self, batched: Option<&mut StdRng>) -> (Settled, Id) {
        let mut after = vec![Record::EMPTY; self.records.len()];
        let mut none: [Lock; 0] = [];
        let locks = Locks::begin(&[], &mut none).expect("no locks");
        let mut settlement =
            Settlement::begin(&self.records, &mut after, locks).expect("a sound table");
        let mut accepted = Vec::with_capacity(self.stored.len());
        let mut rng = batched;
        for turn in self.stored.chunks(TURN) {
            let mut batch = Batch::new();
            for stored in turn {
                let tx = Unverified::parse(&stored.cose).expect("parses");
                let payload = tx.payload();
                let (id, body) = if rng.is_some() {
                    let (message, key) = self.message(&tx, &stored.parents);
                    batch.push(key, &message, tx.signature());
                    (tx.id(&NEIGHBOURHOOD), payload.body)
                } else {
                    let key = self.key(payload.issuer);
                    let checked = tx.verify(&NEIGHBOURHOOD, key, &stored.parents, &mut Software);
                    (checked.expect("valid").id(), payload.body)
                };
                let Body::Transfer { to, amount, debits } = body else {
                    unreachable!("transfers alone");
                };
                let entry = Entry {
                    id,
                    issuer: payload.issuer,
                    number: payload.number,
                    time: Millis(payload.offset.into()),
                    debits,
                    lives: true,
                    effect: Effect::Transfer { to, amount },
                };
                settlement.apply(&entry).expect("settles");
                accepted.push(id);
            }
            if let Some(rng) = rng.as_deref_mut() {
                assert!(batch.verify(rng).iter().all(Result::is_ok));
            }
        }
        let end = End {
            g0: *accepted.last().expect("not empty"),
            cut: Millis(u64::from(u32::MAX)),
            grace: Millis(1),
            neighbourhood: NEIGHBOURHOOD,
            ..End::default()
        };
        let settled = settlement.finish(&end).expect("conserves");
        let payload = payload_of(&settled, end.g0);
        let root = epoch_root(&payload, &accepted).expect("fits a tree");
        (settled, root)
    }

    /// All nodes of the epoch's tree over the ids, as receipts are made from: the memory for them, and what they stand on.
    fn tree(&self) -> Proofs {
        let accepted: Vec<Id> = (self.stored.iter())
            .map(|s| {
                Unverified::parse(&s.cose)
                    .expect("parses")
                    .id(&NEIGHBOURHOOD)
            })
            .collect();
        let (settled, root) = self.replay(None);
        let payload = payload_of(&settled, accepted[accepted.len() - 1]);
        let size = epoch_size(&accepted).expect("fits a tree");
        let mut levels = vec![Id::ZERO; Levels::memory(size).expect("fits a tree")];
        epoch_levels(&payload, &accepted, &mut levels).expect("fits a tree");
        Proofs {
            accepted,
            levels,
            size,
            root,
        }
    }
}

fn payload_of(settled: &Settled, g0: Id) -> Vec<u8> {
    let header = Header {
        neighbourhood: NEIGHBOURHOOD,
        number: HeaderNumber(1),
        previous: NEIGHBOURHOOD,
        trim: Id([4; 32]),
        cut: Millis(u64::from(u32::MAX)),
        g0,
        count: settled.count,
        state_root: settled.state_root,
        exits_root: settled.exits_root,
        table_root: settled.table_root,
        members: u32::from(MEMBERS),
        weight: settled.weight,
        set_hash: Id([8; 32]),
        total_value: settled.total_value,
        first_time: settled.first_time,
        last_time: settled.last_time,
    };
    let mut buffer = [0; iotedge_core::posp::MAX_HEADER];
    let payload = header_payload(&header, &mut buffer).expect("fits");
    payload.to_vec()
}

struct Proofs {
    accepted: Vec<Id>,
    levels: Vec<Id>,
    size: u32,
    root: Id,
}

impl Proofs {
    /// The path of one transaction, from the nodes that are kept with the epoch.
    fn path(&self, leaf: u32) -> ([Id; 32], usize) {
        let tree = Levels::built(&self.levels, self.size).expect("built before");
        let mut path = [Id::ZERO; 32];
        let steps = tree.path(leaf, &mut path).expect("a leaf of it");
        (path, steps)
    }

    fn holds(&self, leaf: u32) -> bool {
        let (path, steps) = self.path(leaf);
        let id = &self.accepted[leaf as usize - 1];
        let root =
            merkle::root_from_path(&merkle::leaf_hash(&id.0), leaf, self.size, &path[..steps]);
        root == Ok(self.root)
    }
}

/// CPU time that something takes.
fn nanos(operation: &mut dyn FnMut()) -> f64 {
    let begin = thread_nanos();
    operation();
    thread_nanos() - begin
}

/// The figures, for an epoch of `count` transactions.
pub fn figures(count: u32, figures: &mut Vec<Figure>) {
    let epoch = EpochOf::new(count);
    let messages = epoch.messages();
    let mut bare = StdRng::seed_from_u64(1);
    let mut own = StdRng::seed_from_u64(2);
    let (settled, root) = epoch.replay(None);
    assert_eq!((settled, root), epoch.replay(Some(&mut own)), "both ways");
    assert_eq!(settled.count, count);
    // One by one it takes seconds each: long enough to need no rounds.
    let singly = nanos(&mut || {
        for (key, message, signature) in &messages {
            Software.verify(key, message, signature).expect("valid");
        }
    });
    let replayed = nanos(&mut || {
        black_box(epoch.replay(None));
    });
    let turns = interleave(
        3,
        1,
        &mut [
            &mut || {
                for turn in messages.chunks(TURN) {
                    let mut batch = Batch::new();
                    for (key, message, signature) in turn {
                        batch.push(key, message, signature);
                    }
                    assert!(batch.verify(&mut bare).iter().all(Result::is_ok));
                }
            },
            &mut || {
                black_box(epoch.replay(Some(&mut own)));
            },
        ],
    );
    let mut told = |what, value, unit, ceiling| {
        figures.push(Figure {
            what,
            value,
            unit,
            ceiling,
        });
    };
    told(
        "transactions of the epoch that is replayed",
        count.into(),
        "",
        Ceiling::Told,
    );
    told(
        "replay, settle, all roots, over bare checks of its signatures: one by one",
        replayed / singly,
        "ratio",
        Ceiling::AtMost(1.2),
    );
    told(
        "replay, settle, all roots, over bare checks of its signatures: batches of 256",
        turns.ratio(1, 0),
        "ratio",
        Ceiling::AtMost(1.2),
    );
    let proofs = epoch.tree();
    assert!((1..=count).step_by(997).all(|leaf| proofs.holds(leaf)));
    let all = nanos(&mut || {
        for leaf in 1..=count {
            black_box(proofs.path(leaf));
        }
    });
    told(
        "the path of one receipt, out of the epoch's tree",
        all / f64::from(count) / 1e3,
        "us",
        Ceiling::AtMost(1_000.0),
    );
    told(
        "memory of that tree",
        (proofs.levels.len() * size_of::<Id>()) as f64 / 1024.0,
        "KiB",
        Ceiling::Told,
    );
}
