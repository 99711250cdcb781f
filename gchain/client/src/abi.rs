//! The contract as it was built (gchain/abi), its calls, and its errors read by that file.

use crate::Error;
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_sol_types::{SolValue, sol};
use serde_json::Value;
use std::fmt;
use std::sync::OnceLock;

sol! {
    function found(bytes genesis) external payable;
    function fund(bytes32 neighbourhood) external payable;
    function deposit(bytes32 neighbourhood, bytes32 device) external payable;
    function anchor(bytes header, bytes set, uint32 credited, bytes votes) external;
    function withdraw(bytes32 neighbourhood, uint32 number, address target, uint64 amount, bytes32 txId, uint256 index, uint256 size, bytes32[] path) external;
    function challenge(Leaving e, uint256 index, uint256 size, bytes32[] path) external payable;
    function show(Leaving e, ExitProof proof) external;
    function showDeposit(Leaving e, uint32 index) external;
    function void(Leaving e) external;
    function disputes(bytes32 exit) external view returns (address challenger, uint40 until, uint8 verdict);
    function doubleVote(bytes32 neighbourhood, uint32 number, bytes32 a, uint32 creditedA, bytes signatureA, bytes32 b, uint32 creditedB, bytes signatureB) external;
    function join(bytes32 key, bytes proof) external payable;
    function quit() external;
    function takeCollateral() external;
    function collect() external;
    function resume() external;
    function joinMessage(address account) external view returns (bytes);
    function accountOf(bytes32 key) external view returns (address account);
    function listed(address account) external view returns (bool);
    function masternodes(address account) external view returns (bytes32 key, uint64 leaves, uint64 seen, uint128 earned);
    function neighbourhoods(bytes32 neighbourhood) external view returns (bytes32 setHash, bytes32 head, uint64 totalValue, uint32 number, uint32 deposits, uint32 credited, uint96 fund);
    function deposited(bytes32 neighbourhood, uint32 count) external view returns (uint64 sum, address from);
    function taken(bytes32 neighbourhood, bytes32 txId) external view returns (bool);
    function UNIT() external view returns (uint256);
    function FEE() external view returns (uint256);
    function COLLATERAL() external view returns (uint256);
    function UNBONDING() external view returns (uint256);
    function ABSENCE() external view returns (uint256);
    function WINDOW() external view returns (uint256);
    function ANSWER() external view returns (uint256);
    function BOND() external view returns (uint256);

    function register(bytes32 vrf) external;
    function drop(bytes32 key) external;
    function reveal(uint32 term, uint256 attempt, bytes32 gamma, bytes16 c, bytes32 s) external;
    function count() external view returns (uint256);
    function candidates(uint256 from, uint256 most) external view returns (Standing[] memory page);
    function reveals(uint32 term, uint256 attempt, bytes32[] calldata keys) external view returns (Revealed[] memory page);
    function ID() external view returns (bytes32);
    function SEEDS() external view returns (address);
    function SEATS() external view returns (uint256);
    function ROUND() external view returns (uint256);
    function ATTEMPTS() external view returns (uint256);
    function FIRST() external view returns (uint256);
    function LENGTH() external view returns (uint256);
    function randomness(uint64 term) external view returns (bytes32);
    function heightOf(uint64 term) external view returns (uint256 height);
    function fixSeed(uint64 term, bytes blockHeaderRlp) external;

    /// `Candidate` of the contract.
    struct Standing {
        bytes32 key;
        bytes32 vrf;
        address account;
        uint32 registered;
        uint32 until;
    }

    /// `Reveal` of the contract.
    struct Revealed {
        bytes32 gamma;
        bytes32 s;
        bytes16 c;
    }

    /// An exit as a header has it.
    struct Leaving {
        bytes32 neighbourhood;
        uint32 number;
        address target;
        uint64 amount;
        bytes32 txId;
    }

    /// What shows that a member signed an exit.
    struct ExitProof {
        bytes cose;
        bytes32 parents;
        bytes opener;
        bytes record;
        bytes32[] path;
    }

    event Challenged(bytes32 indexed neighbourhood, uint32 indexed number, bytes32 indexed txId, Leaving exit, address challenger, uint256 until);
    event Founded(bytes32 indexed neighbourhood, uint64 value);
    event Deposited(bytes32 indexed neighbourhood, uint32 index, bytes32 indexed device, uint64 amount, address from);
    event Anchored(bytes32 indexed neighbourhood, uint32 indexed number, bytes32 hash, uint32 credited);

    /// EIP-712, as accounts sign it.
    struct Vote {
        bytes32 neighbourhood;
        uint32 number;
        bytes32 header;
        uint32 credited;
    }
}

/// What a contract is deployed with, and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Wei of a micro-token.
    pub unit: U256,
    /// Wei that the voters of a header share.
    pub fee: U256,
    /// Wei that a masternode sets aside.
    pub collateral: U256,
    /// Seconds between leaving and the collateral.
    pub unbonding: u64,
    /// Seconds without a duty done after which a masternode is off the list.
    pub absence: u64,
    /// Seconds after its header in which an exit can be challenged, and cannot be withdrawn.
    pub window: u64,
    /// Seconds in which a challenged exit has to be shown.
    pub answer: u64,
    /// Wei that a challenger sets aside.
    pub bond: U256,
}

/// What the contracts of the elections are deployed with, and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Electing {
    /// Height of the seed of term 0.
    pub first: u64,
    /// Blocks of a term, more than the patience.
    pub length: u64,
    /// Blocks after which the next block's randomness is taken where nobody brought one: 1 to 8,000.
    pub patience: u64,
    /// Seats of a committee, 1 to 64.
    pub seats: u8,
    /// Most seconds that a block takes, in the mean of a term.
    pub pace: u64,
    /// Longest age of a set that a device takes, in seconds.
    pub age: u64,
}

static JSON: &str = include_str!("../../abi/GChain.json");
static PROOFS: &str = include_str!("../../abi/Proofs.json");
static ELECTIONS: &str = include_str!("../../abi/Elections.json");
static SEEDS: &str = include_str!("../../abi/Seeds.json");

fn json() -> &'static Value {
    static PARSED: OnceLock<Value> = OnceLock::new();
    // The file is part of the build; what it lacks shows as an error without a name, and in the tests below.
    PARSED.get_or_init(|| serde_json::from_str(JSON).unwrap_or_default())
}

/// What creates the contract that checks devices' signatures; it has no state and no owner.
pub fn proofs_creation() -> Result<Vec<u8>, Error> {
    let parsed: Value = serde_json::from_str(PROOFS).unwrap_or_default();
    bytecode(&parsed, "gchain/abi/Proofs.json")
}

fn bytecode(artifact: &Value, what: &'static str) -> Result<Vec<u8>, Error> {
    let text = artifact["bytecode"].as_str();
    text.and_then(|text| hex::decode(text).ok())
        .ok_or(Error::Form { what })
}

/// What creates the contract: its code and what it is constructed with. `proofs` is where [`proofs_creation`] is.
pub fn creation(terms: &Terms, proofs: Address) -> Result<Vec<u8>, Error> {
    let mut code = bytecode(json(), "gchain/abi/GChain.json")?;
    let (unbonding, absence) = (U256::from(terms.unbonding), U256::from(terms.absence));
    code.extend_from_slice(
        &(
            terms.unit,
            terms.fee,
            terms.collateral,
            unbonding,
            absence,
            proofs,
            U256::from(terms.window),
            U256::from(terms.answer),
            terms.bond,
            // Collateral in ether.
            Address::ZERO,
        )
            .abi_encode(),
    );
    Ok(code)
}

/// What creates the contract of the seeds.
pub fn seeds_creation(terms: &Electing) -> Result<Vec<u8>, Error> {
    let parsed: Value = serde_json::from_str(SEEDS).unwrap_or_default();
    let mut code = bytecode(&parsed, "gchain/abi/Seeds.json")?;
    let (first, length) = (U256::from(terms.first), U256::from(terms.length));
    code.extend((first, length, U256::from(terms.patience)).abi_encode());
    Ok(code)
}

/// What creates the contract of the elections.
pub fn elections_creation(
    terms: &Electing,
    chain: Address,
    seeds: Address,
) -> Result<Vec<u8>, Error> {
    let parsed: Value = serde_json::from_str(ELECTIONS).unwrap_or_default();
    let mut code = bytecode(&parsed, "gchain/abi/Elections.json")?;
    let (seats, pace, age) = (terms.seats, terms.pace, terms.age);
    let numbers = (U256::from(seats), U256::from(pace), U256::from(age));
    code.extend((chain, seeds, numbers.0, numbers.1, numbers.2).abi_encode());
    Ok(code)
}

/// Why the contract refused, by the names that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// The error's name, as in the contract; `revert` where it has none.
    pub name: String,
    /// Its arguments, in order, numbers in decimal and bytes in hex.
    pub args: Vec<String>,
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.args.join(", "))?;
        match mend(&self.name) {
            "" => Ok(()),
            mend => write!(f, ": {mend}"),
        }
    }
}

impl Revert {
    /// What a call gave back when it was refused.
    pub fn decode(data: &[u8]) -> Self {
        let known = data.split_first_chunk::<4>().and_then(|(selector, args)| {
            standard(*selector, args).or_else(|| custom(*selector, args))
        });
        known.unwrap_or_else(|| Self {
            name: "revert".into(),
            args: if data.is_empty() {
                Vec::new()
            } else {
                vec![hex::encode_prefixed(data)]
            },
        })
    }

    /// Whether no later block changes it: the header, its set or its votes are not what this neighbourhood can take.
    #[must_use]
    pub fn is_final(&self) -> bool {
        // Not yet: the neighbourhood, the header before or a deposit is missing on this node, or comes back after a reorg.
        !matches!(
            self.name.as_str(),
            "NotNext" | "UnknownNeighbourhood" | "NotDeposited" | "revert"
        )
    }
}

/// Solidity's own two.
fn standard(selector: [u8; 4], args: &[u8]) -> Option<Revert> {
    let (name, arg) = match selector {
        [0x08, 0xc3, 0x79, 0xa0] => ("Error", String::abi_decode(args).ok()?),
        [0x4e, 0x48, 0x7b, 0x71] => ("Panic", U256::abi_decode(args).ok()?.to_string()),
        _ => return None,
    };
    Some(Revert {
        name: name.into(),
        args: vec![arg],
    })
}

/// Errors of all contracts that are called from here.
fn errors() -> impl Iterator<Item = &'static Value> {
    static OTHERS: OnceLock<[Value; 2]> = OnceLock::new();
    let others = OTHERS
        .get_or_init(|| [ELECTIONS, SEEDS].map(|t| serde_json::from_str(t).unwrap_or_default()));
    let all = std::iter::once(json()).chain(others);
    all.filter_map(|parsed| parsed["abi"].as_array())
        .flatten()
        .filter(|entry| entry["type"] == "error")
}

/// One of the contract's: all of them that it throws have arguments of one word.
fn custom(selector: [u8; 4], args: &[u8]) -> Option<Revert> {
    let entry = errors().find(|entry| keccak256(signature(entry)).starts_with(&selector))?;
    let inputs = entry["inputs"].as_array()?;
    let words = args.chunks_exact(32);
    if words.len() != inputs.len() {
        return None;
    }
    let args = words
        .zip(inputs)
        .map(|(word, input)| match input["type"].as_str() {
            Some("bytes32") => hex::encode_prefixed(word),
            Some("address") => Address::from_word(B256::from_slice(word)).to_string(),
            _ => U256::from_be_slice(word).to_string(),
        })
        .collect();
    Some(Revert {
        name: entry["name"].as_str()?.into(),
        args,
    })
}

/// `name(type,type)`.
fn signature(entry: &Value) -> String {
    let types: Vec<&str> = entry["inputs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|input| input["type"].as_str())
        .collect();
    format!(
        "{}({})",
        entry["name"].as_str().unwrap_or_default(),
        types.join(",")
    )
}

fn mend(name: &str) -> &'static str {
    match name {
        "AlreadyFounded" => "the neighbourhood is there, nothing is to be done",
        "OtherChain" => "the genesis names another chain, use an endpoint of that one",
        "Value" => "send exactly this value in wei, or a multiple where it is a deposit",
        "UnknownNeighbourhood" => "found it first, with its genesis",
        "NotNext" => "this number is next, bring the headers in order",
        "OtherPredecessor" => "the header does not follow the anchored one, look for a fork",
        "OtherSet" => "bring the set that the header before names",
        "VoterOrder" => "votes come by rising index, each once, of indices in the set",
        "NotTheirVote" => {
            "the vote of this index is not of its validator's account over this header, or it has not joined"
        }
        "ShortOfQuorum" => "more than two thirds of the stake must vote, collect more votes",
        "NotDeposited" => {
            "the contract has no such count of deposits, or it is credited; wait for confirmations"
        }
        "ValueFromNothing" => "the header has more value than was paid in, do not settle it",
        "NotAnExit" => "the path does not lead to this header's exits root",
        "AlreadyTaken" => "the exit was paid out",
        "TooEarly" => {
            "an exit can be challenged until this time, in Unix seconds; withdraw it then"
        }
        "WindowClosed" => "an exit could be challenged until this time, in Unix seconds",
        "Disputed" => "somebody disputes this exit: it has to be shown first, or is void",
        "ChallengeBond" => "send exactly this value in wei",
        "NoDispute" => "nobody disputes this exit, or it was shown, or is void",
        "AnswerTime" => {
            "an exit can be shown until this time, in Unix seconds, and is void if it is not"
        }
        "OtherEpoch" => "the exit is of an epoch that its header must not settle",
        "OtherOpener" => "the header or genesis that opened the exit's epoch is another one here",
        "NotGivenBack" => "the header gives no such deposit back",
        "NoDoubleVote" => "the two votes are one, or of two accounts",
        "Collateral" => "send exactly this value in wei",
        "AlreadyBonded" => "the account is a masternode already",
        "KeyTaken" => "another account has joined with this key",
        "KeyNotProved" => "the key must sign this chain, contract and account",
        "NotBonded" => "the account is no masternode",
        "NoMasternode" => "join first; who asked for its collateral cannot be elected",
        "SigningKey" => "the key of the function signs nothing else, use one of its own",
        "NotYet" => "wait for this block",
        "TooLate" => "proofs were taken before this block, the next attempt or term takes others",
        "AlreadyRevealed" | "AlreadyFixed" => "it is done",
        "NotThatBlock" => "the block is too old, or another; ask an endpoint of this chain",
        "NotFree" => "wait until this time, in Unix seconds",
        _ => "",
    }
}

/// Where a call's data comes from: everything of `sol!` has it.
pub fn data(call: &impl alloy_sol_types::SolCall) -> Bytes {
    call.abi_encode().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::{SolCall, SolError, SolEvent};

    sol! {
        error ShortOfQuorum(uint256 signed, uint256 total);
    }

    /// What is written above is what the contract has, so a changed contract fails here.
    #[test]
    fn the_calls_and_events_are_the_contracts() {
        let of = |kind: &str| -> Vec<String> {
            json()["abi"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|entry| entry["type"] == kind)
                .map(signature)
                .collect()
        };
        let functions = of("function");
        for ours in [
            foundCall::SIGNATURE,
            fundCall::SIGNATURE,
            depositCall::SIGNATURE,
            anchorCall::SIGNATURE,
            withdrawCall::SIGNATURE,
            doubleVoteCall::SIGNATURE,
            joinCall::SIGNATURE,
            quitCall::SIGNATURE,
            takeCollateralCall::SIGNATURE,
            collectCall::SIGNATURE,
            resumeCall::SIGNATURE,
            joinMessageCall::SIGNATURE,
            accountOfCall::SIGNATURE,
            listedCall::SIGNATURE,
            masternodesCall::SIGNATURE,
            neighbourhoodsCall::SIGNATURE,
            depositedCall::SIGNATURE,
            takenCall::SIGNATURE,
            UNITCall::SIGNATURE,
            FEECall::SIGNATURE,
            COLLATERALCall::SIGNATURE,
            UNBONDINGCall::SIGNATURE,
            ABSENCECall::SIGNATURE,
            WINDOWCall::SIGNATURE,
            ANSWERCall::SIGNATURE,
            BONDCall::SIGNATURE,
        ] {
            assert!(functions.iter().any(|theirs| theirs == ours), "{ours}");
        }
        let theirs: Vec<String> = [ELECTIONS, SEEDS]
            .iter()
            .flat_map(|text| {
                let parsed: Value = serde_json::from_str(text).unwrap();
                let all = parsed["abi"].as_array().unwrap().clone();
                all.into_iter().filter(|e| e["type"] == "function")
            })
            .map(|entry| signature(&entry))
            .collect();
        for ours in [
            registerCall::SIGNATURE,
            dropCall::SIGNATURE,
            revealCall::SIGNATURE,
            countCall::SIGNATURE,
            candidatesCall::SIGNATURE,
            revealsCall::SIGNATURE,
            IDCall::SIGNATURE,
            SEEDSCall::SIGNATURE,
            SEATSCall::SIGNATURE,
            ROUNDCall::SIGNATURE,
            ATTEMPTSCall::SIGNATURE,
            FIRSTCall::SIGNATURE,
            LENGTHCall::SIGNATURE,
            randomnessCall::SIGNATURE,
            heightOfCall::SIGNATURE,
            fixSeedCall::SIGNATURE,
        ] {
            assert!(theirs.iter().any(|one| one == ours), "{ours}");
        }
        let events = of("event");
        for ours in [
            Founded::SIGNATURE,
            Deposited::SIGNATURE,
            Anchored::SIGNATURE,
        ] {
            assert!(events.iter().any(|theirs| theirs == ours), "{ours}");
        }
    }

    #[test]
    fn a_refusal_has_its_name_and_numbers() {
        let data = ShortOfQuorum {
            signed: U256::from(40),
            total: U256::from(70),
        }
        .abi_encode();
        let revert = Revert::decode(&data);
        assert_eq!(
            (revert.name.as_str(), revert.args.join(" ")),
            ("ShortOfQuorum", "40 70".into())
        );
        assert!(revert.to_string().contains("collect more votes"));
        assert_eq!(Revert::decode(&data[..36]).name, "revert");
        assert_eq!(Revert::decode(&[]).to_string(), "revert()");
        let panic = [&hex!("4e487b71")[..], &U256::from(17).abi_encode()].concat();
        assert_eq!(Revert::decode(&panic).to_string(), "Panic(17)");
    }

    /// Every error of the contract is read: none has an argument longer than a word that it throws.
    #[test]
    fn every_error_is_known_by_its_selector() {
        assert!(errors().any(|entry| entry["name"] == "AlreadyRevealed"));
        for entry in errors() {
            if entry["name"] == "StringTooLong" {
                continue;
            }
            let count = entry["inputs"].as_array().unwrap().len();
            let selector = &keccak256(signature(entry))[..4];
            let revert = Revert::decode(&[selector, &vec![0; 32 * count]].concat());
            assert_eq!(entry["name"], revert.name);
        }
    }
}
