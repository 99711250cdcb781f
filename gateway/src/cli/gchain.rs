//! `gchain`: what an operator, a masternode or somebody with ether says to the contract of the G-Chain (docs/decisions/0034).
//!
//! Each call waits until its transaction is in a block, and prints what became of it as JSON. What the contract would refuse is not sent, and nothing is paid for it.

use super::print_json;
use crate::exits;
use crate::gchain::candidate::{create_function, load_function};
use crate::gchain::password;
use crate::keys;
use crate::store::Store;
use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use iotedge_core::identity::{DeviceId, sign1::Sign1};
use iotedge_core::posp::{Header, Validator};
use iotedge_core::{HeaderNumber, Id};
use iotedge_gchain::{
    Account, Address, B256, Domain, Electing, Elections, Endpoint, Error, Exit, Included, Outcome,
    Patience, Sender, Terms, U256, Voted,
};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// For an answer of the node.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Speak to the contract of the G-Chain: accounts, masternodes, deposits, withdrawals.
#[derive(Subcommand)]
pub enum GChain {
    /// Make an Ethereum account: a key file (keystore version 3) under a password.
    Key(Key),
    /// Put the contract on a chain.
    Deploy(Deploy),
    /// Become a masternode: set the collateral aside and prove the validator's key.
    Join(Join),
    /// Stop being a masternode; the collateral is free when the unbonding time is over.
    Leave(As),
    /// Take the collateral back, once it is free.
    TakeCollateral(As),
    /// Take what was earned for votes.
    Collect(As),
    /// Found the neighbourhood of a gateway's store there; a gateway with a [gchain] section does it by itself.
    Found(Found),
    /// Pay for a neighbourhood's headers to come.
    Fund(Fund),
    /// Pay value in for a device.
    Deposit(Deposit),
    /// Take value out that left with an anchored header, for whom the exits name.
    Withdraw(Withdraw),
    /// List what left with the headers that are anchored, out of a store; asks no Ethereum node.
    Exits(Exits),
    /// Demand that exits of a header be shown: they wait until they are, and are void if they are not.
    Challenge(Challenge),
    /// Show the neighbourhood's disputed exits; gateways and validators with a [gchain] section do it by themselves.
    Show(Show),
    /// Make disputed exits void that were not shown in time.
    Void(Challenge),
    /// Show two votes of one masternode for one header number.
    Report(Report),
    /// Put the contracts of elections beside the contract.
    DeployElections(DeployElections),
    /// Make the key of a masternode's random function, which an election is drawn by.
    Function(Function),
    /// Stand for election as a masternode, from the third term on; a validator with gchain.function_key does it by itself.
    RegisterFunction(Stand),
    /// Stand no more, from the third term on; or end it for a masternode that left or is absent.
    DropFunction(StandDown),
    /// Reveal the proof of the attempt that is open.
    Reveal(Stand),
    /// Bring the block whose randomness is a term's.
    FixSeed(FixSeed),
    /// Who is elected for a term, or what is missing.
    Election(Elected),
    /// What the contract has of a neighbourhood, and of masternodes.
    Status(Status),
    /// Sign a vote, whatever it is: for drills. Two for one number cost the collateral.
    #[command(hide = true)]
    Vote(Vote),
}

/// Where the chain is.
#[derive(Args)]
pub struct Place {
    /// JSON-RPC of an Ethereum node.
    #[arg(long, value_name = "URL")]
    rpc: String,
    /// Refuse any other chain than this.
    #[arg(long)]
    chain_id: Option<u64>,
}

/// Which contract.
#[derive(Args)]
pub struct Contract {
    #[command(flatten)]
    place: Place,
    /// Address of the contract.
    #[arg(long)]
    contract: Address,
}

/// As whom.
#[derive(Args)]
pub struct Who {
    /// Key file of the account.
    #[arg(long)]
    account: PathBuf,
    /// File whose first line is its password.
    #[arg(long)]
    password_file: PathBuf,
}

/// A call with nothing but an account.
#[derive(Args)]
pub struct As {
    #[command(flatten)]
    contract: Contract,
    #[command(flatten)]
    who: Who,
}

/// Make an Ethereum account.
#[derive(Args)]
#[command(
    after_help = "Example:\n  iotedge-gateway gchain key --out val-0/account.json --password-file val-0/password"
)]
pub struct Key {
    /// The key file; refused where there is one.
    #[arg(long)]
    out: PathBuf,
    /// File whose first line is its password.
    #[arg(long)]
    password_file: PathBuf,
}

/// Put the contract on a chain.
#[derive(Args)]
#[command(after_help = "\
Example:
  iotedge-gateway gchain deploy --rpc http://127.0.0.1:8545 --account ops/account.json --password-file ops/password \\
    --unit 1000000000 --fee 1000000000000000 --collateral 1000000000000000000 --unbonding 1209600 --absence 86400")]
pub struct Deploy {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    who: Who,
    /// Wei of a micro-token.
    #[arg(long)]
    unit: U256,
    /// Wei that the voters of a header share.
    #[arg(long)]
    fee: U256,
    /// Wei that a masternode sets aside.
    #[arg(long)]
    collateral: U256,
    /// Seconds between leaving and the collateral; at least U of the neighbourhoods that it is for.
    #[arg(long)]
    unbonding: u64,
    /// Seconds without a duty done after which a masternode is off the list.
    #[arg(long, default_value_t = 86_400)]
    absence: u64,
    /// Seconds after its header in which an exit can be challenged, and cannot be withdrawn.
    #[arg(long, default_value_t = 86_400)]
    window: u64,
    /// Seconds in which a challenged exit has to be shown.
    #[arg(long, default_value_t = 86_400)]
    answer: u64,
    /// Wei that a challenger sets aside.
    #[arg(long, default_value = "100000000000000000")]
    bond: U256,
}

/// Become a masternode.
#[derive(Args)]
pub struct Join {
    #[command(flatten)]
    call: As,
    /// The validator's device.json or key.json: its Ed25519 key signs this chain, contract and account.
    #[arg(long)]
    key: PathBuf,
}

/// Found a neighbourhood.
#[derive(Args)]
pub struct Found {
    #[command(flatten)]
    call: As,
    /// Folder of the gateway's store.
    #[arg(long)]
    data: PathBuf,
}

/// Pay for headers to come.
#[derive(Args)]
pub struct Fund {
    #[command(flatten)]
    call: As,
    /// The neighbourhood, 64 hexadecimal digits.
    #[arg(long)]
    neighbourhood: B256,
    /// How much.
    #[arg(long)]
    wei: U256,
}

/// Pay value in for a device.
#[derive(Args)]
#[command(after_help = "\
Example:
  iotedge-gateway gchain deposit --rpc http://127.0.0.1:8545 --contract 0x5fbd... --account me/account.json --password-file me/password \\
    --neighbourhood 3c7a... --device iote1... --amount 250000

It is credited with one of the next headers. Where the device is no member then, it comes back as an exit for the account that paid.")]
pub struct Deposit {
    #[command(flatten)]
    call: As,
    /// The neighbourhood, 64 hexadecimal digits.
    #[arg(long)]
    neighbourhood: B256,
    /// The device, `iote1...` or 64 hexadecimal digits.
    #[arg(long)]
    device: String,
    /// Micro-tokens.
    #[arg(long)]
    amount: u64,
}

/// Take value out.
#[derive(Args)]
pub struct Withdraw {
    #[command(flatten)]
    call: As,
    /// Folder of a gateway's or validator's store: the exits and their paths are made from it.
    #[arg(long)]
    data: PathBuf,
    /// Only what left with this header; all anchored ones without it.
    #[arg(long)]
    header: Option<u32>,
    /// Only what is for this account.
    #[arg(long)]
    target: Option<Address>,
}

/// List what left.
#[derive(Args)]
pub struct Exits {
    /// Folder of a gateway's or validator's store.
    #[arg(long)]
    data: PathBuf,
    /// Only what left with this header, anchored or not.
    #[arg(long)]
    header: Option<u32>,
}

/// Some exits of one header.
#[derive(Args)]
#[command(after_help = "\
Example:
  iotedge-gateway gchain challenge --rpc http://127.0.0.1:8545 --contract 0x5fbd... --account me/account.json --password-file me/password \\
    --data val-0/data --header 12 --exit 3c7a...

Each costs the contract's bond until it is void. Exits and paths are made from the store: one that keeps the header's transactions.")]
pub struct Challenge {
    #[command(flatten)]
    call: As,
    /// Folder of a gateway's or validator's store.
    #[arg(long)]
    data: PathBuf,
    /// The header.
    #[arg(long)]
    header: u32,
    /// The exit: its transaction, 64 hexadecimal digits; may be repeated.
    #[arg(long, required = true)]
    exit: Vec<B256>,
}

/// Show what is disputed.
#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    call: As,
    /// Folder of a gateway's or validator's store.
    #[arg(long)]
    data: PathBuf,
}

/// Show two votes for one number.
#[derive(Args)]
pub struct Report {
    #[command(flatten)]
    call: As,
    /// The neighbourhood, 64 hexadecimal digits.
    #[arg(long)]
    neighbourhood: B256,
    /// The header's number.
    #[arg(long)]
    number: u32,
    /// One vote, HEADER-HASH:CREDITED:SIGNATURE, as hexadecimal, decimal, hexadecimal.
    #[arg(long)]
    a: String,
    /// The other.
    #[arg(long)]
    b: String,
}

/// What the contract has.
#[derive(Args)]
pub struct Status {
    #[command(flatten)]
    contract: Contract,
    /// A neighbourhood, 64 hexadecimal digits.
    #[arg(long)]
    neighbourhood: Option<B256>,
    /// A masternode's account; may be repeated.
    #[arg(long)]
    masternode: Vec<Address>,
}

/// Put the contracts of elections beside the contract.
#[derive(Args)]
pub struct DeployElections {
    #[command(flatten)]
    call: As,
    /// Height of the seed of term 0; the next block without it.
    #[arg(long)]
    first: Option<u64>,
    /// Blocks of a term.
    #[arg(long, default_value_t = 50_400)]
    length: u64,
    /// Blocks after which the next block's randomness is taken where nobody brought one.
    #[arg(long, default_value_t = 8_000)]
    patience: u64,
    /// Seats of a committee, 1 to 64.
    #[arg(long)]
    seats: u8,
    /// Most seconds that a block takes, in the mean of a term.
    #[arg(long, default_value_t = 13)]
    pace: u64,
    /// Longest age of a set that a device takes, in seconds.
    #[arg(long)]
    age: u64,
}

/// Make the key of a random function.
#[derive(Args)]
pub struct Function {
    /// The key file; refused where there is one.
    #[arg(long)]
    out: PathBuf,
}

/// As a candidate.
#[derive(Args)]
pub struct Stand {
    #[command(flatten)]
    call: As,
    /// Address of the elections.
    #[arg(long)]
    elections: Address,
    /// Key file of the function.
    #[arg(long)]
    function: PathBuf,
}

/// Stand no more.
#[derive(Args)]
pub struct StandDown {
    #[command(flatten)]
    call: As,
    /// Address of the elections.
    #[arg(long)]
    elections: Address,
    /// The Ed25519 key that stands, 64 hexadecimal digits; the account's own without it.
    #[arg(long)]
    key: Option<B256>,
}

/// Bring a term's randomness.
#[derive(Args)]
pub struct FixSeed {
    #[command(flatten)]
    call: As,
    /// Address of the elections.
    #[arg(long)]
    elections: Address,
    /// The term.
    #[arg(long)]
    term: u32,
}

/// Who is elected.
#[derive(Args)]
pub struct Elected {
    #[command(flatten)]
    contract: Contract,
    /// Address of the elections.
    #[arg(long)]
    elections: Address,
    /// The term; the one that runs without it.
    #[arg(long)]
    term: Option<u32>,
    /// Blocks on top of one before it counts.
    #[arg(long, default_value_t = 12)]
    confirmations: u64,
}

/// Sign a vote.
#[derive(Args)]
pub struct Vote {
    #[command(flatten)]
    who: Who,
    /// Id of the chain.
    #[arg(long)]
    chain_id: u64,
    /// Address of the contract.
    #[arg(long)]
    contract: Address,
    /// The neighbourhood, 64 hexadecimal digits.
    #[arg(long)]
    neighbourhood: B256,
    /// The header's number.
    #[arg(long)]
    number: u32,
    /// The header's hash.
    #[arg(long)]
    header: B256,
    /// Deposits credited.
    #[arg(long)]
    credited: u32,
}

impl Who {
    fn account(&self) -> Result<Account> {
        Ok(Account::open(
            &self.account,
            &password(&self.password_file)?,
        )?)
    }
}

impl Contract {
    fn endpoint(&self) -> Result<Endpoint> {
        let place = &self.place;
        Ok(Endpoint::connect(
            &place.rpc,
            place.chain_id,
            self.contract,
            TIMEOUT,
        )?)
    }
}

impl As {
    fn sender(&self) -> Result<Sender> {
        let (endpoint, account) = (self.contract.endpoint()?, self.who.account()?);
        Ok(Sender::new(endpoint, account, Patience::default()))
    }
}

fn told(what: &Included) -> Value {
    json!({ "tx": what.tx.to_string(), "block": what.block, "gas": what.gas })
}

impl GChain {
    /// Does it.
    ///
    /// # Errors
    /// What was refused, by whom and why; nothing was sent then, unless the text says so.
    pub fn run(self) -> Result<()> {
        let said = match self {
            Self::Key(call) => call.run()?,
            Self::Deploy(call) => call.run()?,
            Self::Join(call) => call.run()?,
            Self::Leave(call) => told(&call.sender()?.leave()?),
            Self::TakeCollateral(call) => told(&call.sender()?.take_collateral()?),
            Self::Collect(call) => told(&call.sender()?.collect()?),
            Self::Found(call) => call.run()?,
            Self::Fund(call) => told(&call.call.sender()?.fund(call.neighbourhood, call.wei)?),
            Self::Deposit(call) => call.run()?,
            Self::Withdraw(call) => call.run()?,
            Self::Exits(call) => call.run()?,
            Self::Challenge(call) => call.run(Sender::challenge)?,
            Self::Show(call) => call.run()?,
            Self::Void(call) => call.run(Sender::void)?,
            Self::Report(call) => call.run()?,
            Self::Status(call) => call.run()?,
            Self::DeployElections(call) => call.run()?,
            Self::Function(call) => {
                let (function, file) = create_function(&call.out)?;
                json!({ "function": function, "file": file })
            }
            Self::RegisterFunction(call) => call.register()?,
            Self::Reveal(call) => call.reveal()?,
            Self::DropFunction(call) => call.run()?,
            Self::FixSeed(call) => {
                let sender = call.call.sender()?;
                let elections = Elections::open(sender.endpoint(), call.elections)?;
                told(&elections.fix_seed(&sender, call.term)?)
            }
            Self::Election(call) => call.run()?,
            Self::Vote(call) => call.run()?,
        };
        print_json(&said);
        Ok(())
    }
}

impl Key {
    fn run(&self) -> Result<Value> {
        let account = Account::create(&self.out, &password(&self.password_file)?)?;
        Ok(json!({ "account": account.address().to_string(), "file": self.out }))
    }
}

impl Deploy {
    fn run(&self) -> Result<Value> {
        let endpoint = Endpoint::without_contract(&self.place.rpc, self.place.chain_id, TIMEOUT)?;
        let sender = Sender::new(endpoint, self.who.account()?, Patience::default());
        let included = sender.deploy(&Terms {
            unit: self.unit,
            fee: self.fee,
            collateral: self.collateral,
            unbonding: self.unbonding,
            absence: self.absence,
            window: self.window,
            answer: self.answer,
            bond: self.bond,
        })?;
        let contract = included.contract.context("the node names no contract")?;
        let mut said = told(&included);
        said["contract"] = json!(contract.to_string());
        said["chain_id"] = json!(sender.endpoint().chain_id()?);
        Ok(said)
    }
}

impl Join {
    fn run(&self) -> Result<Value> {
        let secret = keys::load_secret(&self.key)?;
        let key = <[u8; 32]>::try_from(secret.public_key().bytes())
            .map_err(|_| anyhow!("{}: validators sign with Ed25519", self.key.display()))?;
        let sender = self.call.sender()?;
        let mut said = told(&sender.join(&key, |message| secret.sign(message).0)?);
        said["key"] = json!(hex::encode(key));
        Ok(said)
    }
}

impl DeployElections {
    fn run(&self) -> Result<Value> {
        let sender = self.call.sender()?;
        let next = sender.endpoint().head()?.number.saturating_add(1);
        let elections = Elections::deploy(
            &sender,
            &Electing {
                first: self.first.unwrap_or(next),
                length: self.length,
                patience: self.patience,
                seats: self.seats,
                pace: self.pace,
                age: self.age,
            },
        )?;
        Ok(json!({
            "elections": elections.contract().to_string(),
            "first": elections.first,
            "length": elections.length,
            "seats": elections.seats,
        }))
    }
}

/// The Ed25519 key that the sender joined with.
fn own_key(sender: &Sender, account: Address) -> Result<[u8; 32]> {
    let node = sender.endpoint().masternode(account)?;
    let node = node.with_context(|| format!("{account} is no masternode: join first"))?;
    Ok(node.key)
}

impl Stand {
    fn register(&self) -> Result<Value> {
        let function = load_function(&self.function)?.public_key();
        let sender = self.call.sender()?;
        let elections = Elections::open(sender.endpoint(), self.elections)?;
        let included = elections.register(&sender, &function)?;
        let mut said = told(&included);
        said["first_term"] = json!(elections.term_of(included.block).saturating_add(3));
        Ok(said)
    }

    fn reveal(&self) -> Result<Value> {
        let secret = load_function(&self.function)?;
        let sender = self.call.sender()?;
        let mut elections = Elections::open(sender.endpoint(), self.elections)?;
        let head = sender.endpoint().head()?.number;
        let term = elections.term_of(head).saturating_add(1);
        let attempt = match elections.outcome(term, head)? {
            Outcome::Open(attempt) if attempt.is_open(head) => attempt,
            Outcome::Unseeded { term, height } => bail!(
                "the randomness of term {term} is not fixed: it is that of block {height}, bring it with `gchain fix-seed`"
            ),
            _ => bail!("no attempt of term {term} is open now"),
        };
        let key = own_key(&sender, self.call.who.account()?.address())?;
        let included = elections.reveal_own(&sender, &key, &secret, &attempt)?;
        let included = included.with_context(|| {
            format!("nothing to reveal for term {term}: it is revealed, or this masternode does not stand with this function")
        })?;
        let mut said = told(&included);
        said["term"] = json!(term);
        said["attempt"] = json!(attempt.number);
        Ok(said)
    }
}

impl StandDown {
    fn run(&self) -> Result<Value> {
        let sender = self.call.sender()?;
        let elections = Elections::open(sender.endpoint(), self.elections)?;
        let key = match self.key {
            Some(key) => key.0,
            None => own_key(&sender, self.call.who.account()?.address())?,
        };
        Ok(told(&elections.withdraw(&sender, &key)?))
    }
}

impl Elected {
    fn run(&self) -> Result<Value> {
        let endpoint = self.contract.endpoint()?;
        let mut elections = Elections::open(&endpoint, self.elections)?;
        let head = endpoint.head()?.number;
        let safe = head.checked_sub(self.confirmations);
        let safe = safe.context("the chain is shorter than the confirmations")?;
        let term = self.term.unwrap_or_else(|| elections.term_of(safe));
        let mut said =
            json!({ "term": term, "begins": elections.begins(term), "seats": elections.seats });
        match elections.outcome(term, safe)? {
            Outcome::Decided(decided) => {
                let member = |m: &Validator| json!({ "key": hex::encode(m.key), "stake": m.stake });
                said["members"] = decided.members.iter().map(member).collect();
                said["seed"] = json!(hex::encode(decided.seed.0));
                said["record"] = json!(hex::encode(&decided.record));
            }
            Outcome::Open(attempt) => {
                let revealed = attempt.entries.iter().filter(|e| e.proof.is_some()).count();
                said["open"] = json!({
                    "term": attempt.election.term,
                    "attempt": attempt.number,
                    "blocks": [attempt.blocks.0, attempt.blocks.1],
                    "candidates": attempt.entries.len(),
                    "revealed": revealed,
                });
            }
            Outcome::Unseeded { term, height } => {
                said["waits"] = json!({ "randomness_of_term": term, "block": height });
            }
        }
        Ok(said)
    }
}

impl Found {
    fn run(&self) -> Result<Value> {
        let store = Store::open_read_only(&self.data)?;
        let genesis = store.meta("genesis")?;
        let genesis = genesis
            .with_context(|| format!("{}: no neighbourhood here yet", self.data.display()))?;
        let set = store.meta("set")?.unwrap_or_default();
        let payload =
            Sign1::parse(&genesis).map_err(|e| anyhow!("the stored genesis is damaged: {e:?}"))?;
        let authority = store.meta("authority")?.unwrap_or_default();
        let authority = keys::public_key(&hex::encode(authority))?;
        let trust = crate::check::Trust::new(&genesis, &set, &authority)?;
        let granted = (trust.genesis.grant.0).saturating_mul(trust.genesis.members.into());
        let mut said = told(&self.call.sender()?.found(payload.payload, granted)?);
        said["neighbourhood"] = json!(trust.neighbourhood.to_string());
        said["value"] = json!(granted);
        Ok(said)
    }
}

fn device(text: &str) -> Result<[u8; 32]> {
    if let Ok(bytes) = hex::decode(text)
        && let Ok(id) = bytes.try_into()
    {
        return Ok(id);
    }
    let id = DeviceId::parse(text)
        .map_err(|e| anyhow!("--device: {text}: {e:?}; iote1... or 64 hexadecimal digits"))?;
    Ok(id.0.0)
}

impl Deposit {
    fn run(&self) -> Result<Value> {
        let device = device(&self.device)?;
        let sender = self.call.sender()?;
        Ok(told(&sender.deposit(
            self.neighbourhood,
            &device,
            self.amount,
        )?))
    }
}

impl Withdraw {
    fn run(&self) -> Result<Value> {
        let store = Store::open_read_only(&self.data)?;
        let sender = self.call.sender()?;
        let (mut taken, mut waiting) = (Vec::new(), 0);
        for number in asked_for(&store, self.header)? {
            waiting += self.take(&store, &sender, number, &mut taken)?;
        }
        if taken.is_empty() {
            bail!(
                "nothing to withdraw: no exit that was not taken, of a header that is anchored; {waiting} can still be challenged or are disputed, withdraw them when that time is over"
            );
        }
        Ok(json!(taken))
    }

    fn take(
        &self,
        store: &Store,
        sender: &Sender,
        number: HeaderNumber,
        taken: &mut Vec<Value>,
    ) -> Result<usize> {
        let header = exits::header(store, number)?;
        let neighbourhood = B256::from(header.neighbourhood.0);
        let all = exits::of(store, &header)?;
        let mut waiting = 0;
        for exit in &all {
            let (target, tx) = (Address::from(exit.target), B256::from(exit.id.0));
            let other = self.target.is_some_and(|wanted| wanted != target);
            if other || sender.endpoint().taken(neighbourhood, tx)? {
                continue;
            }
            let included = match sender.withdraw(&leaving(&header, &all, exit)?) {
                Err(Error::Revert(why)) if matches!(why.name.as_str(), "TooEarly" | "Disputed") => {
                    waiting += 1;
                    continue;
                }
                included => included?,
            };
            taken.push(told_of(&included, number, exit));
        }
        Ok(waiting)
    }
}

/// One header, or all that are anchored.
fn asked_for(
    store: &Store,
    header: Option<u32>,
) -> Result<impl Iterator<Item = HeaderNumber> + use<>> {
    let newest = store.newest_anchor()?.map_or(0, |a| a.number.0);
    let (first, last) = header.map_or((1, newest), |number| (number, number));
    Ok((first..=last).map(HeaderNumber))
}

/// An exit as the contract is told of it.
fn leaving(header: &Header, all: &[exits::Exit], exit: &exits::Exit) -> Result<Exit> {
    let path = exits::path(all, exit.index).context("an exit without a path")?;
    Ok(Exit {
        neighbourhood: B256::from(header.neighbourhood.0),
        number: header.number.0,
        target: Address::from(exit.target),
        amount: exit.amount.0,
        tx: B256::from(exit.id.0),
        index: exit.index.into(),
        size: all.len() as u64,
        path: path.iter().map(|id: &Id| B256::from(id.0)).collect(),
    })
}

fn told_of(included: &Included, number: HeaderNumber, exit: &exits::Exit) -> Value {
    let mut said = told(included);
    describe(&mut said, number, exit);
    said
}

fn describe(said: &mut Value, number: HeaderNumber, exit: &exits::Exit) {
    said["header"] = json!(number.0);
    said["target"] = json!(Address::from(exit.target).to_string());
    said["amount"] = json!(exit.amount.0);
    said["exit"] = json!(exit.id.to_string());
}

impl Exits {
    fn run(&self) -> Result<Value> {
        let store = Store::open_read_only(&self.data)?;
        let mut list = Vec::new();
        for number in asked_for(&store, self.header)? {
            for exit in exits::of(&store, &exits::header(&store, number)?)? {
                let mut said = json!({});
                describe(&mut said, number, &exit);
                list.push(said);
            }
        }
        Ok(json!(list))
    }
}

impl Challenge {
    fn run(&self, how: fn(&Sender, &Exit) -> Result<Included, Error>) -> Result<Value> {
        let store = Store::open_read_only(&self.data)?;
        let number = HeaderNumber(self.header);
        let header = exits::header(&store, number)?;
        let all = exits::of(&store, &header)?;
        let mut wanted = Vec::new();
        for id in &self.exit {
            let exit = all.iter().find(|exit| exit.id.0 == id.0);
            wanted.push(exit.with_context(|| format!("{id:x}: header {number} has no such exit"))?);
        }
        let sender = self.call.sender()?;
        let mut done = Vec::new();
        for exit in wanted {
            let included = how(&sender, &leaving(&header, &all, exit)?)?;
            done.push(told_of(&included, number, exit));
        }
        Ok(json!(done))
    }
}

impl Show {
    fn run(&self) -> Result<Value> {
        let store = Store::open_read_only(&self.data)?;
        let first = exits::header(&store, HeaderNumber(1))?;
        let id = first.neighbourhood;
        let sender = self.call.sender()?;
        let (open, _) = sender.endpoint().disputed(B256::from(id.0), 0)?;
        let mut done = Vec::new();
        for disputed in &open {
            let (number, tx) = (HeaderNumber(disputed.number), Id(disputed.tx.0));
            let mut said = match exits::shown(&store, &id, number, &tx) {
                Ok(shown) => told(&sender.show(disputed, &shown)?),
                Err(why) => json!({ "why": why.to_string() }),
            };
            said["header"] = json!(number.0);
            said["exit"] = json!(tx.to_string());
            said["until"] = json!(disputed.until);
            done.push(said);
        }
        Ok(json!(done))
    }
}

/// `HEADER:CREDITED:SIGNATURE`.
fn voted(flag: &str, text: &str) -> Result<Voted> {
    let wrong = || anyhow!("{flag}: {text}: HEADER-HASH:CREDITED:SIGNATURE is expected");
    let mut parts = text.split(':');
    let mut next = || parts.next().ok_or_else(wrong);
    let (header, credited, vote) = (next()?, next()?, next()?);
    let vote = hex::decode(vote.trim_start_matches("0x"))?;
    Ok(Voted {
        header: header.parse().map_err(|_| wrong())?,
        credited: credited.parse().map_err(|_| wrong())?,
        vote: vote.try_into().map_err(|_| wrong())?,
    })
}

impl Report {
    fn run(&self) -> Result<Value> {
        let (a, b) = (voted("--a", &self.a)?, voted("--b", &self.b)?);
        let sender = self.call.sender()?;
        Ok(told(&sender.double_vote(
            self.neighbourhood,
            self.number,
            &a,
            &b,
        )?))
    }
}

impl Status {
    fn run(&self) -> Result<Value> {
        let endpoint = self.contract.endpoint()?;
        let terms = endpoint.terms()?;
        let mut said = json!({
            "chain_id": endpoint.chain_id()?,
            "block": endpoint.head()?.number,
            "unit": terms.unit.to_string(), "fee": terms.fee.to_string(), "collateral": terms.collateral.to_string(),
            "unbonding": terms.unbonding, "absence": terms.absence,
            "window": terms.window, "answer": terms.answer, "bond": terms.bond.to_string(),
        });
        if let Some(id) = self.neighbourhood {
            let found = endpoint.neighbourhood(id)?;
            said["neighbourhood"] = found.map_or(Value::Null, |n| {
                json!({
                    "header": n.number, "head": n.head.to_string(), "value": n.total_value,
                    "deposits": n.deposits, "credited": n.credited, "fund": n.fund.to_string(),
                })
            });
        }
        let mut masternodes = Vec::new();
        for account in &self.masternode {
            let found = endpoint.masternode(*account)?;
            masternodes.push(found.map_or(json!({ "account": account.to_string(), "joined": false }), |m| {
                json!({
                    "account": account.to_string(), "joined": true, "key": hex::encode(m.key),
                    "listed": m.listed, "leaves": m.leaves, "seen": m.seen, "earned": m.earned.to_string(),
                })
            }));
        }
        said["masternodes"] = json!(masternodes);
        Ok(said)
    }
}

impl Vote {
    fn run(&self) -> Result<Value> {
        let domain = Domain {
            chain_id: self.chain_id,
            contract: self.contract,
        };
        let account = self.who.account()?;
        let vote = account.vote(
            &domain,
            self.neighbourhood,
            self.number,
            self.header,
            self.credited,
        )?;
        Ok(json!({ "vote": format!("{:x}:{}:{}", self.header, self.credited, hex::encode(vote)) }))
    }
}
