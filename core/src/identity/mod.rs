//! Who a device is: keys, certificates, the signer behind an operation, enrolment, and the member table of an epoch.
//!
//! Invariant: an identity is a hash of a key, and every statement about one is signed by a key that the reader pinned. Nothing in this
//! room trusts a name. Formats: RFC 9052 (COSE), RFC 8392 and 8747 (CWT), RFC 9679 (thumbprint); bytes: protocol sections 2, 5 and 6.

pub mod attest;
pub mod cert;
pub mod device_id;
pub mod enrol;
pub mod genesis;
pub mod key;
pub mod record;
pub mod revocation;
pub mod rotation;
pub mod sign1;
pub mod signer;
pub mod statement;
pub mod table;

pub use attest::{AttestError, Attestation};
pub use cert::{CertError, Certificate, Claims, Cti, Kind, Seconds, Verified};
pub use device_id::{DeviceId, DeviceIdError};
pub use genesis::{Genesis, GenesisError, UnverifiedGenesis};
pub use key::{CoseKey, Kid};
pub use record::{Caps, Record, Roles};
pub use signer::{SignOp, Signer, SignerError, SoftwareSigner, Started};
pub use table::{MemberTable, TableError};
