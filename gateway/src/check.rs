//! Offline checks: what `verify` does, without files and without a node.
//!
//! Invariant: every check goes through the core's own verifiers, so this tool, a device and a validator say yes to the same bytes.
//! What only this crate knows is how to take an RFC 9942 file apart into the votes that the core verifies.

use crate::inspect::Statement;
use anyhow::{Result, anyhow, bail};
use iotedge_core::crypto::{PublicKey, Software};
use iotedge_core::identity::{CoseKey, Genesis, UnverifiedGenesis};
use iotedge_core::posp::{Header, Proven, Receipt, SignedHeader, ValidatorSet, verify_vote};
use iotedge_core::tx::{Attachment, Offence, Payload, Unverified};
use iotedge_core::wire::merkle;
use iotedge_core::{HeaderNumber, Id};

/// What receipts are checked against: a neighbourhood and the set that votes in it.
pub struct Trust {
    pub genesis: Genesis,
    pub neighbourhood: Id,
    pub set: ValidatorSet,
}

impl Trust {
    /// Takes genesis and set; the genesis must be signed by `authority` and name the set.
    ///
    /// # Errors
    /// Says which of the two is wrong.
    pub fn new(genesis: &[u8], set: &[u8], authority: &PublicKey) -> Result<Self> {
        let (genesis, neighbourhood) = UnverifiedGenesis::parse(genesis)
            .and_then(|g| g.verify(authority, &mut Software))
            .map_err(|e| anyhow!("genesis: {e:?}"))?;
        let set = ValidatorSet::decode(set).map_err(|e| anyhow!("validator set: {e:?}"))?;
        if set.hash() != genesis.validator_set {
            bail!(
                "validator set: not the one that the genesis names ({})",
                genesis.validator_set
            );
        }
        Ok(Self {
            genesis,
            neighbourhood,
            set,
        })
    }
}

/// What a statement with receipts proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// A transaction stands in the epoch of this header.
    Transaction(Proven),
    /// This header is settled.
    Header(HeaderNumber, Id),
}

/// Checks a compact receipt.
///
/// # Errors
/// Why it proves nothing.
pub fn receipt(bytes: &[u8], trust: &Trust) -> Result<Proven> {
    let receipt = Receipt::parse(bytes).map_err(|e| anyhow!("not a receipt: {e:?}"))?;
    receipt
        .verify(&trust.set, &trust.neighbourhood, &mut Software)
        .map_err(|e| anyhow!("the receipt does not hold: {e:?}"))
}

/// Checks an RFC 9942 statement: every receipt must hold for the statement's own leaf, and together they must be a quorum.
///
/// The GL-node's signature on a header is checked where `gl_node` is given; the votes alone settle it.
///
/// # Errors
/// Why it proves nothing.
pub fn statement(bytes: &[u8], trust: &Trust, gl_node: Option<&PublicKey>) -> Result<Settled> {
    let statement = Statement::parse(bytes)?;
    let (leaf, what) = match Unverified::parse(&statement.cose) {
        Ok(tx) => {
            let id = Payload::id_of(&trust.neighbourhood, tx.payload_bytes());
            let number = statement
                .receipts
                .first()
                .map_or(HeaderNumber(0), |r| r.number);
            (
                merkle::leaf_hash(&id.0),
                Settled::Transaction(Proven { number, tx: id }),
            )
        }
        Err(_) => {
            let header = SignedHeader::parse(&statement.cose).map_err(|e| {
                anyhow!("the statement is neither a transaction nor a header: {e:?}")
            })?;
            if let Some(key) = gl_node {
                header
                    .verify(&trust.neighbourhood, key, &mut Software)
                    .map_err(|e| anyhow!("the GL-node's signature does not hold: {e:?}"))?;
            }
            let hash = Header::hash(header.payload());
            (
                merkle::leaf_hash(header.payload()),
                Settled::Header(header.header().number, hash),
            )
        }
    };
    let mut signed = 0_u128;
    let mut last = None;
    for receipt in &statement.receipts {
        let index = trust
            .set
            .validators()
            .iter()
            .position(|v| CoseKey::kid(&v.public_key()) == receipt.kid)
            .ok_or_else(|| {
                anyhow!(
                    "a receipt is by {}, who is not in the validator set",
                    hex::encode(receipt.kid)
                )
            })?;
        let by = |what: &str| anyhow!("the receipt of validator {index}: {what}");
        if last.is_some_and(|last| index <= last) {
            return Err(by("out of order, so that it might count twice"));
        }
        last = Some(index);
        if receipt.neighbourhood != trust.neighbourhood {
            return Err(by("is of another neighbourhood"));
        }
        let expected = match what {
            Settled::Transaction(proven) => receipt.leaf > 0 && receipt.number == proven.number,
            Settled::Header(number, _) => receipt.leaf == 0 && receipt.number == number,
        };
        if !expected {
            return Err(by("is for another leaf or header"));
        }
        let root = merkle::root_from_path(&leaf, receipt.leaf, receipt.size, &receipt.path)
            .map_err(|e| by(&format!("its path leads nowhere ({e:?})")))?;
        let validator = &trust.set.validators()[index];
        verify_vote(
            &validator.key,
            &trust.neighbourhood,
            receipt.number,
            &root,
            &receipt.signature,
            &mut Software,
        )
        .map_err(|e| by(&format!("its signature does not hold ({e:?})")))?;
        signed += u128::from(validator.stake);
    }
    if !trust.set.is_quorum(signed) {
        bail!(
            "short of quorum: {signed} of {} stake signed, more than two thirds are needed",
            trust.set.total()
        );
    }
    Ok(what)
}

/// Checks a transaction's signature over its payload and the full ids of its parents.
///
/// # Errors
/// Why it does not hold.
pub fn transaction(cose: &[u8], neighbourhood: &Id, key: &PublicKey, parents: &[Id]) -> Result<Id> {
    let (cose, _) = split(cose)?;
    let tx = Unverified::parse(cose).map_err(|e| anyhow!("not a transaction: {e:?}"))?;
    let tx = tx
        .verify(neighbourhood, key, parents, &mut Software)
        .map_err(|e| anyhow!("the transaction does not hold: {e:?}"))?;
    Ok(tx.id())
}

/// Checks a proof of equivocation: an attachment, or an evidence transaction with it.
///
/// # Errors
/// Why it proves nothing.
pub fn evidence(bytes: &[u8], neighbourhood: &Id, key: &PublicKey) -> Result<Offence> {
    let beside = match Attachment::parse(bytes) {
        Ok(_) => bytes,
        Err(error) => match split(bytes) {
            Ok((_, beside)) if !beside.is_empty() => beside,
            _ => bail!("not an attachment with a proof, nor a transaction with one: {error:?}"),
        },
    };
    let attachment = Attachment::parse(beside).map_err(|e| anyhow!("not an attachment: {e:?}"))?;
    let Some(proof) = attachment.proof else {
        bail!("the attachment has stubs only, no proof");
    };
    proof
        .verify(neighbourhood, key, &mut Software)
        .map_err(|e| anyhow!("the evidence proves nothing: {e:?}"))
}

fn split(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut r = iotedge_core::wire::Reader::new(bytes);
    let cose = r
        .item()
        .map_err(|e| anyhow!("not CBOR of the protocol: {e:?}"))?;
    Ok((cose, r.rest()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{What, inspect, text};
    use iotedge_core::crypto::SecretKey;
    use iotedge_core::identity::{Caps, sign1};
    use iotedge_core::posp::{
        Expansion, Validator, header_signing_input, vote_message, write_statement,
    };
    use iotedge_core::tx::evidence::prove;
    use iotedge_core::tx::signed::sign_with;
    use iotedge_core::tx::{Body, Parents, Stored};
    use iotedge_core::wire::{List, Vote, Writer};
    use iotedge_core::{Amount, Epoch, MemberIndex, Millis, Number};

    fn secret(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32]).unwrap()
    }

    struct World {
        trust: Trust,
        genesis: Vec<u8>,
        set: Vec<u8>,
        tx: Vec<u8>,
        id: Id,
        header: Vec<u8>,
        leaves: Vec<Id>,
        votes: Vec<Vote>,
    }

    fn payload_of(body: Body<'_>, number: u32, parents: &Parents) -> Vec<u8> {
        let payload = Payload {
            epoch: Epoch(1),
            issuer: MemberIndex(1),
            number: Number(number),
            offset: 5,
            parents: parents.prefixes().unwrap(),
            body,
        };
        let mut out = [0; 480];
        payload.encode(&mut out).unwrap().to_vec()
    }

    fn transfer(neighbourhood: &Id, number: u32, amount: u64, first: Id) -> Vec<u8> {
        let parents = Parents::new(first, &[]).unwrap();
        let body = Body::Transfer {
            to: MemberIndex(2),
            amount: Amount(amount),
            debits: Amount(amount),
        };
        let mut cose = [0; 600];
        let payload = payload_of(body, number, &parents);
        sign_with(&secret(50), neighbourhood, &payload, &parents, &mut cose)
            .unwrap()
            .cose()
            .to_vec()
    }

    /// A neighbourhood with four validators (stakes 3, 3, 2, 1) and one settled epoch of three transactions.
    fn world() -> World {
        let stakes = [3, 3, 2, 1];
        let validators: Vec<Validator> = (0_u8..)
            .zip(stakes)
            .map(|(n, stake)| Validator {
                key: secret(10 + n).public_key().bytes().try_into().unwrap(),
                stake,
            })
            .collect();
        let set = ValidatorSet::new(1, HeaderNumber(1), &validators).unwrap();
        let genesis = Genesis {
            nonce: [7; 32],
            chain_id: 1,
            start: Millis(1_000),
            period: Millis(10_000),
            parent_age: Millis(2_500),
            neighbours: 2,
            caps: Caps {
                tx: Amount(10),
                peer: Amount(20),
                exposure: Amount(30),
            },
            grant: Amount(100),
            max_members: 16,
            gl_node: MemberIndex(0),
            members: 4,
            weight: 4,
            table_root: Id([3; 32]),
            validator_set: set.hash(),
            set_age: Millis(1_000_000),
        };
        let mut out = [0; 400];
        let len = genesis.sign(&secret(1), &mut out).unwrap();
        let genesis = out[..len].to_vec();
        let mut buffer = [0; 512];
        let mut w = Writer::new(&mut buffer);
        set.encode(&mut w).unwrap();
        let set_bytes = w.written().to_vec();
        let trust = Trust::new(&genesis, &set_bytes, &secret(1).public_key()).unwrap();
        let neighbourhood = trust.neighbourhood;

        let tx = transfer(&neighbourhood, 1, 9, trust.genesis.g0());
        let id = Unverified::parse(&tx).unwrap().id(&neighbourhood);
        let header = Header {
            neighbourhood,
            number: HeaderNumber(1),
            previous: neighbourhood,
            trim: Id([4; 32]),
            cut: Millis(11_000),
            g0: id,
            count: 3,
            state_root: Id([5; 32]),
            exits_root: Id([6; 32]),
            table_root: Id([7; 32]),
            members: 4,
            weight: 4,
            set_hash: trust.set.hash(),
            total_value: Amount(400),
            first_time: Millis(1_005),
            last_time: Millis(10_000),
        };
        let mut buffer = [0; 400];
        let mut w = Writer::new(&mut buffer);
        header.encode(&mut w).unwrap();
        let payload = w.written().to_vec();
        let gl = secret(2);
        let protected = sign1::protected(&gl.public_key());
        let mut message = [0; 600];
        let message =
            header_signing_input(&protected, &neighbourhood, &payload, &mut message).unwrap();
        let mut cose = [0; 600];
        let len = sign1::assemble(&protected, &payload, &gl.sign(message), &mut cose).unwrap();
        let leaves = vec![
            merkle::leaf_hash(&payload),
            merkle::leaf_hash(&[1; 32]),
            merkle::leaf_hash(&id.0),
            merkle::leaf_hash(&[2; 32]),
        ];
        let root = merkle::root(leaves.iter().copied()).unwrap();
        let votes = (0_u8..4)
            .map(|index| {
                let key = &validators[usize::from(index)].key;
                let mut buffer = [0; 256];
                let message =
                    vote_message(key, &neighbourhood, HeaderNumber(1), &root, &mut buffer).unwrap();
                Vote {
                    index,
                    signature: secret(10 + index).sign(message),
                }
            })
            .collect();
        World {
            trust,
            genesis,
            set: set_bytes,
            tx,
            id,
            header: cose[..len].to_vec(),
            leaves,
            votes,
        }
    }

    impl World {
        fn path(&self, index: u32) -> Vec<Id> {
            let mut out = [Id::ZERO; 32];
            let len = merkle::path(index, 4, |i| self.leaves[i as usize], &mut out).unwrap();
            out[..len].to_vec()
        }

        fn statement(&self, of: &[u8], leaf: u32, votes: &[Vote]) -> Vec<u8> {
            let path = self.path(leaf);
            let expansion = Expansion {
                set: &self.trust.set,
                neighbourhood: self.trust.neighbourhood,
                number: HeaderNumber(1),
                size: 4,
                leaf,
                path: &path,
            };
            let mut out = vec![0; 4096];
            let mut w = Writer::new(&mut out);
            write_statement(of, &expansion, votes, &mut w).unwrap();
            w.written().to_vec()
        }

        fn compact(&self, votes: &[Vote]) -> Vec<u8> {
            let (header_path, path) = (self.path(0), self.path(2));
            let signed = SignedHeader::parse(&self.header).unwrap();
            let receipt = Receipt {
                header: signed.payload(),
                header_path: List::of(&header_path),
                tx: self.id,
                leaf: 2,
                path: List::of(&path),
                votes: List::of(votes),
            };
            let mut out = vec![0; 4096];
            let mut w = Writer::new(&mut out);
            receipt.encode(&mut w).unwrap();
            w.written().to_vec()
        }
    }

    #[test]
    fn receipts_of_both_forms_hold_with_a_quorum_and_not_one_unit_short_of_it() {
        let world = world();
        let proven = Proven {
            number: HeaderNumber(1),
            tx: world.id,
        };
        assert_eq!(
            receipt(&world.compact(&world.votes), &world.trust).unwrap(),
            proven
        );
        assert_eq!(
            statement(
                &world.statement(&world.tx, 2, &world.votes),
                &world.trust,
                None
            )
            .unwrap(),
            Settled::Transaction(proven)
        );
        // 3 + 3 + 1 = 7 of 9 is more than two thirds; 3 + 3 = 6 is exactly two thirds.
        let enough = [world.votes[0], world.votes[1], world.votes[3]];
        let short = &world.votes[..2];
        for (votes, holds) in [(&enough[..], true), (short, false)] {
            assert_eq!(receipt(&world.compact(votes), &world.trust).is_ok(), holds);
            let checked = statement(&world.statement(&world.tx, 2, votes), &world.trust, None);
            assert_eq!(checked.is_ok(), holds);
            if let Err(error) = checked {
                assert!(
                    error.to_string().contains("short of quorum: 6 of 9"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn a_statement_proves_nothing_for_another_leaf_header_or_neighbourhood() {
        let world = world();
        let good = Settled::Header(
            HeaderNumber(1),
            SignedHeader::parse(&world.header).unwrap().hash(),
        );
        let gl = secret(2).public_key();
        let file = world.statement(&world.header, 0, &world.votes);
        assert_eq!(statement(&file, &world.trust, Some(&gl)).unwrap(), good);
        let error = statement(&file, &world.trust, Some(&secret(3).public_key()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("GL-node's signature"), "{error}");

        // The transaction with the header's place, the header with the transaction's.
        for (of, leaf) in [(&world.tx, 0), (&world.header, 2)] {
            let error = statement(&world.statement(of, leaf, &world.votes), &world.trust, None)
                .unwrap_err()
                .to_string();
            assert!(error.contains("another leaf or header"), "{error}");
        }
        // A place that is not its own.
        let error = statement(
            &world.statement(&world.tx, 1, &world.votes),
            &world.trust,
            None,
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains("signature does not hold"), "{error}");
        // Votes that would count twice.
        let doubled = [world.votes[0], world.votes[0], world.votes[1]];
        let error = statement(&world.statement(&world.tx, 2, &doubled), &world.trust, None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("count twice"), "{error}");
    }

    #[test]
    fn trust_needs_the_authority_and_the_set_that_the_genesis_names() {
        let world = world();
        let wrong = Trust::new(&world.genesis, &world.set, &secret(9).public_key())
            .err()
            .unwrap()
            .to_string();
        assert!(wrong.contains("WrongSigner"), "{wrong}");
        let other =
            ValidatorSet::new(1, HeaderNumber(1), &world.trust.set.validators()[..3]).unwrap();
        let mut buffer = [0; 512];
        let mut w = Writer::new(&mut buffer);
        other.encode(&mut w).unwrap();
        let wrong = Trust::new(&world.genesis, w.written(), &secret(1).public_key())
            .err()
            .unwrap()
            .to_string();
        assert!(
            wrong.contains("not the one that the genesis names"),
            "{wrong}"
        );
    }

    #[test]
    fn transactions_and_evidence_are_checked_under_their_issuers_key() {
        let world = world();
        let n = world.trust.neighbourhood;
        let g0 = world.trust.genesis.g0();
        let key = secret(50).public_key();
        assert_eq!(transaction(&world.tx, &n, &key, &[g0]).unwrap(), world.id);
        assert!(transaction(&world.tx, &n, &secret(51).public_key(), &[g0]).is_err());
        assert!(transaction(&world.tx, &Id([0; 32]), &key, &[g0]).is_err());
        assert!(transaction(&world.tx, &n, &key, &[Id([9; 32])]).is_err());

        let other = transfer(&n, 1, 8, g0);
        let parents_hash = iotedge_core::tx::payload::parents_hash(&[g0]);
        let stored = |cose| Stored { cose, parents_hash };
        let mut out = [0; 1200];
        let (offence, attachment) =
            prove(&n, &stored(&world.tx), &stored(&other), &mut out).unwrap();
        assert_eq!(evidence(attachment, &n, &key).unwrap(), offence);
        assert!(evidence(attachment, &n, &secret(51).public_key()).is_err());
        assert!(evidence(&world.tx, &n, &key).is_err());
        let shown = inspect(attachment, None).unwrap();
        assert_eq!(shown["type"], "evidence");
        assert_eq!(shown["proof"][0]["kind"], "transfer");
    }

    #[test]
    fn every_type_is_detected_and_no_other_reading_succeeds() {
        let world = world();
        let key = crate::keys::cose_key(&secret(1).public_key());
        let frame = {
            let mut out = [0; 1400];
            let frame = iotedge_core::wire::Frame::Tx {
                cose: &world.tx,
                attachment: None,
            };
            let len = frame
                .write(world.trust.neighbourhood.tag(), &mut out)
                .unwrap();
            out[..len].to_vec()
        };
        let all = [
            (What::Transaction, world.tx.clone()),
            (What::Genesis, world.genesis.clone()),
            (What::Set, world.set.clone()),
            (What::Macro, world.header.clone()),
            (What::Receipt, world.compact(&world.votes)),
            (What::Statement, world.statement(&world.tx, 2, &world.votes)),
            (
                What::Statement,
                world.statement(&world.header, 0, &world.votes),
            ),
            (What::CoseKey, key),
            (What::Frame, frame),
        ];
        for (what, bytes) in &all {
            let shown = inspect(bytes, None).unwrap();
            assert_eq!(shown["type"], what.word(), "{shown}");
            assert!(text(&shown).lines().count() > 3);
            let mut long = bytes.clone();
            long.push(0);
            assert!(
                inspect(&long, Some(*what)).is_err(),
                "{what:?} with a byte too many"
            );
            assert!(
                inspect(&bytes[..bytes.len() - 1], Some(*what)).is_err(),
                "{what:?} with a byte too few"
            );
        }
        let shown = inspect(&world.tx, None).unwrap();
        assert_eq!(shown["body"]["amount"], 9);
        assert_eq!(
            shown["parents"][0],
            world.trust.genesis.g0().prefix().to_string()
        );
        let error = inspect(&world.tx, Some(What::Certificate))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("not a certificate:"), "{error}");
        let error = inspect(b"hello", None).unwrap_err().to_string();
        assert!(error.contains("nothing of the protocol"), "{error}");
    }
}
