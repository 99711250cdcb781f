//! The application's own frame (docs/protocol.md section 4, type 0x20): what goes between applications of neighbours, one hop, and past every node.
//!
//! Nodes and leaves answer `NotForMe`: the application looks first. Nothing in it is signed here; what needs a signature carries its own.

use super::frame::{FrameError, HEAD_LEN};
use super::{Writer, frame_type::FrameType};
use crate::types::MAX_FRAME;

/// The type. No [`FrameType`]: nodes do not know it.
pub const SAID: u8 = 0x20;
const _: () = assert!(FrameType::from_number(SAID).is_none());

/// Bytes before what is said.
const HEAD: usize = HEAD_LEN + 1;

/// Most bytes that can be said in one frame.
pub const MAX_SAID: usize = MAX_FRAME - HEAD;

macro_rules! what {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// What is said; the numbers are those of the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum What { $($(#[$doc])* $name = $number,)* }

        impl What {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What has this number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

what! {
    /// A sealed message of a channel (section 12.2).
    Message = 0,
    /// The signer's member index (u16, big-endian) and a statement with its signature (section 12.4).
    Statement = 1,
    /// A request for parts of large content (section 13).
    Request = 2,
    /// A part of large content.
    Part = 3,
    /// A tick of a metered sale: the sale's index u32, the tick's index u32, its value bstr32, big-endian (section 14).
    Tick = 4,
    /// A quote.
    Quote = 5,
    /// The manifest of a firmware that the sender has, or knows of (section 13.3).
    Manifest = 6,
}

/// What `frame` says to this neighbourhood's applications; `None` where it is another frame, for a node, or another neighbourhood's.
///
/// # Errors
/// [`FrameError::TooLong`], [`FrameError::TooShort`] for nothing said, [`FrameError::UnknownType`] for something that a newer application may understand. Drop it.
pub fn said(tag: [u8; 4], frame: &[u8]) -> Result<Option<(What, &[u8])>, FrameError> {
    let Some((head, rest)) = frame.split_first_chunk::<HEAD_LEN>() else {
        return Ok(None);
    };
    let [a, b, c, d, kind] = *head;
    if kind != SAID || [a, b, c, d] != tag {
        return Ok(None);
    }
    let (what, bytes) = rest.split_first().ok_or(FrameError::TooShort)?;
    let what = What::from_number(*what).ok_or(FrameError::UnknownType)?;
    match bytes.len() {
        0 => Err(FrameError::TooShort),
        1..=MAX_SAID => Ok(Some((what, bytes))),
        _ => Err(FrameError::TooLong),
    }
}

/// Writes such a frame to the start of `out`; returns its length.
///
/// # Errors
/// [`FrameError::Unbound`] for the all-zero tag, [`FrameError::TooShort`] for nothing to say, [`FrameError::TooLong`], [`FrameError::Wire`] where `out` is too short.
pub fn say(tag: [u8; 4], what: What, bytes: &[u8], out: &mut [u8]) -> Result<usize, FrameError> {
    if tag == [0; 4] {
        return Err(FrameError::Unbound);
    }
    match bytes.len() {
        0 => return Err(FrameError::TooShort),
        1..=MAX_SAID => {}
        _ => return Err(FrameError::TooLong),
    }
    let mut w = Writer::new(out);
    w.put_raw(&tag);
    w.put_raw(&[SAID, what as u8]);
    w.put_raw(bytes);
    w.intact()?;
    Ok(w.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Frame;

    const TAG: [u8; 4] = [1, 2, 3, 4];

    #[test]
    fn what_is_said_is_heard_and_no_frame_of_nodes() {
        for what in What::ALL {
            let mut out = [0; MAX_FRAME];
            for len in [1, 20, MAX_SAID] {
                let n = say(TAG, *what, &vec![7; len], &mut out).unwrap();
                assert_eq!(n, HEAD + len);
                assert_eq!(said(TAG, &out[..n]), Ok(Some((*what, &vec![7; len][..]))));
                assert_eq!(said([9; 4], &out[..n]), Ok(None));
                assert_eq!(Frame::parse(&out[..n]).err(), Some(FrameError::UnknownType));
            }
        }
        let mut small = [0; 8];
        assert_eq!(
            say(TAG, What::Tick, &[], &mut small),
            Err(FrameError::TooShort)
        );
        assert_eq!(
            say([0; 4], What::Tick, &[1], &mut small),
            Err(FrameError::Unbound)
        );
        assert_eq!(
            say(TAG, What::Tick, &[0; MAX_SAID + 1], &mut small),
            Err(FrameError::TooLong)
        );
        assert!(matches!(
            say(TAG, What::Tick, &[0; 3], &mut small),
            Err(FrameError::Wire(_))
        ));
        assert_eq!(said(TAG, &[1, 2, 3, 4]), Ok(None));
        assert_eq!(said(TAG, &[1, 2, 3, 4, 1, 0]), Ok(None));
        assert_eq!(said(TAG, &[1, 2, 3, 4, SAID]), Err(FrameError::TooShort));
        assert_eq!(said(TAG, &[1, 2, 3, 4, SAID, 0]), Err(FrameError::TooShort));
        assert_eq!(
            said(TAG, &[1, 2, 3, 4, SAID, 99, 0]),
            Err(FrameError::UnknownType)
        );
        assert_eq!(
            said(
                TAG,
                &[[1, 2, 3, 4, SAID, 0].to_vec(), vec![0; MAX_SAID + 1]].concat()
            ),
            Err(FrameError::TooLong)
        );
    }
}
