//! The thread that talks to an Ethereum node, for a daemon that must not wait for one.
//!
//! Invariant: it keeps nothing that matters. What it is asked for it is asked again after a restart; what it tells is behind the configured confirmations, and comes
//! again until the daemon's store has it.

use super::candidate::load_function;
use super::{Ask, Ballot, Ballots, Link, Tell};
use crate::config::GChain;
use anyhow::{Context, Result, anyhow};
use iotedge_core::ledger::Deposit;
use iotedge_core::{Amount, HeaderNumber, Id};
use iotedge_gchain::{
    Account, Address, Anchorer, B256, Candidate, Disputed, Domain, Endpoint, Epoch, Error, Event,
    Patience, Sender, Shown, recover_vote,
};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};
use tracing::info;

/// Between two looks at the chain.
const POLL: Duration = Duration::from_secs(1);
/// After a failure, doubled up to the longest.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);
/// For an answer of the node.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Validators' accounts are looked up again after so many looks: one may join late, leave, or be slashed.
const ACCOUNTS_EVERY: u32 = 10;
/// Disputes are looked for once in so many looks.
const DISPUTES_EVERY: u32 = 5;
/// For the transaction that shows an exit; what goes on meanwhile waits.
const SHOWING: Duration = Duration::from_secs(120);
/// What is told at once; the daemon empties it each turn.
const TOLD: usize = 64;

/// What a daemon does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Founds the neighbourhood there, and brings its headers.
    Gateway,
    /// Watches and votes.
    Validator,
}

/// Opens the account and starts the thread.
///
/// # Errors
/// Names the file that cannot be read, or the key in it that cannot be opened.
pub fn start(config: &GChain, role: Role) -> Result<Link> {
    let contract = config
        .contract()
        .context("gchain.contract: not an address")?;
    let password = password(&config.password_file)?;
    let account = Account::open(&config.account, &password)?;
    info!(account = %account.address(), contract = config.contract, "G-Chain");
    let candidate = match (role, config.elections(), &config.function_key) {
        (Role::Validator, Some(at), Some(key)) => Some(Candidate::new(
            at.into(),
            load_function(key)?,
            Patience::default(),
        )),
        _ => None,
    };
    let (asks, asked) = channel();
    let (tell, tells) = sync_channel(TOLD);
    let ballots = Box::new(AccountBallots {
        account: account.clone(),
        contract: contract.into(),
    });
    let thread = Thread {
        config: config.clone(),
        contract: contract.into(),
        account,
        role,
        candidate,
        tell,
        watched: None,
    };
    std::thread::Builder::new()
        .name("g-chain".to_owned())
        .spawn(move || thread.run(&asked))
        .context("the G-Chain's thread cannot be started")?;
    Ok(Link::new(tells, asks, ballots))
}

/// The first line of a password file.
///
/// # Errors
/// Names the file.
pub fn password(path: &std::path::Path) -> Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: the password cannot be read", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

struct AccountBallots {
    account: Account,
    contract: Address,
}

impl AccountBallots {
    fn domain(&self, ballot: &Ballot) -> Domain {
        Domain {
            chain_id: ballot.chain_id,
            contract: self.contract,
        }
    }
}

impl Ballots for AccountBallots {
    fn vote(&self, ballot: &Ballot) -> Result<[u8; 65]> {
        let (neighbourhood, header) = (
            B256::from(ballot.neighbourhood.0),
            B256::from(ballot.header.0),
        );
        let domain = self.domain(ballot);
        let vote = (self.account).vote(
            &domain,
            neighbourhood,
            ballot.number.0,
            header,
            ballot.credited,
        );
        Ok(vote?)
    }

    fn voter(&self, ballot: &Ballot, signature: &[u8; 65]) -> Option<[u8; 20]> {
        let (neighbourhood, header) = (
            B256::from(ballot.neighbourhood.0),
            B256::from(ballot.header.0),
        );
        let domain = self.domain(ballot);
        let voter = recover_vote(
            &domain,
            neighbourhood,
            ballot.number.0,
            header,
            ballot.credited,
            signature,
        );
        voter.map(Into::into)
    }
}

/// What is watched.
struct Watched {
    endpoint: Endpoint,
    anchorer: Option<Anchorer>,
    neighbourhood: B256,
    genesis: Vec<u8>,
    granted: u64,
    founded: bool,
    validators: Vec<[u8; 32]>,
    deposits: u32,
    anchored: u32,
    looks: u32,
    /// How long exits can be disputed, and have to be shown then; not asked yet.
    terms: Option<(u64, u64)>,
    /// From which block on disputes are looked for.
    disputes: u64,
}

struct Thread {
    config: GChain,
    contract: Address,
    account: Account,
    role: Role,
    candidate: Option<Candidate>,
    tell: SyncSender<Tell>,
    watched: Option<Watched>,
}

impl Thread {
    fn run(mut self, asked: &Receiver<Ask>) {
        let begin = Instant::now();
        let (mut due, mut pause) = (begin, PAUSE);
        loop {
            match asked.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(ask) => self.take(ask),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    due = Instant::now() + POLL;
                    let now = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
                    match self.look(now) {
                        Ok(()) => pause = PAUSE,
                        Err(trouble) => {
                            due = Instant::now() + pause;
                            pause = (2 * pause).min(LONGEST);
                            if self.tell.send(Tell::Trouble(trouble.to_string())).is_err() {
                                return;
                            }
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Watch {
                chain_id,
                neighbourhood,
                genesis,
                granted,
                validators,
                deposits,
                anchored,
            } => {
                let endpoint =
                    Endpoint::new(&self.config.rpc, Some(chain_id), self.contract, TIMEOUT)
                        .since(self.config.from_block);
                let neighbourhood = B256::from(neighbourhood.0);
                let anchorer = (self.role == Role::Gateway).then(|| {
                    Anchorer::new(
                        endpoint.clone(),
                        self.account.clone(),
                        neighbourhood,
                        self.config.confirmations,
                        Patience::default(),
                    )
                });
                self.watched = Some(Watched {
                    endpoint,
                    anchorer,
                    neighbourhood,
                    genesis,
                    granted,
                    founded: false,
                    validators,
                    deposits,
                    anchored: anchored.0,
                    looks: 0,
                    terms: None,
                    disputes: 0,
                });
            }
            Ask::Show(what) => self.show(&what.0, &what.1),
            Ask::Bring(what) => {
                let anchorer = self.watched.as_mut().and_then(|w| w.anchorer.as_mut());
                if let Some(anchorer) = anchorer {
                    anchorer.push(Epoch {
                        number: what.number.0,
                        header: what.header,
                        hash: B256::from(what.hash.0),
                        set: what.set,
                        credited: what.credited,
                        votes: what.votes,
                    });
                }
            }
        }
    }

    fn show(&self, disputed: &Disputed, shown: &Shown) {
        let Some(watched) = &self.watched else {
            return;
        };
        let patience = Patience {
            whole: SHOWING,
            ..Patience::default()
        };
        let sender = Sender::new(watched.endpoint.clone(), self.account.clone(), patience);
        let trouble = match sender.show(disputed, shown) {
            Ok(included) => {
                info!(tx = %included.tx, block = included.block, header = disputed.number, "a disputed exit was shown");
                return;
            }
            // By somebody else, or by this before the answer came.
            Err(Error::Revert(why)) if why.name == "NoDispute" => return,
            Err(trouble) => trouble,
        };
        let text = format!("a disputed exit cannot be shown now: {trouble}");
        // It is told of again with the next look; where the daemon ended nobody hears.
        let _ = self.tell.send(Tell::Trouble(text));
    }

    fn look(&mut self, now: u64) -> Result<()> {
        let Some(watched) = &mut self.watched else {
            return Ok(());
        };
        let (endpoint, id) = (&watched.endpoint, watched.neighbourhood);
        if watched.looks == 0 {
            endpoint.check()?;
        }
        if self.role == Role::Gateway && !watched.founded {
            watched.founded = found(
                endpoint,
                &self.account,
                id,
                &watched.genesis,
                watched.granted,
            )?;
        }
        let gone = |_| anyhow!("the daemon ended");
        if watched.looks.is_multiple_of(ACCOUNTS_EVERY) {
            for key in &watched.validators {
                let account = endpoint.account_of(key)?.map(Into::into);
                let told = Tell::Account { key: *key, account };
                self.tell.send(told).map_err(gone)?;
            }
        }
        watched.looks = watched.looks.wrapping_add(1);
        let confirmations = self.config.confirmations;
        let deposits = endpoint.deposits(id, watched.deposits, confirmations)?;
        if !deposits.is_empty() {
            let list: Vec<Deposit> = deposits
                .iter()
                .map(|d| Deposit {
                    device: Id(d.device),
                    amount: Amount(d.amount),
                    from: d.from,
                })
                .collect();
            let first = watched.deposits;
            watched.deposits = first.saturating_add(u32::try_from(list.len()).unwrap_or(u32::MAX));
            self.tell
                .send(Tell::Deposits { first, list })
                .map_err(gone)?;
        }
        for anchor in endpoint.anchored(id, watched.anchored, confirmations)? {
            watched.anchored = anchor.number;
            let told = Tell::Anchored {
                number: HeaderNumber(anchor.number),
                hash: Id(anchor.hash.0),
                block: anchor.block,
                credited: anchor.credited,
            };
            self.tell.send(told).map_err(gone)?;
        }
        if watched.terms.is_none() {
            let terms = endpoint.terms()?;
            let (window, answer) = (terms.window, terms.answer);
            self.tell
                .send(Tell::Terms { window, answer })
                .map_err(gone)?;
            watched.terms = Some((window, answer));
        }
        if let Some((1.., answer)) = watched.terms
            && watched.looks % DISPUTES_EVERY == 1
        {
            let (open, next) = endpoint.disputed(id, watched.disputes)?;
            watched.disputes = next;
            for disputed in open {
                // A gateway at once; a validator where half of the time went by, so that not all of them pay for it.
                if self.role == Role::Gateway || disputed.left < answer / 2 {
                    self.tell.send(Tell::Disputed(disputed)).map_err(gone)?;
                }
            }
        }
        if let Some(candidate) = &mut self.candidate
            && watched.looks.is_multiple_of(ACCOUNTS_EVERY)
        {
            let done = candidate.look(&watched.endpoint, &self.account, confirmations)?;
            if let Some(duty) = done {
                info!(?duty, "election");
            }
        }
        let Some(anchorer) = &mut watched.anchorer else {
            return Ok(());
        };
        for event in anchorer.tick(now) {
            match event {
                Event::Refused { number, why } => {
                    let number = HeaderNumber(number);
                    // A voter that was slashed meanwhile, perhaps.
                    watched.looks = 0;
                    self.tell
                        .send(Tell::Refused { number, why })
                        .map_err(gone)?;
                }
                Event::Trouble(why) => self.tell.send(Tell::Trouble(why)).map_err(gone)?,
                event => info!(?event, "G-Chain"),
            }
        }
        Ok(())
    }
}

/// Founds the neighbourhood in the contract, if nobody has yet.
fn found(
    endpoint: &Endpoint,
    account: &Account,
    id: B256,
    genesis: &[u8],
    granted: u64,
) -> Result<bool, Error> {
    if endpoint.neighbourhood(id)?.is_some() {
        return Ok(true);
    }
    let sender = Sender::new(endpoint.clone(), account.clone(), Patience::default());
    let included = sender.found(genesis, granted)?;
    info!(tx = %included.tx, block = included.block, granted, "the neighbourhood is founded on the G-Chain");
    Ok(true)
}
