//! A chain of one machine (anvil), the contract on it, seven masternodes and a neighbourhood of theirs.

use iotedge_core::crypto::SecretKey;
use iotedge_core::identity::sign1::Sign1;
use iotedge_core::identity::{Caps, CoseKey, Genesis, Record};
use iotedge_core::posp::{Header, Validator, ValidatorSet};
use iotedge_core::wire::{Writer, merkle};
use iotedge_core::{Amount, HeaderNumber, Id, MemberIndex, Millis, Weight};
use iotedge_gchain::{
    Account, Anchorer, B256, Domain, Endpoint, Epoch, Event, Patience, Sender, Terms, U256,
    packed_votes,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const CHAIN: u64 = 31_337;
pub const TIMEOUT: Duration = Duration::from_secs(10);
pub const VALIDATORS: u8 = 7;
pub const GRANT: u64 = 1_000_000;
pub const MEMBERS: u32 = 8;
/// Wei of a micro-token.
pub const UNIT: u64 = 1_000_000_000;

/// Looks often, and takes a transaction for stuck after a minute of the clock that is given to it.
pub const PATIENCE: Patience = Patience {
    whole: Duration::from_secs(20),
    stuck: Duration::from_secs(60),
    poll: Duration::from_millis(10),
    most: 500_000_000_000,
};

/// An Ethereum node for one test. Ends with it.
pub struct Anvil {
    child: Child,
    pub url: String,
}

impl Anvil {
    pub fn start() -> Self {
        let mut child = Command::new(binary())
            .args([
                "--port",
                "0",
                "--host",
                "127.0.0.1",
                "--hardfork",
                "osaka",
                "--accounts",
                "1",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("anvil does not start: run ci/setup gchain");
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let at = loop {
            line.clear();
            assert_ne!(
                lines.read_line(&mut line).unwrap(),
                0,
                "anvil ended: run ci/setup gchain"
            );
            if let Some((_, at)) = line.split_once("Listening on ") {
                break at.trim().to_owned();
            }
        };
        // Whatever it prints later must find a reader.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Self {
            child,
            url: format!("http://{at}"),
        }
    }

    pub fn rpc(&self, method: &str, params: Value) -> Value {
        let answer = post(
            &self.url,
            &json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}),
        );
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub fn mine(&self, blocks: u64) {
        self.rpc("anvil_mine", json!([format!("{blocks:#x}")]));
    }

    pub fn automine(&self, on: bool) {
        self.rpc("evm_setAutomine", json!([on]));
    }

    pub fn give(&self, account: &Account, wei: u128) {
        let params = json!([account.address().to_string(), format!("{wei:#x}")]);
        self.rpc("anvil_setBalance", params);
    }

    /// Transactions of the account that are in blocks, failed ones too.
    pub fn count(&self, account: &Account) -> u64 {
        let params = json!([account.address().to_string(), "latest"]);
        let count = self.rpc("eth_getTransactionCount", params);
        u64::from_str_radix(count.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program itself: npm's wrapper of it would leave it behind.
fn binary() -> PathBuf {
    let modules = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../contracts/node_modules/@foundry-rs"
    );
    let found = std::fs::read_dir(modules).ok().and_then(|entries| {
        entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("anvil-"))
            .map(|entry| entry.path().join("bin/anvil"))
            .find(|path| path.exists())
    });
    found.expect("anvil is missing: run ci/setup gchain")
}

fn post(url: &str, body: &Value) -> String {
    let mut answer = ureq::post(url)
        .header("content-type", "application/json")
        .send(body.to_string())
        .unwrap();
    answer.body_mut().read_to_string().unwrap()
}

/// What a way between does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// The answer comes too late.
    Slow(Duration),
    /// No answer of a node.
    Garbage,
    /// The answer to a transaction is lost; it arrives.
    LoseSent,
    /// Logs with another amount than the last deposit's.
    OtherAmounts,
    /// Logs with another payer than the last deposit's.
    OtherPayer,
}

/// A way to the node that can be worse than the node.
pub struct Proxy {
    pub url: String,
    pub way: Arc<Mutex<Way>>,
    /// Transactions that went through.
    pub sent: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn start(to: &Anvil, at: &str) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            way: Arc::new(Mutex::new(Way::Open)),
            sent: Arc::default(),
        };
        let (way, sent, url) = (proxy.way.clone(), proxy.sent.clone(), to.url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (way, sent, url) = (way.clone(), sent.clone(), url.clone());
                std::thread::spawn(move || pass(stream.unwrap(), &way, &sent, &url));
            }
        });
        proxy
    }

    pub fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }
}

/// The answer with another value of one byte in the last log's data.
fn changed_log(answer: &str, byte: usize) -> String {
    let mut answer: Value = serde_json::from_str(answer).unwrap();
    let log = answer["result"].as_array_mut().unwrap().last_mut().unwrap();
    let data = log["data"].as_str().unwrap();
    let at = 2 + 2 * byte + 1;
    let other = if data.as_bytes()[at] == b'0' {
        "1"
    } else {
        "0"
    };
    let mut data = data.to_owned();
    data.replace_range(at..=at, other);
    log["data"] = json!(data);
    answer.to_string()
}

fn pass(stream: TcpStream, way: &Mutex<Way>, sent: &AtomicUsize, url: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut length, mut line) = (0, String::new());
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let request: Value = serde_json::from_slice(&body).ok()?;
    let is_sent = request["method"] == "eth_sendRawTransaction";
    let is_logs = request["method"] == "eth_getLogs";
    let way = *way.lock().unwrap();
    if let Way::Slow(time) = way {
        std::thread::sleep(time);
    }
    let answer = match way {
        Way::Garbage => "<html>Bad gateway</html>".to_owned(),
        Way::OtherAmounts if is_logs => changed_log(&post(url, &request), 63),
        Way::OtherPayer if is_logs => changed_log(&post(url, &request), 95),
        _ => post(url, &request),
    };
    sent.fetch_add(usize::from(is_sent), Ordering::Relaxed);
    if way == Way::LoseSent && is_sent {
        return None;
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(answer.as_bytes()).ok()
}

pub struct World {
    pub anvil: Anvil,
    pub endpoint: Endpoint,
    pub domain: Domain,
    /// Of the validators, by index.
    pub accounts: Vec<Account>,
    pub set: Vec<u8>,
    set_hash: Id,
    pub id: B256,
    /// The genesis's payload.
    pub genesis: Vec<u8>,
    /// Pays for everything.
    pub payer: Account,
    pub sender: Sender,
}

pub fn account(secret: u8) -> Account {
    Account::from_secret(&[secret; 32]).unwrap()
}

pub fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut w = Writer::new(&mut buffer);
    write(&mut w);
    w.written().to_vec()
}

/// The key of a member.
pub fn member(index: u8) -> SecretKey {
    SecretKey::from_seed(&[40 + index; 32]).unwrap()
}

/// The founding table.
pub fn records() -> Vec<Record> {
    (0..MEMBERS as u8)
        .map(|index| Record {
            index: MemberIndex(index.into()),
            device: CoseKey::thumbprint(&member(index).public_key()),
            key: member(index).public_key(),
            weight: Weight(1),
            credits: Amount(GRANT),
            ..Record::EMPTY
        })
        .collect()
}

impl World {
    pub fn new() -> Self {
        Self::with_window(0)
    }

    /// One in which exits wait so many seconds.
    pub fn with_window(window: u64) -> Self {
        let anvil = Anvil::start();
        let payer = account(100);
        anvil.give(&payer, 100 * u128::from(UNIT) * u128::from(UNIT));
        let bare = Endpoint::without_contract(&anvil.url, Some(CHAIN), TIMEOUT).unwrap();
        let terms = Terms {
            unit: U256::from(UNIT),
            fee: U256::from(7_000 * UNIT),
            collateral: U256::from(UNIT) * U256::from(UNIT),
            unbonding: 14 * 86_400,
            absence: 86_400,
            window,
            answer: 3_600,
            bond: U256::from(UNIT),
        };
        let deployed = Sender::new(bare.clone(), payer.clone(), PATIENCE)
            .deploy(&terms)
            .unwrap();
        let endpoint = bare
            .at(deployed.contract.unwrap())
            .unwrap()
            .since(deployed.block);
        assert_eq!(endpoint.terms().unwrap(), terms);
        let sender = Sender::new(endpoint.clone(), payer.clone(), PATIENCE);
        let (mut accounts, mut validators) = (Vec::new(), Vec::new());
        for i in 1..=VALIDATORS {
            let secret = SecretKey::from_seed(&[i; 32]).unwrap();
            let iotedge_core::crypto::PublicKey::Ed25519(key) = secret.public_key() else {
                unreachable!("keys of validators are Ed25519");
            };
            let account = account(i);
            anvil.give(&account, 2 * u128::from(UNIT) * u128::from(UNIT));
            Sender::new(endpoint.clone(), account.clone(), PATIENCE)
                .join(&key, |message| secret.sign(message).0)
                .unwrap();
            assert_eq!(endpoint.account_of(&key).unwrap(), Some(account.address()));
            assert_eq!(
                endpoint.masternode(account.address()).unwrap().unwrap().key,
                key
            );
            accounts.push(account);
            validators.push(Validator { key, stake: 10 });
        }
        let set = ValidatorSet::new(1, HeaderNumber(1), &validators).unwrap();
        let genesis = Genesis {
            nonce: [7; 32],
            chain_id: CHAIN,
            start: Millis(1_760_000_000_000),
            period: Millis(10_000),
            parent_age: Millis(2_500),
            neighbours: 2,
            caps: Caps {
                tx: Amount(100),
                peer: Amount(1_000),
                exposure: Amount(9_000),
            },
            grant: Amount(GRANT),
            max_members: 100,
            gl_node: MemberIndex(0),
            members: MEMBERS,
            weight: u64::from(MEMBERS),
            table_root: merkle::root(records().iter().map(|r| r.leaf().unwrap())).unwrap(),
            validator_set: set.hash(),
            set_age: Millis(1_209_600_000),
        };
        let mut signed = [0; 400];
        let authority = SecretKey::from_seed(&[99; 32]).unwrap();
        let length = genesis.sign(&authority, &mut signed).unwrap();
        let payload = Sign1::parse(&signed[..length]).unwrap().payload;
        sender.found(payload, GRANT * u64::from(MEMBERS)).unwrap();
        Self {
            genesis: payload.to_vec(),
            domain: endpoint.domain().unwrap(),
            id: B256::from(genesis.neighbourhood().unwrap().0),
            set: written(|w| set.encode(w).unwrap()),
            set_hash: set.hash(),
            anvil,
            endpoint,
            accounts,
            payer,
            sender,
        }
    }

    /// A header of the neighbourhood with the votes of the first so many.
    pub fn epoch(&self, number: u32, previous: B256, voters: u8) -> Epoch {
        self.epoch_with(
            number,
            previous,
            voters,
            GRANT * u64::from(MEMBERS),
            Id([5; 32]),
            0,
        )
    }

    pub fn epoch_with(
        &self,
        number: u32,
        previous: B256,
        voters: u8,
        total: u64,
        exits_root: Id,
        credited: u32,
    ) -> Epoch {
        let header = Header {
            neighbourhood: Id(self.id.0),
            number: HeaderNumber(number),
            previous: Id(previous.0),
            trim: Id([3; 32]),
            cut: Millis(1_760_000_010_000),
            g0: Id([3; 32]),
            count: 0,
            state_root: Id([3; 32]),
            exits_root,
            table_root: Id([3; 32]),
            members: MEMBERS,
            weight: u64::from(MEMBERS),
            set_hash: self.set_hash,
            total_value: Amount(total),
            first_time: Millis(0),
            last_time: Millis(0),
        };
        let header = written(|w| header.encode(w).unwrap());
        let hash = B256::from(Header::hash(&header).0);
        let votes: Vec<(u8, [u8; 65])> = (0..voters)
            .map(|i| {
                let account = &self.accounts[usize::from(i)];
                let vote = account.vote(&self.domain, self.id, number, hash, credited);
                (i, vote.unwrap())
            })
            .collect();
        Epoch {
            number,
            header,
            hash,
            set: self.set.clone(),
            credited,
            votes: packed_votes(&votes),
        }
    }

    /// Headers from 1 on, each after the other.
    pub fn epochs(&self, count: u32) -> Vec<Epoch> {
        let mut previous = self.id;
        (1..=count)
            .map(|number| {
                let epoch = self.epoch(number, previous, 5);
                previous = epoch.hash;
                epoch
            })
            .collect()
    }

    pub fn anchorer(&self, confirmations: u64, epochs: &[Epoch]) -> Anchorer {
        self.anchorer_by(self.endpoint.clone(), confirmations, epochs)
    }

    pub fn anchorer_by(&self, by: Endpoint, confirmations: u64, epochs: &[Epoch]) -> Anchorer {
        let mut anchorer = Anchorer::new(by, self.payer.clone(), self.id, confirmations, PATIENCE);
        epochs.iter().for_each(|epoch| anchorer.push(epoch.clone()));
        anchorer
    }

    /// Logs of anchored headers in the chain as it is.
    pub fn anchored(&self) -> usize {
        self.endpoint.anchored(self.id, 0, 0).unwrap().len()
    }
}

/// What an event is, and of which header.
pub fn brief(events: &[Event]) -> Vec<String> {
    let one = |event: &Event| match event {
        Event::Submitted { number, .. } => format!("submitted {number}"),
        Event::Included { number, .. } => format!("included {number}"),
        Event::Anchored { number, .. } => format!("anchored {number}"),
        Event::Reorged { number } => format!("reorged {number}"),
        Event::Refused { number, why } => format!("refused {number}: {why}"),
        Event::Trouble(why) => format!("trouble: {why}"),
    };
    events.iter().map(one).collect()
}
