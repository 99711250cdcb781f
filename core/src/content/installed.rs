//! What a device says on the L-Chain of a firmware that it installed: the body of a data transaction, protocol section 13.4.
//!
//! Invariant: one statement has one encoding. It is the device's word, under its signature; what proves that it is true is an attestation (section 2.4), whose measurement is the same digest.

use super::manifest::MAX_COMPONENT;
use crate::types::Id;
use crate::wire::{Reader, WireError, Writer};

/// What the body begins with: no reading, and no statement of another kind.
pub const DOMAIN: &str = "iotedge/installed/1";
/// Most bytes of the body.
pub const MAX_INSTALLED: usize = 1 + 1 + DOMAIN.len() + 1 + MAX_COMPONENT + 9 + 34;
const _: () = assert!(MAX_INSTALLED <= crate::tx::MAX_BODY);

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed<'a> {
    /// Which part of the device, as its manifest named it: 1 to 16 bytes.
    pub component: &'a [u8],
    /// The manifest's sequence number, 1 and above.
    pub sequence: u64,
    /// SHA-256 of the payload, as the manifest has it.
    pub digest: Id,
}

impl<'a> Installed<'a> {
    fn check(&self) -> Result<(), WireError> {
        match self.sequence > 0 && (1..=MAX_COMPONENT).contains(&self.component.len()) {
            true => Ok(()),
            false => Err(WireError::Range),
        }
    }

    /// Writes `["iotedge/installed/1", component, sequence, digest]`.
    ///
    /// # Errors
    /// [`WireError::Range`] for sequence number 0 and a name that is empty or too long; [`WireError::Full`].
    pub fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        self.check()?;
        w.put_array(4);
        w.put_text(DOMAIN);
        w.put_bytes(self.component);
        w.put_uint(self.sequence);
        w.put_id(&self.digest);
        w.intact()
    }

    /// Reads one and nothing after it; `None` where the data is something else.
    ///
    /// # Errors
    /// [`WireError`] for what begins as one and is none.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<Self>, WireError> {
        let mut r = Reader::new(bytes);
        if r.array().is_err() || r.text() != Ok(DOMAIN) {
            return Ok(None);
        }
        let mut r = Reader::new(bytes);
        r.take_array_of(4);
        r.take_text();
        let found = Self {
            component: r.take_bytes(),
            sequence: r.take_uint(),
            digest: r.take_id(),
        };
        r.finish()?;
        found.check()?;
        Ok(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(installed: &Installed<'_>) -> Result<Vec<u8>, WireError> {
        let mut out = [0; MAX_INSTALLED];
        let mut w = Writer::new(&mut out);
        installed.write(&mut w)?;
        Ok(w.written().to_vec())
    }

    const PLAIN: Installed<'_> = Installed {
        component: b"app",
        sequence: 3,
        digest: Id([7; 32]),
    };

    #[test]
    fn the_bytes_are_those_of_the_protocol() {
        let bytes = written(&PLAIN).unwrap();
        assert_eq!(
            hex::encode(&bytes),
            [
                "8473696f74656467652f696e7374616c6c65642f31436170700358",
                "20"
            ]
            .concat()
                + &"07".repeat(32)
        );
        assert_eq!(Installed::parse(&bytes), Ok(Some(PLAIN)));
        for cut in 0..bytes.len() {
            let found = Installed::parse(&bytes[..cut]);
            // Up to its first word it may be anything else.
            let other = if cut < 21 {
                Ok(None)
            } else {
                Err(WireError::Truncated)
            };
            assert_eq!(found, other, "{cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Installed::parse(&longer), Err(WireError::TrailingBytes));
    }

    #[test]
    fn what_cannot_be_is_neither_written_nor_read() {
        let large = Installed {
            component: b"radio, left half",
            sequence: u64::MAX,
            ..PLAIN
        };
        assert_eq!(written(&large).unwrap().len(), MAX_INSTALLED);
        for wrong in [
            Installed {
                sequence: 0,
                ..PLAIN
            },
            Installed {
                component: b"",
                ..PLAIN
            },
            Installed {
                component: &[1; 17],
                ..PLAIN
            },
        ] {
            assert_eq!(written(&wrong), Err(WireError::Range));
        }
        let mut zero = written(&PLAIN).unwrap();
        zero[25] = 0;
        assert_eq!(Installed::parse(&zero), Err(WireError::Range));
        // An approval, a reading.
        for other in [&[0x80][..], &[0x81, 0xa1, 0x02, 0x01]] {
            assert_eq!(Installed::parse(other), Ok(None));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..120), at in 21usize..70, change: u8) {
            let _ = Installed::parse(&bytes);
            let mut bent = written(&PLAIN).unwrap();
            let at = at.min(bent.len() - 1);
            bent[at] = change;
            if let Ok(Some(found)) = Installed::parse(&bent) {
                prop_assert_eq!(written(&found).unwrap(), bent);
            }
        }
    }
}
