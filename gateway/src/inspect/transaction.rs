//! Transactions and what travels beside them.

use super::{key, said, signed};
use anyhow::Result;
use iotedge_core::channel::{ChannelNumber, Op};
use iotedge_core::ledger::Lock;
use iotedge_core::sale::{Proof, Terms};
use iotedge_core::tx::{Attachment, Body, MemberOp, Payload, Unverified};
use iotedge_core::wire::Reader;
use iotedge_core::wire::senml::Pack;
use serde_json::{Value, json};

/// A COSE_Sign1, and an attachment behind it where there is one.
pub(super) fn transaction(bytes: &[u8]) -> Result<Value> {
    let (cose, beside) = split(bytes)?;
    let unverified = Unverified::parse(cose).map_err(said)?;
    let mut value = payload(unverified.payload());
    value["payload_bytes"] = unverified.payload_bytes().len().into();
    value["cose_bytes"] = cose.len().into();
    value["suite"] = format!("{:?}", unverified.suite()).into();
    value["signature"] = hex::encode(unverified.signature().0).into();
    if !beside.is_empty() {
        let parsed = Attachment::parse(beside).map_err(said)?;
        parsed.check(unverified.payload()).map_err(said)?;
        value["attachment"] = attachment(&parsed)?;
    }
    Ok(value)
}

/// The COSE_Sign1 and what follows it.
pub(crate) fn split(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut r = Reader::new(bytes);
    let cose = r.item().map_err(said)?;
    Ok((cose, r.rest()))
}

pub(super) fn payload(payload: &Payload<'_>) -> Value {
    json!({
        "epoch": payload.epoch.0,
        "issuer": payload.issuer.0,
        "number": payload.number.0,
        "offset_ms": payload.offset,
        "parents": payload.parents.as_slice().iter().map(|p| p.to_string()).collect::<Vec<_>>(),
        "kind": format!("{:?}", payload.body.kind()).to_lowercase(),
        "body": body(&payload.body),
    })
}

fn body(body: &Body<'_>) -> Value {
    match body {
        Body::Data(bytes) | Body::Service(bytes) => application(bytes),
        Body::Transfer { to, amount, debits } => {
            json!({ "to": to.0, "amount": amount.0, "debits": debits.0 })
        }
        Body::Lock {
            to,
            amount,
            debits,
            term,
            terms: of,
        } => json!({
            "to": to.0,
            "amount": amount.0,
            "debits": debits.0,
            "term_ms": term,
            "terms": terms(of),
        }),
        Body::Claim {
            lock,
            last,
            proof: shown,
        } => json!({ "lock": lock.to_string(), "last": last, "proof": proof(shown) }),
        Body::Channel(op) => channel(op),
        Body::Member(op) => member(op),
        Body::Trim {
            cut,
            previous,
            header,
            header_hash,
        } => json!({
            "cut": cut.0,
            "previous": previous.to_string(),
            "header": header.0,
            "header_hash": header_hash.to_string(),
        }),
        Body::Exit {
            amount,
            debits,
            target,
        } => json!({
            "amount": amount.0,
            "debits": debits.0,
            "target": format!("0x{}", hex::encode(target)),
        }),
        Body::Evidence { offender, a, b } => {
            json!({ "offender": offender.0, "a": a.to_string(), "b": b.to_string() })
        }
    }
}

fn application(bytes: &[u8]) -> Value {
    let Ok(pack) = Pack::parse(bytes) else {
        return json!({ "hex": hex::encode(bytes) });
    };
    let readings: Vec<Value> = pack
        .iter()
        .map(|reading| {
            json!({
                "name": format!("{}{}", pack.base_name().unwrap_or(""), reading.name),
                "unit": reading.unit,
                "value": decimal(reading.value.mantissa(), reading.value.exponent()),
                "time": reading.time,
            })
        })
        .collect();
    json!({ "senml": readings, "hex": hex::encode(bytes) })
}

/// A decimal fraction as people write it.
fn decimal(mantissa: i64, exponent: i8) -> String {
    let digits = mantissa.unsigned_abs().to_string();
    let sign = if mantissa < 0 { "-" } else { "" };
    match usize::from(exponent.unsigned_abs()) {
        0 => format!("{sign}{digits}"),
        zeros if exponent > 0 => format!("{sign}{digits}{}", "0".repeat(zeros)),
        places => {
            let digits = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = digits.split_at(digits.len() - places);
            format!("{sign}{whole}.{fraction}")
        }
    }
}

fn member(op: &MemberOp<'_>) -> Value {
    match op {
        MemberOp::Join {
            certificates,
            proof,
        } => json!({
            "op": "join",
            "chain": std::iter::once(certificates.first).chain(certificates.second)
                .map(|c| signed::certificate(c).unwrap_or_else(|e| json!({ "refused": e.to_string(), "hex": hex::encode(c) })))
                .collect::<Vec<_>>(),
            "proof": hex::encode(proof),
        }),
        MemberOp::Rotate { key: new, consent } => {
            json!({ "op": "rotate", "key": key(new), "consent": hex::encode(consent) })
        }
        MemberOp::Leave => json!({ "op": "leave" }),
        MemberOp::Revoke { list } => json!({
            "op": "revoke",
            "list": signed::revocations(list).unwrap_or_else(|e| json!({ "refused": e.to_string(), "hex": hex::encode(list) })),
        }),
    }
}

fn terms(terms: &Terms) -> Value {
    match terms {
        Terms::Ticks {
            sale,
            units,
            anchor,
        } => json!({ "by": "ticks", "sale": sale.0, "units": units, "anchor": anchor.to_string() }),
        Terms::Vouchers { key: of } => json!({ "by": "vouchers", "key": key(of) }),
        Terms::Predicate(predicate) => {
            let readers = predicate.readers.as_slice().iter();
            json!({
                "by": "predicate",
                "feed": String::from_utf8_lossy(predicate.feed.as_slice()),
                "comparison": format!("{:?}", predicate.compare),
                "threshold": predicate.threshold,
                "window_ms": predicate.window,
                "quorum": predicate.quorum,
                "readers": readers.map(|r| r.0).collect::<Vec<_>>(),
            })
        }
    }
}

fn proof(proof: &Proof<'_>) -> Value {
    match proof {
        Proof::Tick(tick) => json!({ "tick": tick.index, "value": hex::encode(tick.value) }),
        Proof::Voucher { total, signature } => {
            json!({ "total": total.0, "signature": hex::encode(signature) })
        }
        Proof::Statements(statements) => json!({
            "statements": statements
                .iter()
                .map(|s| json!({
                    "reader": s.place,
                    "value": s.value,
                    "time": s.time.0,
                    "signature": hex::encode(s.signature),
                }))
                .collect::<Vec<_>>(),
        }),
        Proof::Nothing => Value::Null,
    }
}

/// An open lock of the settled state.
pub(super) fn lock(bytes: &[u8]) -> Result<Value> {
    let mut r = Reader::new(bytes);
    let lock = Lock::read(&mut r).map_err(said)?;
    r.finish().map_err(said)?;
    Ok(json!({
        "id": lock.id.to_string(),
        "payer": lock.payer.0,
        "to": lock.to.0,
        "amount": lock.amount.0,
        "reached": lock.reached.0,
        "from": lock.from.0,
        "until": lock.until.0,
        "tick": lock.tick,
        "terms": terms(&lock.terms),
    }))
}

fn channel(op: &Op<'_>) -> Value {
    let name = |number: &ChannelNumber| match number.sub {
        0 => number.main.to_string(),
        sub => format!("{}.{sub}", number.main),
    };
    match op {
        Op::Announce {
            number,
            mode,
            epoch,
            index,
        } => json!({
            "op": "announce",
            "channel": name(number),
            "mode": format!("{mode:?}").to_lowercase(),
            "key_epoch": epoch.0,
            "index": index.0,
        }),
        Op::Root { number, batch } => json!({
            "op": "root",
            "channel": name(number),
            "key_epoch": batch.epoch.0,
            "first": batch.first.0,
            "count": batch.count,
            "root": batch.root.to_string(),
        }),
        Op::Subscribe { owner, number, key } => json!({
            "op": "subscribe",
            "owner": owner.0,
            "channel": name(number),
            "key": hex::encode(key),
        }),
        Op::Grant {
            number,
            epoch,
            index,
            to,
            sealed,
        } => json!({
            "op": "grant",
            "channel": name(number),
            "key_epoch": epoch.0,
            "index": index.0,
            "to": to.0,
            "sealed": hex::encode(sealed),
        }),
        Op::Revoke {
            number,
            epoch,
            index,
            ended,
            wraps,
        } => json!({
            "op": "revoke",
            "channel": name(number),
            "key_epoch": epoch.0,
            "index": index.0,
            "ended": ended.0,
            "wraps": wraps.iter().map(hex::encode).collect::<Vec<_>>(),
        }),
        Op::Path {
            number,
            to,
            slot,
            sealed,
        } => json!({
            "op": "path",
            "channel": name(number),
            "to": to.0,
            "slot": slot,
            "sealed": hex::encode(sealed),
        }),
        Op::Message { number, sealed } => json!({
            "op": "message",
            "channel": name(number),
            "sealed": hex::encode(sealed),
        }),
    }
}

pub(super) fn attachment(attachment: &Attachment<'_>) -> Result<Value> {
    let stubs: Vec<Value> = attachment
        .stubs
        .iter()
        .map(|stub| json!({ "position": stub.position, "tail": hex::encode(stub.tail) }))
        .collect();
    let proof = attachment
        .proof
        .as_ref()
        .map(|evidence| evidence.payloads().map(payload));
    Ok(json!({ "stubs": stubs, "proof": proof }))
}

#[cfg(test)]
mod tests {
    use super::{body, decimal};
    use iotedge_core::channel::statement::Batch;
    use iotedge_core::channel::{ChannelNumber, Index, KeyEpoch, Op};
    use iotedge_core::tx::Body;
    use iotedge_core::{Id, MemberIndex};

    #[test]
    fn decimals_read_as_people_write_them() {
        assert_eq!(decimal(215, -1), "21.5");
        assert_eq!(decimal(-5, -3), "-0.005");
        assert_eq!(decimal(7, 0), "7");
        assert_eq!(decimal(7, 3), "7000");
        assert_eq!(decimal(i64::MIN, -1), "-922337203685477580.8");
    }

    #[test]
    fn what_is_said_of_a_channel_is_shown() {
        let number = ChannelNumber { main: 7, sub: 0 };
        let sub = ChannelNumber { main: 7, sub: 2 };
        let batch = Batch {
            epoch: KeyEpoch(3),
            first: Index(64),
            count: 8,
            root: Id([1; 32]),
        };
        let ops = [
            (
                Op::Root { number, batch },
                r#"{"channel":"7","count":8,"first":64,"key_epoch":3,"op":"root","root":"#,
            ),
            (
                Op::Subscribe {
                    owner: MemberIndex(5),
                    number: sub,
                    key: &[0xab; 32],
                },
                r#"{"channel":"7.2","key":"abab"#,
            ),
            (
                Op::Path {
                    number,
                    to: MemberIndex(5),
                    slot: 9,
                    sealed: &[1, 2],
                },
                r#"{"channel":"7","op":"path","sealed":"0102","slot":9,"to":5}"#,
            ),
            (
                Op::Revoke {
                    number,
                    epoch: KeyEpoch(4),
                    index: Index(0),
                    ended: Index(70),
                    wraps: &[[2; 49]; 2],
                },
                r#"{"channel":"7","ended":70,"index":0,"key_epoch":4,"op":"revoke","wraps":["0202"#,
            ),
        ];
        for (op, shown) in ops {
            let found = body(&Body::Channel(op)).to_string();
            assert!(found.starts_with(shown), "{found}");
        }
    }
}
