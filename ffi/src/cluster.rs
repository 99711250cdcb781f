//! Clusters: a node's part in the election of its head, and the pure functions around it (docs/protocol.md sections 10.1 and 10.2).
//!
//! Invariant: nothing here changes what the ledger accepts; a head relays and offers. Secrets are copied into the node and wiped with it.

use crate::key::{iotedge_public_key_t, public_key, signature_status};
use crate::node::iotedge_node_t;
use crate::node::memory::{look, with};
use crate::raw::{Call, Out, OutArray, OutStruct, Sized32, array, decided, done, input, structure};
use crate::status;
use crate::wire_status;
use iotedge_core::cluster::{
    Capability, Cell, ClaimError, ClusterSecret, Measured, Policy, Profile, Tag, UnverifiedClaim,
    Wake,
};
use iotedge_core::identity::sign1::Sign1Error;
use iotedge_core::node::head::Membership;
use iotedge_core::{Epoch, Id, Millis};

/// Most bytes of a cluster's label.
pub const IOTEDGE_MAX_LABEL: usize = 32;
const _: () = assert!(IOTEDGE_MAX_LABEL == iotedge_core::node::head::MAX_LABEL);
/// Most members of a hand-over list.
pub const IOTEDGE_MAX_SUCCESSORS: usize = 4;
const _: () = assert!(IOTEDGE_MAX_SUCCESSORS == iotedge_core::cluster::MAX_SUCCESSORS);
/// Most contracts of a profile.
pub const IOTEDGE_MAX_CONTRACTS: usize = 4;
const _: () = assert!(IOTEDGE_MAX_CONTRACTS == iotedge_core::cluster::proximity::MAX_CONTRACTS);
/// Bytes of a context id.
pub const IOTEDGE_CONTEXT_SIZE: usize = 16;
/// Score of a node that follows and is never head.
pub const IOTEDGE_CLUSTER_FOLLOWS: u32 = u32::MAX;
/// The greatest distance, and that of what is not known.
pub const IOTEDGE_FARTHEST: u32 = 1000;

/// A cluster that a node takes part in; all its members have the same secret, label and lease. Set everything to zero, then `size` and what is needed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_cluster_config_t {
    /// `sizeof(iotedge_cluster_config_t)`.
    pub size: u32,
    /// How able this node is, 0 to 65,535, by `iotedge_cluster_score`; or `IOTEDGE_CLUSTER_FOLLOWS`. A node with an external signer only follows.
    pub score: u32,
    /// Milliseconds that a head may be silent at most before another has taken over, 64 to 2^31.
    pub lease: u32,
    /// Zero.
    pub reserved: u32,
    /// 32 random bytes that the cluster's members share, given at provisioning; copied.
    pub secret: *const u8,
    /// Tells the clusters of one secret apart, for example by place; at most `IOTEDGE_MAX_LABEL` bytes, copied.
    pub label: *const u8,
    /// Its length.
    pub label_len: usize,
}
// SAFETY: repr(C), integers and raw pointers, size first.
unsafe impl Sized32 for iotedge_cluster_config_t {}
const OLDEST_CONFIG: usize = 16 + 3 * size_of::<*const u8>();
const _: () = assert!(size_of::<iotedge_cluster_config_t>() == OLDEST_CONFIG);

fn score_of(score: u32) -> Call<Option<u16>> {
    match score {
        IOTEDGE_CLUSTER_FOLLOWS => Ok(None),
        score => u16::try_from(score)
            .map(Some)
            .map_err(|_| status::IOTEDGE_E_ARGUMENT),
    }
}

/// Lets the node take part in a cluster, in place of any before: it hears and makes claims, and says in its offers to leaves where it stands.
///
/// `config`: copied.
///
/// `IOTEDGE_E_ARGUMENT`: the lease has no sense, or the score. `IOTEDGE_E_LENGTH`: the label is too long.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_cluster_join(
    node: *mut iotedge_node_t,
    config: *const iotedge_cluster_config_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let given = structure(config, OLDEST_CONFIG)?;
        if given.reserved != 0 {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        let label = input(given.label, given.label_len)?;
        let mut membership = Membership {
            secret: ClusterSecret::new(*array::<32>(given.secret)?),
            label: Default::default(),
            lease: Millis(given.lease.into()),
            score: score_of(given.score)?,
        };
        let whole = membership.label.extend_from_slice(label);
        whole.map_err(|_| status::IOTEDGE_E_LENGTH)?;
        with(node.cast(), |n| {
            n.join_cluster(membership)
                .map_err(|_| status::IOTEDGE_E_ARGUMENT)
        })
    })())
}

/// Says that the node became more or less able. A head that is given `IOTEDGE_CLUSTER_FOLLOWS` lays its lease down, and the first of its line takes over.
///
/// `score`: as in `iotedge_cluster_config_t`.
///
/// From the thread that has the node. Not from an interrupt: it may sign.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_cluster_set_score(
    node: *mut iotedge_node_t,
    now: u64,
    score: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let score = score_of(score)?;
        with(node.cast(), |n| {
            n.set_capability(Millis(now), score);
            Ok(())
        })
    })())
}

/// Who is head, while its lease runs. A hint: a head has no power over the ledger.
///
/// `member`: its index. `term`: which election it is. Both written on success.
///
/// `IOTEDGE_E_NONE`: the node is in no cluster, or nobody is head now.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_cluster_head(
    node: *const iotedge_node_t,
    now: u64,
    member: *mut u32,
    term: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let member = Out::new(member)?;
        let term = Out::new(term)?;
        let (head, of) = look(node.cast(), |n| {
            n.cluster_head(Millis(now)).ok_or(status::IOTEDGE_E_NONE)
        })?;
        member.write(head.0.into());
        term.write(of);
        Ok(())
    })())
}

/// What a device can bring to being a head. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_capability_t {
    /// `sizeof(iotedge_capability_t)`.
    pub size: u32,
    /// 1: fed from the mains; else 0.
    pub mains: u32,
    /// Free memory in KiB.
    pub free_kib: u32,
    /// Quality of the link to the gateway, 0 to 100.
    pub uplink: u32,
    /// Charge of the battery, 0 to 100; not looked at on mains.
    pub battery: u32,
    /// Seconds since the last reset.
    pub uptime: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_capability_t {}
const OLDEST_CAPABILITY: usize = 24;
const _: () = assert!(size_of::<iotedge_capability_t>() == OLDEST_CAPABILITY);

/// The score of a device, 0 to 66, in coarse steps, so that it seldom changes.
///
/// `score`: written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_cluster_score(
    capability: *const iotedge_capability_t,
    score: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let given = structure(capability, OLDEST_CAPABILITY)?;
        let out = Out::new(score)?;
        let percent = |n: u32| {
            u8::try_from(n)
                .ok()
                .filter(|n| *n <= 100)
                .ok_or(status::IOTEDGE_E_ARGUMENT)
        };
        let capability = Capability {
            mains: match given.mains {
                0 => false,
                1 => true,
                _ => return Err(status::IOTEDGE_E_ARGUMENT),
            },
            free_kib: given.free_kib,
            uplink: percent(given.uplink)?,
            uptime: Millis(u64::from(given.uptime).saturating_mul(1_000)),
            battery: percent(given.battery)?,
        };
        out.write(capability.score().into());
        Ok(())
    })())
}

/// The name of a cluster in an epoch, which tells an outsider nothing of its place.
///
/// `secret`: 32 bytes. `neighbourhood`: 32 bytes. `label`: `label_len` bytes. `context`: `IOTEDGE_CONTEXT_SIZE` bytes, written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_cluster_context(
    secret: *const u8,
    neighbourhood: *const u8,
    epoch: u32,
    label: *const u8,
    label_len: usize,
    context: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let secret = ClusterSecret::new(*array::<32>(secret)?);
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let label = input(label, label_len)?;
        let out = OutArray::<IOTEDGE_CONTEXT_SIZE>::new(context)?;
        out.write(&secret.context(&neighbourhood, Epoch(epoch), label).0);
        Ok(())
    })())
}

/// What a verified claim of a cluster's head says. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_claim_t {
    /// `sizeof(iotedge_claim_t)`.
    pub size: u32,
    /// The epoch of `context`.
    pub epoch: u32,
    /// When it was said, in absolute milliseconds.
    pub at: u64,
    /// When the lease ends.
    pub until: u64,
    /// Who claims.
    pub member: u32,
    /// 0: ready to be head. Above: head for this term.
    pub term: u32,
    /// Capability as the claimant scores it.
    pub score: u32,
    /// How many of `successors` are there.
    pub successors_count: u32,
    /// Who takes over, in this order.
    pub successors: [u32; IOTEDGE_MAX_SUCCESSORS],
    /// The cluster's name.
    pub context: [u8; IOTEDGE_CONTEXT_SIZE],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_claim_t {}
const OLDEST_CLAIM: usize = 72;
const _: () = assert!(size_of::<iotedge_claim_t>() == OLDEST_CLAIM);

fn claim_status(error: ClaimError) -> i32 {
    match error {
        ClaimError::Wire(error) => wire_status(error),
        ClaimError::Version => status::IOTEDGE_E_VERSION,
        ClaimError::Neighbourhood => status::IOTEDGE_E_NEIGHBOURHOOD,
        ClaimError::Fields => status::IOTEDGE_E_RANGE,
        ClaimError::Signer(Sign1Error::Wire(error)) => wire_status(error),
        ClaimError::Signer(Sign1Error::Header) => status::IOTEDGE_E_PROTECTED_HEADER,
        ClaimError::Signer(Sign1Error::WrongSigner) => status::IOTEDGE_E_WRONG_SIGNER,
        ClaimError::Signer(Sign1Error::Signature(error)) => signature_status(error),
    }
}

/// Verifies a claim (docs/protocol.md section 10.2) without a node.
///
/// `neighbourhood`: 32 bytes. `key`: the claimant's, from the member table. `claim_bytes`: the COSE_Sign1, `claim_len` bytes. `claim`: set its `size` first; written
/// on success.
///
/// `IOTEDGE_E_NEIGHBOURHOOD`, `IOTEDGE_E_RANGE`, `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_MALFORMED` and others of its form: refuse it.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_cluster_claim_verify(
    neighbourhood: *const u8,
    key: *const iotedge_public_key_t,
    claim_bytes: *const u8,
    claim_len: usize,
    claim: *mut iotedge_claim_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let key = public_key(key)?;
        let bytes = input(claim_bytes, claim_len)?;
        let out = OutStruct::new(claim, OLDEST_CLAIM)?;
        let parsed = UnverifiedClaim::parse(bytes).map_err(claim_status)?;
        // The device id only orders equals, which is the node's business.
        let verified = parsed
            .verify(&neighbourhood, &Id::ZERO, &key, verifier)
            .map_err(claim_status)?;
        let said = verified.statement();
        let mut successors = [0; IOTEDGE_MAX_SUCCESSORS];
        for (place, member) in successors.iter_mut().zip(&said.successors) {
            *place = member.0.into();
        }
        out.write(&iotedge_claim_t {
            size: 0,
            epoch: said.epoch.0,
            at: said.at.0,
            until: said.until.0,
            member: said.member.0.into(),
            term: said.term,
            score: said.score.into(),
            successors_count: said.successors.len() as u32,
            successors,
            context: said.context.0,
        });
        Ok(())
    })
}

/// What a device says of itself, and what it measured of the other one. Set everything to zero, then `size` and what is known.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_profile_t {
    /// `sizeof(iotedge_profile_t)`.
    pub size: u32,
    /// `IOTEDGE_PROFILE_*`: which of the fields below are known.
    pub known: u32,
    /// Its place on a grid: east, north, floor.
    pub cell: [i32; 3],
    /// Signal strength that it measured of the other one, in dBm, -128 to 127.
    pub rssi: i32,
    /// Hops to the other one, 0 to 255.
    pub hops: u32,
    /// The slots of a cycle of 32 in which it is awake, one bit each; 0: always.
    pub wake: u32,
    /// Who owns it: a tag, or any 8 bytes that both sides use alike.
    pub owner: [u8; 8],
    /// Contracts that it takes part in, tags likewise.
    pub contracts: [[u8; 8]; IOTEDGE_MAX_CONTRACTS],
    /// How many of them are there.
    pub contracts_count: u32,
    /// Zero.
    pub reserved: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_profile_t {}
const OLDEST_PROFILE: usize = 80;
const _: () = assert!(size_of::<iotedge_profile_t>() == OLDEST_PROFILE);

/// Of `iotedge_profile_t.known`: the cell.
pub const IOTEDGE_PROFILE_CELL: u32 = 1;
/// Of `iotedge_profile_t.known`: the signal strength.
pub const IOTEDGE_PROFILE_RSSI: u32 = 2;
/// Of `iotedge_profile_t.known`: the hops.
pub const IOTEDGE_PROFILE_HOPS: u32 = 4;

impl iotedge_profile_t {
    fn to_core(self) -> Call<(Profile, Measured)> {
        let fault = status::IOTEDGE_E_ARGUMENT;
        let has = |bit: u32| self.known & bit != 0;
        if self.known >= 8 || self.reserved != 0 {
            return Err(fault);
        }
        let [x, y, floor] = self.cell;
        let count = usize::try_from(self.contracts_count).map_err(|_| fault)?;
        let tags = self.contracts.get(..count).ok_or(fault)?;
        let cell = match has(IOTEDGE_PROFILE_CELL) {
            true => Some(Cell {
                x,
                y,
                z: i16::try_from(floor).map_err(|_| fault)?,
            }),
            false => None,
        };
        let rssi = match has(IOTEDGE_PROFILE_RSSI) {
            true => Some(i8::try_from(self.rssi).map_err(|_| fault)?),
            false => None,
        };
        let hops = match has(IOTEDGE_PROFILE_HOPS) {
            true => Some(u8::try_from(self.hops).map_err(|_| fault)?),
            false => None,
        };
        let mut profile = Profile {
            cell,
            owner: Tag(self.owner),
            contracts: Default::default(),
            wake: Wake::new(self.wake).unwrap_or(Wake::ALWAYS),
        };
        for tag in tags {
            profile.contracts.push(Tag(*tag)).map_err(|_| fault)?;
        }
        Ok((profile, Measured { rssi, hops }))
    }
}

/// How far apart two devices are, 0 to `IOTEDGE_FARTHEST`: two parts place, one part each whose they are and when they are awake. The same from both
/// sides. A member belongs to the nearest head.
///
/// `a`, `b`: each with what it measured of the other. `distance`: written on success.
///
/// `IOTEDGE_E_ARGUMENT`: a field is out of its range.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_cluster_distance(
    a: *const iotedge_profile_t,
    b: *const iotedge_profile_t,
    distance: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (one, seen) = structure(a, OLDEST_PROFILE)?.to_core()?;
        let (other, back) = structure(b, OLDEST_PROFILE)?.to_core()?;
        let out = Out::new(distance)?;
        let found = Policy::DEFAULT.distance((&one, seen), (&other, back));
        out.write(found.0.into());
        Ok(())
    })())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farthest_is_the_cores() {
        assert_eq!(
            IOTEDGE_FARTHEST,
            u32::from(iotedge_core::cluster::proximity::FARTHEST)
        );
    }
}
