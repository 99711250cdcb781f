//! An owner's bounds on what a device spends: made and read anywhere, kept where the device signs.
//!
//! Invariant: a policy that was refused left the one before in force, and its window.

use super::iotedge_node_t;
use super::memory::*;
use crate::key::{iotedge_public_key_t, public_key, signature_status};
use crate::raw::{Call, Out, OutBytes, OutStruct, Sized32, array, decided, done, input, structure};
use crate::status;
use iotedge_core::crypto::{Signature, Software};
use iotedge_core::ledger::policy::{
    MAX_PAYEES, MAX_POLICY, MAX_POLICY_INPUT, PolicyError, SpendingPolicy, Uses,
};
use iotedge_core::node::policy::PolicyRefusal;
use iotedge_core::{Amount, Id, MemberIndex, Millis};

/// Use: transfers to a member.
pub const IOTEDGE_USE_TRANSFER: u32 = 1;
/// Use: locks whose payee is paid by ticks.
pub const IOTEDGE_USE_TICKS: u32 = 2;
/// Use: locks whose payee is paid by vouchers.
pub const IOTEDGE_USE_VOUCHERS: u32 = 4;
/// Use: locks that readers release.
pub const IOTEDGE_USE_PREDICATE: u32 = 8;
/// Use: exits to G-Chain.
pub const IOTEDGE_USE_EXIT: u32 = 16;
const _: () = assert!(Uses::ALL.bits() == 0x1f);
/// Most payees that a policy names.
pub const IOTEDGE_MAX_PAYEES: usize = 16;
const _: () = assert!(IOTEDGE_MAX_PAYEES == MAX_PAYEES);
/// Most bytes of a signed policy.
pub const IOTEDGE_MAX_POLICY: usize = 211;
const _: () = assert!(IOTEDGE_MAX_POLICY == MAX_POLICY);
/// Most bytes of what an owner signs.
pub const IOTEDGE_MAX_POLICY_INPUT: usize = 225;
const _: () = assert!(IOTEDGE_MAX_POLICY_INPUT == MAX_POLICY_INPUT);

/// What an owner allows its device to spend. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_policy_t {
    /// `sizeof(iotedge_policy_t)`.
    pub size: u32,
    /// 1 and above; each later policy has a higher one.
    pub number: u32,
    /// `IOTEDGE_USE_*`, added: what the device may spend value for.
    pub uses: u32,
    /// How many of `payees`; 0: it may pay anybody.
    pub payee_count: u32,
    /// The lifetime debits that it may reach (`debits` of `iotedge_node_status_t`), those before the policy included.
    pub total: u64,
    /// How long a window is, in milliseconds: 60,000 (a minute) to 31,622,400,000 (366 days). It begins with the first debit after the one before.
    pub span: u64,
    /// How much it may spend within each window.
    pub within: u64,
    /// When it runs out, in milliseconds since 1970; 0: never.
    pub until: u64,
    /// Id of the device that it binds.
    pub device: [u8; 32],
    /// Whom it may pay: indexes of members, rising. The rest is zero.
    pub payees: [u16; 16],
    /// Zero.
    pub reserved: [u32; 2],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_policy_t {}
const OLDEST_POLICY: usize = 120;
const _: () = assert!(size_of::<iotedge_policy_t>() == OLDEST_POLICY);

/// What a device may still spend under its owner's policy. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_allowance_t {
    /// `sizeof(iotedge_allowance_t)`.
    pub size: u32,
    /// Zero.
    pub reserved: u32,
    /// In all.
    pub total: u64,
    /// Now.
    pub now: u64,
    /// When the window ends that is open, in milliseconds since 1970; 0: none is.
    pub ends: u64,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_allowance_t {}
const OLDEST_ALLOWANCE: usize = 32;
const _: () = assert!(size_of::<iotedge_allowance_t>() == OLDEST_ALLOWANCE);

fn policy_status(error: PolicyError) -> i32 {
    match error {
        PolicyError::Wire(error) => crate::wire_status(error),
        PolicyError::Element => status::IOTEDGE_E_RANGE,
        PolicyError::OtherDevice => status::IOTEDGE_E_POLICY_DEVICE,
        PolicyError::Header => status::IOTEDGE_E_PROTECTED_HEADER,
        PolicyError::WrongSigner => status::IOTEDGE_E_WRONG_SIGNER,
        PolicyError::Signature(error) => signature_status(error),
    }
}

fn refusal_status(refusal: PolicyRefusal) -> i32 {
    match refusal {
        PolicyRefusal::NoOwner => status::IOTEDGE_E_NONE,
        PolicyRefusal::NotYet => status::IOTEDGE_E_WRONG_ORDER,
        PolicyRefusal::Older => status::IOTEDGE_E_POLICY_OLDER,
        PolicyRefusal::Platform => status::IOTEDGE_E_PLATFORM,
        PolicyRefusal::Policy(error) => policy_status(error),
    }
}

/// # Safety
/// As [`structure`].
unsafe fn policy_of(given: *const iotedge_policy_t) -> Call<SpendingPolicy> {
    // SAFETY: the caller's promise.
    let given = unsafe { structure(given, OLDEST_POLICY)? };
    let uses = u8::try_from(given.uses).ok().and_then(Uses::from_bits);
    let count = given.payee_count as usize;
    let payees = given.payees.get(..count).ok_or(status::IOTEDGE_E_RANGE)?;
    let unused = given.payees.iter().skip(count);
    if unused.into_iter().any(|payee| *payee != 0) {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    let mut policy = SpendingPolicy {
        number: given.number,
        device: Id(given.device),
        uses: uses.ok_or(status::IOTEDGE_E_RANGE)?,
        total: Amount(given.total),
        span: Millis(given.span),
        within: Amount(given.within),
        until: (given.until != 0).then_some(Millis(given.until)),
        payees: Default::default(),
    };
    for payee in payees {
        let pushed = policy.payees.push(MemberIndex(*payee));
        pushed.map_err(|_| status::IOTEDGE_E_RANGE)?;
    }
    Ok(policy)
}

fn told(policy: &SpendingPolicy) -> iotedge_policy_t {
    let mut payees = [0; MAX_PAYEES];
    for (to, from) in payees.iter_mut().zip(&policy.payees) {
        *to = from.0;
    }
    iotedge_policy_t {
        size: 0,
        number: policy.number,
        uses: policy.uses.bits().into(),
        payee_count: policy.payees.len() as u32,
        total: policy.total.0,
        span: policy.span.0,
        within: policy.within.0,
        until: policy.until.map_or(0, |until| until.0),
        device: policy.device.0,
        payees,
        reserved: [0; 2],
    }
}

/// What an owner signs of a policy: in software (`iotedge_sign`), or with what keeps the key.
///
/// `owner`: its public key. `neighbourhood`: 32 bytes. `policy`: what it is to say. `message`: room for `message_capacity` bytes, `IOTEDGE_MAX_POLICY_INPUT` are enough; `message_len`: their
/// number. Both written on success.
///
/// `IOTEDGE_E_RANGE`: number 0, a use that does not exist, a window that is too short or too long, too many payees, or payees that do not rise. `IOTEDGE_E_ARGUMENT`: payees behind the last.
/// `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_policy_input(
    owner: *const iotedge_public_key_t,
    neighbourhood: *const u8,
    policy: *const iotedge_policy_t,
    message: *mut u8,
    message_capacity: usize,
    message_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let owner = public_key(owner)?;
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let policy = policy_of(policy)?;
        let out = OutBytes::new(message, message_capacity, message_len)?;
        let mut room = [0; MAX_POLICY_INPUT];
        let made = policy.signing_input(&owner, &neighbourhood, &mut room);
        let len = made.map_err(policy_status)?;
        out.write(room.get(..len).unwrap_or(&[]))
    })())
}

/// Puts a policy together with its owner's signature, once that is found to be one.
///
/// `owner`, `neighbourhood`, `policy`: as for `iotedge_policy_input`. `signature`: 64 bytes over its message. `signed_policy`: room for `signed_capacity` bytes, `IOTEDGE_MAX_POLICY` are enough;
/// `signed_len`: their number. Both written on success.
///
/// `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not a signature of it: a fault, or another key. Sign again. Else as `iotedge_policy_input`.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_policy_assemble(
    owner: *const iotedge_public_key_t,
    neighbourhood: *const u8,
    policy: *const iotedge_policy_t,
    signature: *const u8,
    signed_policy: *mut u8,
    signed_capacity: usize,
    signed_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let owner = public_key(owner)?;
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let policy = policy_of(policy)?;
        let signature = Signature(*array::<64>(signature)?);
        let out = OutBytes::new(signed_policy, signed_capacity, signed_len)?;
        let mut room = [0; MAX_POLICY];
        let made = policy.assemble(&owner, &signature, &mut room);
        let len = made.map_err(policy_status)?;
        let bytes = room.get(..len).unwrap_or(&[]);
        let held = SpendingPolicy::verify(bytes, &owner, &neighbourhood, &mut Software);
        held.map_err(policy_status)?;
        out.write(bytes)
    })())
}

/// Says what a policy says, if its owner signed it for this neighbourhood. The device that it binds gives it to `iotedge_node_set_policy`, which asks more.
///
/// `owner`: its public key. `neighbourhood`: 32 bytes. `signed_policy`: `signed_len` bytes. `policy`: set its `size` first; written on success.
///
/// `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not by this key, or for another neighbourhood. `IOTEDGE_E_RANGE`, `IOTEDGE_E_PROTECTED_HEADER`, `IOTEDGE_E_MALFORMED`
/// and others of bytes: no policy of a form that is known here.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_policy_verify(
    owner: *const iotedge_public_key_t,
    neighbourhood: *const u8,
    signed_policy: *const u8,
    signed_len: usize,
    policy: *mut iotedge_policy_t,
) -> i32 {
    let mut again = false;
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let owner = public_key(owner)?;
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let bytes = input(signed_policy, signed_len)?;
        let out = OutStruct::new(policy, OLDEST_POLICY)?;
        let found = SpendingPolicy::verify(bytes, &owner, &neighbourhood, verifier);
        let found = found.map_err(policy_status)?;
        if again {
            out.write(&told(&found));
        }
        again = true;
        Ok(())
    })
}

/// Takes a policy of the device's owner (`owner` of `iotedge_config_t`): from then on it bounds what the device signs, over resets too. The window that is open goes on. One that is in force already is taken again.
///
/// `now`: local milliseconds. `signed_policy`: `signed_len` bytes, copied. `number`: the policy's; written on success.
///
/// `IOTEDGE_E_NONE`: this device has no owner. `IOTEDGE_E_WRONG_ORDER`: the node does not know its neighbourhood or the time yet. `IOTEDGE_E_POLICY_OLDER`: what is in force has this number or a higher one.
/// `IOTEDGE_E_POLICY_DEVICE`: for another device. `IOTEDGE_E_PLATFORM`: the store failed. Else as `iotedge_policy_verify`. What was in force still is.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_set_policy(
    node: *mut iotedge_node_t,
    now: u64,
    signed_policy: *const u8,
    signed_len: usize,
    number: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let bytes = input(signed_policy, signed_len)?;
        let out = Out::new(number)?;
        let taken = with(node.cast(), |n| {
            n.set_policy(Millis(now), bytes).map_err(refusal_status)
        })?;
        out.write(taken);
        Ok(())
    })())
}

/// What the owner still allows this device to spend: nothing before there is a policy, or when it ran out.
///
/// `now`: local milliseconds. `allowance`: set its `size` first; written on success.
///
/// `IOTEDGE_E_NONE`: this device has no owner.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_allowance(
    node: *const iotedge_node_t,
    now: u64,
    allowance: *mut iotedge_allowance_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(allowance, OLDEST_ALLOWANCE)?;
        look(node.cast(), |n| {
            let left = n.allowance(Millis(now)).ok_or(status::IOTEDGE_E_NONE)?;
            out.write(&iotedge_allowance_t {
                size: 0,
                reserved: 0,
                total: left.total.0,
                now: left.now.0,
                ends: left.ends.map_or(0, |ends| ends.0),
            });
            Ok(())
        })
    })())
}
