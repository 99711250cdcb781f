//! A masternode that stands for election: registered, its proofs revealed in time, the randomness of its terms fixed (docs/decisions/0045).
//!
//! Invariant: what is to be done follows from the chain, so nothing is kept on disk; a transaction is sent only where the chain shows that it is missing.

use crate::{
    Account, Address, Attempt, Elections, Endpoint, Error, Included, Outcome, Patience, Sender,
};
use iotedge_core::crypto::vrf::SecretKey;

/// All would bring the randomness at once: each waits so many blocks at most for others, by its account.
const TURNS: u64 = 8;

/// What a look led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Registered; it stands for this term first.
    Registered(u32),
    /// Brought the randomness of this term.
    Seeded(u32),
    /// Revealed for this term and attempt.
    Revealed(u32, u8),
}

/// See the module.
#[derive(Debug)]
pub struct Candidate {
    contract: Address,
    secret: SecretKey,
    patience: Patience,
    elections: Option<Elections>,
    /// The last attempt for which a proof was sent: the block that is looked at is older than the one that has it.
    revealed: Option<(u32, u8)>,
}

impl Candidate {
    /// In the elections of this contract, with the key of a random function.
    #[must_use]
    pub const fn new(contract: Address, secret: SecretKey, patience: Patience) -> Self {
        Self {
            contract,
            secret,
            patience,
            elections: None,
            revealed: None,
        }
    }

    /// Does what is due, one transaction at most. Who is no masternode, or leaves, has nothing to do.
    ///
    /// # Errors
    /// Those of the endpoint, and refusals of the contract.
    pub fn look(
        &mut self,
        endpoint: &Endpoint,
        account: &Account,
        confirmations: u64,
    ) -> Result<Option<Duty>, Error> {
        let node = endpoint.masternode(account.address())?;
        let Some(node) = node.filter(|node| node.leaves == 0) else {
            return Ok(None);
        };
        let elections = match &mut self.elections {
            Some(elections) => elections,
            none => none.insert(Elections::open(endpoint, self.contract)?),
        };
        let sender = Sender::new(endpoint.clone(), account.clone(), self.patience);
        let head = endpoint.head()?.number;
        let own = self.secret.public_key();
        // Whoever registers in this term is on the list of the third one after.
        let first = elections.term_of(head).saturating_add(3);
        let list = elections.list(first, head)?;
        if !list.iter().any(|c| c.key == node.key && c.function == own) {
            let included = elections.register(&sender, &own)?;
            let first = elections.term_of(included.block).saturating_add(3);
            return Ok(Some(Duty::Registered(first)));
        }
        let Some(safe) = head.checked_sub(confirmations) else {
            return Ok(None);
        };
        match elections.outcome(elections.term_of(head).saturating_add(1), safe)? {
            // Whoever looks earlier than its confirmations sees that it is there.
            Outcome::Unseeded { term, height }
                if is_turn(account, head, height) && !elections.is_seeded(term, head)? =>
            {
                elections.fix_seed(&sender, term)?;
                Ok(Some(Duty::Seeded(term)))
            }
            Outcome::Open(attempt) if attempt.is_open(head) => {
                let (term, number) = (attempt.election.term, attempt.number);
                if self.revealed == Some((term, number)) {
                    return Ok(None);
                }
                let included = elections.reveal_own(&sender, &node.key, &self.secret, &attempt)?;
                self.revealed = Some((term, number));
                Ok(included.map(|_| Duty::Revealed(term, number)))
            }
            _ => Ok(None),
        }
    }
}

fn is_turn(account: &Account, head: u64, height: u64) -> bool {
    let first = account.address().first().copied().unwrap_or(0);
    head > height.saturating_add(u64::from(first) % TURNS)
}

impl Attempt {
    /// Whether a proof that is sent after this block can be in time.
    #[must_use]
    pub const fn is_open(&self, head: u64) -> bool {
        let next = head.saturating_add(1);
        next >= self.blocks.0 && next < self.blocks.1
    }
}

impl Elections {
    /// Reveals for a masternode with this key, where it stands with this function; nothing where it does not, or did already.
    ///
    /// # Errors
    /// Those of the endpoint, and refusals of the contract.
    pub fn reveal_own(
        &self,
        sender: &Sender,
        key: &[u8; 32],
        secret: &SecretKey,
        attempt: &Attempt,
    ) -> Result<Option<Included>, Error> {
        let own = secret.public_key();
        let stands =
            |c: &iotedge_core::posp::election::Candidate| c.key == *key && c.function == own;
        let entry = attempt.entries.iter().find(|e| stands(&e.candidate));
        if entry.is_none_or(|entry| entry.proof.is_some()) {
            return Ok(None);
        }
        let proof = attempt.election.prove(key, secret);
        let proof = proof.map_err(|_| Error::Form { what: "a proof" })?;
        let included = self.reveal(sender, attempt.election.term, attempt.number, &proof)?;
        Ok(Some(included))
    }
}
