//! An owner's bounds on what its device may spend: whom it may pay, for what, how much in each window of time and in all.
//!
//! Invariant: what is counted is the device's lifetime debits D, which stand in the ledger, so neither a power cut nor an erased store makes the total larger; and the beginning of a window
//! is in the store before anything of it is signed. Decision 0039; protocol section 15.

use crate::crypto::{PublicKey, SecretKey, Signature, SignatureError, Verify};
use crate::identity::sign1::{self, SIG_STRUCTURE_OVERHEAD, Sign1, Sign1Error};
use crate::types::{Amount, Id, MemberIndex, Millis};
use crate::wire::{Reader, WireError, Writer};
use heapless::Vec;

const DOMAIN: &str = "iotedge/policy/1";
/// Most payees that a policy names.
pub const MAX_PAYEES: usize = 16;
/// The shortest and the longest window: a minute, and 366 days.
pub const SPANS: core::ops::RangeInclusive<u64> = 60_000..=31_622_400_000;
/// Most bytes of a policy with its signature.
pub const MAX_POLICY: usize = MAX_PAYLOAD + 13 + 71;
/// Most bytes of what its owner signs.
pub const MAX_POLICY_INPUT: usize = MAX_PAYLOAD + 13 + MAX_AAD + SIG_STRUCTURE_OVERHEAD;

const MAX_PAYLOAD: usize = 1 + 5 + 34 + 2 + 9 + 9 + 9 + 9 + 1 + 3 * MAX_PAYEES;
const MAX_AAD: usize = 1 + 17 + 34;

/// What a debit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Use {
    /// A transfer to a member.
    Transfer = 1 << 0,
    /// A lock whose payee is paid by ticks.
    Ticks = 1 << 1,
    /// A lock whose payee is paid by vouchers.
    Vouchers = 1 << 2,
    /// A lock that readers release.
    Predicate = 1 << 3,
    /// An exit to G-Chain.
    Exit = 1 << 4,
}

/// A set of [`Use`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses(u8);

impl Uses {
    /// Every use that there is.
    pub const ALL: Self = Self(0x1f);

    /// From the bits of the wire.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits & !Self::ALL.0 {
            0 => Some(Self(bits)),
            _ => None,
        }
    }

    /// As on the wire.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether this one is in it.
    #[must_use]
    pub const fn has(self, of: Use) -> bool {
        self.0 & of as u8 != 0
    }
}

/// Why a policy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// Not deterministic CBOR of the form of section 15, or no room to write it.
    Wire(WireError),
    /// Number 0, a use that does not exist, a window outside of [`SPANS`], payees out of order or too many.
    Element,
    /// For another device.
    OtherDevice,
    /// The protected header is not `{1: alg, 4: kid}`.
    Header,
    /// Signed by another key than the owner's.
    WrongSigner,
    /// The signature does not hold.
    Signature(SignatureError),
}

impl From<WireError> for PolicyError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<Sign1Error> for PolicyError {
    fn from(error: Sign1Error) -> Self {
        match error {
            Sign1Error::Wire(error) => Self::Wire(error),
            Sign1Error::Header => Self::Header,
            Sign1Error::WrongSigner => Self::WrongSigner,
            Sign1Error::Signature(error) => Self::Signature(error),
        }
    }
}

/// Why a debit is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overspent {
    /// Its owner set no policy for this device yet.
    Unset,
    /// The policy has run out.
    Over,
    /// Not for this.
    Use,
    /// Not to this payee.
    Payee,
    /// More than the device may spend in all.
    Total,
    /// More than it may in any window.
    Single,
    /// More than is left of this window; a later one has it.
    Window,
}

/// What an owner allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendingPolicy {
    /// 1 and above; each later policy has a higher one.
    pub number: u32,
    /// The device that it binds.
    pub device: Id,
    /// What the device may spend value for.
    pub uses: Uses,
    /// The lifetime debits that it may reach, those before the policy included.
    pub total: Amount,
    /// How long a window is.
    pub span: Millis,
    /// How much it may spend within each.
    pub within: Amount,
    /// When it runs out, in absolute time.
    pub until: Option<Millis>,
    /// Whom the device may pay, rising; anybody where it is empty.
    pub payees: Vec<MemberIndex, MAX_PAYEES>,
}

impl SpendingPolicy {
    fn check(&self) -> Result<(), PolicyError> {
        let rising = self.payees.iter().zip(self.payees.iter().skip(1));
        let sound = self.number > 0
            && SPANS.contains(&self.span.0)
            && rising.into_iter().all(|(before, after)| before < after);
        sound.then_some(()).ok_or(PolicyError::Element)
    }

    #[inline(never)]
    fn write(&self, w: &mut Writer<'_>) -> Result<(), PolicyError> {
        self.check()?;
        w.put_array(8);
        w.put_u32(self.number);
        w.put_id(&self.device);
        w.put_u32(self.uses.0.into());
        w.put_uint(self.total.0);
        w.put_uint(self.span.0);
        w.put_uint(self.within.0);
        match self.until {
            Some(Millis(at)) => w.put_uint(at),
            None => w.put_null(),
        }
        w.put_array(self.payees.len());
        for payee in &self.payees {
            w.put_u32(payee.0.into());
        }
        Ok(w.intact()?)
    }

    #[inline(never)]
    fn read(bytes: &[u8]) -> Result<Self, PolicyError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(8);
        let (number, device) = (r.take_u32(), r.take_id());
        let uses = r.take_u8();
        let (total, span) = (Amount(r.take_uint()), Millis(r.take_uint()));
        let within = Amount(r.take_uint());
        let until = match r.skip_null() {
            true => None,
            false => Some(Millis(r.take_uint())),
        };
        let count = r.take_array();
        r.intact()?;
        let mut payees = Vec::new();
        for _ in 0..count {
            let payee = MemberIndex(r.take_u16());
            r.intact()?;
            payees.push(payee).map_err(|_| PolicyError::Element)?;
        }
        r.finish()?;
        let policy = Self {
            number,
            device,
            uses: Uses::from_bits(uses).ok_or(PolicyError::Element)?,
            total,
            span,
            within,
            until,
            payees,
        };
        policy.check()?;
        Ok(policy)
    }

    /// Writes what its owner's key signs; returns its length, at most [`MAX_POLICY_INPUT`].
    ///
    /// # Errors
    /// [`PolicyError`]: `Element`, `Wire` (`Full`).
    pub fn signing_input(
        &self,
        owner: &PublicKey,
        neighbourhood: &Id,
        out: &mut [u8],
    ) -> Result<usize, PolicyError> {
        let mut payload = [0; MAX_PAYLOAD];
        let mut w = Writer::new(&mut payload);
        self.write(&mut w)?;
        let mut aad = [0; MAX_AAD];
        let aad = domain(neighbourhood, &mut aad)?;
        let message = sign1::to_be_signed(&sign1::protected(owner), aad, w.written(), out)?;
        Ok(message.len())
    }

    /// Puts the policy together with its signature; returns its length, at most [`MAX_POLICY`].
    ///
    /// # Errors
    /// As [`SpendingPolicy::signing_input`].
    pub fn assemble(
        &self,
        owner: &PublicKey,
        signature: &Signature,
        out: &mut [u8],
    ) -> Result<usize, PolicyError> {
        let mut payload = [0; MAX_PAYLOAD];
        let mut w = Writer::new(&mut payload);
        self.write(&mut w)?;
        let header = sign1::protected(owner);
        Ok(sign1::assemble(&header, w.written(), signature, out)?)
    }

    /// Signs it with a key in software; returns its length.
    ///
    /// # Errors
    /// As [`SpendingPolicy::signing_input`].
    pub fn issue(
        &self,
        secret: &SecretKey,
        neighbourhood: &Id,
        out: &mut [u8],
    ) -> Result<usize, PolicyError> {
        let owner = secret.public_key();
        let mut message = [0; MAX_POLICY_INPUT];
        let len = self.signing_input(&owner, neighbourhood, &mut message)?;
        let message = message.get(..len).unwrap_or(&[]);
        self.assemble(&owner, &secret.sign(message), out)
    }

    /// What a signed policy says, if this owner signed it for this neighbourhood. Only then is the payload read.
    ///
    /// # Errors
    /// [`PolicyError`], but for `OtherDevice`.
    pub fn verify(
        signed: &[u8],
        owner: &PublicKey,
        neighbourhood: &Id,
        verifier: &mut dyn Verify,
    ) -> Result<Self, PolicyError> {
        let sign1 = Sign1::parse(signed)?;
        let (mut aad, mut scratch) = ([0; MAX_AAD], [0; MAX_POLICY_INPUT]);
        let aad = domain(neighbourhood, &mut aad)?;
        sign1.verify(owner, aad, verifier, &mut scratch)?;
        Self::read(sign1.payload)
    }
}

/// `["iotedge/policy/1", neighbourhood id]`.
fn domain<'o>(neighbourhood: &Id, out: &'o mut [u8]) -> Result<&'o [u8], WireError> {
    let mut w = Writer::new(out);
    w.put_array(2);
    w.put_text(DOMAIN);
    w.put_id(neighbourhood);
    w.intact()?;
    Ok(w.into_written())
}

/// The window in which a device spends: it begins with the first debit after the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// When it began, in absolute time.
    pub since: Millis,
    /// The lifetime debits before its first debit.
    pub base: Amount,
}

/// A debit that a device is asked to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What for.
    pub of: Use,
    /// Whom it pays; nobody of the neighbourhood where it is an exit.
    pub to: Option<MemberIndex>,
    /// The lifetime debits before it.
    pub before: Amount,
    /// How much.
    pub amount: Amount,
}

/// What may still be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// In all, over any number of windows.
    pub total: Amount,
    /// Now.
    pub now: Amount,
    /// When the window ends that is open; none is where nothing was spent of late.
    pub ends: Option<Millis>,
}

/// A policy in force, with the window that is open under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What the owner allows.
    pub policy: SpendingPolicy,
    /// Where its counting stands.
    pub window: Window,
}

impl Allowance {
    /// Nothing: the owner has said nothing yet.
    pub const NONE: Self = Self {
        total: Amount(0),
        now: Amount(0),
        ends: None,
    };
}

impl Budget {
    /// Of a first policy: no window is open.
    #[must_use]
    pub fn new(policy: SpendingPolicy) -> Self {
        Self {
            policy,
            window: Window::default(),
        }
    }

    /// Whether the window's time is over. A clock that was put back opens none.
    fn over(&self, at: Millis) -> bool {
        at.0 >= self.ends().0
    }

    fn ends(&self) -> Millis {
        self.window.since.saturating_add(self.policy.span.0)
    }

    fn lapsed(&self, at: Millis) -> bool {
        self.policy.until.is_some_and(|until| at >= until)
    }

    /// The window that this debit belongs to, if it may be signed: the one that is open, or a new one, which has to be stored first.
    ///
    /// # Errors
    /// [`Overspent`], but for `Unset`.
    pub fn allow(&self, at: Millis, wanted: &Wanted) -> Result<Window, Overspent> {
        let policy = &self.policy;
        if self.lapsed(at) {
            return Err(Overspent::Over);
        }
        if !policy.uses.has(wanted.of) {
            return Err(Overspent::Use);
        }
        let named = |to| policy.payees.is_empty() || policy.payees.contains(to);
        if !wanted.to.as_ref().is_none_or(named) {
            return Err(Overspent::Payee);
        }
        let after = wanted.before.checked_add(wanted.amount.0);
        let after = after.filter(|after| *after <= policy.total);
        let after = after.ok_or(Overspent::Total)?;
        if wanted.amount > policy.within {
            return Err(Overspent::Single);
        }
        let window = match self.over(at) {
            true => Window {
                since: at,
                base: wanted.before,
            },
            false => self.window,
        };
        // Debits below the base are of one that died: what replaces it was counted in its window.
        match after.0.saturating_sub(window.base.0) <= policy.within.0 {
            true => Ok(window),
            false => Err(Overspent::Window),
        }
    }

    /// What is left, for who has these lifetime debits.
    #[must_use]
    pub fn allowance(&self, at: Millis, debits: Amount) -> Allowance {
        let policy = &self.policy;
        let total = match self.lapsed(at) {
            true => 0,
            false => policy.total.0.saturating_sub(debits.0),
        };
        let (spent, ends) = match self.over(at) {
            true => (0, None),
            false => (
                debits.0.saturating_sub(self.window.base.0),
                Some(self.ends()),
            ),
        };
        let now = policy.within.0.saturating_sub(spent).min(total);
        Allowance {
            total: Amount(total),
            now: Amount(now),
            ends,
        }
    }

    /// A later policy of the same owner. The window goes on, since to shorten it would be to spend twice; one that began in what is future now, by a clock that was wrong, begins now.
    #[must_use]
    pub fn replaced(&self, policy: SpendingPolicy, at: Millis) -> Self {
        let window = Window {
            since: self.window.since.min(at),
            ..self.window
        };
        Self { policy, window }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Software;
    use proptest::prelude::*;

    const HERE: Id = Id([3; 32]);

    fn owner() -> SecretKey {
        SecretKey::from_seed(&[5; 32]).unwrap()
    }

    fn policy() -> SpendingPolicy {
        SpendingPolicy {
            number: 7,
            device: Id([1; 32]),
            uses: Uses::ALL,
            total: Amount(1_000),
            span: Millis(3_600_000),
            within: Amount(100),
            until: Some(Millis(9_000_000)),
            payees: [MemberIndex(2), MemberIndex(9)].into_iter().collect(),
        }
    }

    fn issue(policy: &SpendingPolicy) -> std::vec::Vec<u8> {
        let mut out = [0; MAX_POLICY];
        let len = policy.issue(&owner(), &HERE, &mut out).unwrap();
        out[..len].to_vec()
    }

    fn verify(bytes: &[u8]) -> Result<SpendingPolicy, PolicyError> {
        SpendingPolicy::verify(bytes, &owner().public_key(), &HERE, &mut Software)
    }

    /// Signs whatever payload it is given.
    fn with_payload(payload: &[u8]) -> std::vec::Vec<u8> {
        let key = owner().public_key();
        let header = sign1::protected(&key);
        let (mut aad, mut message, mut out) = ([0; MAX_AAD], [0; 512], [0; 512]);
        let aad = domain(&HERE, &mut aad).unwrap();
        let message = sign1::to_be_signed(&header, aad, payload, &mut message).unwrap();
        let signature = owner().sign(message);
        let len = sign1::assemble(&header, payload, &signature, &mut out).unwrap();
        out[..len].to_vec()
    }

    #[test]
    fn what_is_signed_is_read_back_and_nothing_else() {
        let mut most = policy();
        most.number = u32::MAX;
        most.total = Amount(u64::MAX);
        most.span = Millis(*SPANS.end());
        most.within = Amount(u64::MAX);
        most.until = Some(Millis(u64::MAX));
        most.payees = (65_000..65_016).map(MemberIndex).collect();
        let mut least = policy();
        least.until = None;
        least.payees.clear();
        least.uses = Uses::default();
        for policy in [policy(), most, least] {
            let bytes = issue(&policy);
            assert_eq!(verify(&bytes), Ok(policy));
            for at in 0..bytes.len() {
                let mut bent = bytes.clone();
                bent[at] ^= 0x10;
                assert!(verify(&bent).is_err(), "{at}");
                assert!(verify(&bytes[..at]).is_err(), "{at}");
            }
        }
        let elsewhere = SpendingPolicy::verify(
            &issue(&policy()),
            &owner().public_key(),
            &Id([4; 32]),
            &mut Software,
        );
        assert_eq!(
            elsewhere,
            Err(PolicyError::Signature(SignatureError::Rejected))
        );
    }

    #[test]
    fn each_element_that_cannot_be_is_refused_on_both_sides() {
        let cases: [fn(&mut SpendingPolicy); 5] = [
            |p| p.number = 0,
            |p| p.span = Millis(59_999),
            |p| p.span = Millis(SPANS.end() + 1),
            |p| p.payees = [MemberIndex(2), MemberIndex(2)].into_iter().collect(),
            |p| p.payees = [MemberIndex(3), MemberIndex(2)].into_iter().collect(),
        ];
        for change in cases {
            let mut bad = policy();
            change(&mut bad);
            let mut out = [0; MAX_POLICY];
            assert_eq!(
                bad.issue(&owner(), &HERE, &mut out),
                Err(PolicyError::Element)
            );
        }
        // As another implementation might sign them: number 0, an unknown use, 17 payees.
        let payload = |number: u32, uses: u32, payees: u16| {
            let mut buffer = [0; 256];
            let mut w = Writer::new(&mut buffer);
            w.put_array(8);
            w.put_u32(number);
            w.put_id(&Id([1; 32]));
            w.put_u32(uses);
            w.put_uint(1);
            w.put_uint(60_000);
            w.put_uint(1);
            w.put_null();
            w.put_array(payees.into());
            (0..payees).for_each(|n| w.put_u32(n.into()));
            w.written().to_vec()
        };
        assert!(verify(&with_payload(&payload(1, 0x1f, 16))).is_ok());
        for (number, uses, payees) in [(0, 1, 0), (1, 0x20, 0), (1, 1, 17)] {
            let bytes = with_payload(&payload(number, uses, payees));
            assert_eq!(verify(&bytes), Err(PolicyError::Element));
        }
    }

    fn debit(before: u64, amount: u64) -> Wanted {
        Wanted {
            of: Use::Transfer,
            to: Some(MemberIndex(2)),
            before: Amount(before),
            amount: Amount(amount),
        }
    }

    #[test]
    fn each_bound_has_its_own_name() {
        let budget = Budget::new(policy());
        let at = Millis(5_000_000);
        let allow = |wanted: &Wanted| budget.allow(at, wanted).map(|_| ());
        assert_eq!(allow(&debit(0, 100)), Ok(()));
        assert_eq!(allow(&debit(900, 100)), Ok(()));
        assert_eq!(allow(&debit(901, 100)), Err(Overspent::Total));
        assert_eq!(allow(&debit(u64::MAX, 1)), Err(Overspent::Total));
        assert_eq!(allow(&debit(0, 101)), Err(Overspent::Single));
        let stranger = Wanted {
            to: Some(MemberIndex(3)),
            ..debit(0, 1)
        };
        assert_eq!(allow(&stranger), Err(Overspent::Payee));
        let exit = Wanted {
            of: Use::Exit,
            to: None,
            ..debit(0, 1)
        };
        assert_eq!(allow(&exit), Ok(()));
        let over = budget.allow(Millis(9_000_000), &debit(0, 1));
        assert_eq!(over, Err(Overspent::Over));
        let mut budget = budget.clone();
        budget.policy.uses = Uses::from_bits(Use::Exit as u8).unwrap();
        assert_eq!(budget.allow(at, &debit(0, 1)), Err(Overspent::Use));
    }

    #[test]
    fn a_window_begins_with_a_debit_and_a_clock_put_back_opens_none() {
        let mut budget = Budget::new(policy());
        let began = Millis(4_000_000);
        budget.window = budget.allow(began, &debit(50, 60)).unwrap();
        assert_eq!(
            budget.window,
            Window {
                since: began,
                base: Amount(50)
            }
        );
        for at in [0, 4_000_001, 7_599_999] {
            let later = budget.allow(Millis(at), &debit(110, 41));
            assert_eq!(later, Err(Overspent::Window), "{at}");
            assert_eq!(budget.allow(Millis(at), &debit(110, 40)), Ok(budget.window));
            let left = budget.allowance(Millis(at), Amount(110));
            assert_eq!((left.total, left.now), (Amount(890), Amount(40)));
            assert_eq!(left.ends, Some(Millis(7_600_000)));
        }
        let next = budget.allow(Millis(7_600_000), &debit(110, 100)).unwrap();
        assert_eq!((next.since, next.base), (Millis(7_600_000), Amount(110)));
        let left = budget.allowance(Millis(7_600_000), Amount(960));
        assert_eq!((left.now, left.ends), (Amount(40), None));
        // A clock that was far ahead: a later policy sets it right.
        budget.window.since = Millis(8_000_000);
        let replaced = budget.replaced(policy(), Millis(5_000_000));
        assert_eq!(replaced.window.since, Millis(5_000_000));
        assert_eq!(replaced.window.base, Amount(50));
    }

    proptest! {
        #[test]
        fn no_window_and_no_life_has_more(steps in proptest::collection::vec((0_u64..2_000_000, 1_u64..120, any::<bool>()), 1..80)) {
            let mut budget = Budget::new(SpendingPolicy { until: None, payees: Vec::new(), ..policy() });
            let (mut now, mut debits, mut dead) = (1_000_000, 0, None);
            let mut spent: std::vec::Vec<(Millis, u64)> = std::vec::Vec::new();
            for (pause, amount, dies) in steps {
                now += pause;
                // One that died comes again first, as the outbox has it.
                let amount = dead.take().unwrap_or(amount);
                let allowed = budget.allow(Millis(now), &debit(debits, amount));
                let left = budget.allowance(Millis(now), Amount(debits));
                prop_assert_eq!(allowed.is_ok(), amount <= left.now.0);
                if let Ok(window) = allowed {
                    budget.window = window;
                    if dies {
                        dead = Some(amount);
                    } else {
                        debits += amount;
                        spent.push((window.since, amount));
                    }
                }
            }
            prop_assert!(debits <= 1_000);
            for (since, _) in &spent {
                let sum: u64 = spent.iter().filter(|(of, _)| of == since).map(|(_, amount)| amount).sum();
                prop_assert!(sum <= 100);
            }
            let mut begun: std::vec::Vec<Millis> = spent.iter().map(|(since, _)| *since).collect();
            begun.dedup();
            prop_assert!(begun.windows(2).all(|pair| pair[1].0 >= pair[0].0 + 3_600_000));
        }
    }
}
