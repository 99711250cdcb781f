//! HPKE (RFC 9180) in one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305; modes base and psk, one message a context.
//!
//! Invariant: a context seals or opens once and is used up by it, so its nonce is never used twice; what is needed besides is exported. An agreement that ends in
//! zero is refused (section 7.1.4). Written on the primitives of this room: the `hpke` crate would bring a second X25519 onto a microcontroller (decision 0033).

use super::agree::{AgreeError, PublicKey, SecretKey};
use super::kdf::Prk;
use super::seal::{self, Key, Nonce, SealError, Tag};
use zeroize::Zeroize;

const VERSION: &[u8] = b"HPKE-v1";
/// "KEM", 0x0020.
const KEM: &[u8] = b"KEM\x00\x20";
/// "HPKE", KEM 0x0020, KDF 0x0001, AEAD 0x0003.
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";

/// Whether both sides share a key beforehand.
#[derive(Clone, Copy)]
pub enum Mode<'a> {
    /// Who knows the public key can send.
    Base,
    /// Only who has the key, uniform as it must be, can send and open. `id` names it and is not empty.
    Psk {
        /// The shared key.
        key: &'a [u8; 32],
        /// Its name.
        id: &'a [u8],
    },
}

/// Why nothing was sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HpkeError {
    /// A public key of small order, or a pre-shared key without a name. Refuse the peer.
    Key,
    /// Not for this key, this info or this pre-shared key, or changed on the way. The buffer is unchanged.
    Forged,
    /// Longer than the cipher can seal.
    TooLong,
}

impl From<AgreeError> for HpkeError {
    fn from(_: AgreeError) -> Self {
        Self::Key
    }
}

impl From<SealError> for HpkeError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::TooLong => Self::TooLong,
            SealError::Forged => Self::Forged,
        }
    }
}

/// What both sides know once the key is agreed upon; wiped when dropped.
pub struct Context {
    key: Key,
    nonce: Nonce,
    exporter: Prk,
}

fn extract(suite: &[u8], salt: &[u8], label: &[u8], input: &[&[u8]]) -> Prk {
    let [a, b, c] = match *input {
        [a, b, c] => [a, b, c],
        [a, b] => [a, b, &[]],
        [a] => [a, &[], &[]],
        _ => [&[][..]; 3],
    };
    Prk::extract(salt, &[VERSION, suite, label, a, b, c])
}

/// Never as long as the derivation's limit.
fn expand(suite: &[u8], prk: &Prk, label: &[u8], info: &[&[u8]; 3], out: &mut [u8]) {
    let len = u16::try_from(out.len()).unwrap_or(0).to_be_bytes();
    let [a, b, c] = *info;
    let done = prk.expand(&[&len, VERSION, suite, label, a, b, c], out);
    debug_assert!(done.is_ok());
}

fn expanded<const N: usize>(suite: &[u8], prk: &Prk, label: &[u8], info: &[&[u8]; 3]) -> [u8; N] {
    let mut out = [0; N];
    expand(suite, prk, label, info, &mut out);
    out
}

/// The key pair of 32 random bytes (section 7.1.3).
#[must_use]
pub fn derive_key_pair(input: &[u8; 32]) -> SecretKey {
    let prk = extract(KEM, &[], b"dkp_prk", &[input]);
    let mut bytes = expanded(KEM, &prk, b"sk", &[&[]; 3]);
    let secret = SecretKey::from_bytes(&bytes);
    bytes.zeroize();
    secret
}

fn shared_secret(
    secret: &SecretKey,
    peer: &PublicKey,
    enc: &PublicKey,
    receiver: &PublicKey,
) -> Result<[u8; 32], HpkeError> {
    let dh = secret.agree(peer)?;
    let prk = extract(KEM, &[], b"eae_prk", &[dh.as_bytes()]);
    Ok(expanded(
        KEM,
        &prk,
        b"shared_secret",
        &[&enc.0, &receiver.0, &[]],
    ))
}

impl Context {
    /// The sender's side; `random` is drawn for this message alone. Also what travels in front of the message.
    ///
    /// # Errors
    /// [`HpkeError::Key`].
    pub fn to(
        receiver: &PublicKey,
        info: &[u8],
        mode: Mode<'_>,
        random: &[u8; 32],
    ) -> Result<(PublicKey, Self), HpkeError> {
        let ephemeral = derive_key_pair(random);
        let enc = ephemeral.public_key();
        let mut shared = shared_secret(&ephemeral, receiver, &enc, receiver)?;
        let context = Self::schedule(&shared, info, mode);
        shared.zeroize();
        Ok((enc, context?))
    }

    /// The receiver's side.
    ///
    /// # Errors
    /// [`HpkeError::Key`].
    pub fn from(
        secret: &SecretKey,
        enc: &PublicKey,
        info: &[u8],
        mode: Mode<'_>,
    ) -> Result<Self, HpkeError> {
        let mut shared = shared_secret(secret, enc, enc, &secret.public_key())?;
        let context = Self::schedule(&shared, info, mode);
        shared.zeroize();
        context
    }

    /// Section 5.1.
    fn schedule(shared: &[u8; 32], info: &[u8], mode: Mode<'_>) -> Result<Self, HpkeError> {
        let (number, psk, id): (u8, &[u8], &[u8]) = match mode {
            Mode::Base => (0, &[], &[]),
            Mode::Psk { id: [], .. } => return Err(HpkeError::Key),
            Mode::Psk { key, id } => (1, key, id),
        };
        let id_hash = extract(SUITE, &[], b"psk_id_hash", &[id]);
        let info_hash = extract(SUITE, &[], b"info_hash", &[info]);
        let context = [&[number][..], id_hash.as_bytes(), info_hash.as_bytes()];
        let secret = extract(SUITE, shared, b"secret", &[psk]);
        Ok(Self {
            key: Key::new(expanded(SUITE, &secret, b"key", &context)),
            nonce: Nonce(expanded(SUITE, &secret, b"base_nonce", &context)),
            exporter: Prk::from_bytes(expanded(SUITE, &secret, b"exp", &context)),
        })
    }

    /// Seals `buffer` in place.
    ///
    /// # Errors
    /// [`HpkeError::TooLong`].
    pub fn seal(self, associated: &[u8], buffer: &mut [u8]) -> Result<Tag, HpkeError> {
        Ok(seal::seal(&self.key, &self.nonce, associated, buffer)?)
    }

    /// Opens `buffer` in place.
    ///
    /// # Errors
    /// [`HpkeError::Forged`]; the buffer is then unchanged.
    pub fn open(self, associated: &[u8], buffer: &mut [u8], tag: &Tag) -> Result<(), HpkeError> {
        Ok(seal::open(&self.key, &self.nonce, associated, buffer, tag)?)
    }

    /// Another secret that both sides have, by its use (section 5.3).
    #[must_use]
    pub fn export(&self, context: &[u8]) -> [u8; 32] {
        expanded(SUITE, &self.exporter, b"sec", &[context, &[], &[]])
    }
}

impl core::fmt::Debug for Context {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("hpke::Context")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_keys_and_nameless_shared_keys_are_refused() {
        let secret = derive_key_pair(&[1; 32]);
        let weak = PublicKey([0; 32]);
        let to = Context::to(&weak, b"", Mode::Base, &[2; 32]);
        assert_eq!(to.err(), Some(HpkeError::Key));
        let from = Context::from(&secret, &weak, b"", Mode::Base);
        assert_eq!(from.err(), Some(HpkeError::Key));
        let mode = Mode::Psk {
            key: &[3; 32],
            id: b"",
        };
        let to = Context::to(&secret.public_key(), b"", mode, &[2; 32]);
        assert_eq!(to.err(), Some(HpkeError::Key));
    }

    #[test]
    fn only_the_same_inputs_open() {
        let secret = derive_key_pair(&[1; 32]);
        let receiver = secret.public_key();
        let mode = |key| Mode::Psk { key, id: b"id" };
        let (enc, context) = Context::to(&receiver, b"info", mode(&[3; 32]), &[2; 32]).unwrap();
        assert_eq!(format!("{context:?}"), "hpke::Context");
        let mut sealed = *b"sealed";
        let tag = context.seal(b"aad", &mut sealed).unwrap();
        let open =
            |secret: &SecretKey, enc: &PublicKey, info: &[u8], mode: Mode<'_>, aad: &[u8]| {
                let mut buffer = sealed;
                let done = Context::from(secret, enc, info, mode)
                    .and_then(|context| context.open(aad, &mut buffer, &tag));
                assert_eq!(done.is_ok(), &buffer == b"sealed");
                assert_eq!(done.is_err(), buffer == sealed);
                done
            };
        let forged = Err(HpkeError::Forged);
        assert_eq!(open(&secret, &enc, b"info", mode(&[3; 32]), b"aad"), Ok(()));
        assert_eq!(open(&secret, &enc, b"info", mode(&[4; 32]), b"aad"), forged);
        assert_eq!(open(&secret, &enc, b"info", Mode::Base, b"aad"), forged);
        assert_eq!(open(&secret, &enc, b"Info", mode(&[3; 32]), b"aad"), forged);
        assert_eq!(open(&secret, &enc, b"info", mode(&[3; 32]), b"aa"), forged);
        let other = derive_key_pair(&[9; 32]);
        assert_eq!(open(&other, &enc, b"info", mode(&[3; 32]), b"aad"), forged);
        let enc = other.public_key();
        assert_eq!(open(&secret, &enc, b"info", mode(&[3; 32]), b"aad"), forged);
    }
}
