//! What can go wrong between here and the chain, each with what mends it.

use crate::abi::Revert;
use alloy_primitives::{Address, B256, U256};
use std::time::Duration;

/// Why a call did not do what was asked. Endpoints are named without path and query: these may hold a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody answers there.
    #[error("endpoint {url} is down ({why}): start the Ethereum node, or correct the address")]
    Down {
        /// Scheme and host.
        url: String,
        /// What the connection said.
        why: String,
    },
    /// No answer in time.
    #[error(
        "endpoint {url} did not answer within {after:?}: use one that is nearer, or a longer time-out"
    )]
    Timeout {
        /// Scheme and host.
        url: String,
        /// The time-out.
        after: Duration,
    },
    /// The endpoint answers no more calls for now.
    #[error(
        "endpoint {url} takes no more calls for now (rate limit): wait, or use an endpoint that allows more"
    )]
    Limited {
        /// Scheme and host.
        url: String,
    },
    /// The endpoint is of another chain.
    #[error(
        "endpoint {url} is of chain {found}, not {wanted}: use an endpoint of chain {wanted}, or correct the chain id"
    )]
    WrongChain {
        /// Scheme and host.
        url: String,
        /// The chain that it is of.
        found: u64,
        /// The chain that was asked for.
        wanted: u64,
    },
    /// No code at the contract's address.
    #[error("no contract at {contract} on chain {chain_id}: correct the address, or deploy one")]
    NoContract {
        /// Where it should be.
        contract: Address,
        /// Where it was looked for.
        chain_id: u64,
    },
    /// Not the answer of an Ethereum node.
    #[error(
        "endpoint {url} does not speak JSON-RPC ({why}): correct the address, or the key in it"
    )]
    NotJsonRpc {
        /// Scheme and host.
        url: String,
        /// How it answered.
        why: String,
    },
    /// The node refuses the call.
    #[error("the node refuses {method}: {message} ({code})")]
    Refused {
        /// Which call.
        method: &'static str,
        /// JSON-RPC's error code.
        code: i64,
        /// The node's words.
        message: String,
    },
    /// The contract refuses: nothing was sent and nothing was paid.
    #[error("the contract refuses: {0}")]
    Revert(Revert),
    /// The contract refused a transaction that is in a block: its gas is paid.
    #[error("transaction {tx} was refused by the contract{}: its gas is paid, look at what changed before it", because(.why.as_ref()))]
    Reverted {
        /// The transaction.
        tx: B256,
        /// Why, where the same call is refused still.
        why: Option<Revert>,
    },
    /// A transaction in a block had too little gas: what it had is paid.
    #[error(
        "transaction {tx} ran out of its {limit} gas: send it again, the estimate is made anew"
    )]
    OutOfGas {
        /// The transaction.
        tx: B256,
        /// Its limit.
        limit: u64,
    },
    /// The account cannot pay.
    #[error("account {account} has {has} wei and needs {needs}: send ether to it")]
    Funds {
        /// Which account.
        account: Address,
        /// Wei that it has.
        has: U256,
        /// Wei that this needs, at most.
        needs: U256,
    },
    /// Gas is dearer than the sender may pay.
    #[error("gas costs {wanted} wei and the most to pay is {most}: wait, or raise it")]
    TooDear {
        /// Wei of a unit of gas.
        wanted: u128,
        /// The most that was allowed.
        most: u128,
    },
    /// Sent, and in no block when patience ended. It can still come.
    #[error(
        "transaction {tx} is in no block after {after:?}: it can still come; look at its nonce {nonce} before sending anew"
    )]
    NotIncluded {
        /// The transaction, in its last form.
        tx: B256,
        /// Its nonce.
        nonce: u64,
        /// How long it was waited for.
        after: Duration,
    },
    /// Another transaction of the account has this nonce.
    #[error(
        "nonce {nonce} of account {account} was used by another transaction: use the account in one place only, and send again"
    )]
    NonceUsed {
        /// Which account.
        account: Address,
        /// Which nonce.
        nonce: u64,
    },
    /// Earlier transactions of the account are in no block.
    #[error(
        "{count} transaction(s) of account {account} wait in the endpoint's pool: wait for them"
    )]
    PoolBusy {
        /// Which account.
        account: Address,
        /// How many.
        count: u64,
    },
    /// The endpoint's logs are not all there.
    #[error("the endpoint's logs lack {what}: use an endpoint that keeps all logs")]
    Gap {
        /// What is missing.
        what: String,
    },
    /// The endpoint's logs are not what the contract counts.
    #[error("the endpoint's logs of {what} are not what the contract counts: use another endpoint")]
    Differs {
        /// What they are of.
        what: String,
    },
    /// An answer that does not have the form of its call.
    #[error("the answer to {what} has not the form that it should have: use another endpoint")]
    Form {
        /// Which call.
        what: &'static str,
    },
    /// The key file.
    #[error("key file {path}: {why}")]
    Keystore {
        /// Its path.
        path: String,
        /// What is wrong, and what mends it.
        why: String,
    },
}

impl Error {
    /// Whether another try can help without anybody's doing: the endpoint, the pool or the price of gas, and nothing in what was sent.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Down { .. }
                | Self::Timeout { .. }
                | Self::Limited { .. }
                | Self::NotJsonRpc { .. }
                | Self::Refused { .. }
                | Self::TooDear { .. }
                | Self::PoolBusy { .. }
                | Self::NonceUsed { .. }
                | Self::Gap { .. }
                | Self::Differs { .. }
                | Self::Form { .. }
        )
    }
}

fn because(why: Option<&Revert>) -> String {
    why.map(|revert| format!(" ({revert})")).unwrap_or_default()
}
