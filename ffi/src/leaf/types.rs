//! What goes in and out of a leaf: configuration, events, status.

use crate::key::iotedge_public_key_t;
use crate::node::{
    IOTEDGE_EVENT_ENROL_ACCEPTED, IOTEDGE_EVENT_ENROL_REFUSED, IOTEDGE_EVENT_GRADED,
    IOTEDGE_EVENT_JOINED, IOTEDGE_EVENT_LOST, IOTEDGE_EVENT_MEMBER, IOTEDGE_EVENT_PLATFORM_FAILED,
    IOTEDGE_EVENT_RECOVERED, IOTEDGE_EVENT_REJECTED, IOTEDGE_EVENT_SENT,
    IOTEDGE_EVENT_SIGNATURE_NEEDED, IOTEDGE_GRADE_DEAD, IOTEDGE_GRADE_SETTLED,
    IOTEDGE_GRADE_WITNESSED, IOTEDGE_PHASE_ACTIVE, IOTEDGE_PHASE_FOLLOWING, IOTEDGE_PHASE_OUTSIDE,
    IOTEDGE_PHASE_RECOVERING, iotedge_event_t,
};
use crate::raw::Sized32;
use iotedge_core::leaf::{Event, Phase, Status};

/// Who a leaf is and how it behaves. Set everything to zero, then `size`, `authority` and `seed` or `signer`, and `certificate` where it is to join. Nothing
/// here needs to live after `iotedge_leaf_init`; wipe your copy of the seed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_leaf_config_t {
    /// `sizeof(iotedge_leaf_config_t)`.
    pub size: u32,
    /// `IOTEDGE_CLOCK_OFFSET`, or `IOTEDGE_CLOCK_NEIGHBOURS` for a device without a clock.
    pub clock: u32,
    /// Absolute time in milliseconds since 1970 is the `now` of every call plus this, with `IOTEDGE_CLOCK_OFFSET`.
    pub clock_offset: i64,
    /// How far clocks may differ, in milliseconds; 0: 2,000.
    pub clock_tolerance: u32,
    /// How often neighbours are asked, in milliseconds, while something is wanted of them; 0: 500.
    pub poll: u32,
    /// How long a head may take before another is asked, in milliseconds, at most an eighth of the neighbourhood's period; 0: 3,000.
    pub patience: u32,
    /// Zero.
    pub reserved: u32,
    /// Key of the pinned neighbourhood authority, which signs the genesis.
    pub authority: *const iotedge_public_key_t,
    /// 32 bytes of the device's Ed25519 seed, copied; NULL with an external signer.
    pub seed: *const u8,
    /// The device's certificate, a CWT of kind `IOTEDGE_KIND_LEAF`, with which it asks to join until it is a member; it goes into the store, so NULL
    /// is fine once it was given, and for a founder.
    pub certificate: *const u8,
    /// Its length.
    pub certificate_len: usize,
    /// The certificate of the authority that signed `certificate`, where no authority did that the gateway knows; else NULL.
    pub issuer: *const u8,
    /// Its length.
    pub issuer_len: usize,
    /// Public key of an external signer (secure element); NULL with a seed.
    pub signer: *const iotedge_public_key_t,
    /// 64 bytes with an external signer and a certificate: its signature over `iotedge_enrol_statement`, made once at provisioning. Else NULL.
    pub enrolment: *const u8,
}
// SAFETY: repr(C), integers and raw pointers, size first.
unsafe impl Sized32 for iotedge_leaf_config_t {}
pub(crate) const OLDEST_CONFIG: usize = 32 + 6 * size_of::<*const u8>();
const _: () =
    assert!(size_of::<iotedge_leaf_config_t>() == OLDEST_CONFIG + 2 * size_of::<*const u8>());

/// Event of a leaf: q neighbours besides the head hold transaction `id`.
pub const IOTEDGE_EVENT_HELD: u32 = 25;
/// Event of a leaf: neighbour `code`, which it used as its head, did not answer, offered what nobody knows, or passed nothing on. Another is asked from
/// now on; nothing is lost.
pub const IOTEDGE_EVENT_HEAD_SUSPECTED: u32 = 26;
/// Event of a leaf: somebody else signs with this device's key. It stays silent until it is started again.
pub const IOTEDGE_EVENT_DOUBLED: u32 = 27;
/// Event of a leaf: two settled headers exclude each other; a quorum of validators is guilty. It stays silent.
pub const IOTEDGE_EVENT_FORK: u32 = 28;
/// Event of a leaf: the validator set is older than the genesis allows; the authority must help.
pub const IOTEDGE_EVENT_STALE: u32 = 29;

/// Phase of a leaf: it stays silent until it is started again; an event said why.
pub const IOTEDGE_PHASE_STOPPED: u32 = 6;

pub(crate) fn event(event: &Event) -> iotedge_event_t {
    let mut to = iotedge_event_t::EMPTY;
    to.kind = match *event {
        Event::EnrolAccepted => IOTEDGE_EVENT_ENROL_ACCEPTED,
        Event::EnrolRefused { status } => {
            to.code = status as u32;
            IOTEDGE_EVENT_ENROL_REFUSED
        }
        Event::Joined { neighbourhood } => {
            to.id = neighbourhood.0;
            IOTEDGE_EVENT_JOINED
        }
        Event::Member { index } => {
            to.member = index.0.into();
            IOTEDGE_EVENT_MEMBER
        }
        Event::Recovered { number } => {
            to.code = number.0;
            IOTEDGE_EVENT_RECOVERED
        }
        Event::Sent { ticket, id, number } => {
            (to.ticket, to.id, to.code) = (ticket, id.0, number.0);
            IOTEDGE_EVENT_SENT
        }
        Event::SignatureNeeded => IOTEDGE_EVENT_SIGNATURE_NEEDED,
        Event::Rejected { ticket, reason } => {
            (to.ticket, to.code) = (ticket, super::refused(reason).unsigned_abs());
            IOTEDGE_EVENT_REJECTED
        }
        Event::Held { id } => {
            to.id = id.0;
            IOTEDGE_EVENT_HELD
        }
        Event::Witnessed { id } => {
            (to.id, to.code) = (id.0, IOTEDGE_GRADE_WITNESSED);
            IOTEDGE_EVENT_GRADED
        }
        Event::Settled { id, header } => {
            (to.id, to.code, to.header) = (id.0, IOTEDGE_GRADE_SETTLED, header.0);
            IOTEDGE_EVENT_GRADED
        }
        Event::Dead { id } => {
            (to.id, to.code) = (id.0, IOTEDGE_GRADE_DEAD);
            IOTEDGE_EVENT_GRADED
        }
        Event::HeadSuspected { peer } => {
            to.code = peer.0.into();
            IOTEDGE_EVENT_HEAD_SUSPECTED
        }
        Event::Doubled => IOTEDGE_EVENT_DOUBLED,
        Event::Fork => IOTEDGE_EVENT_FORK,
        Event::Stale => IOTEDGE_EVENT_STALE,
        Event::PlatformFailed => IOTEDGE_EVENT_PLATFORM_FAILED,
        Event::Lost { count } => {
            to.code = count;
            IOTEDGE_EVENT_LOST
        }
    };
    to
}

/// What a leaf says of itself. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_leaf_status_t {
    /// `sizeof(iotedge_leaf_status_t)`.
    pub size: u32,
    /// `IOTEDGE_PHASE_*`.
    pub phase: u32,
    /// Device id.
    pub device: [u8; 32],
    /// Neighbourhood; zero while outside.
    pub neighbourhood: [u8; 32],
    /// Settled credits, in micro-tokens.
    pub credits: u64,
    /// Lifetime debits, unsettled ones included. It can spend credits - debits.
    pub debits: u64,
    /// 0: the debits are not known again yet (the store was lost), and nothing is paid; else 1.
    pub debits_known: u32,
    /// Index of this member; `UINT32_MAX` while it is none.
    pub member: u32,
    /// Number of its newest transaction.
    pub number: u32,
    /// Newest epoch that it may stand in.
    pub epoch: u32,
    /// 1: a submission waits; the next one is refused until it was sent.
    pub waiting: u32,
    /// Own transactions whose end is awaited.
    pub unsettled: u32,
    /// The neighbour that it sends to first; `UINT32_MAX` while there is none.
    pub head: u32,
    /// Zero.
    pub reserved: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_leaf_status_t {}
pub(crate) const OLDEST_STATUS: usize = 120;
const _: () = assert!(size_of::<iotedge_leaf_status_t>() == OLDEST_STATUS);

impl iotedge_leaf_status_t {
    pub(crate) fn from_core(status: &Status) -> Self {
        Self {
            size: 0,
            phase: match status.phase {
                Phase::Outside => IOTEDGE_PHASE_OUTSIDE,
                Phase::Following => IOTEDGE_PHASE_FOLLOWING,
                Phase::Recovering => IOTEDGE_PHASE_RECOVERING,
                Phase::Active => IOTEDGE_PHASE_ACTIVE,
                Phase::Stopped => IOTEDGE_PHASE_STOPPED,
            },
            device: status.device.0,
            neighbourhood: status.neighbourhood.0,
            credits: status.credits.0,
            debits: status.debits.map_or(0, |d| d.0),
            debits_known: status.debits.is_some().into(),
            member: status.index.map_or(u32::MAX, |i| i.0.into()),
            number: status.number.0,
            epoch: status.epoch.0,
            waiting: status.waiting.into(),
            unsettled: status.unsettled.into(),
            head: status.head.map_or(u32::MAX, |p| p.0.into()),
            reserved: 0,
        }
    }
}
