//! Statements of authorities and GL-nodes: certificates, macro transactions, genesis, revocation lists.

use super::{key, said};
use anyhow::{Result, bail};
use iotedge_core::identity::UnverifiedGenesis;
use iotedge_core::identity::attest::{Attestation, Oem};
use iotedge_core::identity::cert::Certificate;
use iotedge_core::identity::revocation::RevocationList;
use iotedge_core::identity::sign1::Sign1;
use iotedge_core::posp::{Header, SignedHeader};
use iotedge_core::wire::Reader;
use serde_json::{Value, json};

pub(super) fn certificate(bytes: &[u8]) -> Result<Value> {
    let certificate = Certificate::parse(bytes).map_err(said)?;
    let claims = certificate.claims();
    Ok(json!({
        "issuer": claims.name,
        "signer_kid": hex::encode(certificate.signer_kid().map_err(said)?),
        "kind": crate::cli::KindArg::word(claims.kind),
        "cti": hex::encode(claims.cti.as_bytes()),
        "issued": claims.issued.0,
        "not_before": claims.not_before.map(|s| s.0),
        "expires": claims.expires.map(|s| s.0),
        "subject": key(&claims.key),
    }))
}

pub(super) fn attestation(bytes: &[u8]) -> Result<Value> {
    let eat = Attestation::parse(bytes).map_err(said)?;
    let (_, kid) = Sign1::parse(bytes).map_err(said)?.signer().map_err(said)?;
    let claims = eat.claims();
    let says = &claims.evidence;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(json!({
        "device_id": crate::keys::id_text(claims.device),
        "signer_kid": hex::encode(kid),
        "nonce": hex::encode(claims.nonce),
        "oem": says.oem.map(|oem| match oem {
            Oem::Pen(number) => json!(number),
            Oem::Id(id) => json!(hex::encode(id)),
        }),
        "model": String::from_utf8_lossy(says.model),
        "hardware_version": text(says.hardware_version),
        "secure_boot": says.secure_boot,
        "debug": says.debug.map(|state| format!("{state:?}")),
        "boot_count": says.boot_count,
        "boot_seed": (!says.boot_seed.is_empty()).then(|| hex::encode(says.boot_seed)),
        "software_name": text(says.software_name),
        "software_version": text(says.software_version),
        "measurements": says.measurements.iter().map(|m| json!({
            "name": m.name,
            "digest": hex::encode(m.digest),
        })).collect::<Vec<_>>(),
    }))
}

pub(super) fn macro_transaction(bytes: &[u8]) -> Result<Value> {
    let signed = SignedHeader::parse(bytes).map_err(said)?;
    let (_, kid) = Sign1::parse(bytes).map_err(said)?.signer().map_err(said)?;
    let mut value = header(signed.header(), signed.payload());
    value["signer_kid"] = hex::encode(kid).into();
    Ok(value)
}

pub(super) fn header(header: &Header, payload: &[u8]) -> Value {
    json!({
        "header_hash": Header::hash(payload).to_string(),
        "neighbourhood": header.neighbourhood.to_string(),
        "number": header.number.0,
        "previous": header.previous.to_string(),
        "trim": header.trim.to_string(),
        "cut": header.cut.0,
        "g0": header.g0.to_string(),
        "accepted": header.count,
        "state_root": header.state_root.to_string(),
        "exits_root": header.exits_root.to_string(),
        "next_table_root": header.table_root.to_string(),
        "members": header.members,
        "weight": header.weight,
        "validator_set": header.set_hash.to_string(),
        "total_value": header.total_value.0,
        "first_time": header.first_time.0,
        "last_time": header.last_time.0,
    })
}

/// Shown unverified, so the payload is read here and not by `UnverifiedGenesis::verify`.
pub(super) fn genesis(bytes: &[u8]) -> Result<Value> {
    let outer = UnverifiedGenesis::parse(bytes).map_err(said)?;
    let sign1 = Sign1::parse(bytes).map_err(said)?;
    let (_, kid) = sign1.signer().map_err(said)?;
    let mut r = Reader::new(sign1.payload);
    r.array_of(16).map_err(said)?;
    if r.uint().map_err(said)? != 1 {
        bail!("version is not 1");
    }
    let nonce = *r.bytes_of::<32>().map_err(said)?;
    let mut number = || r.uint().map_err(said);
    let (chain_id, start, period, parent_age, neighbours) =
        (number()?, number()?, number()?, number()?, number()?);
    r.array_of(3).map_err(said)?;
    let mut number = || r.uint().map_err(said);
    let caps = [number()?, number()?, number()?];
    let (grant, max_members, gl_node, members, weight) =
        (number()?, number()?, number()?, number()?, number()?);
    let (table_root, set) = (r.id().map_err(said)?, r.id().map_err(said)?);
    let set_age = r.uint().map_err(said)?;
    r.finish().map_err(said)?;
    Ok(json!({
        "neighbourhood": outer.neighbourhood().to_string(),
        "signer_kid": hex::encode(kid),
        "nonce": hex::encode(nonce),
        "chain_id": chain_id,
        "start": start,
        "period_ms": period,
        "p_max_ms": parent_age,
        "witnesses": neighbours,
        "caps": { "transaction": caps[0], "peer": caps[1], "exposure": caps[2] },
        "grant": grant,
        "max_members": max_members,
        "gl_node": gl_node,
        "members": members,
        "weight": weight,
        "table_root": table_root.to_string(),
        "validator_set": set.to_string(),
        "set_age_ms": set_age,
        "g0": iotedge_core::identity::genesis::g0(&nonce, chain_id).to_string(),
    }))
}

pub(super) fn revocations(bytes: &[u8]) -> Result<Value> {
    let list = RevocationList::parse(bytes).map_err(said)?;
    let (_, kid) = Sign1::parse(bytes).map_err(said)?.signer().map_err(said)?;
    Ok(json!({
        "number": list.number(),
        "issued": list.issued().0,
        "signer_kid": hex::encode(kid),
        "revoked": list.ids().map(hex::encode).collect::<Vec<_>>(),
    }))
}
