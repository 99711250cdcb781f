//! Headers, sets, votes, receipts and their expansion for strangers; and all that must be refused.

use super::{encoded, hexes, id, secret};
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, Software, Suite};
use iotedge_core::identity::sign1;
use iotedge_core::posp::{
    Anchored, Checkpoint, DoubleVote, Expansion, Header, MAX_VOTE_MESSAGE, Receipt, SignedHeader,
    Validator, ValidatorSet, header_signing_input, verify_vote, vote_message, write_statement,
};
use iotedge_core::tx::{self, Body, Payload, Prefixes};
use iotedge_core::wire::list::{List, Vote};
use iotedge_core::wire::merkle::{self, MAX_PATH, leaf_hash};
use iotedge_core::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number};
use serde_json::{Value, json};

const STAKES: [u64; 4] = [40, 26, 1, 33];
const CUT: u64 = 1_700_000_010_000;

fn raw(secret: &SecretKey) -> [u8; 32] {
    let PublicKey::Ed25519(key) = secret.public_key() else {
        unreachable!("our secret keys are Ed25519")
    };
    key
}

fn set_of(label: &str, term: u32, start: u32, stakes: &[u64]) -> ValidatorSet {
    let one = |(n, stake): (usize, &u64)| Validator {
        key: raw(&secret(label, n as u64)),
        stake: *stake,
    };
    let all: Vec<Validator> = stakes.iter().enumerate().map(one).collect();
    ValidatorSet::new(term, HeaderNumber(start), &all).expect("a sound set")
}

fn set_hex(set: &ValidatorSet) -> String {
    hex::encode(encoded(|w| set.encode(w).expect("room")))
}

fn error<T>(result: &Result<T, impl core::fmt::Debug>) -> Option<String> {
    result.as_ref().err().map(|e| format!("{e:?}"))
}

/// A signed transfer; the first of its issuer, on top of a G0.
fn transfer(neighbourhood: &Id, n: u64) -> (Id, Vec<u8>) {
    let parent = id("g0", 0);
    let payload = Payload {
        epoch: Epoch(4),
        issuer: MemberIndex(n as u16),
        number: Number(1),
        offset: 100 + n as u32,
        parents: Prefixes::new(&[parent.prefix()]).expect("one parent"),
        body: Body::Transfer {
            to: MemberIndex(0),
            amount: Amount(10 + n),
            debits: Amount(10 + n),
        },
    };
    let (mut buffer, mut message, mut cose) = ([0; 480], [0; 1024], [0; 600]);
    let payload = payload.encode(&mut buffer).expect("room");
    let hash = tx::payload::parents_hash(&[parent]);
    let suite = Suite::Ed25519;
    let input = tx::signing_input(neighbourhood, suite, payload, &hash, &mut message);
    let signature = secret("issuer", n).sign(input.expect("room"));
    let cose = tx::assemble(suite, payload, &signature, &mut cose).expect("room");
    (Payload::id_of(neighbourhood, payload), cose.to_vec())
}

/// One closed epoch.
struct Closed {
    neighbourhood: Id,
    header: Header,
    payload: Vec<u8>,
    cose: Vec<u8>,
    set: ValidatorSet,
    txs: Vec<(Id, Vec<u8>)>,
    leaves: Vec<Id>,
}

impl Closed {
    fn new(count: u32) -> Self {
        let neighbourhood = id("neighbourhood", 0);
        let set = set_of("validator", 2, 3, &STAKES);
        let txs: Vec<_> = (0..u64::from(count))
            .map(|n| transfer(&neighbourhood, n))
            .collect();
        let clock = |offset: u64| {
            Millis(if count == 0 {
                0
            } else {
                1_700_000_000_000 + offset
            })
        };
        let header = Header {
            neighbourhood,
            number: HeaderNumber(4),
            previous: id("header", 3),
            trim: id("trim", 4),
            cut: Millis(CUT),
            g0: id("g0", 4),
            count,
            state_root: id("state", 4),
            exits_root: merkle::empty_root(),
            table_root: id("table", 4),
            members: 12,
            weight: 11,
            set_hash: set.hash(),
            total_value: Amount(12_000_000),
            first_time: clock(100),
            last_time: clock(99 + u64::from(count)),
        };
        let payload = encoded(|w| header.encode(w).expect("room"));
        let gl = secret("gl-node", 0);
        let protected = sign1::protected(&gl.public_key());
        let (mut message, mut cose) = ([0; 600], [0; 600]);
        let input = header_signing_input(&protected, &neighbourhood, &payload, &mut message);
        let signature = gl.sign(input.expect("room"));
        let n = sign1::assemble(&protected, &payload, &signature, &mut cose).expect("room");
        let leaves = core::iter::once(leaf_hash(&payload))
            .chain(txs.iter().map(|(tx, _)| leaf_hash(&tx.0)))
            .collect();
        Self {
            neighbourhood,
            header,
            payload,
            cose: cose[..n].to_vec(),
            set,
            txs,
            leaves,
        }
    }

    fn root(&self) -> Id {
        merkle::root(self.leaves.iter().copied()).expect("few leaves")
    }

    fn path(&self, leaf: u32) -> Vec<Id> {
        let mut out = [Id::ZERO; MAX_PATH];
        let size = self.header.tree_size();
        let n = merkle::path(leaf, size, |i| self.leaves[i as usize], &mut out);
        out[..n.expect("in range")].to_vec()
    }

    fn sign(&self, index: u8, number: u32, root: &Id) -> Signature {
        let secret = secret("validator", u64::from(index));
        let number = HeaderNumber(number);
        let mut buffer = [0; MAX_VOTE_MESSAGE];
        let message = vote_message(
            &raw(&secret),
            &self.neighbourhood,
            number,
            root,
            &mut buffer,
        );
        secret.sign(message.expect("room"))
    }

    fn votes(&self, voters: &[u8]) -> Vec<Vote> {
        let root = self.root();
        let vote = |index: &u8| Vote {
            index: *index,
            signature: self.sign(*index, self.header.number.0, &root),
        };
        voters.iter().map(vote).collect()
    }
}

/// The parts of a compact receipt, to be bent one by one.
#[derive(Clone)]
struct Parts {
    header: Vec<u8>,
    header_path: Vec<Id>,
    tx: Id,
    leaf: u32,
    path: Vec<Id>,
    votes: Vec<Vote>,
    set: ValidatorSet,
    neighbourhood: Id,
}

impl Parts {
    fn of(epoch: &Closed, leaf: u32, voters: &[u8]) -> Self {
        Self {
            header: epoch.payload.clone(),
            header_path: epoch.path(0),
            tx: epoch.txs[leaf as usize - 1].0,
            leaf,
            path: epoch.path(leaf),
            votes: epoch.votes(voters),
            set: epoch.set.clone(),
            neighbourhood: epoch.neighbourhood,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let receipt = Receipt {
            header: &self.header,
            header_path: List::of(&self.header_path),
            tx: self.tx,
            leaf: self.leaf,
            path: List::of(&self.path),
            votes: List::of(&self.votes),
        };
        encoded(|w| receipt.encode(w).expect("room"))
    }

    fn row(&self, name: &str) -> Value {
        receipt_row(name, &self.bytes(), &self.set, &self.neighbourhood)
    }
}

fn receipt_row(name: &str, bytes: &[u8], set: &ValidatorSet, neighbourhood: &Id) -> Value {
    let result = Receipt::parse(bytes).and_then(|r| r.verify(set, neighbourhood, &mut Software));
    json!({
        "kind": "receipt", "name": name, "neighbourhood": neighbourhood.to_string(), "set": set_hex(set),
        "bytes": hex::encode(bytes), "error": error(&result),
        "tx": result.as_ref().ok().map(|p| p.tx.to_string()), "number": result.as_ref().ok().map(|p| p.number.0),
    })
}

fn receipts(rows: &mut Vec<Value>) {
    let epoch = Closed::new(6);
    let whole = Parts::of(&epoch, 3, &[0, 1, 2]);
    let mut add = |name: &str, bend: &dyn Fn(&mut Parts)| {
        let mut parts = whole.clone();
        bend(&mut parts);
        rows.push(parts.row(name));
    };
    add("67 of 100", &|_| {});
    add("all of 100", &|p| p.votes = epoch.votes(&[0, 1, 2, 3]));
    for leaf in [1, 2, 4, 5, 6] {
        add(&format!("leaf {leaf}"), &|p| {
            *p = Parts::of(&epoch, leaf, &[0, 1, 2])
        });
    }
    add("short by one unit: 66 of 100", &|p| {
        p.votes = epoch.votes(&[0, 1])
    });
    add("one validator alone", &|p| p.votes = epoch.votes(&[0]));
    add("a voter twice", &|p| p.votes = epoch.votes(&[0, 0, 1]));
    add("voters unsorted", &|p| p.votes = epoch.votes(&[1, 0, 2]));
    add("unknown voter", &|p| {
        p.votes.push(Vote {
            index: 9,
            ..p.votes[0]
        });
    });
    add("a vote under another's index", &|p| p.votes[2].index = 3);
    add("a vote with a flipped bit", &|p| {
        p.votes[1].signature.0[40] ^= 1
    });
    add("votes of another number", &|p| {
        p.votes[2].signature = epoch.sign(2, 5, &epoch.root());
    });
    add("votes for another root", &|p| {
        p.votes[2].signature = epoch.sign(2, 4, &id("root", 0));
    });
    add("wrong set", &|p| p.set = set_of("stranger", 2, 3, &STAKES));
    add("a set that begins later", &|p| {
        p.set = set_of("validator", 2, 5, &STAKES)
    });
    add("another neighbourhood", &|p| {
        p.neighbourhood = id("neighbourhood", 1)
    });
    add("forged header: total value", &|p| {
        let forged = Header {
            total_value: Amount(12_000_001),
            ..epoch.header
        };
        p.header = encoded(|w| forged.encode(w).expect("room"));
    });
    add("forged header: number", &|p| {
        let forged = Header {
            number: HeaderNumber(5),
            ..epoch.header
        };
        p.header = encoded(|w| forged.encode(w).expect("room"));
    });
    add("forged header: count", &|p| {
        let forged = Header {
            count: 200,
            ..epoch.header
        };
        p.header = encoded(|w| forged.encode(w).expect("room"));
    });
    add("wrong path", &|p| p.path = epoch.path(4));
    add("short path", &|p| p.path.truncate(2));
    add("wrong header path", &|p| p.header_path[0].0[0] ^= 1);
    add("long header path", &|p| p.header_path.push(Id::ZERO));
    add("another transaction", &|p| p.tx = epoch.txs[0].0);
    add("leaf 0", &|p| p.leaf = 0);
    add("leaf beyond the tree", &|p| p.leaf = 7);
    let good = whole.bytes();
    let (set, neighbourhood) = (&epoch.set, &epoch.neighbourhood);
    rows.push(receipt_row(
        "truncated",
        &good[..good.len() - 1],
        set,
        neighbourhood,
    ));
    let longer = [&good[..], &[0]].concat();
    rows.push(receipt_row(
        "bytes after the end",
        &longer,
        set,
        neighbourhood,
    ));
    let mut version = good;
    version[1] = 2;
    rows.push(receipt_row("version 2", &version, set, neighbourhood));
}

fn header_row(name: &str, cose: &[u8], neighbourhood: &Id, key: &PublicKey) -> Value {
    let parsed = SignedHeader::parse(cose);
    let result = parsed.and_then(|h| h.verify(neighbourhood, key, &mut Software).map(|()| h));
    json!({
        "kind": "header", "name": name, "neighbourhood": neighbourhood.to_string(), "key": hex::encode(key.bytes()),
        "bytes": hex::encode(cose), "error": error(&result),
        "hash": result.as_ref().ok().map(|h| h.hash().to_string()),
        "number": result.as_ref().ok().map(|h| h.header().number.0),
        "tree_size": result.as_ref().ok().map(|h| h.header().tree_size()),
    })
}

fn headers(rows: &mut Vec<Value>) {
    let key = secret("gl-node", 0).public_key();
    for count in [0, 1, 6] {
        let epoch = Closed::new(count);
        rows.push(header_row(
            &format!("{count} transactions"),
            &epoch.cose,
            &epoch.neighbourhood,
            &key,
        ));
    }
    let Closed {
        cose,
        neighbourhood,
        ..
    } = Closed::new(6);
    let mut add = |name: &str, bytes: &[u8], neighbourhood: &Id, key: &PublicKey| {
        rows.push(header_row(name, bytes, neighbourhood, key));
    };
    add(
        "another neighbourhood",
        &cose,
        &id("neighbourhood", 1),
        &key,
    );
    add(
        "another signer",
        &cose,
        &neighbourhood,
        &secret("gl-node", 1).public_key(),
    );
    let mut forged = cose.clone();
    forged[100] ^= 1;
    add("flipped bit in the payload", &forged, &neighbourhood, &key);
    let mut signature = cose.clone();
    *signature.last_mut().expect("not empty") ^= 1;
    add(
        "flipped bit in the signature",
        &signature,
        &neighbourhood,
        &key,
    );
    add("truncated", &cose[..cose.len() - 1], &neighbourhood, &key);
    add(
        "bytes after the end",
        &[&cose[..], &[0]].concat(),
        &neighbourhood,
        &key,
    );
}

fn set_row(name: &str, bytes: &[u8]) -> Value {
    let result = ValidatorSet::decode(bytes);
    json!({
        "kind": "set", "name": name, "bytes": hex::encode(bytes), "error": error(&result),
        "hash": result.as_ref().ok().map(|s| s.hash().to_string()),
        "total": result.as_ref().ok().map(|s| s.total().to_string()),
    })
}

fn sets(rows: &mut Vec<Value>) {
    let bytes = |stakes: &[u64]| {
        let set = set_of("validator", 2, 3, stakes);
        encoded(|w| set.encode(w).expect("room"))
    };
    rows.push(set_row("four", &bytes(&STAKES)));
    rows.push(set_row("one", &bytes(&[1])));
    rows.push(set_row("64 of the greatest stake", &bytes(&[u64::MAX; 64])));
    let bare = |pairs: &[([u8; 32], u64)]| {
        encoded(|w| {
            w.array(3)
                .and(w.uint(2))
                .and(w.uint(3))
                .and(w.array(pairs.len()))
                .expect("room");
            for (key, stake) in pairs {
                w.array(2)
                    .and(w.bytes(key))
                    .and(w.uint(*stake))
                    .expect("room");
            }
        })
    };
    rows.push(set_row("empty", &bare(&[])));
    rows.push(set_row(
        "a stake of nothing",
        &bare(&[([1; 32], 1), ([2; 32], 0)]),
    ));
    rows.push(set_row(
        "one key twice",
        &bare(&[([1; 32], 1), ([1; 32], 2)]),
    ));
    let many: Vec<([u8; 32], u64)> = (0..65).map(|n| ([n; 32], 1)).collect();
    rows.push(set_row("65 validators", &bare(&many)));
}

fn votes(rows: &mut Vec<Value>) {
    let epoch = Closed::new(6);
    let number = epoch.header.number;
    for index in 0..2_u8 {
        let key = epoch.set.validators()[usize::from(index)].key;
        let root = epoch.root();
        let mut buffer = [0; MAX_VOTE_MESSAGE];
        let message = vote_message(&key, &epoch.neighbourhood, number, &root, &mut buffer);
        let message = hex::encode(message.expect("room"));
        let good = epoch.sign(index, number.0, &root);
        let other = epoch.sign(index, number.0 + 1, &root);
        for (name, signature) in [("vote", good), ("vote of another number", other)] {
            let result = verify_vote(
                &key,
                &epoch.neighbourhood,
                number,
                &root,
                &signature,
                &mut Software,
            );
            rows.push(json!({
                "kind": "vote", "name": name, "neighbourhood": epoch.neighbourhood.to_string(), "number": number.0,
                "key": hex::encode(key), "root": root.to_string(), "message": message,
                "signature": hex::encode(signature.0), "error": error(&result),
            }));
        }
    }
}

/// What validators say of an anchored header.
fn anchored(rows: &mut Vec<Value>) {
    let epoch = Closed::new(6);
    let of = Anchored {
        neighbourhood: epoch.neighbourhood,
        number: epoch.header.number,
        header: Header::hash(&epoch.payload),
        block: 24_000_000,
    };
    let key = epoch.set.validators()[1].key;
    let signed = |said: &Anchored| {
        let mut buffer = [0; MAX_VOTE_MESSAGE];
        let message = said.message(&key, &mut buffer).expect("room").to_vec();
        (secret("validator", 1).sign(&message), message)
    };
    let vote = epoch.sign(1, epoch.header.number.0, &of.header);
    let later = Anchored {
        block: of.block + 1,
        ..of
    };
    for (name, signature) in [
        ("anchored", signed(&of).0),
        ("anchored, in another block", signed(&later).0),
        ("anchored: a vote is none", vote),
    ] {
        let result = of.verify(&key, &signature, &mut Software);
        rows.push(json!({
            "kind": "anchored", "name": name, "neighbourhood": of.neighbourhood.to_string(), "number": of.number.0,
            "header": of.header.to_string(), "block": of.block, "key": hex::encode(key),
            "message": hex::encode(signed(&of).1), "signature": hex::encode(signature.0), "error": error(&result),
        }));
    }
}

fn double_votes(rows: &mut Vec<Value>) {
    let epoch = Closed::new(6);
    let (neighbourhood, number) = (epoch.neighbourhood, epoch.header.number);
    let key = epoch.set.validators()[1].key;
    let vote = |root: Id| (root, epoch.sign(1, number.0, &root));
    let (one, other) = (vote(epoch.root()), vote(id("root", 1)));
    let proof = DoubleVote::new(neighbourhood, number, key, one, other).expect("two roots");
    let mut add = |name: &str, proof: &DoubleVote, set: &ValidatorSet| {
        let bytes = encoded(|w| proof.encode(w).expect("room"));
        let parsed = DoubleVote::decode(&bytes);
        let result = parsed.and_then(|p| p.verify(&neighbourhood, set, &mut Software));
        rows.push(json!({
            "kind": "double-vote", "name": name, "neighbourhood": neighbourhood.to_string(), "set": set_hex(set),
            "bytes": hex::encode(bytes), "error": error(&result), "index": result.as_ref().ok(),
        }));
    };
    let set = &epoch.set;
    add("two roots", &proof, set);
    add(
        "one root",
        &DoubleVote {
            high: proof.low,
            ..proof
        },
        set,
    );
    add(
        "unsorted",
        &DoubleVote {
            high: proof.low,
            low: proof.high,
            ..proof
        },
        set,
    );
    add(
        "another number",
        &DoubleVote {
            number: HeaderNumber(9),
            ..proof
        },
        set,
    );
    add(
        "another neighbourhood",
        &DoubleVote {
            neighbourhood: Id::ZERO,
            ..proof
        },
        set,
    );
    add(
        "framed",
        &DoubleVote {
            key: set.validators()[0].key,
            ..proof
        },
        set,
    );
    add("no validator", &proof, &set_of("stranger", 2, 3, &STAKES));
}

fn checkpoints(rows: &mut Vec<Value>) {
    let authority = secret("authority", 0);
    let epoch = Closed::new(0);
    let checkpoint = Checkpoint {
        neighbourhood: epoch.neighbourhood,
        number: epoch.header.number,
        header: Header::hash(&epoch.payload),
        set: epoch.set.hash(),
        time: Millis(CUT + 77),
    };
    let payload = encoded(|w| checkpoint.encode(w).expect("room"));
    let protected = sign1::protected(&authority.public_key());
    let (mut message, mut cose) = ([0; 300], [0; 300]);
    let input = Checkpoint::signing_input(&protected, &payload, &mut message).expect("room");
    let n = sign1::assemble(&protected, &payload, &authority.sign(input), &mut cose).expect("room");
    let mut add = |name: &str, bytes: &[u8], key: &PublicKey| {
        let result = Checkpoint::verify(bytes, key, &mut Software);
        rows.push(json!({
            "kind": "checkpoint", "name": name, "key": hex::encode(key.bytes()), "bytes": hex::encode(bytes),
            "error": error(&result), "number": result.as_ref().ok().map(|c| c.number.0),
            "header": result.as_ref().ok().map(|c| c.header.to_string()),
            "set_hash": result.as_ref().ok().map(|c| c.set.to_string()),
            "time": result.as_ref().ok().map(|c| c.time.0),
        }));
    };
    add("by the authority", &cose[..n], &authority.public_key());
    add(
        "by another",
        &cose[..n],
        &secret("authority", 1).public_key(),
    );
    cose[60] ^= 1;
    add("flipped bit", &cose[..n], &authority.public_key());
}

/// Votes as stand-alone COSE Receipts, and statements that carry them. All valid: how strangers read them is theirs to say.
fn expansions(rows: &mut Vec<Value>) {
    let epoch = Closed::new(6);
    for leaf in [0, 3_u32] {
        let path = epoch.path(leaf);
        let expansion = Expansion {
            set: &epoch.set,
            neighbourhood: epoch.neighbourhood,
            number: epoch.header.number,
            size: epoch.header.tree_size(),
            leaf,
            path: &path,
        };
        let (content, cose) = match leaf {
            0 => (epoch.payload.clone(), &epoch.cose),
            _ => {
                let (tx, cose) = &epoch.txs[leaf as usize - 1];
                (tx.0.to_vec(), cose)
            }
        };
        let votes = epoch.votes(&[0, 1, 2]);
        for vote in &votes {
            let bytes = encoded(|w| expansion.write_receipt(vote, w).expect("room"));
            rows.push(json!({
                "kind": "cose-receipt", "name": format!("leaf {leaf} by validator {}", vote.index),
                "neighbourhood": epoch.neighbourhood.to_string(), "number": epoch.header.number.0, "set": set_hex(&epoch.set),
                "index": vote.index, "signature": hex::encode(vote.signature.0), "leaf": leaf, "size": expansion.size,
                "leaf_bytes": hex::encode(&content), "path": hexes(&path), "root": epoch.root().to_string(),
                "key": hex::encode(epoch.set.validators()[usize::from(vote.index)].key), "bytes": hex::encode(bytes),
            }));
        }
        let bytes = encoded(|w| write_statement(cose, &expansion, &votes, w).expect("room"));
        rows.push(json!({
            "kind": "statement", "name": format!("leaf {leaf}"), "neighbourhood": epoch.neighbourhood.to_string(),
            "number": epoch.header.number.0, "set": set_hex(&epoch.set), "leaf": leaf, "size": expansion.size,
            "leaf_bytes": hex::encode(&content), "path": hexes(&path), "cose": hex::encode(cose),
            "votes": votes.iter().map(|v| json!([v.index, hex::encode(v.signature.0)])).collect::<Vec<_>>(),
            "bytes": hex::encode(bytes),
        }));
    }
}

pub fn rows() -> Vec<Value> {
    let mut rows = Vec::new();
    headers(&mut rows);
    sets(&mut rows);
    votes(&mut rows);
    receipts(&mut rows);
    anchored(&mut rows);
    double_votes(&mut rows);
    checkpoints(&mut rows);
    expansions(&mut rows);
    rows
}
