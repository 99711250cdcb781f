//! RFC 9942 for files: a signed statement that carries its COSE Receipts, and a COSE Receipt by itself (protocol 7.1, 7.3).
//!
//! Invariant: the reader is strict, as everywhere: only what `posp::write_statement` writes is accepted, since anything else did
//! not come from this protocol.

use super::{said, signed, transaction};
use anyhow::{Result, bail};
use iotedge_core::crypto::Signature;
use iotedge_core::identity::sign1;
use iotedge_core::wire::Reader;
use iotedge_core::{HeaderNumber, Id};
use serde_json::{Value, json};

/// One vote as a COSE Receipt, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoseReceipt {
    pub kid: [u8; 8],
    pub neighbourhood: Id,
    pub number: HeaderNumber,
    pub size: u32,
    pub leaf: u32,
    pub path: Vec<Id>,
    pub signature: Signature,
}

/// A statement with its receipts, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The COSE_Sign1 as it travels: untagged, with an empty unprotected header.
    pub cose: Vec<u8>,
    pub receipts: Vec<CoseReceipt>,
}

impl CoseReceipt {
    /// Reads `18([protected, {396: {-1: [<<[size, leaf, [path]]>>]}}, null, signature])` and nothing after it.
    ///
    /// # Errors
    /// Where the bytes are not that.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        if r.tag().map_err(said)? != 18 {
            bail!("the tag is not 18 (COSE_Sign1)");
        }
        r.array_of(4).map_err(said)?;
        let protected = r.bytes().map_err(said)?;
        expect(
            r.map().map_err(said)? == 1 && r.int() == Ok(396),
            "the unprotected header is not {396: ...}",
        )?;
        expect(
            r.map().map_err(said)? == 1 && r.int() == Ok(-1),
            "there are other proofs than inclusion (-1)",
        )?;
        r.array_of(1).map_err(said)?;
        let proof = r.bytes().map_err(said)?;
        r.null().map_err(said)?;
        let signature = Signature(*r.bytes_of().map_err(said)?);
        r.finish().map_err(said)?;

        let mut p = Reader::new(protected);
        expect(
            p.map().map_err(said)? == 6,
            "the protected header has not six members",
        )?;
        expect(p.int() == Ok(1) && p.int() == Ok(-8), "alg is not EdDSA")?;
        expect(p.int() == Ok(4), "kid is missing")?;
        let kid = *p.bytes_of().map_err(said)?;
        expect(
            p.int() == Ok(16) && p.text() == Ok(iotedge_core::posp::DOMAIN),
            "typ is not iotedge/macro/1",
        )?;
        expect(
            p.int() == Ok(395) && p.int() == Ok(1),
            "vds is not RFC9162_SHA256",
        )?;
        expect(p.int() == Ok(-70001), "the neighbourhood is missing")?;
        let neighbourhood = p.id().map_err(said)?;
        expect(p.int() == Ok(-70002), "the header number is missing")?;
        let number = HeaderNumber(p.u32().map_err(said)?);
        p.finish().map_err(said)?;

        let mut i = Reader::new(proof);
        i.array_of(3).map_err(said)?;
        let (size, leaf) = (i.u32().map_err(said)?, i.u32().map_err(said)?);
        let count = i.array().map_err(said)?;
        let path = (0..count)
            .map(|_| i.id().map_err(said))
            .collect::<Result<Vec<_>>>()?;
        i.finish().map_err(said)?;
        Ok(Self {
            kid,
            neighbourhood,
            number,
            size,
            leaf,
            path,
            signature,
        })
    }
}

impl Statement {
    /// Reads `18([protected, {394: [receipt, ...]}, payload, signature])` and nothing after it.
    ///
    /// # Errors
    /// Where the bytes are not that.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        if r.tag().map_err(said)? != 18 {
            bail!("the tag is not 18 (COSE_Sign1)");
        }
        r.array_of(4).map_err(said)?;
        let protected = r.bytes().map_err(said)?;
        expect(
            r.map().map_err(said)? == 1 && r.int() == Ok(394),
            "the unprotected header is not {394: receipts}",
        )?;
        let count = r.array().map_err(said)?;
        let receipts = (0..count)
            .map(|_| CoseReceipt::parse(r.bytes().map_err(said)?))
            .collect::<Result<Vec<_>>>()?;
        expect(!receipts.is_empty(), "there is no receipt")?;
        let payload = r.bytes().map_err(said)?;
        let signature = Signature(*r.bytes_of().map_err(said)?);
        r.finish().map_err(said)?;
        let mut cose = vec![0; protected.len() + payload.len() + 80];
        let len = sign1::assemble(protected, payload, &signature, &mut cose).map_err(said)?;
        cose.truncate(len);
        Ok(Self { cose, receipts })
    }
}

fn expect(holds: bool, otherwise: &'static str) -> Result<()> {
    if holds {
        return Ok(());
    }
    bail!(otherwise)
}

pub(super) fn describe(bytes: &[u8]) -> Result<Value> {
    let one = |receipt: &CoseReceipt| {
        json!({
            "validator_kid": hex::encode(receipt.kid),
            "neighbourhood": receipt.neighbourhood.to_string(),
            "header": receipt.number.0,
            "tree_size": receipt.size,
            "leaf": receipt.leaf,
            "path": receipt.path.iter().map(|p| p.to_string()).collect::<Vec<_>>(),
            "signature": hex::encode(receipt.signature.0),
        })
    };
    let statement = match Statement::parse(bytes) {
        Ok(statement) => statement,
        Err(error) => {
            return CoseReceipt::parse(bytes)
                .map(|receipt| json!({ "receipts": [one(&receipt)] }))
                .map_err(|_| error);
        }
    };
    let of = transaction::transaction(&statement.cose)
        .or_else(|_| signed::macro_transaction(&statement.cose))?;
    Ok(json!({
        "statement": of,
        "receipts": statement.receipts.iter().map(one).collect::<Vec<_>>(),
    }))
}
