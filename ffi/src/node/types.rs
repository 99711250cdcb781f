//! What goes in and out of a node: limits, configuration, platform, events, status.

use crate::accelerator::iotedge_accelerator_t;
use crate::attest::iotedge_evidence_t;
use crate::key::iotedge_public_key_t;
use crate::raw::{Call, Sized32};
use crate::status;
use core::ffi::c_void;
use iotedge_core::node::{Counters, Event, Limits, Phase, Status};

/// How much of everything a node holds: memory is proportional, nothing grows at run time. Set `size` first, or let
/// `iotedge_limits_default` fill it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_limits_t {
    /// `sizeof(iotedge_limits_t)`.
    pub size: u32,
    /// Transactions in the window: a power of two from 32 to 65,536.
    pub window: u32,
    /// Members in the table, 1 to 65,535.
    pub members: u32,
    /// Neighbours, 1 to 1,024.
    pub peers: u32,
    /// Transactions set aside until their parents come, at least 2. Each takes a frame of memory.
    pub aside: u32,
    /// Submissions waiting to be sent, at least 1.
    pub outbox: u32,
    /// Own and received transactions followed until their receipts, at least 4.
    /// Half of the places are given to own ones at once; the second half is made to last for several epochs, so choose twice what this device says
    /// in an epoch and a half. All members' places together: at most half of the gateway's window.
    pub own: u32,
    /// Bytes of transactions kept for neighbours, at least 5,600.
    pub raw: u32,
    /// 1: with working memory for cumulative weights, confidence and the weighted walk; else 0.
    pub weights: u32,
    /// Member records of each table in memory: a multiple of 8, or 0 for all. What is not in memory is read from the platform's store when it is
    /// needed, which is for nearly every transaction in a large neighbourhood: choose it where memory is short and the store reads fast.
    pub records: u32,
    /// Transactions whose finality is followed at once in the window, 4 to 64; 0: 64. Each takes six bits per member, in whole bytes.
    pub tracked: u32,
    /// Transactions that can be asked for at once, at least 8; 0: 256.
    pub wants: u32,
    /// Settled headers whose votes and paths are kept, to check and write receipts with: 1 to 3; 0: 3.
    pub headers: u32,
    /// Members whose rate is watched at once, at least 8; 0: all. Who spoke least of late is forgotten first.
    pub buckets: u32,
    /// Events and frames that wait to be pulled, at least 8; 0: 64.
    pub queue: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_limits_t {}
pub(crate) const OLDEST_LIMITS: usize = 36;
const _: () = assert!(size_of::<iotedge_limits_t>() == OLDEST_LIMITS + 24);

impl iotedge_limits_t {
    pub(crate) fn to_core(self) -> Call<Limits> {
        let short = |n: u32| u16::try_from(n).map_err(|_| status::IOTEDGE_E_LIMITS);
        let limits = Limits {
            window: self.window,
            members: short(self.members)?,
            peers: short(self.peers)?,
            aside: short(self.aside)?,
            outbox: short(self.outbox)?,
            own: short(self.own)?,
            raw: self.raw,
            weights: match self.weights {
                0 => false,
                1 => true,
                _ => return Err(status::IOTEDGE_E_LIMITS),
            },
            records: short(self.records)?,
            tracked: u8::try_from(self.tracked).map_err(|_| status::IOTEDGE_E_LIMITS)?,
            wants: short(self.wants)?,
            headers: u8::try_from(self.headers).map_err(|_| status::IOTEDGE_E_LIMITS)?,
            buckets: short(self.buckets)?,
            queue: short(self.queue)?,
        };
        limits.sizes().map_err(|_| status::IOTEDGE_E_LIMITS)?;
        Ok(limits)
    }

    pub(crate) fn from_core(limits: &Limits) -> Self {
        Self {
            size: size_of::<Self>() as u32,
            window: limits.window,
            members: limits.members.into(),
            peers: limits.peers.into(),
            aside: limits.aside.into(),
            outbox: limits.outbox.into(),
            own: limits.own.into(),
            raw: limits.raw,
            weights: limits.weights.into(),
            records: limits.records.into(),
            tracked: limits.tracked.into(),
            wants: limits.wants.into(),
            headers: limits.headers.into(),
            buckets: limits.buckets.into(),
            queue: limits.queue.into(),
        }
    }
}

/// Role of a node: enrols, issues and approves.
pub const IOTEDGE_ROLE_MEMBER: u32 = 0;
/// Role of a node: follows and verifies, never issues.
pub const IOTEDGE_ROLE_OBSERVER: u32 = 1;

/// Clock: absolute time is `now` plus `clock_offset`.
pub const IOTEDGE_CLOCK_OFFSET: u32 = 0;
/// Clock: the device has none; absolute time is the median of what q neighbours say, and until then the node is silent.
pub const IOTEDGE_CLOCK_NEIGHBOURS: u32 = 1;

/// Who a node is and how it behaves. Set everything to zero, then `size`, `authority` and, for a member, `certificate` and
/// either `seed` or `signer`. Nothing here needs to live after `iotedge_node_init`; wipe your copy of the seed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_config_t {
    /// `sizeof(iotedge_config_t)`.
    pub size: u32,
    /// `IOTEDGE_ROLE_MEMBER` or `IOTEDGE_ROLE_OBSERVER`.
    pub role: u32,
    /// Absolute time in milliseconds since 1970 is the `now` of every call plus this, with `IOTEDGE_CLOCK_OFFSET`.
    pub clock_offset: i64,
    /// Announcements are collected this many milliseconds, a quarter more or less at random; 0: the node tunes it itself, from 100 to 300.
    pub announce_interval: u32,
    /// A beacon to each neighbour this often, in milliseconds; 0: the node tunes it itself, from 1,000 to 8,000 and at most a third of P_max.
    pub beacon_interval: u32,
    /// A request is repeated at another neighbour after this many milliseconds; 0: 300.
    pub request_timeout: u32,
    /// A transaction is given up when its parents did not come for this many milliseconds; 0: 30,000.
    pub aside_timeout: u32,
    /// Milliseconds that a transaction may be ahead of the local clock before it has to wait; 0: 2,000.
    pub clock_tolerance: u32,
    /// Tips chosen beside the own previous transaction, 1 to 7; 0: the node tunes it itself, from 2 to 4.
    pub tips: u32,
    /// How tips are chosen: 0: uniformly; else the Tangle paper's weighted walk with this alpha, in 1/65,536 (needs
    /// `iotedge_limits_t.weights`). The archives for microcontrollers have no walk (feature `weighted` of `iotedge-ffi`): there anything but 0 is refused with `IOTEDGE_E_LIMITS`.
    pub alpha: u32,
    /// `IOTEDGE_CLOCK_OFFSET`, or `IOTEDGE_CLOCK_NEIGHBOURS` for a device without a clock.
    pub clock: u32,
    /// Key of the pinned neighbourhood authority, which signs the genesis.
    pub authority: *const iotedge_public_key_t,
    /// 32 bytes of the device's Ed25519 seed, copied; NULL with an external signer and for an observer.
    pub seed: *const u8,
    /// Public key of an external signer (secure element); NULL with a seed and for an observer.
    pub signer: *const iotedge_public_key_t,
    /// 64 bytes with an external signer: its signature over `iotedge_enrol_statement`, made once at provisioning. Else NULL.
    pub enrolment: *const u8,
    /// The device's certificate, a CWT; NULL for an observer.
    pub certificate: *const u8,
    /// Its length.
    pub certificate_len: usize,
    /// The certificate of the authority that signed `certificate`, where the pinned one did not; else NULL.
    pub issuer: *const u8,
    /// Its length.
    pub issuer_len: usize,
    /// Approvals that all members together may add per hour, beside what they say anyway: a member with nothing of its own to say approves
    /// what its neighbours paid, so that it is agreed in seconds and not in minutes. Each is a transaction of about 150 bytes, signed, stored
    /// and sent. 0: 18,000. `IOTEDGE_APPROVALS_NONE`: this device gives none.
    pub approvals: u32,
    /// How long to wait before such an approval, in milliseconds; 0: the node tunes it itself, from 500 to 60,000.
    pub slot: u32,
    /// Key of the device's owner, who bounds what it may spend (`iotedge_node_set_policy`): it spends nothing before there is a policy. NULL: nobody; its caps alone bound it.
    pub owner: *const iotedge_public_key_t,
}
// SAFETY: repr(C), integers and raw pointers, size first.
unsafe impl Sized32 for iotedge_config_t {}
pub(crate) const OLDEST_CONFIG: usize = 48 + 8 * size_of::<*const u8>();
const _: () = assert!(
    size_of::<iotedge_config_t>() == OLDEST_CONFIG + 8 + size_of::<*const u8>().next_multiple_of(8)
);

/// For `iotedge_config_t.approvals`: this device approves only with what it has to say itself.
pub const IOTEDGE_APPROVALS_NONE: u32 = u32::MAX;

/// What a device provides. All callbacks run inside the calls of the node, on the caller's thread, and must not call the node.
/// Each returns `IOTEDGE_OK`, or anything else where it failed; then the call does nothing, or is retried later.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_platform_t {
    /// `sizeof(iotedge_platform_t)`.
    pub size: u32,
    /// Zero.
    pub reserved: u32,
    /// Handed to each callback first. Must live as long as the node.
    pub user: *mut c_void,
    /// Fills `out` with `len` random bytes fit for keys. There is no fallback: without randomness it must fail.
    pub random: Option<unsafe extern "C" fn(user: *mut c_void, out: *mut u8, len: usize) -> i32>,
    /// Reads the value under `key` into `out` and sets `*len`; `IOTEDGE_E_NONE` where there is none. A value longer than
    /// `capacity` is a failure.
    pub store_get: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            key: u32,
            out: *mut u8,
            capacity: usize,
            len: *mut usize,
        ) -> i32,
    >,
    /// Writes a value under `key`, at most 65,535, atomically and durably: once it returned `IOTEDGE_OK` a power cut leaves the new value,
    /// before that the old one.
    pub store_put: Option<
        unsafe extern "C" fn(user: *mut c_void, key: u32, value: *const u8, len: usize) -> i32,
    >,
    /// Removes a key; removing what is not there succeeds.
    pub store_remove: Option<unsafe extern "C" fn(user: *mut c_void, key: u32) -> i32>,
    /// Handed to the `store_*` callbacks in place of `user`, such as an `iotedge_flash_store_t`; NULL: they get `user`.
    pub store_user: *mut c_void,
    /// Reads a hardware monotonic counter: its value and the last that it can take. NULL, with `counter_advance`: the device has none. With one an old image of the store
    /// is refused (`IOTEDGE_E_OLD_IMAGE`); without one the device only asks its neighbours, as it does with one, too. Once it was there it has to be there.
    pub counter_read:
        Option<unsafe extern "C" fn(user: *mut c_void, value: *mut u32, last: *mut u32) -> i32>,
    /// Advances the counter by one, durably. It is read back.
    pub counter_advance: Option<unsafe extern "C" fn(user: *mut c_void) -> i32>,
    /// Own transactions for one step of the counter; 0: 1. With 1 every old image is noticed; with more the counter lasts longer, and an image is
    /// only noticed once it is that many transactions old.
    pub counter_stride: u32,
    /// Zero.
    pub reserved2: u32,
    /// Optional, for neighbourhoods whose gateway demands an attestation: fills in what the device knows of its hardware, its boot and its firmware. `evidence` comes
    /// zeroed, with its `size`. What it points to must stay as it is until the next call on the node or leaf; asked twice, it says the same until the next boot. NULL: the
    /// device cannot attest.
    pub attest:
        Option<unsafe extern "C" fn(user: *mut c_void, evidence: *mut iotedge_evidence_t) -> i32>,
    /// Optional: an engine that checks signatures. It gives known answers at the start, or the node or leaf does not start; it changes no verdict. Copied. NULL: the software does it.
    pub accelerator: *const iotedge_accelerator_t,
}
// SAFETY: repr(C), integers, a raw pointer and optional functions, size first.
unsafe impl Sized32 for iotedge_platform_t {}
pub(crate) const OLDEST_PLATFORM: usize = 8 + 5 * size_of::<*const u8>();
const _: () =
    assert!(size_of::<iotedge_platform_t>() == OLDEST_PLATFORM + 5 * size_of::<*const u8>() + 8);

/// Event: the neighbourhood accepted the certificate; a later table makes this node a member.
pub const IOTEDGE_EVENT_ENROL_ACCEPTED: u32 = 1;
/// Event: the gateway refused the enrolment; `code` is the status of ENROL_RESULT (docs/protocol.md section 4).
pub const IOTEDGE_EVENT_ENROL_REFUSED: u32 = 2;
/// Event: the genesis was verified; `id` is the neighbourhood.
pub const IOTEDGE_EVENT_JOINED: u32 = 3;
/// Event: this node is a member under index `member`.
pub const IOTEDGE_EVENT_MEMBER: u32 = 4;
/// Event: epoch `epoch`, opened by header `header`, can be used.
pub const IOTEDGE_EVENT_EPOCH_OPENED: u32 = 5;
/// Event: data (`code` 0) or a service (`code` 1) of `member` came in as `id`. Read it with `iotedge_node_body`.
pub const IOTEDGE_EVENT_DATA: u32 = 6;
/// Event: `member` pays this node `amount` with `id`. `code` 1: it would exceed the caps; do not serve for it.
pub const IOTEDGE_EVENT_RECEIVED: u32 = 7;
/// Event: submission `ticket` was signed and stored and is in the ledger as `id`.
pub const IOTEDGE_EVENT_SENT: u32 = 8;
/// Event: submission `ticket` will never be sent: its time ran out.
pub const IOTEDGE_EVENT_EXPIRED: u32 = 9;
/// Event: submission `ticket` was refused when its turn came; `code` is the status.
pub const IOTEDGE_EVENT_REJECTED: u32 = 10;
/// Event: transaction `id`, of or to this node, reached grade `code` (`IOTEDGE_GRADE_*`) at local time `time`.
pub const IOTEDGE_EVENT_GRADED: u32 = 11;
/// Event: header `header` with cut time `time` reached its stake quorum.
pub const IOTEDGE_EVENT_HEADER_SETTLED: u32 = 12;
/// Event: the receipt of `id` in header `header` was verified. Fetch it with `iotedge_node_receipt` before the next call of
/// `iotedge_node_receive`.
pub const IOTEDGE_EVENT_RECEIPT: u32 = 13;
/// Event: trim `id` with cut time `time` was certified by the members' weight.
pub const IOTEDGE_EVENT_TRIM_CERTIFIED: u32 = 14;
/// Event: `member` signed two transactions, `id` and `other`, that exclude each other.
pub const IOTEDGE_EVENT_EQUIVOCATION: u32 = 15;
/// Event: evidence against `member` is in the ledger: nothing it issues counts any more.
pub const IOTEDGE_EVENT_FROZEN: u32 = 16;
/// Event: `id` waited for its parents in vain and was given up.
pub const IOTEDGE_EVENT_SET_ASIDE_DROPPED: u32 = 17;
/// Event: no neighbour was heard for longer than P_max.
pub const IOTEDGE_EVENT_SILENCE: u32 = 18;
/// Event: the store is damaged or empty although the table knows this node: it is silent until its chain head is agreed on.
pub const IOTEDGE_EVENT_RECOVERING: u32 = 19;
/// Event: the chain head was agreed on again.
pub const IOTEDGE_EVENT_RECOVERED: u32 = 20;
/// Event: the external signer has work: fetch it with `iotedge_node_sign_input` or `iotedge_leaf_sign_input`. It is told again every ten seconds while no
/// answer comes; a transaction that waited for longer than P_max is drafted anew, under the same number.
pub const IOTEDGE_EVENT_SIGNATURE_NEEDED: u32 = 21;
/// Event: the platform failed; nothing was sent; it is tried again.
pub const IOTEDGE_EVENT_PLATFORM_FAILED: u32 = 22;
/// Event: `code` events are missing, because they were not fetched in time. Counters are exact all the same.
pub const IOTEDGE_EVENT_LOST: u32 = 23;
/// Event: own transaction `id` died with its epoch; what it said is in the outbox again, under `ticket`.
pub const IOTEDGE_EVENT_REISSUED: u32 = 24;
/// Event: `member` said something of a channel with `id`; `code` is the operation (`IOTEDGE_CHANNEL_OP_*`). Fetch it with `iotedge_node_body`, give it to `iotedge_subscriber_hear`, and look for
/// who subscribes to a channel of this device.
pub const IOTEDGE_EVENT_CHANNEL: u32 = 30;
/// Event: `member` set `amount` aside for this node with `id`; its terms are in the body, `iotedge_node_body`. `code` 1: it would exceed the caps; do not serve for it. Serve once
/// it has reached `IOTEDGE_GRADE_QUORUM`. Its term begins at `time`, absolute: claim two periods (`period` of `iotedge_node_status_t`) before it is over.
pub const IOTEDGE_EVENT_LOCKED: u32 = 31;
/// Event: with `id` the payee claims this node's own lock `other`. What it shows is in the body, `iotedge_node_body`.
pub const IOTEDGE_EVENT_CLAIMED: u32 = 32;
/// Event: header `header`, and so every one before it, is final on the G-Chain: validators with more than two thirds of the stake say that Ethereum block `block` holds it. The receipts of
/// those headers are graded `IOTEDGE_GRADE_ANCHORED`, each with an event of its own.
pub const IOTEDGE_EVENT_HEADER_ANCHORED: u32 = 33;

/// Grade: in the local window.
pub const IOTEDGE_GRADE_SEEN: u32 = 1;
/// Grade: approved by q distinct members besides the issuer.
pub const IOTEDGE_GRADE_WITNESSED: u32 = 2;
/// Grade: two rounds of more than two thirds of the weight.
pub const IOTEDGE_GRADE_QUORUM: u32 = 3;
/// Grade: in a macro transaction under a stake quorum, proved by a receipt.
pub const IOTEDGE_GRADE_SETTLED: u32 = 4;
/// Grade: that macro transaction is final on G-Chain.
pub const IOTEDGE_GRADE_ANCHORED: u32 = 5;
/// Grade: will never have an effect. Reached from seen and witnessed only; no grade ever goes back.
pub const IOTEDGE_GRADE_DEAD: u32 = 6;

/// Something the application may act on. Set `size` first. What an event does not use is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_event_t {
    /// `sizeof(iotedge_event_t)`.
    pub size: u32,
    /// `IOTEDGE_EVENT_*`.
    pub kind: u32,
    /// A transaction or the neighbourhood.
    pub id: [u8; 32],
    /// A second transaction.
    pub other: [u8; 32],
    /// Micro-tokens.
    pub amount: u64,
    /// Milliseconds.
    pub time: u64,
    /// Index of a member.
    pub member: u32,
    /// Number of a header.
    pub header: u32,
    /// Number of an epoch.
    pub epoch: u32,
    /// What `iotedge_node_submit_...` gave.
    pub ticket: u32,
    /// A grade, a status, a flag or a count: see the kind.
    pub code: u32,
    /// Zero.
    pub reserved: u32,
    /// Number of an Ethereum block.
    pub block: u64,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_event_t {}
pub(crate) const OLDEST_EVENT: usize = 112;
const _: () = assert!(size_of::<iotedge_event_t>() == OLDEST_EVENT + 8);

impl iotedge_event_t {
    pub(crate) const EMPTY: Self = Self {
        size: 0,
        kind: 0,
        id: [0; 32],
        other: [0; 32],
        amount: 0,
        time: 0,
        member: 0,
        header: 0,
        epoch: 0,
        ticket: 0,
        code: 0,
        reserved: 0,
        block: 0,
    };

    pub(crate) fn from_core(event: &Event) -> Self {
        let mut to = Self::EMPTY;
        to.kind = match *event {
            Event::EnrolAccepted => IOTEDGE_EVENT_ENROL_ACCEPTED,
            Event::EnrolRefused { status } => {
                to.code = status.into();
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
            Event::EpochOpened { epoch, header } => {
                (to.epoch, to.header) = (epoch.0, header.0);
                IOTEDGE_EVENT_EPOCH_OPENED
            }
            Event::Data {
                id,
                issuer,
                service,
            } => {
                (to.id, to.member, to.code) = (id.0, issuer.0.into(), service.into());
                IOTEDGE_EVENT_DATA
            }
            Event::Channel { id, issuer, op } => {
                (to.id, to.member, to.code) = (id.0, issuer.0.into(), op.into());
                IOTEDGE_EVENT_CHANNEL
            }
            Event::Received {
                id,
                from,
                amount,
                over_cap,
            } => {
                (to.id, to.member, to.code) = (id.0, from.0.into(), over_cap.into());
                to.amount = amount.0;
                IOTEDGE_EVENT_RECEIVED
            }
            Event::Locked {
                id,
                from,
                amount,
                over_cap,
                time,
            } => {
                (to.id, to.member, to.code) = (id.0, from.0.into(), over_cap.into());
                (to.amount, to.time) = (amount.0, time.0);
                IOTEDGE_EVENT_LOCKED
            }
            Event::Claimed { id, lock } => {
                (to.id, to.other) = (id.0, lock.0);
                IOTEDGE_EVENT_CLAIMED
            }
            Event::Sent { ticket, id } => {
                (to.ticket, to.id) = (ticket.0, id.0);
                IOTEDGE_EVENT_SENT
            }
            Event::Reissued { dead, ticket } => {
                (to.id, to.ticket) = (dead.0, ticket.0);
                IOTEDGE_EVENT_REISSUED
            }
            Event::Expired { ticket } => {
                to.ticket = ticket.0;
                IOTEDGE_EVENT_EXPIRED
            }
            Event::Rejected { ticket, reason } => {
                (to.ticket, to.code) = (ticket.0, status::refusal(reason).unsigned_abs());
                IOTEDGE_EVENT_REJECTED
            }
            Event::Graded { id, grade, at } => {
                (to.id, to.code, to.time) = (id.0, grade as u32, at.0);
                IOTEDGE_EVENT_GRADED
            }
            Event::HeaderSettled { header, cut } => {
                (to.header, to.time) = (header.0, cut.0);
                IOTEDGE_EVENT_HEADER_SETTLED
            }
            Event::HeaderAnchored { header, block } => {
                (to.header, to.block) = (header.0, block);
                IOTEDGE_EVENT_HEADER_ANCHORED
            }
            Event::Receipt { id, header } => {
                (to.id, to.header) = (id.0, header.0);
                IOTEDGE_EVENT_RECEIPT
            }
            Event::TrimCertified { id, cut } => {
                (to.id, to.time) = (id.0, cut.0);
                IOTEDGE_EVENT_TRIM_CERTIFIED
            }
            Event::Equivocation { offender, a, b } => {
                (to.member, to.id, to.other) = (offender.0.into(), a.0, b.0);
                IOTEDGE_EVENT_EQUIVOCATION
            }
            Event::Frozen { member } => {
                to.member = member.0.into();
                IOTEDGE_EVENT_FROZEN
            }
            Event::SetAsideDropped { id } => {
                to.id = id.0;
                IOTEDGE_EVENT_SET_ASIDE_DROPPED
            }
            Event::Silence => IOTEDGE_EVENT_SILENCE,
            Event::Recovering => IOTEDGE_EVENT_RECOVERING,
            Event::Recovered => IOTEDGE_EVENT_RECOVERED,
            Event::SignatureNeeded => IOTEDGE_EVENT_SIGNATURE_NEEDED,
            Event::PlatformFailed => IOTEDGE_EVENT_PLATFORM_FAILED,
            Event::Lost { count } => {
                to.code = count;
                IOTEDGE_EVENT_LOST
            }
        };
        to
    }
}

/// Phase: it does not know its neighbourhood; it enrols and waits for the genesis.
pub const IOTEDGE_PHASE_OUTSIDE: u32 = 1;
/// Phase: it knows the genesis and fetches the table.
pub const IOTEDGE_PHASE_SYNCHRONISING: u32 = 2;
/// Phase: it follows the ledger but is not in the table (yet).
pub const IOTEDGE_PHASE_FOLLOWING: u32 = 3;
/// Phase: a member that issues.
pub const IOTEDGE_PHASE_ACTIVE: u32 = 4;
/// Phase: a member that stays silent until its chain head is agreed on.
pub const IOTEDGE_PHASE_RECOVERING: u32 = 5;

/// What a node says of itself. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_node_status_t {
    /// `sizeof(iotedge_node_status_t)`.
    pub size: u32,
    /// `IOTEDGE_PHASE_*`.
    pub phase: u32,
    /// Device id; zero for an observer.
    pub device: [u8; 32],
    /// Neighbourhood; zero while outside.
    pub neighbourhood: [u8; 32],
    /// G0 of the newest settled header.
    pub g0: [u8; 32],
    /// Settled credits C, in micro-tokens.
    pub credits: u64,
    /// Lifetime debits D, unsettled ones included. It can spend C - D.
    pub debits: u64,
    /// Index of this member; `UINT32_MAX` while it is none.
    pub member: u32,
    /// Greatest number of its own chain.
    pub number: u32,
    /// Newest epoch whose table it holds.
    pub epoch: u32,
    /// Newest settled header.
    pub header: u32,
    /// Transactions in the window.
    pub window: u32,
    /// Transactions set aside.
    pub aside: u32,
    /// Submissions waiting.
    pub outbox: u32,
    /// Neighbours heard within the last P_max.
    pub heard: u32,
    /// 1: evidence against this node is in the ledger.
    pub frozen: u32,
    /// Newest header that is final on the G-Chain, by the word of a stake quorum; 0 where none is known to be.
    pub anchored: u32,
    /// Absolute time now, in milliseconds since 1970, as this node has it; 0: a device without a clock that does not know it yet.
    pub time: u64,
    /// T, how long an epoch of the neighbourhood lasts, in milliseconds; 0 while outside.
    pub period: u64,
    /// The Ethereum block that holds header `anchored`.
    pub block: u64,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_node_status_t {}
pub(crate) const OLDEST_STATUS: usize = 160;
const _: () = assert!(size_of::<iotedge_node_status_t>() == OLDEST_STATUS + 24);

impl iotedge_node_status_t {
    pub(crate) fn from_core(status: &Status) -> Self {
        Self {
            size: 0,
            phase: match status.phase {
                Phase::Outside => IOTEDGE_PHASE_OUTSIDE,
                Phase::Synchronising => IOTEDGE_PHASE_SYNCHRONISING,
                Phase::Following => IOTEDGE_PHASE_FOLLOWING,
                Phase::Active => IOTEDGE_PHASE_ACTIVE,
                Phase::Recovering => IOTEDGE_PHASE_RECOVERING,
            },
            device: status.device.0,
            neighbourhood: status.neighbourhood.0,
            g0: status.g0.0,
            credits: status.credits.0,
            debits: status.debits.0,
            member: status.index.map_or(u32::MAX, |i| i.0.into()),
            number: status.number.0,
            epoch: status.epoch.0,
            header: status.header.0,
            window: status.window,
            aside: status.aside,
            outbox: status.outbox,
            heard: status.heard,
            frozen: status.frozen.into(),
            anchored: status.anchored.map_or(0, |(header, _)| header.0),
            time: status.time.map_or(0, |t| t.0),
            period: status.period.0,
            block: status.anchored.map_or(0, |(_, block)| block),
        }
    }
}

/// What a node counted since it was initialised; numbers only grow, and wrap. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_counters_t {
    /// `sizeof(iotedge_counters_t)`.
    pub size: u32,
    /// Frames received.
    pub frames_in: u32,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Frames sent.
    pub frames_out: u32,
    /// Transactions inserted.
    pub inserted: u32,
    /// Signatures checked.
    pub verified: u32,
    /// Transactions that came a second time.
    pub duplicates: u32,
    /// Transactions asked for.
    pub requested: u32,
    /// Those of them that were asked for again: a measure of what the links lose.
    pub repeated: u32,
    /// Approvals issued with nothing of its own to say; see `iotedge_config_t.approvals`.
    pub approvals: u32,
    /// Zero.
    pub reserved: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_counters_t {}
pub(crate) const OLDEST_COUNTERS: usize = 40;
const _: () = assert!(size_of::<iotedge_counters_t>() == OLDEST_COUNTERS + 16);

impl iotedge_counters_t {
    pub(crate) fn from_core(counters: &Counters) -> Self {
        Self {
            size: 0,
            frames_in: counters.frames_in,
            bytes_in: counters.bytes_in,
            bytes_out: counters.bytes_out,
            frames_out: counters.frames_out,
            inserted: counters.inserted,
            verified: counters.verified,
            duplicates: counters.duplicates,
            requested: counters.requested,
            repeated: counters.repeated,
            approvals: counters.approvals,
            reserved: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::HeaderNumber;

    #[test]
    fn an_anchored_header_says_its_block() {
        let event = Event::HeaderAnchored {
            header: HeaderNumber(7),
            block: 1 << 40,
        };
        let told = iotedge_event_t::from_core(&event);
        assert_eq!(told.kind, IOTEDGE_EVENT_HEADER_ANCHORED);
        assert_eq!((told.header, told.block), (7, 1 << 40));
    }
}
