//! The check that a set is the committee that was elected: one candidate at a time, in memory for the seats alone.
//!
//! Invariant: `Elected` comes out of here only, from a whole list of the hash that was registered, with every revealed proof verified.

use super::candidate::List;
use super::{Candidate, Election, ElectionError, Entry, Race, Seat, Seed};
use super::{MAX_ALPHA, MAX_SEATS};
use crate::crypto::Sha256;
use crate::crypto::vrf::{Output, Proof};
use crate::posp::{MAX_VALIDATORS, PospError, Validator, ValidatorSet};
use crate::types::{HeaderNumber, Id};
use crate::wire::{Reader, WireError, Writer};
use heapless::Vec;

const VERSION: u64 = 1;
const MERGE: &str = "iotedge/merge/1";

/// An election under way, for at most `K` seats.
#[derive(Clone)]
pub struct ElectionCheck<const K: usize> {
    election: Election,
    list: List,
    race: Race<K>,
    /// Units of collateral, in all and revealed: at most 4,096 times 2^64.
    units: u128,
    revealed: u128,
}

impl<const K: usize> ElectionCheck<K> {
    /// Begins with a list of `count` candidates.
    pub fn new(election: &Election, count: usize) -> Result<Self, ElectionError> {
        if election.seats > MAX_SEATS {
            return Err(ElectionError::Seats);
        }
        Ok(Self {
            election: *election,
            list: List::new(&election.chain, election.term, count)?,
            race: Race::new(election.seats).ok_or(ElectionError::Seats)?,
            units: 0,
            revealed: 0,
        })
    }

    /// Takes the next candidate of the list, with what it revealed. After an error nothing has changed: after [`ElectionError::Proof`] the candidate can be
    /// taken again without its proof.
    pub fn add(&mut self, entry: &Entry) -> Result<(), ElectionError> {
        let candidate = &entry.candidate;
        let mut list = self.list.clone();
        list.add(candidate)?;
        let output = entry
            .proof
            .as_ref()
            .map(|proof| self.verify(candidate, proof));
        let output = output.transpose()?;
        self.list = list;
        let units = u128::from(candidate.units);
        self.units = self.units.saturating_add(units);
        if let Some(output) = output {
            self.revealed = self.revealed.saturating_add(units);
            self.race.enter(&candidate.key, candidate.units, &output);
        }
        Ok(())
    }

    fn verify(&self, candidate: &Candidate, proof: &Proof) -> Result<Output, ElectionError> {
        let mut buffer = [0; MAX_ALPHA];
        let alpha = self.election.alpha(&candidate.key, &mut buffer)?;
        let verified = candidate.function.verify(alpha, proof);
        verified.map_err(ElectionError::Proof)
    }

    /// The committee, where the list was the registered one, of the hash `candidates`, and more than half of its collateral was revealed.
    pub fn finish(self, candidates: &Id) -> Result<Elected<K>, ElectionError> {
        if self.list.finish()? != *candidates {
            return Err(ElectionError::OtherList);
        }
        if self.revealed.saturating_add(self.revealed) <= self.units {
            return Err(ElectionError::Unrevealed);
        }
        Ok(Elected {
            term: self.election.term,
            race: self.race,
        })
    }
}

/// The committee of a term.
#[derive(Clone, Debug)]
pub struct Elected<const K: usize> {
    term: u32,
    race: Race<K>,
}

impl<const K: usize> Elected<K> {
    /// The seats in the order in which they were drawn. There are fewer than wanted where that is all the collateral that was revealed.
    #[must_use]
    pub fn seats(&self) -> &[Seat] {
        self.race.seats()
    }

    /// The members in the order of their first seats; the stake of each is the number of its seats.
    pub fn members(&self) -> impl Iterator<Item = Validator> + '_ {
        self.first_seats().map(|seat| {
            let own = self.seats().iter().filter(|other| other.key == seat.key);
            Validator {
                key: seat.key,
                stake: own.fold(0, |sum: u64, _| sum.saturating_add(1)),
            }
        })
    }

    fn first_seats(&self) -> impl Iterator<Item = &Seat> {
        let seats = self.seats();
        seats.iter().enumerate().filter_map(move |(place, seat)| {
            let first = seats.iter().position(|other| other.key == seat.key);
            (first == Some(place)).then_some(seat)
        })
    }

    /// Whether `set` is this committee: nobody more, nobody less, in this order and with these stakes.
    pub fn check(&self, set: &ValidatorSet) -> Result<(), ElectionError> {
        if set.term() != self.term {
            return Err(ElectionError::Term);
        }
        match self.members().eq(set.validators().iter().copied()) {
            true => Ok(()),
            false => Err(ElectionError::NotElected),
        }
    }

    /// The set to hand over to, whose first header is `start`.
    pub fn set(&self, start: HeaderNumber) -> Result<ValidatorSet, PospError> {
        let mut validators: Vec<Validator, MAX_VALIDATORS> = Vec::new();
        for member in self.members() {
            validators.push(member).map_err(|_| PospError::Set)?;
        }
        ValidatorSet::new(self.term, start, &validators)
    }

    /// The merged outputs of the members, for the seed of the next term.
    #[must_use]
    pub fn merge(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(MERGE.as_bytes());
        self.first_seats()
            .for_each(|seat| hash.update(&seat.output));
        hash.finish()
    }
}

/// A record of an election, as it travels: read entry by entry.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    election: Election,
    count: usize,
    left: usize,
    reader: Reader<'a>,
}

impl<'a> Record<'a> {
    /// Reads its head.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ElectionError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(6);
        let version = r.take_uint();
        r.intact()?;
        if version != VERSION {
            return Err(ElectionError::Version);
        }
        let election = Election {
            chain: r.take_id(),
            term: r.take_u32(),
            seats: r.take_u8(),
            seed: Seed(*r.take_bytes_of()),
        };
        let count = r.take_array();
        r.intact()?;
        Ok(Self {
            election,
            count,
            left: count,
            reader: r,
        })
    }

    /// Which election it says it is of.
    #[must_use]
    pub const fn election(&self) -> &Election {
        &self.election
    }

    /// The next entry, or none after the last, where the record must end.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ElectionError> {
        let Some(left) = self.left.checked_sub(1) else {
            self.reader.finish()?;
            return Ok(None);
        };
        let entry = Entry::take(&mut self.reader)?;
        self.left = left;
        Ok(Some(entry))
    }

    /// Runs the whole of it, which must be of `election`, over the list of the hash `candidates`.
    pub fn run<const K: usize>(
        mut self,
        election: &Election,
        candidates: &Id,
    ) -> Result<Elected<K>, ElectionError> {
        if self.election != *election {
            return Err(ElectionError::OtherElection);
        }
        let mut check = ElectionCheck::new(election, self.count)?;
        while let Some(entry) = self.next_entry()? {
            check.add(&entry)?;
        }
        check.finish(candidates)
    }
}

/// Writes a record: `[1, chain, term, seats, seed, [entry, ...]]`.
pub fn encode_record(
    election: &Election,
    entries: &[Entry],
    w: &mut Writer<'_>,
) -> Result<(), WireError> {
    w.put_array(6);
    w.put_uint(VERSION);
    w.put_id(&election.chain);
    w.put_u32(election.term);
    w.put_uint(u64::from(election.seats));
    w.put_bytes(&election.seed.0);
    w.put_array(entries.len());
    w.intact()?;
    entries.iter().try_for_each(|entry| entry.encode(w))
}

/// The hash of a list of candidates, which their registrar gives out and everyone compares.
pub fn list_hash(chain: &Id, term: u32, candidates: &[Candidate]) -> Result<Id, ElectionError> {
    let mut list = List::new(chain, term, candidates.len())?;
    candidates.iter().try_for_each(|one| list.add(one))?;
    list.finish()
}
