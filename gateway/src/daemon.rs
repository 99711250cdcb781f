//! The loop of a gateway or validator: socket, node, store and clock in one thread.
//!
//! Invariant: in each turn everything that the node and the daemon wrote is committed before any frame of that turn leaves, so
//! whatever was answered, approved or forwarded survives SIGKILL. The daemon answers its own node's requests through the same
//! service and the same `receive` as anybody else's: [`SELF`] is a neighbour like others.

use crate::check::Trust;
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::{Exposition, Page};
use crate::page::{self, Counts};
use crate::platform::StorePlatform;
use crate::pressure::Pressure;
use crate::service::{Neighbourhood, Service, tx_frame};
use crate::store::{Store, StoredTx};
use crate::transport::{Address, Datagram, Peers, Seen, Transport};
use crate::verifier::{TurnVerifier, collect};
use anyhow::{Context, Result, anyhow};
use iotedge_core::crypto::PublicKey;
use iotedge_core::node::{Event, Node, NodeSigner, Peer, Refusal};
use iotedge_core::tangle::Tables as _;
use iotedge_core::tx::{Attachment, Unverified};
use iotedge_core::wire::{Frame, Reader};
use iotedge_core::{Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis, Number};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tracing::{debug, error, info, warn};

/// The node of this crate.
pub type GlNode = Node<'static, StorePlatform, TurnVerifier>;

/// The daemon itself, as its own node knows it.
pub const SELF: Peer = Peer(u16::MAX);
/// Frames that leave in one turn; the rest leaves in the next. Bounds the memory that they wait in, too.
const OUT: usize = 1_024;
/// Longest sleep.
const TICK: Duration = Duration::from_millis(20);
/// Stored transactions replayed before the neighbour's token bucket is filled anew.
const REPLAY_CHUNK: usize = 2_000;
/// What is not settled is mostly of the newest epoch and of the two before it, and may stand on what is of one more.
const REPLAYED: u32 = 3;

/// What a gateway and a validator share.
pub struct Shared {
    pub config: Config,
    pub authority: PublicKey,
    pub store: Rc<Store>,
    pub node: GlNode,
    pub clock: Clock,
    pub neighbourhood: Option<Neighbourhood>,
    pub service: Service,
    /// What a gateway takes; a validator follows whatever the gateway took.
    pub pressure: Pressure,
    /// The line to the G-Chain; none where local validators are all there is.
    pub gchain: Option<crate::gchain::Link>,
    /// Frames that leave after the commit.
    pub out: Vec<(Address, Vec<u8>)>,
    /// Frames for the own node, from [`SELF`].
    inbox: Vec<Vec<u8>>,
    /// Epochs before this one are being forgotten.
    pruning: Option<Epoch>,
    stored: u32,
    pub(crate) peers: Peers,
    pinned: Vec<SocketAddr>,
    uplinks: bool,
}

/// What makes a gateway a gateway and a validator a validator.
pub trait Part {
    /// A frame from outside; `true` where it is dealt with and the node must not see it.
    ///
    /// # Errors
    /// The store failed.
    fn on_frame(
        &mut self,
        shared: &mut Shared,
        from: Address,
        now: Millis,
        frame: &Frame<'_>,
    ) -> Result<bool>;
    /// Something that the node tells.
    ///
    /// # Errors
    /// The store failed.
    fn on_event(&mut self, shared: &mut Shared, now: Millis, event: &Event) -> Result<()>;
    /// Called in each turn.
    ///
    /// # Errors
    /// The store failed.
    fn tick(&mut self, shared: &mut Shared, now: Millis) -> Result<()>;
    /// SIGHUP: files that may change while it runs are read again.
    fn reload(&mut self, _now: Millis) {}
    /// Adds its metrics.
    fn metrics(&self, page: &mut Exposition);
}

impl Shared {
    /// Opens the store, makes the node and replays what the store holds of the window.
    ///
    /// # Errors
    /// Names the file or the key that is wrong.
    pub fn new(
        config: Config,
        authority: PublicKey,
        observer: bool,
        chain: &[&[u8]],
        signer: NodeSigner,
    ) -> Result<Self> {
        let store = Rc::new(Store::open(&config.data, config.store.durability)?);
        let clock = Clock::start()?;
        let limits = crate::memory::limits(&config)?;
        let mut core = if observer {
            iotedge_core::node::Config::observer(authority)
        } else {
            iotedge_core::node::Config::member(authority, chain)
        };
        core.clock = clock.node();
        let memory = crate::memory::allocate(&limits)
            .map_err(|e| anyhow!("{}: limits: {e:?}", config.file.display()))?;
        let node = Node::new(memory, limits, &core, signer, StorePlatform(store.clone()), TurnVerifier::default())
            .map_err(|e| anyhow!("{}: the node cannot start: {e:?}; is `data` of another neighbourhood, or `identity` of another device?", config.data.display()))?;
        let peers = Peers::new(config.limits.peers);
        let mut shared = Self {
            peers,
            pinned: config.peers.clone(),
            uplinks: observer,
            config,
            authority,
            store,
            node,
            clock,
            neighbourhood: None,
            service: Service::default(),
            pressure: Pressure::default(),
            gchain: None,
            out: Vec::new(),
            inbox: Vec::new(),
            pruning: None,
            stored: 0,
        };
        if let (Some(genesis), Some(set)) =
            (shared.store.meta("genesis")?, shared.store.meta("set")?)
        {
            let trust = Trust::new(&genesis, &set, &authority).with_context(|| {
                format!(
                    "{}: the stored neighbourhood is not this authority's",
                    shared.config.data.display()
                )
            })?;
            info!(neighbourhood = %trust.neighbourhood, "neighbourhood restored");
            shared.neighbourhood = Some(Neighbourhood {
                trust,
                genesis,
                set,
            });
        }
        let now = shared.clock.now();
        if !observer {
            shared.add_self(now)?;
        }
        shared.replay()?;
        for address in shared.pinned.clone() {
            shared.peer(address.into(), now, true);
        }
        Ok(shared)
    }

    /// Pins a neighbour: it never makes room for another.
    pub fn pin(&mut self, address: SocketAddr) {
        let now = self.clock.now();
        if !self.pinned.contains(&address) {
            self.pinned.push(address);
        }
        self.peer(address.into(), now, true);
    }

    /// Pins a validator: it needs every transaction, so each is sent to it unasked.
    pub fn pin_validator(&mut self, address: SocketAddr) {
        self.pin(address);
        if let Some(peer) = self.peers.find(address) {
            self.node.feed_peer(peer);
        }
    }

    /// A frame for the own node, as from [`SELF`].
    pub fn feed(&mut self, frame: Vec<u8>) {
        self.inbox.push(frame);
    }

    /// Gives the own node what was fed.
    pub(crate) fn swallow(&mut self, now: Millis) -> Result<()> {
        for frame in std::mem::take(&mut self.inbox) {
            if let Err(refusal) = self.node.receive(now, SELF, &frame) {
                debug!(refusal = refusal.name(), "own frame");
            }
            self.capture()?;
        }
        Ok(())
    }

    /// Everyone that was heard.
    #[must_use]
    pub fn everyone(&self) -> Vec<Address> {
        (0..self.config.limits.peers)
            .filter_map(|n| self.peers.address(Peer(n)))
            .collect()
    }

    /// Adopts a neighbourhood: it is stored and used from now on.
    ///
    /// # Errors
    /// The store failed.
    pub fn adopt(&mut self, neighbourhood: Neighbourhood) -> Result<()> {
        self.store.put_meta("genesis", &neighbourhood.genesis)?;
        self.store.put_meta("set", &neighbourhood.set)?;
        info!(neighbourhood = %neighbourhood.trust.neighbourhood, members = neighbourhood.trust.genesis.members, "neighbourhood");
        self.neighbourhood = Some(neighbourhood);
        Ok(())
    }

    /// Whether this is a validator: it follows, and takes whatever the gateway took.
    #[must_use]
    pub const fn observes(&self) -> bool {
        self.uplinks
    }

    /// Whether the node holds the table of the newest settled header.
    #[must_use]
    pub fn in_step(&self) -> bool {
        self.node
            .tables()
            .records(self.node.headers().newest().opens())
            .is_some()
    }

    fn add_self(&mut self, now: Millis) -> Result<()> {
        self.node.remove_peer(SELF);
        self.node
            .add_peer(now, SELF, true)
            .map_err(|r| anyhow!("no room for the daemon itself: {}", r.name()))
    }

    /// The window again, in the order in which it came: what was answered before a restart is known after it.
    fn replay(&mut self) -> Result<()> {
        let Some(n) = &self.neighbourhood else {
            return Ok(());
        };
        let tag = n.trust.neighbourhood.tag();
        let cut = self.node.headers().cut();
        let stored = self.unsettled()?;
        let frames: Vec<Vec<u8>> = stored.iter().map(|tx| tx_frame(tag, &tx.raw)).collect();
        let places: HashMap<Id, usize> = stored
            .iter()
            .enumerate()
            .map(|(at, tx)| (tx.id, at))
            .collect();
        let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
        for (first, chunk) in (0..).step_by(REPLAY_CHUNK).zip(frames.chunks(REPLAY_CHUNK)) {
            let now = self.clock.now();
            self.add_self(now)?;
            let turn = collect(&self.node, chunk.iter().map(Vec::as_slice), |_| true);
            self.node.verifier_mut().begin(turn);
            for (tx, frame) in stored.iter().skip(first).zip(chunk) {
                // What a settled cut covers is not taken into the window again; as a parent it must be shown just before its child.
                for parent in &tx.parents {
                    if !self.node.tangle().contains(parent)
                        && let Some(frame) = places.get(parent).and_then(|at| frames.get(*at))
                    {
                        let _ = self.replay_one(frame);
                    }
                }
                if let Err(refusal) = self.replay_one(frame)
                    && self.time_of(tx).is_some_and(|time| time > cut)
                {
                    *refused.entry(refusal.name()).or_default() += 1;
                }
            }
        }
        if self.uplinks {
            self.node.remove_peer(SELF);
        }
        // What was replayed is stored already.
        self.stored = self.node.tangle().next_sequence();
        info!(
            transactions = frames.len(),
            left_out = ?refused,
            window = self.node.tangle().len(),
            "window restored"
        );
        Ok(())
    }

    /// What the window is made of and what that stands on, in the order in which it came. A member whose transactions died went on above them, so its
    /// chain may begin epochs ago.
    fn unsettled(&self) -> Result<Vec<StoredTx>> {
        let opens = self.node.headers().newest().opens();
        let from = Epoch(opens.0.saturating_sub(REPLAYED));
        let above = |tx: &StoredTx| {
            let head = self.node.tables().head(tx.issuer);
            head.is_none_or(|head| tx.number > head.number.0)
        };
        let mut stored = Vec::new();
        self.store.each_tx(from, |tx| stored.push(tx))?;
        let mut known: HashSet<Id> = stored.iter().map(|tx| tx.id).collect();
        let late = stored.iter().filter(|tx| above(tx));
        let mut wanted: Vec<Id> = late.flat_map(|tx| &tx.parents).copied().collect();
        let mut oldest = from;
        while let Some(id) = wanted.pop() {
            if !known.insert(id) {
                continue;
            }
            // G0 is nobody's transaction.
            let Some(tx) = self.store.tx(&id)? else {
                continue;
            };
            oldest = oldest.min(tx.epoch);
            if above(&tx) {
                wanted.extend(tx.parents);
            }
        }
        // Mostly nothing older is stood on; what is has its place between the others.
        if oldest < from {
            stored.clear();
            self.store.each_tx(oldest, |tx| {
                if known.contains(&tx.id) {
                    stored.push(tx);
                }
            })?;
        }
        Ok(stored)
    }

    /// When a stored transaction is, if its epoch still counts.
    fn time_of(&self, tx: &StoredTx) -> Option<Millis> {
        let cose = Reader::new(&tx.raw).item().ok()?;
        let offset = Unverified::parse(cose).ok()?.payload().offset;
        let start = self.node.tables().clock_start(tx.epoch)?;
        Some(start.saturating_add(u64::from(offset)))
    }

    fn replay_one(&mut self, frame: &[u8]) -> Result<(), Refusal> {
        let mut result = self.node.receive(self.clock.now(), SELF, frame);
        while result == Err(Refusal::RateLimited) {
            std::thread::sleep(Duration::from_millis(5));
            result = self.node.receive(self.clock.now(), SELF, frame);
        }
        while let Some(event) = self.node.next_event() {
            debug!(?event, "replay");
        }
        result
    }

    /// The number of a neighbour, which the node learns too.
    fn peer(&mut self, address: Address, now: Millis, pinned: bool) -> Option<Peer> {
        match self.peers.heard(address, now.0, pinned) {
            Seen::Known(peer) => Some(peer),
            Seen::Full => None,
            seen @ (Seen::New(peer) | Seen::Replaced(peer)) => {
                if matches!(seen, Seen::Replaced(_)) {
                    self.node.remove_peer(peer);
                }
                let uplink = self.uplinks && pinned;
                if let Err(refusal) = self.node.add_peer(now, peer, uplink) {
                    warn!(%address, refusal = refusal.name(), "no room for a neighbour");
                }
                debug!(%address, peer = peer.0, "neighbour");
                Some(peer)
            }
        }
    }

    /// Keeps what came into the window since the last call.
    fn capture(&mut self) -> Result<()> {
        let next = self.node.tangle().next_sequence();
        if self.stored == next {
            return Ok(());
        }
        let Some(n) = &self.neighbourhood else {
            self.stored = next;
            return Ok(());
        };
        let mut kept = Vec::new();
        for (_, facts) in self.node.tangle().since(self.stored) {
            let Some(raw) = self.node.raw(&facts.id) else {
                // More came in one turn than there is room for bytes; neighbours have it.
                warn!(id = %facts.id, "a transaction left memory before it was stored; raise limits.raw_bytes");
                continue;
            };
            kept.push(StoredTx {
                id: facts.id,
                epoch: facts.epoch,
                issuer: facts.issuer,
                number: facts.number.0,
                raw: raw.to_vec(),
                parents: full_parents(&self.node, n, &self.store, &facts.id, raw)?,
            });
        }
        for tx in &kept {
            self.store.put_tx(tx)?;
        }
        self.stored = next;
        Ok(())
    }
}

/// Full ids of the parents, in their order: from the window, the attachment, the store, or G0; empty where one is not known.
fn full_parents(
    node: &GlNode,
    n: &Neighbourhood,
    store: &Store,
    id: &Id,
    raw: &[u8],
) -> Result<Vec<Id>> {
    let mut reader = Reader::new(raw);
    let Some(tx) = reader
        .item()
        .ok()
        .and_then(|cose| Unverified::parse(cose).ok())
    else {
        return Ok(Vec::new());
    };
    let beside = Attachment::parse(reader.rest()).ok();
    let issuer = tx.payload().issuer;
    let mut parents = Vec::new();
    let known: Vec<Option<Id>> = node.tangle().parents(id).collect();
    for (position, prefix) in tx.payload().parents.as_slice().iter().enumerate() {
        let mut found = known.get(position).copied().flatten();
        found = found.or_else(|| beside.as_ref()?.parent(tx.payload(), position));
        if found.is_none() {
            let newest = node.headers().newest().opens().0;
            let heads = (newest.saturating_sub(2)..=newest)
                .filter_map(|e| node.tables().get(Epoch(e), issuer).map(|r| r.head_id));
            found = heads
                .chain([n.trust.genesis.g0()])
                .find(|h| h.prefix() == *prefix);
        }
        if found.is_none() {
            found = store.tx_by_prefix(&prefix.0)?.first().map(|t| t.id);
        }
        match found {
            Some(parent) => parents.push(parent),
            None => return Ok(Vec::new()),
        }
    }
    Ok(parents)
}

/// A running gateway or validator.
pub struct Daemon<P> {
    pub shared: Shared,
    pub part: P,
    transport: Transport,
    page: Page,
    page_due: Millis,
    turns: u64,
}

impl<P: Part> Daemon<P> {
    /// Binds the socket and starts the serial lines.
    ///
    /// # Errors
    /// Names the address and why it cannot be used.
    pub fn new(mut shared: Shared, part: P) -> Result<Self> {
        let config = &shared.config;
        let mut transport =
            Transport::bind(config.listen, config.multicast, config.multicast_interface)
                .with_context(|| {
                    format!(
                        "{}: listen: {} cannot be used",
                        config.file.display(),
                        config.listen
                    )
                })?;
        transport
            .open_lines(&config.serial)
            .map_err(|(line, why)| {
                anyhow!(
                    "{}: serial: {} cannot be used: {why}",
                    config.file.display(),
                    config.serial[line].port
                )
            })?;
        if let Some(group) = config.multicast {
            shared.pin(group);
        }
        Ok(Self {
            shared,
            part,
            transport,
            page: Page::default(),
            page_due: Millis(0),
            turns: 0,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.transport.local_addr()
    }

    /// Runs until SIGTERM or SIGINT, then drains: no more intake, everything committed and sent.
    ///
    /// # Errors
    /// The store failed: nothing can be promised any more.
    pub async fn run(mut self) -> Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let mut hup = signal(SignalKind::hangup())?;
        if let Some(address) = self.shared.config.metrics {
            let bound = crate::metrics::serve(address, self.page.clone())
                .await
                .with_context(|| {
                    format!(
                        "{}: metrics: {address} cannot be used",
                        self.shared.config.file.display()
                    )
                })?;
            info!(%bound, "metrics");
        }
        info!(listen = %self.local_addr()?, "running");
        loop {
            let now = self.shared.clock.now();
            let wait = self.shared.node.next_deadline(now).0.saturating_sub(now.0);
            let wait = Duration::from_millis(wait.max(1)).min(TICK);
            tokio::select! {
                biased;
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = hup.recv() => self.part.reload(self.shared.clock.now()),
                () = self.transport.ready() => {}
                () = tokio::time::sleep(wait) => {}
            }
            self.turn(true)?;
            // Signals and metrics get their turn even when datagrams never stop.
            tokio::task::yield_now().await;
        }
        info!("stopping: no more intake, sending what is left");
        for _ in 0..5 {
            self.turn(false)?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.shared.store.commit()?;
        info!(turns = self.turns, "stopped");
        Ok(())
    }

    /// One turn.
    ///
    /// # Errors
    /// The store failed.
    pub fn turn(&mut self, intake: bool) -> Result<()> {
        let now = self.shared.clock.now();
        self.turns += 1;
        if intake {
            let drained = self.transport.drain();
            if !self.shared.uplinks {
                self.shared.pressure.look(&self.shared.node);
            }
            let pressure = &self.shared.pressure;
            let turn = collect(
                &self.shared.node,
                drained.iter().map(Datagram::bytes),
                |issuer| pressure.may_take(now, issuer),
            );
            self.shared.node.verifier_mut().begin(turn);
            for datagram in drained {
                take(&mut self.shared, &mut self.part, datagram, now)?;
            }
            self.shared.capture()?;
            self.shared.hear_gchain()?;
            self.part.tick(&mut self.shared, now)?;
        }
        self.speak(now)?;
        self.shared.capture()?;
        if let Some(epoch) = self.shared.pruning
            && !self.shared.store.prune(epoch)?
        {
            self.shared.pruning = None;
        }
        // Nothing leaves before this.
        self.shared.store.commit()?;
        self.transport.flush();
        for (to, frame) in self.shared.out.drain(..) {
            if !frame.is_empty() {
                self.transport.send(to, &frame);
            }
        }
        if now >= self.page_due {
            self.page_due = Millis(now.0 + 500);
            let counts = Counts {
                turns: self.turns,
                dropped: self.transport.dropped,
                lines: self.transport.line_counts(),
            };
            let checks = self.shared.node.verifier_mut().checks;
            self.page
                .set(page::page(&self.shared, &self.part, now, checks, counts));
        }
        Ok(())
    }

    /// Events, the node's own questions, and its frames.
    fn speak(&mut self, now: Millis) -> Result<()> {
        let shared = &mut self.shared;
        let mut buffer = [0; MAX_FRAME];
        // A question of the own node and its answer may lead to the next: a few rounds, then the next turn goes on.
        for _ in 0..8 {
            shared.swallow(now)?;
            while let Some(event) = shared.node.next_event() {
                note(shared, &event)?;
                self.part.on_event(shared, now, &event)?;
            }
            while shared.out.len() < OUT {
                let Some((peer, len)) = shared.node.next_frame(now, &mut buffer) else {
                    break;
                };
                let bytes = &buffer[..len];
                if peer != SELF {
                    if let Some(address) = shared.peers.address(peer) {
                        shared.out.push((address, bytes.to_vec()));
                    }
                    continue;
                }
                let Ok((_, frame)) = Frame::parse(bytes) else {
                    continue;
                };
                let answers = shared.service.answer(
                    &shared.store,
                    shared.neighbourhood.as_ref(),
                    &shared.node,
                    &frame,
                )?;
                shared.inbox.extend(answers.unwrap_or_default());
            }
            if shared.inbox.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

fn take<P: Part>(
    shared: &mut Shared,
    part: &mut P,
    datagram: &Datagram,
    now: Millis,
) -> Result<()> {
    let bytes = datagram.bytes();
    let parsed = Frame::parse(bytes);
    let belongs = match (&parsed, &shared.neighbourhood) {
        (Ok((tag, frame)), n) => {
            n.as_ref()
                .is_some_and(|n| *tag == n.trust.neighbourhood.tag())
                || (*tag == [0; 4] && frame.frame_type().may_be_unbound())
        }
        (Err(_), _) => false,
    };
    // A stranger gets a place in the table only with a frame that makes sense here.
    let peer = if belongs {
        shared.peer(datagram.from, now, false)
    } else {
        shared.peers.find(datagram.from)
    };
    let (Some(peer), Ok((_, frame))) = (peer, &parsed) else {
        if let Some(peer) = peer {
            // The node counts why it is refused.
            let _ = shared.node.receive(now, peer, bytes);
        }
        return Ok(());
    };
    if !belongs {
        let _ = shared.node.receive(now, peer, bytes);
        return Ok(());
    }
    if part.on_frame(shared, datagram.from, now, frame)? {
        return Ok(());
    }
    let answers = shared.service.answer(
        &shared.store,
        shared.neighbourhood.as_ref(),
        &shared.node,
        frame,
    )?;
    let answered = answers.is_some();
    for answer in answers.unwrap_or_default() {
        shared.out.push((datagram.from, answer));
    }
    if answered && !matches!(frame, Frame::Request(_)) {
        return Ok(());
    }
    let held_back = match frame {
        Frame::Tx { cose, .. } if shared.pressure.holds() => issuer(cose),
        _ => None,
    };
    if let Some((issuer, number)) = held_back {
        // In order: what would wait for a parent here would all come in at once with it, past any measure.
        let next = shared.node.tangle().highest(issuer).0.saturating_add(1);
        if number.0 > next || !shared.pressure.may_take(now, issuer) {
            shared.pressure.held += 1;
            return Ok(());
        }
    }
    let before = shared.node.counters().duplicates;
    if let Err(refusal) = shared.node.receive(now, peer, bytes) {
        debug!(from = %datagram.from, kind = ?frame.frame_type(), refusal = refusal.name(), "refused");
    }
    if let Some((issuer, _)) = held_back
        && before == shared.node.counters().duplicates
    {
        shared.pressure.took(now, issuer);
        // A turn may bring more than is left.
        shared.pressure.look(&shared.node);
    }
    Ok(())
}

fn issuer(cose: &[u8]) -> Option<(MemberIndex, Number)> {
    let tx = Unverified::parse(cose).ok()?;
    Some((tx.payload().issuer, tx.payload().number))
}

/// What every daemon does with an event.
fn note(shared: &mut Shared, event: &Event) -> Result<()> {
    match event {
        Event::Equivocation { offender, a, b } => {
            warn!(offender = offender.0, %a, %b, "equivocation")
        }
        Event::Frozen { member } => warn!(member = member.0, "frozen"),
        Event::HeaderSettled { header, .. } => info!(header = header.0, "settled"),
        Event::EpochOpened { epoch, .. } => {
            info!(epoch = epoch.0, "epoch opened");
            let records: Option<Vec<Vec<u8>>> =
                shared.node.tables().records(*epoch).map(|records| {
                    records
                        .iter()
                        .filter_map(|r| crate::admission::encode(r).ok())
                        .collect()
                });
            if let Some(records) = records {
                shared
                    .store
                    .put_table(*epoch, records.iter().map(Vec::as_slice))?;
            }
            let keep = shared.config.store.keep_epochs;
            let kept = Epoch(epoch.0.saturating_sub(keep.saturating_add(1)));
            let now = shared.clock.absolute(shared.clock.now());
            let disputable = shared.disputable(now)?;
            let oldest = disputable.map_or(kept, |epoch| epoch.min(kept));
            if oldest > Epoch(0) {
                shared.pruning = Some(oldest);
            }
        }
        Event::PlatformFailed => error!("the store failed under the node"),
        Event::Recovering => warn!("the node asks its neighbours for its chain head"),
        Event::Recovered => info!("chain head agreed on"),
        Event::Lost { count } => warn!(count, "events lost"),
        Event::Data { .. } | Event::Channel { .. } | Event::Graded { .. } => {}
        other => debug!(?other, "event"),
    }
    Ok(())
}

/// Gives the own node every header that is settled in the store and not yet in the node, one at a time.
///
/// # Errors
/// The store failed.
pub fn catch_up(shared: &mut Shared) -> Result<()> {
    let Some(n) = &shared.neighbourhood else {
        return Ok(());
    };
    let next = HeaderNumber(shared.node.headers().newest().0.saturating_add(1));
    if !shared.in_step() {
        return Ok(());
    }
    let frames = crate::service::header_frames(&shared.store, n, next)?;
    shared.inbox.extend(frames);
    Ok(())
}
