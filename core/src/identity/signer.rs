//! Signing as an operation: the key may be in a secure element that answers later, wrongly or never.
//!
//! Invariant: no signature leaves [`SignOp::finish`] that does not verify under the pinned public key. A fault in the element or on its
//! bus so costs one error and never a wrong signature on the wire. The order of a life is begin, input, output or fail, finish; every
//! call out of that order is refused with an error of its own. The idea is s2n-tls's private key operation, with a way to report failure.

use crate::crypto::{PublicKey, SecretKey, Signature, SignatureError, Verify};
use heapless::Vec;

/// Longest message that an operation holds: the `Sig_structure` of a transaction with the longest payload and of a header fit.
pub const MAX_TO_BE_SIGNED: usize = 640;

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerError {
    /// The message is longer than [`MAX_TO_BE_SIGNED`]: nothing of the protocol is; check what was passed.
    MessageTooLong,
    /// The signer has not answered yet: give its output first, or wait on.
    Pending,
    /// An answer came before the signer took its input: it cannot belong to this message. Take the input first.
    InputNotTaken,
    /// The signer has answered already; the first answer stands. Finish the operation.
    AlreadyAnswered,
    /// The operation is over: begin a new one.
    Finished,
    /// The signer reported failure with this code of its own. Nothing was signed; begin again when it works.
    Failed(i32),
    /// What the signer gave is no signature of this message by the pinned key: a fault, or another key in the slot. Nothing left the
    /// device; begin again, and take the element out of service when it repeats.
    WrongSignature(SignatureError),
}

/// What a signer says when it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It signed at once.
    Done(Signature),
    /// It works on it: the answer comes through [`SignOp::output`] or [`SignOp::fail`].
    Pending,
}

/// Something that holds a secret key: software, a secure element, a phone's key store.
pub trait Signer {
    /// The public half. Callers pin it once, at provisioning; an operation is always checked against the pinned one.
    fn public_key(&self) -> PublicKey;

    /// Starts to sign `message`.
    fn start(&mut self, message: &[u8]) -> Result<Started, SignerError>;
}

/// A signer in software; always answers at once.
#[derive(Debug)]
pub struct SoftwareSigner(SecretKey);

impl SoftwareSigner {
    /// Takes the key.
    #[must_use]
    pub const fn new(key: SecretKey) -> Self {
        Self(key)
    }
}

impl Signer for SoftwareSigner {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn start(&mut self, message: &[u8]) -> Result<Started, SignerError> {
        Ok(Started::Done(self.0.sign(message)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begun,
    InputTaken,
    Answered(Signature),
    Failed(i32),
    Finished,
}

/// One signature in the making.
#[derive(Clone, Debug)]
pub struct SignOp {
    message: Vec<u8, MAX_TO_BE_SIGNED>,
    state: State,
}

impl SignOp {
    /// Begins with a copy of the message, so that what is verified is what was to be signed.
    pub fn begin(message: &[u8]) -> Result<Self, SignerError> {
        let message = Vec::from_slice(message).map_err(|_| SignerError::MessageTooLong)?;
        Ok(Self {
            message,
            state: State::Begun,
        })
    }

    /// Begins with what `write` puts into the room that it gets; it gives the length. For messages that are on no other stack.
    pub fn begin_with<E>(write: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<Self, E> {
        let mut op = Self {
            message: Vec::new(),
            state: State::Begun,
        };
        // As long as its room: it cannot fail.
        let _ = op.message.resize_default(MAX_TO_BE_SIGNED);
        let len = write(&mut op.message)?;
        op.message.truncate(len);
        Ok(op)
    }

    /// The message, to read.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The message, for the signer. May be taken again until an answer is there.
    pub fn input(&mut self) -> Result<&[u8], SignerError> {
        match self.state {
            State::Begun | State::InputTaken => {
                self.state = State::InputTaken;
                Ok(&self.message)
            }
            State::Answered(_) | State::Failed(_) => Err(SignerError::AlreadyAnswered),
            State::Finished => Err(SignerError::Finished),
        }
    }

    /// The signer's answer.
    pub fn output(&mut self, signature: Signature) -> Result<(), SignerError> {
        self.answer(State::Answered(signature))
    }

    /// The signer's report that it cannot; `code` is its own and comes back from `finish`.
    pub fn fail(&mut self, code: i32) -> Result<(), SignerError> {
        self.answer(State::Failed(code))
    }

    /// Ends the operation and releases the signature, if it is one by `key` over the message. While the answer is missing nothing
    /// changes; after any other outcome the operation is over.
    pub fn finish(
        &mut self,
        key: &PublicKey,
        verifier: &mut dyn Verify,
    ) -> Result<Signature, SignerError> {
        let outcome = match self.state {
            State::Begun | State::InputTaken => return Err(SignerError::Pending),
            State::Finished => return Err(SignerError::Finished),
            State::Failed(code) => Err(SignerError::Failed(code)),
            State::Answered(signature) => verifier
                .verify(key, &self.message, &signature)
                .map(|()| signature)
                .map_err(SignerError::WrongSignature),
        };
        self.state = State::Finished;
        outcome
    }

    /// Hands the message to `signer`. After `Ok(true)` the answer is in, after `Ok(false)` it comes later.
    pub fn start(&mut self, signer: &mut dyn Signer) -> Result<bool, SignerError> {
        match signer.start(self.input()?)? {
            Started::Done(signature) => self.output(signature).map(|()| true),
            Started::Pending => Ok(false),
        }
    }

    fn answer(&mut self, answer: State) -> Result<(), SignerError> {
        match self.state {
            State::Begun => Err(SignerError::InputNotTaken),
            State::InputTaken => {
                self.state = answer;
                Ok(())
            }
            State::Answered(_) | State::Failed(_) => Err(SignerError::AlreadyAnswered),
            State::Finished => Err(SignerError::Finished),
        }
    }
}

/// Signs with a signer that must answer now, through a whole operation: for tools and hosts, where nobody waits.
pub fn sign_now(
    signer: &mut dyn Signer,
    message: &[u8],
    key: &PublicKey,
    verifier: &mut dyn Verify,
) -> Result<Signature, SignerError> {
    let mut op = SignOp::begin(message)?;
    op.start(signer)?;
    op.finish(key, verifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Software;

    fn secret(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32]).unwrap()
    }

    /// A secure element that does what its script says.
    struct Element {
        key: SecretKey,
        says: fn(&SecretKey, &[u8]) -> Result<Started, SignerError>,
    }

    impl Signer for Element {
        fn public_key(&self) -> PublicKey {
            self.key.public_key()
        }
        fn start(&mut self, message: &[u8]) -> Result<Started, SignerError> {
            (self.says)(&self.key, message)
        }
    }

    fn run(
        says: fn(&SecretKey, &[u8]) -> Result<Started, SignerError>,
    ) -> Result<Signature, SignerError> {
        let mut element = Element {
            key: secret(1),
            says,
        };
        sign_now(
            &mut element,
            b"message",
            &secret(1).public_key(),
            &mut Software,
        )
    }

    #[test]
    fn an_honest_signer_signs_now_or_later() {
        let now = run(|key, message| Ok(Started::Done(key.sign(message)))).unwrap();
        assert_eq!(now, secret(1).sign(b"message"));
        let software = sign_now(
            &mut SoftwareSigner::new(secret(1)),
            b"message",
            &secret(1).public_key(),
            &mut Software,
        );
        assert_eq!(software, Ok(now));

        let mut op = SignOp::begin(b"message").unwrap();
        let mut slow = Element {
            key: secret(1),
            says: |_, _| Ok(Started::Pending),
        };
        assert_eq!(op.start(&mut slow), Ok(false));
        let key = secret(1).public_key();
        for _ in 0..3 {
            assert_eq!(op.finish(&key, &mut Software), Err(SignerError::Pending));
        }
        assert_eq!(op.input(), Ok(&b"message"[..]));
        op.output(now).unwrap();
        assert_eq!(op.finish(&key, &mut Software), Ok(now));
    }

    #[test]
    fn a_hostile_signer_gets_nothing_out() {
        let rejected = Err(SignerError::WrongSignature(SignatureError::Rejected));
        assert_eq!(
            run(|key, _| Ok(Started::Done(key.sign(b"another message")))),
            rejected
        );
        assert_eq!(
            run(|_, message| Ok(Started::Done(secret(2).sign(message)))),
            rejected
        );
        assert_eq!(
            run(|_, _| Ok(Started::Done(Signature([0xff; 64])))),
            Err(SignerError::WrongSignature(SignatureError::Malformed))
        );
        assert_eq!(run(|_, _| Ok(Started::Pending)), Err(SignerError::Pending));
        assert_eq!(
            run(|_, _| Err(SignerError::Failed(-7))),
            Err(SignerError::Failed(-7))
        );
        // The element was exchanged: it signs well, by a key that was never pinned.
        let mut other = Element {
            key: secret(2),
            says: |key, m| Ok(Started::Done(key.sign(m))),
        };
        assert_eq!(
            sign_now(&mut other, b"m", &secret(1).public_key(), &mut Software),
            rejected
        );
    }

    #[test]
    fn calls_out_of_order_are_distinct_errors() {
        let (key, good) = (secret(1).public_key(), secret(1).sign(b"m"));
        let mut op = SignOp::begin(b"m").unwrap();
        assert_eq!(op.finish(&key, &mut Software), Err(SignerError::Pending));
        assert_eq!(op.output(good), Err(SignerError::InputNotTaken));
        assert_eq!(op.fail(1), Err(SignerError::InputNotTaken));
        op.input().unwrap();
        op.output(good).unwrap();
        assert_eq!(op.output(good), Err(SignerError::AlreadyAnswered));
        assert_eq!(op.fail(1), Err(SignerError::AlreadyAnswered));
        assert_eq!(op.input(), Err(SignerError::AlreadyAnswered));
        assert_eq!(op.finish(&key, &mut Software), Ok(good));
        assert_eq!(op.finish(&key, &mut Software), Err(SignerError::Finished));
        assert_eq!(op.input(), Err(SignerError::Finished));
        assert_eq!(op.output(good), Err(SignerError::Finished));
        assert_eq!(op.fail(1), Err(SignerError::Finished));
    }

    #[test]
    fn failure_is_reported_and_final() {
        let key = secret(1).public_key();
        let mut op = SignOp::begin(b"m").unwrap();
        op.input().unwrap();
        op.fail(42).unwrap();
        assert_eq!(
            op.output(secret(1).sign(b"m")),
            Err(SignerError::AlreadyAnswered)
        );
        assert_eq!(op.finish(&key, &mut Software), Err(SignerError::Failed(42)));
        assert_eq!(op.finish(&key, &mut Software), Err(SignerError::Finished));
    }

    #[test]
    fn the_message_has_a_limit() {
        assert!(SignOp::begin(&[0; MAX_TO_BE_SIGNED]).is_ok());
        assert_eq!(
            SignOp::begin(&[0; MAX_TO_BE_SIGNED + 1]).err(),
            Some(SignerError::MessageTooLong)
        );
    }
}
