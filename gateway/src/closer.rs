//! The GL-node's part: founding, trims, closing epochs, collecting votes.
//!
//! Invariant: a header is signed once its trim is certified in the own view, is in the store before a validator sees it, and is
//! shown as settled once votes of more than two thirds of the stake verified. All of it follows from the store and the window,
//! so a gateway that was killed goes on where it was.

use crate::admission::{Admission, Answer, Asked, is_leaf};
use crate::cut::{self, Moment};
use crate::daemon::{Part, Shared, catch_up};
use crate::epoch::{self, payload_of};
use crate::gchain::{Anchoring, Voices};
use crate::metrics::Exposition;
use crate::service::{header_frames, table_frames, write};
use crate::store::StoredHeader;
use crate::transport::Address;
use anyhow::{Context, Result};
use iotedge_core::crypto::{SecretKey, Software};
use iotedge_core::node::{Event, Phase, Submission, Ticket};
use iotedge_core::posp::verify_vote;
use iotedge_core::tangle::{Effect, Tables as _};
use iotedge_core::wire::merkle;
use iotedge_core::wire::{Frame, Vote};
use iotedge_core::{HeaderNumber, Id, Millis};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tracing::{error, info, warn};

/// A proposal is repeated this often.
const REPEAT: u64 = 500;
/// A trim that was refused is tried again after this.
const RETRY: u64 = 300;

/// Where the store keeps the newest own trim: its id and its cut.
const OWN_TRIM: &str = "trim";

/// A header that waits for votes.
struct Proposal {
    number: HeaderNumber,
    frame: Vec<u8>,
    root: Id,
    votes: BTreeMap<u8, [u8; 64]>,
    due: Millis,
}

/// See the module.
pub struct Closer {
    admission: Admission,
    secret: SecretKey,
    authority_secret: Option<SecretKey>,
    validators: Vec<SocketAddr>,
    started: Millis,
    proposal: Option<Proposal>,
    ticket: Option<Ticket>,
    next_try: Millis,
    check_due: Millis,
    /// The cut of the trim that waits for its ticket.
    asked: Millis,
    /// The newest own trim with its cut, and up to where the window was looked through for one.
    own_trim: Option<(Id, Millis)>,
    looked: u32,
    room: epoch::Room,
    settled: u64,
    trims: u64,
    void_trims: u64,
    false_votes: u64,
    anchoring: Anchoring,
    voices: Voices,
}

fn kept_trim(shared: &Shared) -> Option<(Id, Millis)> {
    let kept = shared.store.meta(OWN_TRIM).ok()??;
    let (id, cut) = kept.split_first_chunk::<32>()?;
    Some((Id(*id), Millis(u64::from_be_bytes(cut.try_into().ok()?))))
}

impl Closer {
    /// The part of a gateway with this key; `authority_secret` is needed to found.
    #[must_use]
    pub fn new(
        shared: &Shared,
        admission: Admission,
        secret: SecretKey,
        authority_secret: Option<SecretKey>,
    ) -> Self {
        Self {
            admission,
            secret,
            authority_secret,
            validators: shared.config.validators.iter().map(|v| v.address).collect(),
            started: shared.clock.now(),
            proposal: None,
            ticket: None,
            next_try: Millis(0),
            check_due: Millis(0),
            asked: Millis(0),
            own_trim: kept_trim(shared),
            looked: 0,
            room: epoch::Room::new(&shared.config),
            settled: 0,
            trims: 0,
            void_trims: 0,
            false_votes: 0,
            anchoring: Anchoring::default(),
            voices: Voices::default(),
        }
    }

    fn found(&mut self, shared: &mut Shared, now: Millis) -> Result<()> {
        let all = shared.store.enrolments()?;
        let enrolled = all.iter().filter(|e| !is_leaf(e)).count();
        let founding = &shared.config.founding;
        let waited = now.0.saturating_sub(self.started.0) >= founding.wait_ms;
        let ready = enrolled >= usize::from(founding.founders) || (waited && enrolled >= 1);
        if !ready {
            return Ok(());
        }
        let authority = self.authority_secret.as_ref().with_context(|| {
            format!(
                "{}: authority_key: needed to found a neighbourhood",
                shared.config.file.display()
            )
        })?;
        let start = shared.clock.absolute(now);
        let neighbourhood = self.admission.found(
            &shared.config,
            &shared.store,
            authority,
            self.secret.public_key(),
            start,
        )?;
        info!(enrolled, "founding");
        let genesis = crate::service::genesis(&neighbourhood);
        shared.adopt(neighbourhood)?;
        shared.feed(genesis.clone());
        for to in shared.everyone() {
            shared.out.push((to, genesis.clone()));
        }
        Ok(())
    }

    /// The next step of closing an epoch, whatever it is.
    fn step(&mut self, shared: &mut Shared, now: Millis) -> Result<()> {
        let newest = shared.node.headers().newest();
        if !shared.in_step() {
            return self.fill_table(shared, now, newest);
        }
        if shared.store.newest_settled()? > newest {
            return catch_up(shared);
        }
        if self.proposal.as_ref().is_some_and(|p| p.number <= newest) {
            self.proposal = None;
        }
        if self.proposal.is_none()
            && let Some(header) = shared.store.header(HeaderNumber(newest.0 + 1))?
        {
            // Closed before a restart: the same header goes on.
            self.restore(shared, &header)?;
        }
        match self.pending_trim(shared) {
            _ if self.proposal.is_some() => self.propose(shared, now),
            Some((trim, true)) => self.close(shared, &trim),
            Some((_, false)) => Ok(()),
            None => {
                self.trim(shared, now);
                Ok(())
            }
        }
    }

    /// Gives the own node the table that opens after `newest`: asked for by the node itself, eight records at a time and every other time of a
    /// neighbour that cannot have it yet, two hundred members take seconds, in which no trim is possible and the window fills.
    fn fill_table(&mut self, shared: &mut Shared, now: Millis, newest: HeaderNumber) -> Result<()> {
        let Some(n) = &shared.neighbourhood else {
            return Ok(());
        };
        self.check_due = Millis(now.0 + RETRY);
        for frame in table_frames(&shared.store, n, newest.opens())? {
            shared.feed(frame);
        }
        Ok(())
    }

    /// The own trim above the newest settled cut, and whether it is certified here.
    fn pending_trim(&mut self, shared: &Shared) -> Option<(Id, bool)> {
        let index = shared.node.status(shared.clock.now()).index?;
        let tangle = shared.node.tangle();
        for (_, facts) in tangle.since(self.looked) {
            if let Effect::Trim { cut, .. } = facts.effect
                && facts.issuer == index
            {
                self.own_trim = Some((facts.id, cut));
            }
        }
        self.looked = tangle.next_sequence();
        let settled = shared.node.headers().cut();
        // Also where it left the window: then the epoch waits, but no rival of it is ever made.
        let (id, _) = self.own_trim.filter(|(_, cut)| *cut > settled)?;
        Some((id, tangle.certified(&id)))
    }

    /// Submits the next trim once its past cone can be fresh.
    fn trim(&mut self, shared: &mut Shared, now: Millis) {
        let Some(n) = &shared.neighbourhood else {
            return;
        };
        let status = shared.node.status(now);
        if status.phase != Phase::Active || self.ticket.is_some() || now < self.next_try {
            return;
        }
        let tables = shared.node.tables();
        let tangle = shared.node.tangle();
        let epoch = status.epoch;
        let mut heads: Vec<(Millis, u64)> = tables
            .records(epoch)
            .unwrap_or(&[])
            .iter()
            .filter(|r| Some(r.index) != status.index)
            .filter_map(|r| Some((tangle.head_time(r.index)?, u64::from(r.weight.0))))
            .collect();
        // The trim itself is the GL-node's own fresh vertex.
        let own = status
            .index
            .and_then(|i| tables.weight(epoch, i))
            .map_or(0, |w| u64::from(w.0));
        let Some(fresh) = cut::fresh(&mut heads, own, tables.total(epoch).unwrap_or(0)) else {
            return;
        };
        let mut moment = Moment {
            now: shared.clock.absolute(now),
            period: n.trust.genesis.period,
            before: shared.node.headers().cut(),
            certified: None,
            fresh,
            by_count: shared.pressure.is_due(),
        };
        // What is not due yet needs no look at the window.
        if moment.cut().is_none() {
            return;
        }
        if let Some((predecessor, _)) = self.own_trim {
            let mut first = vec![Millis(0); tangle.members()];
            moment.certified = tangle.certified_at(tables, &predecessor, &mut first);
            if moment.certified.is_none() {
                self.next_try = Millis(now.0 + RETRY);
                return;
            }
        }
        let Some(cut) = moment.cut() else {
            return;
        };
        self.next_try = Millis(now.0 + RETRY);
        match shared.node.submit(now, &Submission::Trim { cut }, None) {
            Ok(ticket) => {
                self.ticket = Some(ticket);
                self.asked = cut;
            }
            Err(refusal) => warn!(refusal = refusal.name(), "a trim cannot be submitted"),
        }
    }

    fn close(&mut self, shared: &mut Shared, trim: &Id) -> Result<()> {
        let Some(n) = &shared.neighbourhood else {
            return Ok(());
        };
        let closed = epoch::credit_due(&shared.store, shared.node.headers().newest());
        let closed = closed.and_then(|credited| {
            epoch::close(
                &mut self.room,
                &shared.node,
                &shared.store,
                &n.trust,
                &shared.authority,
                &self.admission.anchors,
                trim,
                credited,
            )
        });
        let closed = match closed {
            Ok(closed) => closed,
            Err(error) => {
                // What is missing comes with the neighbours' frames; asking 50 times a second does not help.
                self.check_due = Millis(shared.clock.now().0 + RETRY);
                error!(%trim, %error, "the epoch cannot be closed yet");
                return Ok(());
            }
        };
        let cose = epoch::sign(&closed.header, &closed.payload, &self.secret)?;
        let header = StoredHeader {
            number: closed.header.number,
            cose,
            path0: closed.path0,
            leaves: closed.header.tree_size(),
            settled: false,
        };
        info!(
            header = closed.header.number.0,
            accepted = closed.header.count,
            value = closed.header.total_value.0,
            members = closed.header.members,
            "epoch closed"
        );
        shared.store.put_header(&header, &closed.accepted)?;
        shared.store.put_table(
            closed.header.number.opens(),
            closed.table.iter().map(Vec::as_slice),
        )?;
        shared
            .store
            .put_locks(closed.header.number, closed.locks.iter().map(Vec::as_slice))?;
        shared
            .store
            .put_credited(closed.header.number, closed.credited)?;
        self.restore(shared, &header)
    }

    fn restore(&mut self, shared: &Shared, header: &StoredHeader) -> Result<()> {
        let Some(n) = &shared.neighbourhood else {
            return Ok(());
        };
        let payload = payload_of(&header.cose).context("a stored header is damaged")?;
        let root = merkle::root_from_path(
            &merkle::leaf_hash(&payload),
            0,
            header.leaves,
            &header.path0,
        )
        .map_err(|e| anyhow::anyhow!("a stored header is damaged: {e:?}"))?;
        let votes = shared.store.votes(header.number)?;
        self.proposal = Some(Proposal {
            number: header.number,
            frame: write(
                &Frame::Proposal {
                    cose: &header.cose,
                    credited: shared.store.credited(header.number)?.unwrap_or(0),
                },
                n.trust.neighbourhood.tag(),
            ),
            root,
            votes: votes
                .into_iter()
                .filter_map(|(v, s)| Some((u8::try_from(v).ok()?, s)))
                .collect(),
            due: Millis(0),
        });
        Ok(())
    }

    /// Asks the validators that have not voted; settles where enough have.
    fn propose(&mut self, shared: &mut Shared, now: Millis) -> Result<()> {
        let (Some(proposal), Some(n)) = (&mut self.proposal, &shared.neighbourhood) else {
            return Ok(());
        };
        let set = &n.trust.set;
        let signed: u128 = proposal
            .votes
            .keys()
            .filter_map(|v| set.get(*v).ok())
            .map(|v| u128::from(v.stake))
            .sum();
        if set.is_quorum(signed) {
            info!(
                header = proposal.number.0,
                votes = proposal.votes.len(),
                "stake quorum"
            );
            shared.store.settle_header(proposal.number)?;
            if let Some(header) = shared.store.header(proposal.number)? {
                self.settled += u64::from(header.leaves.saturating_sub(1));
            }
            let frames = header_frames(&shared.store, n, proposal.number)?;
            for to in shared.everyone() {
                shared.out.extend(frames.iter().map(|f| (to, f.clone())));
            }
            // Before the first vertex of the new epoch: what a validator cannot place yet it must set aside, and a busy neighbourhood says more
            // in the round trips of its questions than it has room for.
            let table = table_frames(&shared.store, n, proposal.number.opens())?;
            for to in &self.validators {
                shared
                    .out
                    .extend(table.iter().map(|f| ((*to).into(), f.clone())));
            }
            self.proposal = None;
            return catch_up(shared);
        }
        if now >= proposal.due {
            proposal.due = Millis(now.0 + REPEAT);
            for (index, address) in (0_u8..).zip(&self.validators) {
                if !proposal.votes.contains_key(&index) {
                    shared.out.push(((*address).into(), proposal.frame.clone()));
                }
            }
        }
        Ok(())
    }

    fn on_votes(
        &mut self,
        shared: &mut Shared,
        number: HeaderNumber,
        votes: impl Iterator<Item = Vote>,
    ) -> Result<()> {
        let Some(n) = &shared.neighbourhood else {
            return Ok(());
        };
        for vote in votes {
            let root = match &self.proposal {
                Some(p) if p.number == number => p.root,
                _ => return Ok(()),
            };
            let Ok(validator) = n.trust.set.get(vote.index) else {
                continue;
            };
            let known = self
                .proposal
                .as_ref()
                .is_some_and(|p| p.votes.contains_key(&vote.index));
            if known {
                continue;
            }
            let checked = verify_vote(
                &validator.key,
                &n.trust.neighbourhood,
                number,
                &root,
                &vote.signature,
                &mut Software,
            );
            if let Err(error) = checked {
                self.false_votes += 1;
                warn!(
                    validator = vote.index,
                    header = number.0,
                    ?error,
                    "a vote does not hold"
                );
                continue;
            }
            shared
                .store
                .put_vote(number, vote.index.into(), &vote.signature.0)?;
            if let Some(proposal) = &mut self.proposal {
                proposal.votes.insert(vote.index, vote.signature.0);
            }
        }
        Ok(())
    }
}

impl Part for Closer {
    fn on_frame(
        &mut self,
        shared: &mut Shared,
        from: Address,
        now: Millis,
        frame: &Frame<'_>,
    ) -> Result<bool> {
        match frame {
            Frame::Enrol {
                certificates,
                proof,
                attestation,
            } => {
                let absolute = shared.clock.absolute(now);
                let answer = self.admission.enrol(
                    &shared.store,
                    &mut shared.node,
                    now,
                    absolute,
                    Asked {
                        certificates,
                        proof,
                        attestation: *attestation,
                    },
                )?;
                if let Some(Answer {
                    device,
                    challenge,
                    status,
                    index,
                }) = answer
                {
                    if let Some(status) = status {
                        let result = Frame::EnrolResult {
                            device,
                            status,
                            index,
                        };
                        shared.out.push((from, write(&result, [0; 4])));
                    }
                    // Last: whoever is refused asks anew, and is asked anew.
                    if let Some(challenge) = &challenge {
                        let ask = Frame::Challenge { device, challenge };
                        shared.out.push((from, write(&ask, [0; 4])));
                    }
                }
                Ok(true)
            }
            Frame::Votes { header, votes } => {
                self.on_votes(shared, *header, votes.iter())?;
                Ok(true)
            }
            Frame::AccountVote {
                header,
                credited,
                index,
                v,
                signature,
            } => {
                let mut whole = [*v; 65];
                whole[..64].copy_from_slice(*signature);
                let (header, credited, index) = (*header, *credited, *index);
                self.anchoring
                    .on_vote(shared, header, credited, index, &whole)?;
                Ok(true)
            }
            Frame::Anchored {
                header,
                block,
                votes,
            } => {
                self.voices.hear(shared, *header, *block, votes.iter())?;
                Ok(true)
            }
            // What the GL-node itself makes comes from nobody else.
            Frame::Header { .. }
            | Frame::Table { .. }
            | Frame::Genesis { .. }
            | Frame::Proof { .. }
            | Frame::Proposal { .. } => Ok(true),
            _ => Ok(false),
        }
    }

    fn on_event(&mut self, shared: &mut Shared, now: Millis, event: &Event) -> Result<()> {
        match event {
            Event::Sent { ticket, id } if Some(*ticket) == self.ticket => {
                self.ticket = None;
                // In the store before it leaves: a second one on the same predecessor would be evidence against us.
                self.own_trim = Some((*id, self.asked));
                let mut kept = id.0.to_vec();
                kept.extend_from_slice(&self.asked.0.to_be_bytes());
                shared.store.put_meta(OWN_TRIM, &kept)?;
                self.trims += 1;
                info!(%id, "trim issued");
            }
            Event::Rejected { ticket, reason } if Some(*ticket) == self.ticket => {
                self.ticket = None;
                self.void_trims += 1;
                self.next_try = Millis(now.0 + RETRY);
                info!(reason = reason.name(), "trim not possible yet");
            }
            Event::Rejected { ticket, reason } => warn!(
                ticket = ticket.0,
                reason = reason.name(),
                "submission refused"
            ),
            Event::TrimCertified { id, cut } => info!(%id, cut = cut.0, "trim certified"),
            _ => {}
        }
        Ok(())
    }

    fn tick(&mut self, shared: &mut Shared, now: Millis) -> Result<()> {
        if now < self.check_due {
            return Ok(());
        }
        self.check_due = Millis(now.0 + 20);
        self.admission.look_for_revocations(now, false);
        shared.pressure.closed = self.proposal.is_some();
        if shared.neighbourhood.is_none() {
            return self.found(shared, now);
        }
        if shared.in_step() {
            self.admission
                .put_out_revoked(&shared.store, &mut shared.node, now)?;
        }
        self.anchoring.tick(shared, &self.validators, now)?;
        self.voices.tick(shared, now);
        self.step(shared, now)
    }

    fn reload(&mut self, now: Millis) {
        self.admission.look_for_revocations(now, true);
    }

    fn metrics(&self, page: &mut Exposition) {
        page.counter(
            "settled_total",
            "Transactions that live, in headers settled since the start.",
            self.settled,
        );
        page.counter("trims_total", "Trims issued.", self.trims);
        page.counter(
            "trims_refused_total",
            "Trims that the own node found void; tried again.",
            self.void_trims,
        );
        page.counter(
            "votes_refused_total",
            "Votes that do not hold.",
            self.false_votes,
        );
        page.counter(
            "enrolments_refused_total",
            "Enrolments refused.",
            self.admission.refused,
        );
        let waiting = self.proposal.as_ref().map_or(0, |p| u64::from(p.number.0));
        page.gauge(
            "proposal",
            "Number of the header that waits for votes; 0 for none.",
            waiting,
        );
        let votes = self.proposal.as_ref().map_or(0, |p| p.votes.len() as u64);
        page.gauge("proposal_votes", "Votes for it.", votes);
        self.anchoring.metrics(page);
        page.counter(
            "gchain_voices_refused_total",
            "What validators say of anchored headers and does not hold.",
            self.voices.refused(),
        );
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::Config;
    use iotedge_core::crypto::PublicKey;
    use iotedge_core::identity::cert::{self, Claims, Cti, MAX_CERTIFICATE, Seconds};
    use iotedge_core::identity::{CoseKey, Kind};
    use iotedge_core::node::NodeSigner;
    use std::path::Path;

    const T: u64 = 4_000;

    pub(crate) fn secret(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32]).unwrap()
    }

    fn certificate(authority: &SecretKey, key: PublicKey) -> Vec<u8> {
        let id = CoseKey::thumbprint(&key);
        let claims = Claims {
            name: "Harbour",
            expires: None,
            not_before: None,
            issued: Seconds(1),
            cti: Cti::new(&id.0[..16]).unwrap(),
            key,
            kind: Kind::GlNode,
        };
        let mut out = [0; MAX_CERTIFICATE];
        let len = cert::issue(&claims, authority, &mut out).unwrap();
        out[..len].to_vec()
    }

    /// A GL-node that is its neighbourhood's only member, and a moment at which a trim is due.
    pub(crate) fn alone(folder: &Path, kept: Option<&[u8]>) -> (Shared, Closer, Millis) {
        let validator = hex::encode(secret(3).public_key().bytes());
        let text = format!(
            "data = \"data\"\n[policy]\nperiod_ms = {T}\nwitnesses = 1\nmax_members = 4\n[limits]\nwindow = 64\n\
             [[validator]]\npublic_key = \"{validator}\"\nstake = 1\naddress = \"127.0.0.1:9\"\n"
        );
        let config = Config::parse(&text, &folder.join("gateway.toml")).unwrap();
        let (authority, own) = (secret(1), secret(2));
        let admission = Admission::new(&config, authority.public_key()).unwrap();
        let signer = NodeSigner::Software(secret(2));
        let chain = certificate(&authority, own.public_key());
        let mut shared =
            Shared::new(config, authority.public_key(), false, &[&chain], signer).unwrap();
        if let Some(kept) = kept {
            shared.store.put_meta(OWN_TRIM, kept).unwrap();
        }
        let now = shared.clock.now();
        let start = shared.clock.absolute(now);
        let neighbourhood = admission
            .found(
                &shared.config,
                &shared.store,
                &authority,
                own.public_key(),
                start,
            )
            .unwrap();
        let genesis = crate::service::genesis(&neighbourhood);
        shared.adopt(neighbourhood).unwrap();
        shared.feed(genesis);
        shared.swallow(now).unwrap();
        let mut closer = Closer::new(&shared, admission, own, Some(authority));
        // The table of the founding comes from the own store.
        closer.tick(&mut shared, now).unwrap();
        shared.swallow(now).unwrap();
        assert!(shared.in_step());
        // A neighbour agrees that nothing was issued before.
        let index = shared.node.status(now).index.unwrap();
        let heads = Frame::Heads {
            member: index,
            number: iotedge_core::Number(0),
            id: Id::ZERO,
        };
        let tag = shared
            .neighbourhood
            .as_ref()
            .unwrap()
            .trust
            .neighbourhood
            .tag();
        shared.feed(write(&heads, tag));
        shared.swallow(now).unwrap();
        assert_eq!(shared.node.status(now).phase, Phase::Active);
        (shared, closer, Millis(now.0 + 2 * T))
    }

    fn step(shared: &mut Shared, closer: &mut Closer, now: Millis) {
        closer.tick(shared, now).unwrap();
        while let Some(event) = shared.node.next_event() {
            closer.on_event(shared, now, &event).unwrap();
        }
    }

    #[test]
    fn a_trim_is_kept_in_the_store_before_it_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let (mut shared, mut closer, now) = alone(folder.path(), None);
        step(&mut shared, &mut closer, now);
        assert_eq!(closer.trims, 1);
        let (id, cut) = kept_trim(&shared).expect("in the store");
        let facts = shared.node.tangle().get(&id).expect("in the window");
        assert!(matches!(facts.effect, Effect::Trim { cut: of, .. } if of == cut));
    }

    /// As after a restart whose replay brought back other transactions only: a second trim upon the genesis would be evidence against ourselves.
    #[test]
    fn a_trim_that_left_the_window_gets_no_rival() {
        let folder = tempfile::tempdir().unwrap();
        let far = Millis(u64::MAX / 2);
        let kept = [[7; 32].as_slice(), &far.0.to_be_bytes()].concat();
        let (mut shared, mut closer, now) = alone(folder.path(), Some(&kept));
        for later in [0, 400, T, 3 * T] {
            step(&mut shared, &mut closer, Millis(now.0 + later));
        }
        assert_eq!((closer.trims, closer.ticket), (0, None));
        assert_eq!(shared.node.tangle().len(), 0);
    }
}
