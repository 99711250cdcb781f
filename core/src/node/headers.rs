//! Settled headers: taken in with their votes, turned into tables of the next epoch, and used to check receipts.
//!
//! Invariant: nothing here is believed before a stake quorum of the trusted validator set signed the epoch tree's root. The
//! GL-node's signature is checked first, so that nobody else can make a device check votes.

use super::clocks::STORED_CLOCKS;
use super::event::{Event, Grade, Peer, Refusal};
use super::gossip::Control;
use super::own::Followed;
use super::records::{STORED_CHUNK, read_chunk};
use super::tables::{Opening, TableError};
use super::{Node, keys};
use crate::copy::gather;
use crate::crypto::{Signature, Verify, twice};
use crate::identity::{Genesis, Record};
use crate::order::sort_few;
use crate::platform::Platform;
use crate::posp::{
    Header, MAX_HEADER, MAX_VALIDATORS, PospError, Receipt, ReceiptVerifier, SetChain,
    SettledHeader, SignedHeader, Tally, ValidatorSet,
};
use crate::tangle::Tables as _;
use crate::wire::list::{List, Raw, Vote};
use crate::wire::merkle::MAX_PATH;
use crate::wire::{Reader, Writer};
use crate::{Epoch, HeaderNumber, Id, MemberIndex, Millis};
use core::hint::black_box;
use heapless::Vec;

/// Votes kept per header: more than a quorum of the sets that exist.
pub const KEPT_VOTES: usize = MAX_VALIDATORS;
/// Longest stored header: payload, path, votes.
const STORED_HEADER: usize = MAX_HEADER + 34 * MAX_PATH + 70 * KEPT_VOTES + 64;
/// After so many fruitless requests a receipt is not asked for any more.
const PROOF_TRIES: u8 = 40;
/// Requests for proofs that are unanswered at once.
const PROOFS_AT_ONCE: usize = 8;

/// A header with its path and votes, kept to write receipts with.
#[derive(Clone, Debug, Default)]
pub struct HeaderProof {
    number: HeaderNumber,
    pub(crate) payload: Vec<u8, MAX_HEADER>,
    /// The GL-node's, so that this node can pass the header on.
    pub(crate) signature: Option<Signature>,
    pub(crate) path: Vec<Id, MAX_PATH>,
    pub(crate) votes: Vec<Vote, KEPT_VOTES>,
    pub(crate) settled: Option<SettledHeader>,
}

/// The path of the receipt that was verified last.
#[derive(Clone, Debug)]
struct LastProof {
    id: Id,
    number: HeaderNumber,
    leaf: u32,
    path: Vec<Id, MAX_PATH>,
}

/// The settled headers over caller memory, and the trusted validator set.
#[derive(Debug)]
pub struct Headers<'m> {
    proofs: &'m mut [HeaderProof],
    pub(crate) chain: Option<SetChain>,
    newest: HeaderNumber,
    hash: Id,
    g0: Id,
    cut: Millis,
    last: Option<LastProof>,
}

impl<'m> Headers<'m> {
    pub(crate) fn new(proofs: &'m mut [HeaderProof]) -> Self {
        proofs.fill(HeaderProof::default());
        Self {
            proofs,
            chain: None,
            newest: HeaderNumber(0),
            hash: Id::ZERO,
            g0: Id::ZERO,
            cut: Millis(0),
            last: None,
        }
    }

    pub(crate) fn into_inner(self) -> &'m mut [HeaderProof] {
        self.proofs
    }

    /// The genesis stands as header 0.
    pub(crate) fn begin(
        &mut self,
        id: Id,
        genesis: &Genesis,
        set: ValidatorSet,
    ) -> Result<(), PospError> {
        self.chain = Some(SetChain::pin(
            id,
            set,
            &genesis.validator_set,
            genesis.start,
            genesis.set_age,
        )?);
        self.newest = HeaderNumber(0);
        self.hash = id;
        self.g0 = genesis.g0();
        self.cut = genesis.start;
        Ok(())
    }

    /// Number of the newest settled header; 0 is the genesis.
    #[must_use]
    pub const fn newest(&self) -> HeaderNumber {
        self.newest
    }

    /// Hash of the newest settled header; of the genesis the neighbourhood id.
    #[must_use]
    pub const fn hash(&self) -> Id {
        self.hash
    }

    /// G0 of the newest settled header.
    #[must_use]
    pub const fn g0(&self) -> Id {
        self.g0
    }

    /// c of the newest settled header.
    #[must_use]
    pub const fn cut(&self) -> Millis {
        self.cut
    }

    /// The trusted validator sets.
    #[must_use]
    pub const fn chain(&self) -> Option<&SetChain> {
        self.chain.as_ref()
    }

    pub(crate) fn proof(&self, number: HeaderNumber) -> Option<&HeaderProof> {
        self.proofs.iter().find(|p| p.number == number)
    }

    /// A settled header that is still held.
    #[must_use]
    pub fn settled(&self, number: HeaderNumber) -> Option<&SettledHeader> {
        self.proofs
            .iter()
            .find(|p| p.number == number)
            .and_then(|p| p.settled.as_ref())
    }

    /// The place for a header that is coming in: its own, else an unfinished one's, else the oldest settled one's.
    fn place(&mut self, number: HeaderNumber) -> Option<&mut HeaderProof> {
        let index = self
            .proofs
            .iter()
            .position(|p| p.number == number)
            .or_else(|| {
                self.proofs
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, p)| (p.settled.is_some(), p.number))
                    .map(|(i, _)| i)
            })?;
        self.proofs.get_mut(index)
    }
}

pub(crate) fn posp_refusal(error: PospError) -> Refusal {
    match error {
        PospError::ShortOfQuorum | PospError::Vote(_) | PospError::VoterOrder => {
            Refusal::ShortOfQuorum
        }
        PospError::Set
        | PospError::WrongSet
        | PospError::UnknownValidator
        | PospError::HandoverPending
        | PospError::Stale => Refusal::WrongValidatorSet,
        PospError::Path(_) | PospError::HeaderLeaf => Refusal::WrongPath,
        PospError::Neighbourhood => Refusal::Neighbourhood,
        PospError::Wire(error) => super::refuse::wire_refusal(error),
        _ => Refusal::ForgedHeader,
    }
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// A header with the path of leaf 0. It counts once its votes are in.
    #[inline(never)]
    pub(crate) fn on_header(
        &mut self,
        now: Millis,
        cose: &[u8],
        path: List<'_, Id>,
    ) -> Result<(), Refusal> {
        let signed = SignedHeader::parse(cose).map_err(posp_refusal)?;
        let number = signed.header().number;
        if number == HeaderNumber(0) {
            return Err(Refusal::ForgedHeader);
        }
        let (header, hash) = (signed.header(), signed.hash());
        let clocks = &mut self.tables.clocks;
        if clocks.take(number, hash, header.cut, header.previous) {
            self.store_clocks();
            self.timers.header = now;
            self.aside.wake_all();
            // Its table and its votes are of use only where its epoch still counts.
            if number.saturating_add(2) < self.headers.newest {
                return Ok(());
            }
        }
        if self.headers.settled(number).is_some() {
            return Ok(());
        }
        let gl_node = self.genesis.as_ref().map(|g| g.gl_node);
        let newest = self.tables.newest();
        let record = match gl_node {
            Some(index) => self.record(newest, index)?,
            None => None,
        };
        let key = record.map(|record| record.key).ok_or(Refusal::Busy)?;
        signed
            .verify(&self.neighbourhood, &key, &mut self.verifier)
            .map_err(posp_refusal)?;
        let at = self.absolute(now);
        let past = self.past_set(number);
        let chain = self.headers.chain.as_ref().ok_or(Refusal::Busy)?;
        let set = match past.as_ref() {
            Some(set) => set,
            None => chain.set(number, at).map_err(posp_refusal)?,
        };
        ReceiptVerifier::begin(signed.payload(), path, set, &self.neighbourhood)
            .map_err(posp_refusal)?;
        let place = self.headers.place(number).ok_or(Refusal::Busy)?;
        // The path is nobody's word until there are votes: the latest stands, so that a false one that came first keeps no true one out.
        let same = place.number == number
            && place.payload.as_slice() == signed.payload()
            && place.path.iter().copied().eq(path.iter());
        if same {
            return Ok(());
        }
        let payload = Vec::from_slice(signed.payload()).map_err(|_| Refusal::Malformed)?;
        *place = HeaderProof {
            number,
            payload,
            signature: Some(signed.signature()),
            path: gather(path.iter()),
            votes: Vec::new(),
            settled: None,
        };
        Ok(())
    }

    /// Votes for a header that is here. They are kept until they can make a quorum, and only then checked.
    #[inline(never)]
    pub(crate) fn on_votes(
        &mut self,
        now: Millis,
        number: HeaderNumber,
        votes: List<'_, Vote>,
    ) -> Result<(), Refusal> {
        let at = self.absolute(now);
        let past = self.past_set(number);
        let chain = self.headers.chain.as_ref().ok_or(Refusal::Busy)?;
        let Some(index) = self.headers.proofs.iter().position(|p| p.number == number) else {
            self.timers.header = self.timers.header.min(now);
            return Err(Refusal::NotForMe);
        };
        let set = match past.as_ref() {
            Some(set) => set,
            None => chain.set(number, at).map_err(posp_refusal)?,
        };
        let proof = self.headers.proofs.get_mut(index).ok_or(Refusal::Busy)?;
        if let Some(settled) = proof.settled {
            // It was asked for again where its table was lost on the way.
            let opens = number.opens();
            return match self.tables.ready(opens) || self.tables.is_void(opens) {
                true => Ok(()),
                false => self.on_settled(now, &settled),
            };
        }
        // None is checked yet, so the latest of a validator stands: whoever sends a false one first keeps no true one out.
        for vote in votes.iter() {
            proof.votes.retain(|v| v.index != vote.index);
            let _ = proof.votes.push(vote);
        }
        sort_few(&mut proof.votes, |a, b| a.index < b.index);
        let mut hoped = Tally::new(set);
        for vote in &proof.votes {
            let _ = hoped.add(vote.index);
        }
        if !hoped.is_quorum() {
            return Ok(());
        }
        // Twice (decision 0030), the second time with the votes that were good the first time.
        let (mut good, mut settled) = (Vec::<Vote, KEPT_VOTES>::new(), None);
        let (mut error, mut first) = (None, true);
        let neighbourhood = &self.neighbourhood;
        let mut check = |verifier: &mut dyn Verify| {
            let path = proof.path.iter();
            let mut stream = ReceiptVerifier::begin(&proof.payload, path, set, neighbourhood)?;
            if first {
                first = false;
                for vote in &proof.votes {
                    if stream.is_quorum() {
                        break;
                    }
                    if stream.vote(vote.index, &vote.signature, verifier).is_ok() {
                        let _ = good.push(*vote);
                    }
                }
            } else {
                for vote in &good {
                    stream.vote(vote.index, &vote.signature, verifier)?;
                }
            }
            settled = Some(stream.finish_header()?);
            Ok::<(), PospError>(())
        };
        let verdict = twice(
            &mut self.verifier,
            &mut |verifier: &mut dyn Verify| match check(verifier) {
                Ok(()) => 0,
                Err(found) => {
                    error = Some(found);
                    1
                }
            },
        );
        let again = black_box(verdict);
        if verdict != 0 {
            proof.votes = good;
            self.suspect_set(now, number);
            return Err(posp_refusal(error.unwrap_or(PospError::ShortOfQuorum)));
        }
        let Some(settled) = settled.filter(|_| again == 0) else {
            return Err(Refusal::ShortOfQuorum);
        };
        proof.votes = good;
        proof.settled = Some(settled);
        self.on_settled(now, &settled)
    }

    #[inline(never)]
    fn on_settled(&mut self, now: Millis, settled: &SettledHeader) -> Result<(), Refusal> {
        let header = *settled.header();
        let newer = header.number > self.headers.newest;
        if newer {
            let clocks = &mut self.tables.clocks;
            clocks.settled(header.number, header.cut, header.previous);
            let chain = self.headers.chain.as_mut().ok_or(Refusal::Busy)?;
            // After a reset the chain of sets is where it was, and the headers follow.
            if header.number > chain.trusted().newest {
                chain.advance(settled).map_err(posp_refusal)?;
                self.store_trust();
                self.timers.set = now;
            }
            self.headers.newest = header.number;
            self.headers.hash = settled.hash();
            self.headers.g0 = header.g0;
            self.headers.cut = header.cut;
        }
        let recent = header.number.saturating_add(2) >= self.headers.newest;
        if recent && !self.tables.ready(header.number.opens()) {
            self.tables
                .open(Opening {
                    epoch: header.number.opens(),
                    clock_start: header.cut,
                    root: header.table_root,
                    members: header.members,
                    trim: header.trim,
                })
                .map_err(|_| Refusal::Busy)?;
            self.timers.table = now;
        }
        if recent {
            self.store_header(header.number);
            self.store_clocks();
        }
        if newer {
            for followed in self.own.iter_mut() {
                if followed.time <= header.cut {
                    followed.proof_due = now;
                    followed.proof_tries = 0;
                }
            }
            self.tell(Event::HeaderSettled {
                header: header.number,
                cut: header.cut,
            });
        }
        Ok(())
    }

    /// Records of a table that is being filled.
    #[inline(never)]
    pub(crate) fn on_table(
        &mut self,
        now: Millis,
        from: Peer,
        epoch: Epoch,
        first: MemberIndex,
        records: List<'_, Raw<'_>>,
    ) -> Result<(), Refusal> {
        // What holds a whole table is false or true by itself; it may cost memory, but no write.
        let apart = self.tables.whole() && self.tables.is_all(epoch, first, records.iter().count());
        if !apart && self.timers.table_from.is_some_and(|source| source != from) {
            let well_formed = records.iter().all(|raw| Record::decode(raw.0).is_ok());
            return well_formed.then_some(()).ok_or(Refusal::ForgedTable);
        }
        let mut index = first.0;
        for raw in records.iter() {
            let record = Record::decode(raw.0).map_err(|_| Refusal::ForgedTable)?;
            match self.take_record(epoch, index, &record, true) {
                Ok(true) => {
                    self.timers.table_from = None;
                    self.on_table_ready(now, epoch);
                    return Ok(());
                }
                Ok(false) => {
                    self.timers.table_tries = 0;
                    self.timers.table_good = Some(from);
                    self.timers.table = now;
                }
                // Chunks are asked for again after a time-out, so the same may come twice.
                Err(TableError::NotAsked) => return Ok(()),
                Err(TableError::Full | TableError::Weights) => return Err(Refusal::Busy),
                Err(TableError::Store) => {
                    self.timers.table = now.saturating_add(self.patience(1_000));
                    self.tell(Event::PlatformFailed);
                    return Err(Refusal::Platform);
                }
                Err(TableError::Forged) => {
                    self.timers.table = now.saturating_add(self.request_timeout.0);
                    self.timers.table_from = self.whom_to_ask();
                    self.timers.table_tries = 0;
                    return Err(Refusal::ForgedTable);
                }
            }
            index = index.saturating_add(1);
        }
        Ok(())
    }

    fn on_table_ready(&mut self, now: Millis, epoch: Epoch) {
        self.tangle.tables_changed(&self.tables);
        self.learn_neighbourhood();
        self.find_self(now);
        if epoch == self.tables.newest() {
            // What the header says is in the store; now the window may forget what it settles.
            if let Some(cut) = self.tables.clock_start(epoch)
                && self.headers.newest > HeaderNumber(0)
            {
                self.tangle.prune(cut);
            }
            self.bury_the_dead(now);
            self.tell(Event::EpochOpened {
                epoch,
                header: HeaderNumber(epoch.0.saturating_sub(1)),
            });
        }
        self.aside.wake_all();
        self.timers.sync = self.timers.sync.min(now);
        self.try_recovered(now);
    }

    /// An inclusion proof of a followed transaction.
    #[inline(never)]
    pub(crate) fn on_proof(
        &mut self,
        now: Millis,
        number: HeaderNumber,
        id: Id,
        leaf: u32,
        size: u32,
        path: List<'_, Id>,
    ) -> Result<(), Refusal> {
        let Some(followed) = self.own.get(&id) else {
            return Err(Refusal::NotForMe);
        };
        if matches!(followed.grade, Grade::Settled | Grade::Anchored) {
            return Ok(());
        }
        let Some(settled) = self.headers.settled(number) else {
            // A header that was settled while this device slept: fetch it, then ask again.
            if let Some(uplink) = self.peers.uplink(self.timers.turn) {
                self.say(uplink, Control::HeaderRequest { header: number });
            }
            return Err(Refusal::Busy);
        };
        if settled.header().tree_size() != size {
            return Err(Refusal::WrongPath);
        }
        settled.prove(&id, leaf, path).map_err(posp_refusal)?;
        self.headers.last = Some(LastProof {
            id,
            number,
            leaf,
            path: gather(path.iter()),
        });
        let done = self.own.get_mut(&id).map(|followed| {
            followed.header = number;
            *followed
        });
        self.settle_grade(now, &id);
        if let Some(done) = done {
            self.own
                .forget_stored(&self.limits, &mut self.platform, &done);
        }
        self.tell(Event::Receipt { id, header: number });
        Ok(())
    }

    /// Asks for the receipts of followed transactions that a settled header should hold.
    #[inline(never)]
    pub(crate) fn ask_for_proofs(&mut self, now: Millis) {
        if self.headers.newest == HeaderNumber(0) {
            return;
        }
        let cut = self.headers.cut;
        let turn = self.timers.turn;
        let Some(uplink) = self.peers.uplink(turn) else {
            return;
        };
        // Over slow hops an answer takes its time, and what is not in a header gets none.
        let pause = self.request_timeout.0;
        let period = self.genesis.as_ref().map_or(0, |g| g.period.0);
        let longest = (period / 8).max(10_000);
        let open = |f: &Followed| f.unsettled() && f.time <= cut && f.proof_tries < PROOF_TRIES;
        let due = |f: &Followed| f.proof_due <= now && open(f);
        // At most ticks none is.
        if !self.own.iter().any(due) {
            return;
        }
        let waits = |f: &&Followed| f.proof_due > now && f.proof_tries > 0 && open(f);
        let mut room = PROOFS_AT_ONCE.saturating_sub(self.own.iter().filter(waits).count());
        let mut asked: Vec<Id, PROOFS_AT_ONCE> = Vec::new();
        for followed in self.own.iter_mut() {
            if room == 0 {
                break;
            }
            if !due(followed) || asked.push(followed.id).is_err() {
                continue;
            }
            room = room.saturating_sub(1);
            let tries = u32::from(followed.proof_tries);
            followed.proof_tries = followed.proof_tries.saturating_add(1);
            let wait = pause.saturating_mul(1u64.wrapping_shl(tries.min(16)));
            followed.proof_due = now.saturating_add(wait.min(longest));
        }
        for &id in &asked {
            self.say(uplink, Control::ProofRequest { id });
        }
    }

    /// Writes the compact receipt (protocol section 7.3) of the transaction whose [`Event::Receipt`] came last. `None` for any other, or where
    /// `out` is too short.
    pub fn receipt(&self, id: &Id, out: &mut [u8]) -> Option<usize> {
        let last = self.headers.last.as_ref().filter(|l| l.id == *id)?;
        let proof = self
            .headers
            .proofs
            .iter()
            .find(|p| p.number == last.number)?;
        let receipt = Receipt {
            header: &proof.payload,
            header_path: List::of(&proof.path),
            tx: last.id,
            leaf: last.leaf,
            path: List::of(&last.path),
            votes: List::of(&proof.votes),
        };
        let mut w = Writer::new(out);
        receipt.encode(&mut w).ok()?;
        Some(w.len())
    }

    #[inline(never)]
    fn store_header(&mut self, number: HeaderNumber) {
        let Some(proof) = self.headers.proofs.iter().find(|p| p.number == number) else {
            return;
        };
        let mut buffer = [0u8; STORED_HEADER];
        let mut w = Writer::new(&mut buffer);
        let receipt = Receipt {
            header: &proof.payload,
            header_path: List::of(&proof.path),
            tx: Id::ZERO,
            leaf: 0,
            path: List::of(&[]),
            votes: List::of(&proof.votes),
        };
        let written = receipt.encode(&mut w);
        let key = header_key(number);
        if written.is_err() || self.platform.put(key, w.written()).is_err() {
            self.tell(Event::PlatformFailed);
        }
    }

    fn store_clocks(&mut self) {
        let mut buffer = [0u8; STORED_CLOCKS];
        let mut w = Writer::new(&mut buffer);
        let written = self.tables.clocks.encode(&mut w);
        if written.is_err() || self.platform.put(keys::CLOCKS, w.written()).is_err() {
            self.tell(Event::PlatformFailed);
        }
    }

    /// What does not read is left out: the headers tell it again.
    #[inline(never)]
    fn restore_clocks(&mut self) {
        let mut buffer = [0u8; STORED_CLOCKS];
        if let Ok(Some(len)) = self.platform.get(keys::CLOCKS, &mut buffer) {
            let stored = buffer.get(..len).unwrap_or(&[]);
            let _ = self.tables.clocks.decode(stored);
        }
    }

    /// Reads back the newest headers and tables. What does not verify is left out: it comes again from a neighbour.
    #[inline(never)]
    pub(crate) fn restore_headers(&mut self) -> Result<(), super::InitError> {
        self.restore_trust();
        self.restore_clocks();
        self.restore_table(Epoch(1));
        let mut found: Vec<(HeaderNumber, u16), 3> = Vec::new();
        for turn in 0..3u32 {
            let key = header_key(HeaderNumber(turn));
            if let Some(number) = self.stored_number(key) {
                let _ = found.push((number, key));
            }
        }
        sort_few(&mut found, |a, b| a.0 < b.0);
        for (number, key) in &found {
            let settled = self.restore_header(*number, *key);
            if settled.is_some_and(|settled| self.on_settled(Millis(0), &settled).is_ok()) {
                self.restore_table(number.opens());
            }
        }
        Ok(())
    }

    /// The number of the header that is stored under this key.
    #[inline(never)]
    fn stored_number(&mut self, key: u16) -> Option<HeaderNumber> {
        let mut buffer = [0u8; STORED_HEADER];
        let len = self.platform.get(key, &mut buffer).ok()??;
        let receipt = Receipt::parse(buffer.get(..len)?).ok()?;
        let header = Header::decode(receipt.header).ok()?;
        Some(header.number)
    }

    #[inline(never)]
    fn restore_header(&mut self, number: HeaderNumber, key: u16) -> Option<SettledHeader> {
        let mut buffer = [0u8; STORED_HEADER];
        let len = self.platform.get(key, &mut buffer).ok()??;
        let stored = &Receipt::parse(buffer.get(..len)?).ok()?;
        let settled = self.verify_stored(number, stored)?;
        self.keep_stored(number, stored, settled)?;
        Some(settled)
    }

    /// Age does not matter here: what was trusted when it was stored is verified again by the same set.
    #[inline(never)]
    fn verify_stored(
        &mut self,
        number: HeaderNumber,
        stored: &Receipt<'_>,
    ) -> Option<SettledHeader> {
        let past = self.past_set(number);
        let set = match past.as_ref() {
            Some(set) => set,
            None => self.headers.chain.as_ref()?.set(number, Millis(0)).ok()?,
        };
        let mut stream =
            ReceiptVerifier::begin(stored.header, stored.header_path, set, &self.neighbourhood)
                .ok()?;
        for vote in stored.votes {
            stream
                .vote(vote.index, &vote.signature, &mut self.verifier)
                .ok()?;
        }
        stream.finish_header().ok()
    }

    /// Each part is made where it stays.
    #[inline(never)]
    fn keep_stored(
        &mut self,
        number: HeaderNumber,
        stored: &Receipt<'_>,
        settled: SettledHeader,
    ) -> Option<()> {
        let payload = Vec::from_slice(stored.header).ok()?;
        let place = self.headers.place(number)?;
        place.payload = payload;
        place.number = number;
        place.signature = None;
        place.path = gather(stored.header_path.iter());
        place.votes = gather(stored.votes.iter());
        place.settled = Some(settled);
        Some(())
    }

    fn restore_table(&mut self, epoch: Epoch) {
        let mut index = 0u16;
        for chunk in 0..u16::MAX {
            match self.restore_chunk(epoch, chunk, &mut index) {
                Some(false) => {}
                // Not below the chunk's buffer.
                Some(true) => return self.on_table_ready(Millis(0), epoch),
                None => return,
            }
        }
    }

    /// Takes in a chunk of a table, which begins with the record of this index. True: the table is whole now.
    #[inline(never)]
    fn restore_chunk(&mut self, epoch: Epoch, chunk: u16, index: &mut u16) -> Option<bool> {
        let mut buffer = [0u8; STORED_CHUNK];
        let (records, sealed) =
            read_chunk(&mut self.platform, epoch, chunk, &mut buffer).ok()??;
        let mut r = Reader::new(records);
        while !r.is_at_end() {
            let record = Record::decode(r.item().ok()?).ok()?;
            // What was stored by a node with all records in memory is sealed now.
            let seal = !sealed && !self.tables.whole();
            if self.take_record(epoch, *index, &record, seal).ok()? {
                return Some(true);
            }
            *index = index.saturating_add(1);
        }
        Some(false)
    }
}

fn header_key(number: HeaderNumber) -> u16 {
    let turn = number.0.checked_rem(3).unwrap_or(0);
    keys::HEADERS.saturating_add(u16::try_from(turn).unwrap_or(0))
}
