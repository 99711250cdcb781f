//! The frames between the devices of a cluster (protocol section 10), as JSON.

use super::{record, said};
use anyhow::Result;
use iotedge_core::Id;
use iotedge_core::cluster::UnverifiedClaim;
use iotedge_core::wire::List;
use iotedge_core::wire::near::Near;
use serde_json::{Value, json};

/// What one says.
pub(super) fn show(near: &Near<'_>) -> Result<Value> {
    Ok(match *near {
        Near::Claim(cose) => claim(cose)?,
        Near::OfferRequest => json!({}),
        Near::Offer {
            place,
            term,
            now,
            header,
            tips,
        } => json!({
            "place": place,
            "term": term,
            "now": now.0,
            "header": header.0,
            "tips": ids(tips),
        }),
        Near::WitnessRequest(wanted) => json!({ "ids": ids(wanted) }),
        Near::Witness(seen) => {
            let all = seen.iter().map(|s| {
                json!({
                    "id": s.id.to_string(),
                    "stand": format!("{:?}", s.stand),
                    "time": s.time.0,
                    "hands_on": s.epoch.0,
                })
            });
            json!({ "sightings": all.collect::<Vec<_>>() })
        }
        Near::RecordRequest { epoch, device } => {
            json!({ "epoch": epoch.0, "device_id": crate::keys::id_text(device) })
        }
        Near::Record {
            epoch,
            record: of,
            path,
        } => json!({ "epoch": epoch.0, "record": record(of.0)?, "path": ids(path) }),
        Near::ShowRequest { member } => json!({ "member": member.0 }),
        Near::Show {
            member,
            number,
            proof,
        } => json!({
            "member": member.0,
            "number": number.0,
            "transaction": proof.map(|(cose, _)| hex::encode(cose)),
            "parents_hash": proof.map(|(_, hash)| hash.to_string()),
        }),
    })
}

fn ids(list: List<'_, Id>) -> Vec<String> {
    list.iter().map(|id| id.to_string()).collect()
}

fn claim(cose: &[u8]) -> Result<Value> {
    let read = UnverifiedClaim::parse(cose).map_err(said)?;
    let s = read.statement();
    Ok(json!({
        "neighbourhood": s.neighbourhood.to_string(),
        "context": hex::encode(s.context.0),
        "epoch": s.epoch.0,
        "member": s.member.0,
        "term": s.term,
        "score": s.score,
        "at": s.at.0,
        "until": s.until.0,
        "successors": s.successors.iter().map(|m| m.0).collect::<Vec<_>>(),
    }))
}
