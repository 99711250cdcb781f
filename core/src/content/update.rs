//! A firmware on its way: begun under a manifest, taken chunk by chunk, resumed after a reset, never an older one.
//!
//! Invariant: what is handed to the vendor's writer is proved under a manifest that the pinned key signed, for this vendor, class and component, with a sequence number above the installed
//! one; and chunks are handed on in order from a step's beginning, whatever the power did.

use super::manifest::{MAX_MANIFEST, ManifestError, Signed, Uuid};
use super::part::{Part, Request};
use super::provider::{PIECE, Source};
use super::stream::{MAX_STATE, Step, Stream};
use super::{ContentError, Descriptor, Write};
use crate::crypto::{PublicKey, Sha256, SignatureError, Verify, twice};
use crate::identity::Seconds;
use crate::platform::{Platform, PlatformError};
use crate::types::Id;
use crate::wire::{Reader, WireError, Writer};
use core::hint::black_box;

const STORED: usize = 1 + 9 + 3 + MAX_MANIFEST + MAX_STATE;

/// Why an update is refused. Nothing is stored or changed by any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateError {
    /// The manifest is refused.
    Manifest(ManifestError),
    /// For another vendor's devices.
    WrongVendor,
    /// For another class of devices.
    WrongClass,
    /// For another component.
    WrongComponent,
    /// Its sequence number is not above that of the installed firmware, or of the one under way.
    Older,
    /// It expired.
    Expired,
    /// It stands on another image than the one that runs.
    WrongPrecursor,
    /// A format that this device does not know.
    Format,
    /// Larger than the slot.
    TooLarge,
    /// A part is refused.
    Content(ContentError),
    /// Not all of it is here yet.
    Incomplete,
    /// What lies in the slot has not the digest of the manifest: the memory failed, or the maker was wrong. Give it up.
    Digest,
    /// What is stored is damaged: the update begins anew when it is offered again.
    Stored,
    /// Store failed. Try again.
    Platform,
}

impl From<ManifestError> for UpdateError {
    fn from(error: ManifestError) -> Self {
        Self::Manifest(error)
    }
}

impl From<ContentError> for UpdateError {
    fn from(error: ContentError) -> Self {
        Self::Content(error)
    }
}

impl From<PlatformError> for UpdateError {
    fn from(_: PlatformError) -> Self {
        Self::Platform
    }
}

impl From<WireError> for UpdateError {
    fn from(_: WireError) -> Self {
        Self::Stored
    }
}

/// What a component of this device takes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Whose device.
    pub vendor: Uuid,
    /// Its class.
    pub class: Uuid,
    /// The component's name, 1 to 16 bytes.
    pub component: &'a [u8],
    /// Who signs firmware: pinned when the device was made.
    pub authority: &'a PublicKey,
    /// SHA-256 of the image that runs, where deltas are taken.
    pub running: Option<Id>,
    /// Formats above it are refused: 0 takes images as they run only.
    pub formats: u32,
    /// Bytes of the place where the payload is written.
    pub slot: u64,
    /// Chunks of a step: after so many the state is stored, and after a reset it goes on at a step's beginning. At least 1; the erase block of the slot.
    pub step: u32,
    /// The store's key of the installed sequence number; the one after it has the update under way.
    pub key: u16,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Update {
    stream: Stream,
    sequence: u64,
    digest: Id,
    manifest: heapless::Vec<u8, MAX_MANIFEST>,
    key: u16,
    step: u32,
    /// What was stored of the stream is of no use.
    damaged: bool,
}

/// The sequence number of the firmware that runs; 0 before the first update.
///
/// # Errors
/// [`UpdateError::Platform`], [`UpdateError::Stored`].
pub fn installed<P: Platform>(platform: &mut P, key: u16) -> Result<u64, UpdateError> {
    let mut buffer = [0; 9];
    let Some(len) = platform.get(key, &mut buffer)? else {
        return Ok(0);
    };
    let mut r = Reader::new(buffer.get(..len).unwrap_or(&[]));
    let sequence = r.take_uint();
    r.finish()?;
    Ok(sequence)
}

/// The new firmware runs and is to stay: from now on its number is the lowest that counts. Call it from the new firmware, once it knows that it works.
///
/// # Errors
/// [`UpdateError::Older`] for a number below the installed one; [`UpdateError::Platform`], [`UpdateError::Stored`].
pub fn confirm<P: Platform>(platform: &mut P, key: u16, sequence: u64) -> Result<(), UpdateError> {
    let before = installed(platform, key)?;
    if sequence < before {
        return Err(UpdateError::Older);
    }
    if sequence > before {
        let mut buffer = [0; 9];
        let mut w = Writer::new(&mut buffer);
        w.put_uint(sequence);
        platform.put(key, w.written())?;
    }
    // Only now: a cut in between leaves an update that is refused as not newer. What is damaged goes too.
    match stored(platform, key, &mut [0; STORED]) {
        Err(UpdateError::Platform) => Err(UpdateError::Platform),
        Ok(Some(newer)) if newer.sequence > sequence => Ok(()),
        _ => Ok(platform.remove(key.saturating_add(1))?),
    }
}

impl Update {
    /// Begins an update, or goes on with it where the same one is under way. `now`: where the device has a clock.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn offer<P: Platform>(
        platform: &mut P,
        target: &Target<'_>,
        bytes: &[u8],
        now: Option<Seconds>,
        verifier: &mut dyn Verify,
    ) -> Result<Self, UpdateError> {
        let mut update = Self::vacant();
        update.begin(platform, target, bytes, now, verifier)?;
        Ok(update)
    }

    /// The update under way, after a reset; `None` where there is none.
    ///
    /// # Errors
    /// [`UpdateError::Platform`]; any other: it no longer counts, and the next offer takes its place.
    pub fn resume<P: Platform>(
        platform: &mut P,
        target: &Target<'_>,
        verifier: &mut dyn Verify,
    ) -> Result<Option<Self>, UpdateError> {
        let mut update = Self::vacant();
        let found = update.go_on(platform, target, verifier)?;
        Ok(found.then_some(update))
    }

    /// A place for [`Update::begin`] or [`Update::go_on`], where an update is too large for the stack. It asks for nothing and takes nothing.
    #[must_use]
    pub const fn vacant() -> Self {
        Self {
            stream: Stream::vacant(),
            sequence: 0,
            digest: Id::ZERO,
            manifest: heapless::Vec::new(),
            key: 0,
            step: 1,
            damaged: false,
        }
    }

    /// As [`Update::offer`], in place.
    ///
    /// # Errors
    /// [`UpdateError`]: no update is here then.
    pub fn begin<P: Platform>(
        &mut self,
        platform: &mut P,
        target: &Target<'_>,
        bytes: &[u8],
        now: Option<Seconds>,
        verifier: &mut dyn Verify,
    ) -> Result<(), UpdateError> {
        let above = installed(platform, target.key)?;
        let judged = judge(target, bytes, now, above, verifier);
        // Looked at twice, as it was found twice: here, and before anything is kept.
        let again = black_box(judged);
        judged?;
        let sequence = Signed::parse(bytes)?.unverified()?.sequence;
        match self.find(platform, target, Some(bytes), verifier) {
            Ok(true) if self.manifest == bytes => return again,
            Ok(true) if self.sequence >= sequence => return Err(UpdateError::Older),
            Err(UpdateError::Platform) => return Err(UpdateError::Platform),
            // None, an older one, or one that no longer counts.
            _ => {}
        }
        again?;
        self.fresh(target, bytes)?;
        self.store(platform)
    }

    /// As [`Update::resume`], in place; `false` where there is none.
    ///
    /// # Errors
    /// As [`Update::resume`]: no update is here then.
    pub fn go_on<P: Platform>(
        &mut self,
        platform: &mut P,
        target: &Target<'_>,
        verifier: &mut dyn Verify,
    ) -> Result<bool, UpdateError> {
        self.find(platform, target, None, verifier)
    }

    /// What is stored, judged: but for what was judged just now, `known`.
    fn find<P: Platform>(
        &mut self,
        platform: &mut P,
        target: &Target<'_>,
        known: Option<&[u8]>,
        verifier: &mut dyn Verify,
    ) -> Result<bool, UpdateError> {
        if !self.load(platform, target)? {
            return Ok(false);
        }
        let above = installed(platform, target.key)?;
        // It was not expired when it was begun.
        let judged = match known == Some(&self.manifest) {
            true => Ok(()),
            false => judge(target, &self.manifest, None, above, verifier),
        };
        let again = black_box(judged);
        judged?;
        if self.damaged {
            return Err(UpdateError::Stored);
        }
        again.map(|()| true)
    }

    /// What is stored, not judged yet. Apart, so that what it takes of the stack is gone when a signature is checked.
    #[inline(never)]
    fn load<P: Platform>(
        &mut self,
        platform: &mut P,
        target: &Target<'_>,
    ) -> Result<bool, UpdateError> {
        let mut buffer = [0; STORED];
        let Some(stored) = stored(platform, target.key, &mut buffer)? else {
            return Ok(false);
        };
        self.fresh(target, stored.manifest)?;
        let content = *self.content();
        self.damaged = self.stream.go_on(content, stored.state).is_err();
        Ok(true)
    }

    /// At the beginning of what a manifest says.
    #[inline(never)]
    fn fresh(&mut self, target: &Target<'_>, bytes: &[u8]) -> Result<(), UpdateError> {
        let manifest = Signed::parse(bytes)?.unverified()?;
        self.manifest.clear();
        let kept = self.manifest.extend_from_slice(bytes);
        kept.map_err(|_| ManifestError::Element)?;
        self.stream.begin(manifest.content);
        self.damaged = false;
        self.sequence = manifest.sequence;
        self.digest = manifest.digest;
        self.key = target.key;
        self.step = target.step.max(1);
        Ok(())
    }

    #[inline(never)]
    fn store<P: Platform>(&self, platform: &mut P) -> Result<(), UpdateError> {
        let mut buffer = [0; STORED];
        let mut w = Writer::new(&mut buffer);
        w.put_array(3);
        w.put_uint(self.sequence);
        w.put_bytes(&self.manifest);
        self.stream.save(&mut w)?;
        Ok(platform.put(self.key.saturating_add(1), w.written())?)
    }

    /// The manifest's sequence number: for [`confirm`].
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// SHA-256 of the payload: a bootloader compares it before it starts the image.
    #[must_use]
    pub const fn digest(&self) -> &Id {
        &self.digest
    }

    /// The payload.
    #[must_use]
    pub const fn content(&self) -> &Descriptor {
        self.stream.content()
    }

    /// How many chunks are here.
    #[must_use]
    pub const fn next(&self) -> u32 {
        self.stream.next()
    }

    /// Whether all chunks are written.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.stream.is_complete()
    }

    /// What to ask for next; `None` once all is here.
    #[must_use]
    pub fn request(&self, most: u16, chunks: u8) -> Option<Request> {
        self.stream.request(most, chunks)
    }

    /// Takes a part; a chunk that holds goes to `write`, with its offset in the slot. At the end of a step the state is stored.
    ///
    /// # Errors
    /// [`UpdateError::Content`]; [`UpdateError::Platform`] where the state could not be stored: the chunk counts, and the step is stored with the next one.
    pub fn take<P: Platform>(
        &mut self,
        platform: &mut P,
        part: &Part<'_>,
        write: &mut Write<'_>,
    ) -> Result<Step, UpdateError> {
        let step = self.stream.take(part, write)?;
        let at_step = self.next().checked_rem(self.step) == Some(0);
        if step == Step::Chunk && (at_step || self.is_complete()) {
            self.store(platform)?;
        }
        Ok(step)
    }

    /// Reads back what was written, and says whether it is what the maker signed. The digest is of another kind than the tree of chunks, so it finds what a memory lost and what a maker
    /// took for its image.
    ///
    /// # Errors
    /// [`UpdateError::Incomplete`]; [`UpdateError::Digest`]; [`UpdateError::Content`] (`Platform`) where it could not be read.
    pub fn verify(&self, source: &mut dyn Source) -> Result<(), UpdateError> {
        if !self.is_complete() {
            return Err(UpdateError::Incomplete);
        }
        let size = self.content().size();
        let (mut hash, mut at, mut buffer) = (Sha256::new(), 0_u64, [0; PIECE]);
        while at < size {
            let left = usize::try_from(size.saturating_sub(at)).unwrap_or(usize::MAX);
            let len = left.min(buffer.len());
            let piece = buffer.get_mut(..len).unwrap_or_default();
            source.read(at, piece).map_err(ContentError::from)?;
            hash.update(piece);
            at = at.saturating_add(len as u64);
        }
        match hash.finish() == self.digest.0 {
            true => Ok(()),
            false => Err(UpdateError::Digest),
        }
    }

    /// Gives up what is under way.
    ///
    /// # Errors
    /// [`UpdateError::Platform`].
    pub fn give_up<P: Platform>(platform: &mut P, key: u16) -> Result<(), UpdateError> {
        Ok(platform.remove(key.saturating_add(1))?)
    }
}

/// The record of the update under way.
struct Stored<'a> {
    sequence: u64,
    manifest: &'a [u8],
    state: &'a [u8],
}

fn stored<'b, P: Platform>(
    platform: &mut P,
    key: u16,
    buffer: &'b mut [u8; STORED],
) -> Result<Option<Stored<'b>>, UpdateError> {
    let Some(len) = platform.get(key.saturating_add(1), buffer)? else {
        return Ok(None);
    };
    let mut r = Reader::new(buffer.get(..len).unwrap_or(&[]));
    r.take_array_of(3);
    let found = Stored {
        sequence: r.take_uint(),
        manifest: r.take_bytes(),
        state: r.take_item(),
    };
    r.finish()?;
    Ok(Some(found))
}

/// Whether this component takes what a manifest says, in place of the firmware with the number `above`. Found twice (decision 0030), against a skipped instruction.
#[inline(never)]
fn judge(
    target: &Target<'_>,
    bytes: &[u8],
    now: Option<Seconds>,
    above: u64,
    verifier: &mut dyn Verify,
) -> Result<(), UpdateError> {
    let rejected = ManifestError::Signature(SignatureError::Rejected);
    let mut error = UpdateError::Manifest(rejected);
    let verdict = twice(verifier, &mut |verifier: &mut dyn Verify| match fits(
        target, bytes, now, above, verifier,
    ) {
        Ok(()) => 0,
        Err(found) => {
            error = found;
            1
        }
    });
    match verdict {
        0 => Ok(()),
        _ => Err(error),
    }
}

fn fits(
    target: &Target<'_>,
    bytes: &[u8],
    now: Option<Seconds>,
    above: u64,
    verifier: &mut dyn Verify,
) -> Result<(), UpdateError> {
    authentic(target.authority, bytes, verifier)?;
    says(target, bytes, now, above)
}

#[inline(never)]
fn authentic(
    authority: &PublicKey,
    bytes: &[u8],
    verifier: &mut dyn Verify,
) -> Result<(), ManifestError> {
    Signed::parse(bytes)?.authentic(authority, verifier)
}

#[inline(never)]
fn says(
    target: &Target<'_>,
    bytes: &[u8],
    now: Option<Seconds>,
    above: u64,
) -> Result<(), UpdateError> {
    let manifest = Signed::parse(bytes)?.unverified()?;
    if manifest.vendor != target.vendor {
        return Err(UpdateError::WrongVendor);
    }
    if manifest.class != target.class {
        return Err(UpdateError::WrongClass);
    }
    if manifest.component != target.component {
        return Err(UpdateError::WrongComponent);
    }
    if manifest.format > target.formats {
        return Err(UpdateError::Format);
    }
    if manifest.content.size() > target.slot {
        return Err(UpdateError::TooLarge);
    }
    if manifest.precursor.is_some() && manifest.precursor != target.running {
        return Err(UpdateError::WrongPrecursor);
    }
    if now
        .zip(manifest.expires)
        .is_some_and(|(now, end)| now >= end)
    {
        return Err(UpdateError::Expired);
    }
    if manifest.sequence <= above {
        return Err(UpdateError::Older);
    }
    Ok(())
}
