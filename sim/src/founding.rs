//! The founding of a neighbourhood: keys, certificates, validator set, genesis and the first table, all from the seed.

use crate::radio::Radio;
use crate::scenario::{Scenario, VALIDATORS};
use iotedge_core::crypto::{PublicKey, SecretKey, sha256};
use iotedge_core::identity::cert::{self, Claims, Cti, Kind, Seconds};
use iotedge_core::identity::{
    Caps, CoseKey, Genesis, MemberTable, Record, Roles, UnverifiedGenesis, genesis,
};
use iotedge_core::posp::{Validator, ValidatorSet};
use iotedge_core::wire::Writer;
use iotedge_core::{Amount, HeaderNumber, Id, MemberIndex, Millis};

/// Absolute time at which the first epoch's clock starts.
pub const START: u64 = 1_700_000_000_000;
/// What each founder is granted.
pub const GRANT: u64 = 1_000_000;

/// What everybody agrees on before the first frame.
#[derive(Debug)]
pub struct Founding {
    seed: u64,
    /// The neighbourhood's authority.
    pub authority: PublicKey,
    /// The manufacturer's key, under which all devices are certified.
    pub maker: PublicKey,
    /// The genesis, signed.
    pub genesis_cose: Vec<u8>,
    /// The genesis.
    pub genesis: Genesis,
    /// Its id.
    pub neighbourhood: Id,
    /// The validators.
    pub set: ValidatorSet,
    /// The set's encoding.
    pub set_bytes: Vec<u8>,
    /// The first table.
    pub founders: Vec<Record>,
}

fn secret(seed: u64, role: &str, index: u16) -> SecretKey {
    let bytes = sha256(&[
        b"iotedge-sim",
        role.as_bytes(),
        &seed.to_be_bytes(),
        &index.to_be_bytes(),
    ]);
    SecretKey::from_seed(&bytes).expect("a hash is a fine seed")
}

impl Founding {
    /// Founds the neighbourhood of a scenario.
    ///
    /// # Panics
    /// Where the core refuses what this module builds: a bug in one of the two.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let seed = scenario.seed;
        let authority = secret(seed, "authority", 0);
        let nonce = sha256(&[b"iotedge-sim nonce", &seed.to_be_bytes()]);
        let g0 = genesis::g0(&nonce, 0);
        let caps = Caps {
            tx: Amount(1_000),
            peer: Amount(500_000),
            exposure: Amount(900_000),
        };
        let members = scenario.nodes + scenario.leaves;
        let mut founders: Vec<Record> = (0..members)
            .map(|n| {
                let roles = match n {
                    0 => Roles::GL_NODE.with(Roles::FULL_NODE),
                    n if n >= scenario.nodes => Roles::SUBMIT_ONLY,
                    _ => Roles::NONE,
                };
                let key = secret(seed, "device", n).public_key();
                Record::enrolled(MemberIndex(n), key, roles, caps, Amount(GRANT), g0)
            })
            .collect();
        let count = founders.len();
        let table = MemberTable::adopt(&mut founders, count).expect("founders are in order");
        let validators: Vec<Validator> = (0..VALIDATORS)
            .map(|n| Validator {
                key: raw_key(&secret(seed, "validator", n)),
                stake: 25,
            })
            .collect();
        let set = ValidatorSet::new(1, HeaderNumber(1), &validators).expect("four validators");
        let genesis = Genesis {
            nonce,
            chain_id: 0,
            start: Millis(START),
            period: Millis(scenario.period),
            parent_age: Millis(scenario.period / 4),
            // In a star there is nobody else to ask.
            neighbours: if scenario.radio.is_some_and(Radio::is_star) {
                1
            } else {
                2
            },
            caps,
            grant: Amount(GRANT),
            max_members: u32::from(members.max(4)),
            gl_node: MemberIndex(0),
            members: u32::from(members),
            weight: table.total_weight(),
            table_root: table.root().expect("a table has a root"),
            validator_set: set.hash(),
            set_age: Millis(7 * 24 * 3_600_000),
        };
        let mut out = vec![0; 1024];
        let len = genesis.sign(&authority, &mut out).expect("a sound genesis");
        out.truncate(len);
        let neighbourhood = UnverifiedGenesis::parse(&out)
            .expect("what was signed can be read")
            .neighbourhood();
        let mut bytes = vec![0; 4096];
        let mut w = Writer::new(&mut bytes);
        set.encode(&mut w).expect("four validators fit");
        let set_bytes = w.written().to_vec();
        Self {
            seed,
            authority: authority.public_key(),
            maker: secret(seed, "maker", 0).public_key(),
            genesis_cose: out,
            genesis,
            neighbourhood,
            set,
            set_bytes,
            founders,
        }
    }

    /// A device's key.
    #[must_use]
    pub fn device(&self, n: u16) -> SecretKey {
        secret(self.seed, "device", n)
    }

    /// A validator's key.
    #[must_use]
    pub fn validator(&self, n: u16) -> SecretKey {
        secret(self.seed, "validator", n)
    }

    /// A device's certificate.
    ///
    /// # Panics
    /// Where the core refuses to issue it.
    #[must_use]
    pub fn certificate(&self, n: u16) -> Vec<u8> {
        let key = self.device(n).public_key();
        let device = CoseKey::thumbprint(&key);
        let claims = Claims {
            name: "Sim",
            expires: None,
            not_before: None,
            issued: Seconds(1),
            cti: Cti::new(&device.0[..16]).expect("16 bytes"),
            key,
            kind: Kind::Device,
        };
        let mut out = vec![0; 400];
        let len = cert::issue(&claims, &secret(self.seed, "maker", 0), &mut out)
            .expect("a sound certificate");
        out.truncate(len);
        out
    }

    /// The four bytes that open every frame.
    #[must_use]
    pub fn tag(&self) -> [u8; 4] {
        self.neighbourhood.tag()
    }
}

/// The 32 bytes of an Ed25519 key.
///
/// # Panics
/// Never: the simulator's keys are all Ed25519.
#[must_use]
pub fn raw_key(secret: &SecretKey) -> [u8; 32] {
    secret.public_key().bytes().try_into().expect("Ed25519")
}
