//! The rule for transactions: everything that the reader can compute from what it holds is left out.
//!
//! `[kind and flags] [name] [epoch?] [time] [first parent?] [other parents] [signature 64] [body] [attachment?]`. Epoch and time follow from the parents
//! that are named (section 3 of the protocol makes the epoch a function of them), the first parent from issuer and number, the order of the
//! others from their ids. Invariant: the frame that is written is in the one form that section 3 allows, whatever came in.

use super::super::bytes::{Put, Take};
use super::super::context::Context;
use super::super::name::{Named, put_known, put_own, take_known, take_own};
use super::{Failed, Hope, TX, TX_ATTACHED};
use crate::copy::copy;
use crate::crypto::{Signature, Suite};
use crate::tx::{Kind, Unverified, assemble};
use crate::wire::{FrameType, Reader, Writer};
use crate::{Epoch, Id, MAX_PARENTS, MAX_PAYLOAD, MemberIndex, Millis, Number, Peer, Prefix};
use heapless::Vec;

const ES256: u8 = 0x10;
const EPOCH: u8 = 0x20;
const OFFSET: u8 = 0x40;
const FIRST: u8 = 0x80;
/// Added to the kinds data and service: the body is written as a difference to that of the first parent.
const DATA_DIFFERENCE: u8 = 10;
const SERVICE_DIFFERENCE: u8 = 11;
/// Head of a transfer's body.
const ARRAY_OF_3: u8 = 0x83;

/// What follows from the parents that both ends hold.
#[derive(Clone, Copy, Default)]
struct Base {
    epoch: Option<Epoch>,
    time: Option<Millis>,
}

impl Base {
    fn add<C: Context + ?Sized>(&mut self, context: &C, id: &Id) {
        if let Some(seen) = context.seen(id) {
            self.epoch = self.epoch.max(Some(seen.epoch));
            self.time = self.time.max(Some(seen.time));
        }
    }
}

pub(super) fn pack<C: Context + ?Sized>(
    cose: &[u8],
    attachment: Option<&[u8]>,
    peer: Peer,
    hope: Hope,
    context: &C,
    out: &mut [u8],
) -> Option<(u8, usize)> {
    let tx = Unverified::parse(cose).ok()?;
    let payload = tx.payload();
    let expected = |id: &Id| hope == Hope::All || context.peer_has(peer, id);
    let (first, others) = payload.parents.as_slice().split_first()?;
    let own = context
        .at(payload.issuer, payload.number.checked_sub(1)?)
        .filter(|id| id.prefix() == *first && expected(id));
    let mut base = Base::default();
    if let Some(id) = own {
        base.add(context, &id);
    }
    // The names of the other parents stand behind what follows from them.
    let mut names = [0; MAX_PARENTS * 17];
    let mut named = Put::new(&mut names);
    for prefix in others {
        if let Some(id) = put_known(&mut named, prefix, context, expected)? {
            base.add(context, &id);
        }
    }
    let named = named.len();

    let since = base.time.and_then(|time| {
        let start = context.clock_start(payload.epoch)?;
        let own = start.checked_add(u64::from(payload.offset))?;
        own.checked_sub(time.0)
    });
    let body = body_of(tx.payload_bytes())?;
    let kind = payload.body.kind();
    let content = Content::of(kind, body, own.as_ref(), context)?;
    let mut flags = content.kind();
    if tx.suite() == Suite::Es256 {
        flags |= ES256;
    }
    if base.epoch != Some(payload.epoch) {
        flags |= EPOCH;
    }
    if since.is_none() {
        flags |= OFFSET;
    }
    if own.is_none() {
        flags |= FIRST;
    }

    let mut to = Put::new(out);
    to.byte(flags)?;
    put_own(&mut to, payload.issuer, payload.number, context)?;
    if flags & EPOCH != 0 {
        to.varint(payload.epoch.0.into())?;
    }
    to.varint(since.map_or(payload.offset.into(), |since| since.0))?;
    if own.is_none() {
        to.all(&first.0)?;
    }
    to.all(names.get(..named)?)?;
    to.all(&tx.signature().0)?;
    content.write(attachment.is_some(), &mut to)?;
    to.all(attachment.unwrap_or(&[]))?;
    let dispatch = match attachment {
        Some(_) => TX_ATTACHED,
        None => TX,
    };
    let count = u8::try_from(others.len()).ok()?;
    Some((dispatch | count, to.len()))
}

pub(super) fn unpack<C: Context + ?Sized>(
    dispatch: u8,
    mut from: Take<'_>,
    tag: [u8; 4],
    context: &C,
    out: &mut [u8],
) -> Result<usize, Failed> {
    let flags = from.byte().ok_or(Failed::Malformed)?;
    let own = take_own(&mut from, context)?;
    let explicit = match flags & EPOCH {
        0 => None,
        _ => Some(Epoch(from.varint32().ok_or(Failed::Malformed)?)),
    };
    let time = from.varint().ok_or(Failed::Malformed)?;
    let written = match flags & FIRST {
        0 => None,
        _ => Some(Prefix(*from.array().ok_or(Failed::Malformed)?)),
    };
    let mut named: Vec<Named, MAX_PARENTS> = Vec::new();
    for _ in 0..dispatch & 7 {
        let name = take_known(&mut from, context)?;
        named.push(name).map_err(|_| Failed::Malformed)?;
    }
    let signature = Signature(*from.array().ok_or(Failed::Malformed)?);
    // The form is read; from here on only what is held here can be missing.
    let (issuer, number) = own.ok_or(Failed::OutOfStep)?;
    let before = number.checked_sub(1).ok_or(Failed::Malformed)?;
    let mut base = Base::default();
    let (first, own) = match written {
        Some(prefix) => (prefix, None),
        None => {
            let id = context.at(issuer, before).ok_or(Failed::OutOfStep)?;
            base.add(context, &id);
            (id.prefix(), Some(id))
        }
    };
    let mut parents: Vec<Prefix, MAX_PARENTS> = Vec::new();
    for name in &named {
        if let Named::Held(id) = name {
            base.add(context, id);
        }
        let prefix = name.prefix().ok_or(Failed::OutOfStep)?;
        parents.push(prefix).map_err(|_| Failed::Malformed)?;
    }
    crate::order::sort_few(&mut parents, |a, b| a < b);
    let epoch = explicit.or(base.epoch).ok_or(Failed::OutOfStep)?;
    let offset = match flags & OFFSET {
        0 => {
            let start = context.clock_start(epoch).ok_or(Failed::OutOfStep)?;
            let reference = base.time.ok_or(Failed::OutOfStep)?;
            let own = reference.0.checked_add(time).ok_or(Failed::OutOfStep)?;
            own.checked_sub(start.0).ok_or(Failed::OutOfStep)?
        }
        _ => time,
    };

    let mut payload = [0; MAX_PAYLOAD];
    let attached = dispatch & TX_ATTACHED != 0;
    let fields = Fields {
        epoch,
        issuer,
        number,
        offset,
        first,
        others: &parents,
    };
    let (len, attachment) = fields
        .write(
            flags & 15,
            own.as_ref(),
            from.0,
            attached,
            context,
            &mut payload,
        )
        .ok_or(Failed::OutOfStep)?;
    if attached == attachment.is_empty() {
        return Err(Failed::Malformed);
    }
    let suite = match flags & ES256 {
        0 => Suite::Ed25519,
        _ => Suite::Es256,
    };
    assembled(tag, suite, payload.get(..len), &signature, attachment, out).ok_or(Failed::OutOfStep)
}

/// The head fields and parents of a payload.
struct Fields<'a> {
    epoch: Epoch,
    issuer: MemberIndex,
    number: Number,
    offset: u64,
    first: Prefix,
    others: &'a [Prefix],
}

impl Fields<'_> {
    /// Writes the payload; gives its length and the attachment that follows its body.
    fn write<'p, C: Context + ?Sized>(
        &self,
        kind: u8,
        own: Option<&Id>,
        packed: &'p [u8],
        attached: bool,
        context: &C,
        out: &mut [u8],
    ) -> Option<(usize, &'p [u8])> {
        let mut w = Writer::new(out);
        w.array(8).ok()?;
        w.uint(1).ok()?;
        w.uint(self.epoch.0.into()).ok()?;
        w.uint(self.issuer.0.into()).ok()?;
        w.uint(self.number.0.into()).ok()?;
        w.uint(self.offset).ok()?;
        let parents = self.others.len().checked_add(1)?.checked_mul(16)?;
        w.bytes_head(parents).ok()?;
        w.raw(&self.first.0).ok()?;
        for other in self.others {
            w.raw(&other.0).ok()?;
        }
        let rest = read_body(kind, own, packed, attached, context, &mut w)?;
        Some((w.len(), rest))
    }
}

fn assembled(
    tag: [u8; 4],
    suite: Suite,
    payload: Option<&[u8]>,
    signature: &Signature,
    attachment: &[u8],
    out: &mut [u8],
) -> Option<usize> {
    let (head, rest) = out.split_at_mut_checked(5)?;
    let (to, kind) = head.split_at_mut_checked(4)?;
    copy(to, &tag);
    copy(kind, &[FrameType::Tx.number()]);
    let cose = assemble(suite, payload?, signature, rest).ok()?.len();
    let end = cose.checked_add(attachment.len())?;
    copy(rest.get_mut(cose..end)?, attachment);
    end.checked_add(5)
}

/// The last item of a payload.
fn body_of(payload: &[u8]) -> Option<&[u8]> {
    let mut r = Reader::new(payload);
    r.array_of(8).ok()?;
    for _ in 0..7 {
        r.item().ok()?;
    }
    Some(r.rest())
}

/// A body as it travels.
enum Content<'a> {
    /// Data or service.
    Bytes(Kind, &'a [u8]),
    /// The same as a difference to the first parent's: bytes kept at both ends, and what stands between.
    Difference {
        kind: u8,
        before: u8,
        after: u8,
        between: &'a [u8],
    },
    /// CBOR that tells where it ends; without the array head of a transfer.
    Item(Kind, &'a [u8]),
}

impl<'a> Content<'a> {
    fn of<C: Context + ?Sized>(
        kind: Kind,
        item: &'a [u8],
        own: Option<&Id>,
        context: &C,
    ) -> Option<Self> {
        Some(match kind {
            Kind::Data | Kind::Service => {
                let body = Reader::new(item).bytes().ok()?;
                let last = own.and_then(|id| context.body(id)).unwrap_or(&[]);
                let before = common(last.iter(), body.iter());
                let (old, new) = (last.get(before..)?, body.get(before..)?);
                let after = common(old.iter().rev(), new.iter().rev());
                let between = new.get(..new.len().checked_sub(after)?)?;
                if before.saturating_add(after) <= 2 {
                    return Some(Self::Bytes(kind, body));
                }
                Self::Difference {
                    kind: match kind {
                        Kind::Data => DATA_DIFFERENCE,
                        _ => SERVICE_DIFFERENCE,
                    },
                    before: u8::try_from(before).ok()?,
                    after: u8::try_from(after).ok()?,
                    between,
                }
            }
            Kind::Transfer => Self::Item(kind, item.strip_prefix(&[ARRAY_OF_3])?),
            _ => Self::Item(kind, item),
        })
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Bytes(kind, _) | Self::Item(kind, _) => kind.number(),
            Self::Difference { kind, .. } => *kind,
        }
    }

    fn write(&self, attached: bool, to: &mut Put<'_>) -> Option<()> {
        let (bytes, measured) = match self {
            Self::Item(_, bytes) => (bytes, false),
            Self::Bytes(_, bytes) => (bytes, attached),
            Self::Difference {
                before,
                after,
                between,
                ..
            } => {
                to.all(&[*before, *after])?;
                (between, attached)
            }
        };
        if measured {
            to.varint(bytes.len() as u64)?;
        }
        to.all(bytes)
    }
}

/// How many items two sequences have in common at the start; held at 255.
fn common<'a>(a: impl Iterator<Item = &'a u8>, b: impl Iterator<Item = &'a u8>) -> usize {
    a.zip(b).take(255).take_while(|(a, b)| a == b).count()
}

/// Writes kind and body of a payload; gives what follows in the packed form.
fn read_body<'p, C: Context + ?Sized>(
    kind: u8,
    own: Option<&Id>,
    packed: &'p [u8],
    attached: bool,
    context: &C,
    w: &mut Writer<'_>,
) -> Option<&'p [u8]> {
    let mut from = Take(packed);
    let (kind, differs) = match kind {
        DATA_DIFFERENCE => (Kind::Data, true),
        SERVICE_DIFFERENCE => (Kind::Service, true),
        kind => (Kind::from_number(kind)?, false),
    };
    w.uint(kind.number().into()).ok()?;
    match kind {
        Kind::Data | Kind::Service => {
            let (before, after) = match differs {
                true => (usize::from(from.byte()?), usize::from(from.byte()?)),
                false => (0, 0),
            };
            let last = match differs {
                true => context.body(own?)?,
                false => &[],
            };
            let len = match attached {
                true => usize::try_from(from.varint()?).ok()?,
                false => from.0.len(),
            };
            let between = from.slice(len)?;
            let head = last.get(..before)?;
            let tail = last.get(before.max(last.len().checked_sub(after)?)..)?;
            let tail = (tail.len() == after).then_some(tail)?;
            let total = before.checked_add(len)?.checked_add(after)?;
            w.bytes_head(total).ok()?;
            w.raw(head).ok()?;
            w.raw(between).ok()?;
            w.raw(tail).ok()?;
        }
        Kind::Transfer => {
            w.array(3).ok()?;
            let mut r = Reader::new(from.0);
            for _ in 0..3 {
                w.uint(r.uint().ok()?).ok()?;
            }
            from.0 = r.rest();
        }
        _ => {
            let mut r = Reader::new(from.0);
            w.raw(r.item().ok()?).ok()?;
            from.0 = r.rest();
        }
    }
    Some(from.0)
}
