//! Every status number of the C ABI and its name.
//!
//! Invariant: a number means one thing for ever. Numbers are never reused and never renumbered; new ones are added. 1 to 99
//! are the core's refusals, one to one with `iotedge_core::node::Refusal`; 100 to 199 are misuse of this interface and its
//! buffers; from 200 on come the verification functions, which have reasons of their own. A test holds all of it.

use iotedge_core::node::Refusal;

/// All went well; outputs are written.
pub const IOTEDGE_OK: i32 = 0;

/// Too short, too long, or bytes after the end.
pub const IOTEDGE_E_MALFORMED: i32 = 1;

/// Not core deterministic CBOR.
pub const IOTEDGE_E_NOT_DETERMINISTIC: i32 = 2;

/// A field has the wrong type.
pub const IOTEDGE_E_WRONG_TYPE: i32 = 3;

/// A version that this build does not know.
pub const IOTEDGE_E_VERSION: i32 = 4;

/// Another neighbourhood's frame.
pub const IOTEDGE_E_NEIGHBOURHOOD: i32 = 5;

/// A kind that this build does not know.
pub const IOTEDGE_E_UNSUPPORTED_KIND: i32 = 6;

/// An epoch older than the one before the newest trim's.
pub const IOTEDGE_E_EPOCH_VOID: i32 = 7;

/// Not the epoch that follows from its parents.
pub const IOTEDGE_E_EPOCH_MISMATCH: i32 = 8;

/// The issuer is not in the table.
pub const IOTEDGE_E_UNKNOWN_ISSUER: i32 = 9;

/// Evidence against the issuer is in the ledger.
pub const IOTEDGE_E_FROZEN_ISSUER: i32 = 10;

/// The signature does not verify.
pub const IOTEDGE_E_SIGNATURE: i32 = 11;

/// The suite is not the one in the table.
pub const IOTEDGE_E_SUITE: i32 = 12;

/// Already here.
pub const IOTEDGE_E_DUPLICATE: i32 = 13;

/// The first parent is not on the issuer's own chain.
pub const IOTEDGE_E_PARENT_OFF_CHAIN: i32 = 14;

/// The number does not follow the first parent's.
pub const IOTEDGE_E_NUMBER_GAP: i32 = 15;

/// Parents unsorted.
pub const IOTEDGE_E_PARENTS_UNSORTED: i32 = 16;

/// A parent named twice.
pub const IOTEDGE_E_PARENTS_DOUBLED: i32 = 17;

/// A parent prefix means two ids and none of the choices verifies.
pub const IOTEDGE_E_AMBIGUOUS_PARENT: i32 = 18;

/// A parent is unknown: set aside and asked for.
pub const IOTEDGE_E_UNKNOWN_PARENT: i32 = 19;

/// Not later than a parent.
pub const IOTEDGE_E_TIME_NOT_ABOVE_PARENT: i32 = 20;

/// More than P_max later than a parent.
pub const IOTEDGE_E_PARENT_TOO_OLD: i32 = 21;

/// Ahead of the local clock: set aside until then.
pub const IOTEDGE_E_FROM_THE_FUTURE: i32 = 22;

/// Amount 0.
pub const IOTEDGE_E_AMOUNT_ZERO: i32 = 23;

/// Above the cap per transaction.
pub const IOTEDGE_E_CAP_TRANSACTION: i32 = 24;

/// Above the cap per peer.
pub const IOTEDGE_E_CAP_PEER: i32 = 25;

/// Above the cap on unsettled exposure.
pub const IOTEDGE_E_CAP_EXPOSURE: i32 = 26;

/// More than the settled credits.
pub const IOTEDGE_E_INSUFFICIENT_CREDITS: i32 = 27;

/// The lifetime debits do not add up.
pub const IOTEDGE_E_FALSE_DEBITS: i32 = 28;

/// A sum does not fit 64 bits.
pub const IOTEDGE_E_OVERFLOW: i32 = 29;

/// A trim without a fresh quorum in its cone, or whose predecessor is not certified there.
pub const IOTEDGE_E_VOID_TRIM: i32 = 30;

/// Only the GL-node may issue this.
pub const IOTEDGE_E_NOT_GL_NODE: i32 = 31;

/// Evidence that proves nothing.
pub const IOTEDGE_E_FALSE_EVIDENCE: i32 = 32;

/// A member operation that is not valid (certificate, proof, consent).
pub const IOTEDGE_E_MEMBER_OPERATION: i32 = 33;

/// A header not signed by the GL-node, or with fields that contradict the last.
pub const IOTEDGE_E_FORGED_HEADER: i32 = 34;

/// Votes short of the stake quorum, or not the set's.
pub const IOTEDGE_E_SHORT_OF_QUORUM: i32 = 35;

/// A Merkle path that does not lead to the root.
pub const IOTEDGE_E_WRONG_PATH: i32 = 36;

/// Another validator set than the trusted one.
pub const IOTEDGE_E_WRONG_VALIDATOR_SET: i32 = 37;

/// A record or table that does not match the settled root.
pub const IOTEDGE_E_FORGED_TABLE: i32 = 38;

/// The neighbour or the issuer sends more than its share.
pub const IOTEDGE_E_RATE_LIMITED: i32 = 39;

/// No room; try later.
pub const IOTEDGE_E_BUSY: i32 = 40;

/// A frame type that is not for this node.
pub const IOTEDGE_E_NOT_FOR_ME: i32 = 41;

/// A genesis that the pinned authority did not sign, or whose fields are out of bounds.
pub const IOTEDGE_E_FORGED_GENESIS: i32 = 42;

/// The outbox is full: submit again when `Sent` events have made room.
pub const IOTEDGE_E_OUTBOX_FULL: i32 = 43;

/// This node is not a member (yet).
pub const IOTEDGE_E_NOT_MEMBER: i32 = 44;

/// The payee is not a member.
pub const IOTEDGE_E_UNKNOWN_PAYEE: i32 = 45;

/// The body is empty or too long.
pub const IOTEDGE_E_BODY_LENGTH: i32 = 46;

/// The platform failed.
pub const IOTEDGE_E_PLATFORM: i32 = 47;

/// A transaction at or below the highest number of its issuer whose place is not known: held until explained.
pub const IOTEDGE_E_UNEXPLAINED: i32 = 48;

/// An attachment that is malformed or does not fit its transaction.
pub const IOTEDGE_E_ATTACHMENT: i32 = 49;

/// The hardware counter is at its end: nothing is signed any more.
pub const IOTEDGE_E_COUNTER_EXHAUSTED: i32 = 50;

/// Terms of a lock that nobody could keep, or a claim that shows nothing.
pub const IOTEDGE_E_TERMS: i32 = 51;

/// The owner's policy does not allow it: no policy yet or not any more, not for this, not to this payee, more than in all or in any window.
pub const IOTEDGE_E_POLICY: i32 = 52;

/// More than is left in the owner's window; a later one has it.
pub const IOTEDGE_E_POLICY_WINDOW: i32 = 53;

/// A pointer that must not be NULL is. Nothing was done.
pub const IOTEDGE_E_NULL: i32 = 100;

/// A length is outside of what the function takes. Nothing was done.
pub const IOTEDGE_E_LENGTH: i32 = 101;

/// Memory or a structure does not have the alignment that its type needs (8 bytes for a node).
pub const IOTEDGE_E_MISALIGNED: i32 = 102;

/// The memory for a node is shorter than `iotedge_node_size` says for these limits.
pub const IOTEDGE_E_MEMORY_TOO_SMALL: i32 = 103;

/// No node lives here: never initialised, deinitialised, copied from elsewhere, or overwritten.
pub const IOTEDGE_E_NOT_INITIALISED: i32 = 104;

/// The first field of a structure is not its `sizeof`, or a field that this build does not know is not zero.
pub const IOTEDGE_E_STRUCT_SIZE: i32 = 105;

/// The output does not fit. Nothing was written; the call may be repeated with a larger buffer.
pub const IOTEDGE_E_BUFFER_TOO_SMALL: i32 = 106;

/// The node is in use: a call from one of its own callbacks, an interrupt or another thread. Nothing was done.
pub const IOTEDGE_E_REENTERED: i32 = 107;

/// Not now: the call that must come before this one was not made, or the work is already over.
pub const IOTEDGE_E_WRONG_ORDER: i32 = 108;

/// There is nothing (more) to give: no event, no frame, no such transaction in the window. Not an error.
pub const IOTEDGE_E_NONE: i32 = 109;

/// A value is outside of what the field allows.
pub const IOTEDGE_E_ARGUMENT: i32 = 110;

/// A live node is already in this memory: call `iotedge_node_deinit` first.
pub const IOTEDGE_E_ALREADY_INITIALISED: i32 = 111;

/// A case that this build does not know how to name. Please report it.
pub const IOTEDGE_E_INTERNAL: i32 = 112;

/// A key or a signature that can never be accepted: wrong encoding, small order or a number out of range.
pub const IOTEDGE_E_SIGNATURE_MALFORMED: i32 = 200;

/// Not a device id as text: wrong letters, prefix, length or checksum. Nothing was sent; let the person type it again.
pub const IOTEDGE_E_DEVICE_ID: i32 = 201;

/// A number, a length or a count in the bytes is outside of what its field allows.
pub const IOTEDGE_E_RANGE: i32 = 202;

/// A field of SenML that this protocol does not use. Not a reading of ours.
pub const IOTEDGE_E_SENML_FIELD: i32 = 203;

/// A record without a value. Not a reading of ours.
pub const IOTEDGE_E_SENML_NO_VALUE: i32 = 204;

/// A name that is empty, too long or has letters that RFC 8428 does not allow, or a base name where none may stand.
pub const IOTEDGE_E_SENML_NAME: i32 = 205;

/// A unit that is empty or too long.
pub const IOTEDGE_E_SENML_UNIT: i32 = 206;

/// The protected header of a COSE_Sign1 is not what the protocol says. Refuse it.
pub const IOTEDGE_E_PROTECTED_HEADER: i32 = 210;

/// The unprotected header holds something: unsigned data has no place there. Refuse it.
pub const IOTEDGE_E_UNPROTECTED_HEADER: i32 = 211;

/// The signature is not 64 bytes. Refuse it.
pub const IOTEDGE_E_SIGNATURE_LENGTH: i32 = 212;

/// The payload or frame is longer than the protocol allows. When building: shorten the body.
pub const IOTEDGE_E_PAYLOAD_LENGTH: i32 = 213;

/// Epoch 0: the first is 1. Refuse it.
pub const IOTEDGE_E_EPOCH_ZERO: i32 = 214;

/// Number 0: the first is 1. Refuse it.
pub const IOTEDGE_E_NUMBER_ZERO: i32 = 215;

/// No parent, more than 8, or not a whole number of them. Refuse it.
pub const IOTEDGE_E_PARENT_COUNT: i32 = 216;

/// The transaction names itself as a parent. Refuse it.
pub const IOTEDGE_E_SELF_PARENT: i32 = 217;

/// The full parent ids given are not those that the transaction names. Look them up again.
pub const IOTEDGE_E_PARENT_MISMATCH: i32 = 218;

/// Signed by another key than the one given. Find the key that it names, or refuse it.
pub const IOTEDGE_E_WRONG_SIGNER: i32 = 220;

/// A claim of the certificate is missing, unknown or out of bounds. Refuse it.
pub const IOTEDGE_E_CERTIFICATE_CLAIM: i32 = 221;

/// The certified key could never verify a signature. Refuse it.
pub const IOTEDGE_E_CERTIFICATE_KEY: i32 = 222;

/// The certificate is no longer valid, or never is. Check the clock, then ask the authority for a new one.
pub const IOTEDGE_E_CERTIFICATE_EXPIRED: i32 = 223;

/// The certificate is not valid yet. Check the clock, then wait.
pub const IOTEDGE_E_CERTIFICATE_NOT_YET_VALID: i32 = 224;

/// The certificate is on the revocation list. Refuse it for good.
pub const IOTEDGE_E_CERTIFICATE_REVOKED: i32 = 225;

/// The certificate is for another kind of subject than the one asked for. Refuse it for this purpose.
pub const IOTEDGE_E_CERTIFICATE_KIND: i32 = 226;

/// A certificate is valid for longer than the one above it. Refuse the chain.
pub const IOTEDGE_E_CERTIFICATE_OUTLIVES: i32 = 227;

/// No pinned authority has the key that the chain begins with.
pub const IOTEDGE_E_UNKNOWN_AUTHORITY: i32 = 228;

/// The first of two certificates does not certify an authority. Refuse the chain.
pub const IOTEDGE_E_NOT_AN_AUTHORITY: i32 = 229;

/// An authority below the pinned one signs devices and leaves only. Refuse the chain.
pub const IOTEDGE_E_NOT_ITS_TO_SIGN: i32 = 230;

/// A chain has one or two certificates.
pub const IOTEDGE_E_CHAIN_LENGTH: i32 = 231;

/// The validator set is empty, without stake or has one key twice. Refuse it.
pub const IOTEDGE_E_VALIDATOR_SET: i32 = 240;

/// The set has no validator of this index. Refuse the vote.
pub const IOTEDGE_E_UNKNOWN_VALIDATOR: i32 = 241;

/// Voters do not come in strictly rising index. Refuse the receipt.
pub const IOTEDGE_E_VOTER_ORDER: i32 = 242;

/// Leaf 0 is the header: no transaction stands there. Refuse the receipt.
pub const IOTEDGE_E_HEADER_LEAF: i32 = 243;

/// The leaf's index is not below the size of the tree. Refuse the proof.
pub const IOTEDGE_E_LEAF_INDEX: i32 = 244;

/// The path is longer or shorter than index and size demand. Refuse the proof.
pub const IOTEDGE_E_PATH_LENGTH: i32 = 245;

/// A limit of a node is out of bounds; see `iotedge_limits_t`.
pub const IOTEDGE_E_LIMITS: i32 = 113;

/// The configuration holds no certificate, a broken one, or one that is not of the signer's key.
pub const IOTEDGE_E_OWN_CERTIFICATE: i32 = 114;

/// The store holds the state of another neighbourhood authority or of a later version. Use an empty store, or the right authority.
pub const IOTEDGE_E_STORED_STATE: i32 = 115;

/// A compressed frame leaves out what is not held here. Nobody is to blame; its whole form is asked for by the link itself.
pub const IOTEDGE_E_OUT_OF_STEP: i32 = 116;

/// Fragments that do not make the datagram that was sent. Dropped; the node asks again for what it lacks.
pub const IOTEDGE_E_CORRUPT: i32 = 117;

/// Not a neighbour of this link: add it first.
pub const IOTEDGE_E_UNKNOWN_PEER: i32 = 118;

/// What a leaf was shown does not prove itself: genesis, header, record, path or own transaction. Dropped.
pub const IOTEDGE_E_FORGED: i32 = 119;

/// A header, set or record that does not follow what the leaf trusts. Dropped; it asks for what lies between.
pub const IOTEDGE_E_OUT_OF_ORDER: i32 = 120;

/// The flash store is full. All values stand; remove something, or give it more blocks.
pub const IOTEDGE_E_STORE_FULL: i32 = 130;

/// What the flash store wrote is not there any more. Erase it with `iotedge_flash_store_format`: the neighbours know how far the device was.
pub const IOTEDGE_E_STORE_DAMAGED: i32 = 131;

/// A callback of `iotedge_flash_t` failed, and no other block is left to use instead. All values stand; try again.
pub const IOTEDGE_E_FLASH: i32 = 132;

/// An attestation of another profile, or of none: a statement of another protocol. Refuse it.
pub const IOTEDGE_E_PROFILE: i32 = 250;

/// A nonce of fewer than 8 or more than 64 bytes, or an attestation that answers another nonce. Refuse it, and ask again.
pub const IOTEDGE_E_NONCE: i32 = 251;

/// What a platform says of itself is out of bounds: a text, a digest, a count, or one name twice; see `iotedge_evidence_t`.
pub const IOTEDGE_E_EVIDENCE: i32 = 252;

/// The hardware counter is ahead of the store: somebody put an old image of it back. Nothing is signed. Erase the store: the neighbours know how far the
/// device was.
pub const IOTEDGE_E_OLD_IMAGE: i32 = 133;

/// The hardware counter is not the one that the store is bound to, says that it moves and does not, or is there no more. Nothing is signed.
pub const IOTEDGE_E_COUNTER: i32 = 134;
/// A port's `random` says that it failed.
pub const IOTEDGE_E_RANDOM_FAILED: i32 = 150;

/// A port's `random` does not fill all bytes that it was asked for.
pub const IOTEDGE_E_RANDOM_SHORT: i32 = 151;

/// A port's `random` gave the same twice.
pub const IOTEDGE_E_RANDOM_REPEATS: i32 = 152;

/// A port's `random` gave one byte too often in a row (repetition count test, NIST SP 800-90B section 4.4.1).
pub const IOTEDGE_E_RANDOM_STUCK: i32 = 153;

/// A port's `random` gives one byte too often (adaptive proportion test, NIST SP 800-90B section 4.4.2): raw noise, perhaps, that nothing conditions.
pub const IOTEDGE_E_RANDOM_BIASED: i32 = 154;

/// A port's clock went back.
pub const IOTEDGE_E_CLOCK_BACK: i32 = 155;

/// A port's clock does not go on.
pub const IOTEDGE_E_CLOCK_STUCK: i32 = 156;

/// A port's `store_get` does not say `IOTEDGE_E_NONE` for a key that is not there.
pub const IOTEDGE_E_STORE_MISSING: i32 = 157;

/// A port's `store_put` says that it failed.
pub const IOTEDGE_E_STORE_WRITE: i32 = 158;

/// A port's `store_get` says that it failed, or that there is nothing, where a value was put.
pub const IOTEDGE_E_STORE_READ: i32 = 159;

/// A port's `store_get` gives other bytes, or another length, than were put last.
pub const IOTEDGE_E_STORE_VALUE: i32 = 160;

/// A port's store does not take and give back a long value.
pub const IOTEDGE_E_STORE_LONG: i32 = 161;

/// A port's `store_get` succeeds although the value is longer than its room.
pub const IOTEDGE_E_STORE_SHORT: i32 = 162;

/// A port's store mixes two keys up.
pub const IOTEDGE_E_STORE_KEYS: i32 = 163;

/// A port's `store_remove` fails, also where nothing is there, or leaves the value.
pub const IOTEDGE_E_STORE_REMOVE: i32 = 164;

/// A port's callback writes behind the room that it was given.
pub const IOTEDGE_E_OVERRUN: i32 = 165;

/// The stack is too small: less of it stayed untouched than was asked for.
pub const IOTEDGE_E_STACK: i32 = 166;

/// An accelerator was given to a build that takes none (feature `accelerator`). Leave it out, or use another archive.
pub const IOTEDGE_E_ACCELERATOR: i32 = 167;

/// An accelerator gave no answer to a signature at the start. Its engine is not there, or not powered; nothing starts.
pub const IOTEDGE_E_ACCELERATOR_FAILED: i32 = 168;

/// An accelerator refuses a signature that is valid. Nothing starts: mend it, or leave it out.
pub const IOTEDGE_E_ACCELERATOR_REFUSES: i32 = 169;

/// An accelerator accepts a signature that is none. Nothing starts: mend it, or leave it out.
pub const IOTEDGE_E_ACCELERATOR_ACCEPTS: i32 = 170;

/// A message of no channel that is read here, or from before the grant, after a revoke, too far ahead or too long ago. Nothing has changed.
pub const IOTEDGE_E_CHANNEL_UNKNOWN: i32 = 171;

/// A message whose place is known, but that was changed on the way or made up; or a path or wrap that does not open. Drop it.
pub const IOTEDGE_E_CHANNEL_FORGED: i32 = 172;

/// The very message that was opened before. Drop it.
pub const IOTEDGE_E_CHANNEL_REPLAYED: i32 = 173;

/// Another message than the one opened at this place, and not signed: it may be anyone's who overheard the first. The batch's root says which stands.
pub const IOTEDGE_E_CHANNEL_DOUBLED: i32 = 174;

/// The owner signed two messages for one place. Keep the two: they are evidence.
pub const IOTEDGE_E_CHANNEL_FORK: i32 = 175;

/// The last index of a key epoch was used: open the next one.
pub const IOTEDGE_E_CHANNEL_INDEX: i32 = 176;

/// An announce that jumps too far: subscribe again.
pub const IOTEDGE_E_CHANNEL_JUMP: i32 = 177;

/// Of a place that is behind, or said before. Drop it.
pub const IOTEDGE_E_CHANNEL_STALE: i32 = 178;

/// Of another channel than this one, or no such subscription.
pub const IOTEDGE_E_CHANNEL_OTHER: i32 = 179;

/// A grant that the owner signed and that was sealed for another reader.
pub const IOTEDGE_E_CHANNEL_WRONG_READER: i32 = 180;

/// A grant that the owner signed for this reader, with another pre-shared side key.
pub const IOTEDGE_E_CHANNEL_SIDE_KEY: i32 = 181;

/// The mode needs a side key or must not have one, does not exist, or has no readers to grant to.
pub const IOTEDGE_E_CHANNEL_MODE: i32 = 182;

/// No part of a revoke is for this reader.
pub const IOTEDGE_E_CHANNEL_REVOKED: i32 = 183;

/// No place is free.
pub const IOTEDGE_E_CHANNEL_SLOTS: i32 = 184;

/// Not a reader of this channel, or the store has another number of places for readers.
pub const IOTEDGE_E_CHANNEL_READER: i32 = 185;

/// The root is of another batch, or there is no batch.
pub const IOTEDGE_E_CHANNEL_BATCH: i32 = 186;

/// A subscriber's X25519 key of small order: everybody would know what is sealed to it. Refuse the subscriber.
pub const IOTEDGE_E_CHANNEL_WEAK_KEY: i32 = 187;

/// No bytes, or more than 2^20 chunks.
pub const IOTEDGE_E_CONTENT_SIZE: i32 = 188;

/// A request or a part of another content. Perhaps another object's.
pub const IOTEDGE_E_CONTENT_OTHER: i32 = 189;

/// Not the part that comes next: late, doubled, or ahead. Ask again.
pub const IOTEDGE_E_CONTENT_PART: i32 = 190;

/// A part with a chunk that is not as long as its place says, or with hashes that are none. Ask somebody else.
pub const IOTEDGE_E_CONTENT_LENGTH: i32 = 191;

/// A part that does not lead to the content's root: whoever sent it changed it, or has something else under this name. Ask somebody else.
pub const IOTEDGE_E_CONTENT_FORGED: i32 = 192;

/// A request for a place that the content does not have.
pub const IOTEDGE_E_CONTENT_INDEX: i32 = 193;

/// A request for fewer bytes than the smallest part has.
pub const IOTEDGE_E_CONTENT_NARROW: i32 = 194;

/// What was saved is of another content, or damaged. Begin anew.
pub const IOTEDGE_E_CONTENT_STORED: i32 = 195;

/// A manifest for another vendor's devices.
pub const IOTEDGE_E_UPDATE_VENDOR: i32 = 140;

/// A manifest for another class of devices.
pub const IOTEDGE_E_UPDATE_CLASS: i32 = 141;

/// A manifest for another component of the device.
pub const IOTEDGE_E_UPDATE_COMPONENT: i32 = 142;

/// A manifest or a number that is not above that of the installed firmware, or of the one under way.
pub const IOTEDGE_E_UPDATE_OLDER: i32 = 143;

/// A manifest that expired. Check the clock.
pub const IOTEDGE_E_UPDATE_EXPIRED: i32 = 144;

/// A manifest of a delta to another image than the one that runs.
pub const IOTEDGE_E_UPDATE_PRECURSOR: i32 = 145;

/// A manifest of a payload whose format this device does not know.
pub const IOTEDGE_E_UPDATE_FORMAT: i32 = 146;

/// A manifest of a payload that is larger than its place.
pub const IOTEDGE_E_UPDATE_ROOM: i32 = 147;

/// What lies in the slot has not the digest of the manifest: the memory failed, or the maker was wrong. Give the update up.
pub const IOTEDGE_E_UPDATE_DIGEST: i32 = 148;

macro_rules! names {
    ($($name:ident,)*) => {
        /// The numbers in the order of `TEXT`.
        const NUMBERS: &[u8] = &[$({
            const { assert!(0 <= $name && $name < 256, "names take a byte for each number") };
            $name as u8
        },)*];
        /// The names one after the other, each with its zero: a table of pointers would be as long as half of it.
        static TEXT: &str = concat!($(stringify!($name), "\0",)* "IOTEDGE_E_UNKNOWN\0");
    };
}

/// All units of the sale are paid, or the tick is beyond them.
pub const IOTEDGE_E_SALE_SPENT: i32 = 196;

/// Not above the highest tick that is here: late, or shown twice. Harmless.
pub const IOTEDGE_E_SALE_STALE: i32 = 197;

/// More than 64 units further than the highest tick that is here, or above what was reserved.
pub const IOTEDGE_E_SALE_TOO_FAR: i32 = 198;

/// The tick does not lead to the one before it.
pub const IOTEDGE_E_SALE_FORGED: i32 = 199;

/// What is stored of the sale is damaged, or of another one.
pub const IOTEDGE_E_SALE_STORED: i32 = 149;

/// A policy with another content is in force that has this number or a higher one.
pub const IOTEDGE_E_POLICY_OLDER: i32 = 135;

/// A policy for another device.
pub const IOTEDGE_E_POLICY_DEVICE: i32 = 136;

names! {
    IOTEDGE_OK,
    IOTEDGE_E_MALFORMED,
    IOTEDGE_E_NOT_DETERMINISTIC,
    IOTEDGE_E_WRONG_TYPE,
    IOTEDGE_E_VERSION,
    IOTEDGE_E_NEIGHBOURHOOD,
    IOTEDGE_E_UNSUPPORTED_KIND,
    IOTEDGE_E_EPOCH_VOID,
    IOTEDGE_E_EPOCH_MISMATCH,
    IOTEDGE_E_UNKNOWN_ISSUER,
    IOTEDGE_E_FROZEN_ISSUER,
    IOTEDGE_E_SIGNATURE,
    IOTEDGE_E_SUITE,
    IOTEDGE_E_DUPLICATE,
    IOTEDGE_E_PARENT_OFF_CHAIN,
    IOTEDGE_E_NUMBER_GAP,
    IOTEDGE_E_PARENTS_UNSORTED,
    IOTEDGE_E_PARENTS_DOUBLED,
    IOTEDGE_E_AMBIGUOUS_PARENT,
    IOTEDGE_E_UNKNOWN_PARENT,
    IOTEDGE_E_TIME_NOT_ABOVE_PARENT,
    IOTEDGE_E_PARENT_TOO_OLD,
    IOTEDGE_E_FROM_THE_FUTURE,
    IOTEDGE_E_AMOUNT_ZERO,
    IOTEDGE_E_CAP_TRANSACTION,
    IOTEDGE_E_CAP_PEER,
    IOTEDGE_E_CAP_EXPOSURE,
    IOTEDGE_E_INSUFFICIENT_CREDITS,
    IOTEDGE_E_FALSE_DEBITS,
    IOTEDGE_E_OVERFLOW,
    IOTEDGE_E_VOID_TRIM,
    IOTEDGE_E_NOT_GL_NODE,
    IOTEDGE_E_FALSE_EVIDENCE,
    IOTEDGE_E_MEMBER_OPERATION,
    IOTEDGE_E_FORGED_HEADER,
    IOTEDGE_E_SHORT_OF_QUORUM,
    IOTEDGE_E_WRONG_PATH,
    IOTEDGE_E_WRONG_VALIDATOR_SET,
    IOTEDGE_E_FORGED_TABLE,
    IOTEDGE_E_RATE_LIMITED,
    IOTEDGE_E_BUSY,
    IOTEDGE_E_NOT_FOR_ME,
    IOTEDGE_E_FORGED_GENESIS,
    IOTEDGE_E_OUTBOX_FULL,
    IOTEDGE_E_NOT_MEMBER,
    IOTEDGE_E_UNKNOWN_PAYEE,
    IOTEDGE_E_BODY_LENGTH,
    IOTEDGE_E_PLATFORM,
    IOTEDGE_E_UNEXPLAINED,
    IOTEDGE_E_ATTACHMENT,
    IOTEDGE_E_COUNTER_EXHAUSTED,
    IOTEDGE_E_TERMS,
    IOTEDGE_E_POLICY,
    IOTEDGE_E_POLICY_WINDOW,
    IOTEDGE_E_NULL,
    IOTEDGE_E_LENGTH,
    IOTEDGE_E_MISALIGNED,
    IOTEDGE_E_MEMORY_TOO_SMALL,
    IOTEDGE_E_NOT_INITIALISED,
    IOTEDGE_E_STRUCT_SIZE,
    IOTEDGE_E_BUFFER_TOO_SMALL,
    IOTEDGE_E_REENTERED,
    IOTEDGE_E_WRONG_ORDER,
    IOTEDGE_E_NONE,
    IOTEDGE_E_ARGUMENT,
    IOTEDGE_E_ALREADY_INITIALISED,
    IOTEDGE_E_INTERNAL,
    IOTEDGE_E_SIGNATURE_MALFORMED,
    IOTEDGE_E_DEVICE_ID,
    IOTEDGE_E_RANGE,
    IOTEDGE_E_SENML_FIELD,
    IOTEDGE_E_SENML_NO_VALUE,
    IOTEDGE_E_SENML_NAME,
    IOTEDGE_E_SENML_UNIT,
    IOTEDGE_E_PROTECTED_HEADER,
    IOTEDGE_E_UNPROTECTED_HEADER,
    IOTEDGE_E_SIGNATURE_LENGTH,
    IOTEDGE_E_PAYLOAD_LENGTH,
    IOTEDGE_E_EPOCH_ZERO,
    IOTEDGE_E_NUMBER_ZERO,
    IOTEDGE_E_PARENT_COUNT,
    IOTEDGE_E_SELF_PARENT,
    IOTEDGE_E_PARENT_MISMATCH,
    IOTEDGE_E_WRONG_SIGNER,
    IOTEDGE_E_CERTIFICATE_CLAIM,
    IOTEDGE_E_CERTIFICATE_KEY,
    IOTEDGE_E_CERTIFICATE_EXPIRED,
    IOTEDGE_E_CERTIFICATE_NOT_YET_VALID,
    IOTEDGE_E_CERTIFICATE_REVOKED,
    IOTEDGE_E_CERTIFICATE_KIND,
    IOTEDGE_E_CERTIFICATE_OUTLIVES,
    IOTEDGE_E_UNKNOWN_AUTHORITY,
    IOTEDGE_E_NOT_AN_AUTHORITY,
    IOTEDGE_E_NOT_ITS_TO_SIGN,
    IOTEDGE_E_CHAIN_LENGTH,
    IOTEDGE_E_VALIDATOR_SET,
    IOTEDGE_E_UNKNOWN_VALIDATOR,
    IOTEDGE_E_VOTER_ORDER,
    IOTEDGE_E_HEADER_LEAF,
    IOTEDGE_E_LEAF_INDEX,
    IOTEDGE_E_PATH_LENGTH,
    IOTEDGE_E_LIMITS,
    IOTEDGE_E_OWN_CERTIFICATE,
    IOTEDGE_E_STORED_STATE,
    IOTEDGE_E_OUT_OF_STEP,
    IOTEDGE_E_CORRUPT,
    IOTEDGE_E_UNKNOWN_PEER,
    IOTEDGE_E_FORGED,
    IOTEDGE_E_OUT_OF_ORDER,
    IOTEDGE_E_STORE_FULL,
    IOTEDGE_E_STORE_DAMAGED,
    IOTEDGE_E_FLASH,
    IOTEDGE_E_OLD_IMAGE,
    IOTEDGE_E_COUNTER,
    IOTEDGE_E_PROFILE,
    IOTEDGE_E_NONCE,
    IOTEDGE_E_EVIDENCE,
    IOTEDGE_E_RANDOM_FAILED,
    IOTEDGE_E_RANDOM_SHORT,
    IOTEDGE_E_RANDOM_REPEATS,
    IOTEDGE_E_RANDOM_STUCK,
    IOTEDGE_E_RANDOM_BIASED,
    IOTEDGE_E_CLOCK_BACK,
    IOTEDGE_E_CLOCK_STUCK,
    IOTEDGE_E_STORE_MISSING,
    IOTEDGE_E_STORE_WRITE,
    IOTEDGE_E_STORE_READ,
    IOTEDGE_E_STORE_VALUE,
    IOTEDGE_E_STORE_LONG,
    IOTEDGE_E_STORE_SHORT,
    IOTEDGE_E_STORE_KEYS,
    IOTEDGE_E_STORE_REMOVE,
    IOTEDGE_E_OVERRUN,
    IOTEDGE_E_STACK,
    IOTEDGE_E_ACCELERATOR,
    IOTEDGE_E_ACCELERATOR_FAILED,
    IOTEDGE_E_ACCELERATOR_REFUSES,
    IOTEDGE_E_ACCELERATOR_ACCEPTS,
    IOTEDGE_E_CHANNEL_UNKNOWN,
    IOTEDGE_E_CHANNEL_FORGED,
    IOTEDGE_E_CHANNEL_REPLAYED,
    IOTEDGE_E_CHANNEL_DOUBLED,
    IOTEDGE_E_CHANNEL_FORK,
    IOTEDGE_E_CHANNEL_INDEX,
    IOTEDGE_E_CHANNEL_JUMP,
    IOTEDGE_E_CHANNEL_STALE,
    IOTEDGE_E_CHANNEL_OTHER,
    IOTEDGE_E_CHANNEL_WRONG_READER,
    IOTEDGE_E_CHANNEL_SIDE_KEY,
    IOTEDGE_E_CHANNEL_MODE,
    IOTEDGE_E_CHANNEL_REVOKED,
    IOTEDGE_E_CHANNEL_SLOTS,
    IOTEDGE_E_CHANNEL_READER,
    IOTEDGE_E_CHANNEL_BATCH,
    IOTEDGE_E_CHANNEL_WEAK_KEY,
    IOTEDGE_E_CONTENT_SIZE,
    IOTEDGE_E_CONTENT_OTHER,
    IOTEDGE_E_CONTENT_PART,
    IOTEDGE_E_CONTENT_LENGTH,
    IOTEDGE_E_CONTENT_FORGED,
    IOTEDGE_E_CONTENT_INDEX,
    IOTEDGE_E_CONTENT_NARROW,
    IOTEDGE_E_CONTENT_STORED,
    IOTEDGE_E_UPDATE_VENDOR,
    IOTEDGE_E_UPDATE_CLASS,
    IOTEDGE_E_UPDATE_COMPONENT,
    IOTEDGE_E_UPDATE_OLDER,
    IOTEDGE_E_UPDATE_EXPIRED,
    IOTEDGE_E_UPDATE_PRECURSOR,
    IOTEDGE_E_UPDATE_FORMAT,
    IOTEDGE_E_UPDATE_ROOM,
    IOTEDGE_E_UPDATE_DIGEST,
    IOTEDGE_E_SALE_SPENT,
    IOTEDGE_E_SALE_STALE,
    IOTEDGE_E_SALE_TOO_FAR,
    IOTEDGE_E_SALE_FORGED,
    IOTEDGE_E_SALE_STORED,
    IOTEDGE_E_POLICY_OLDER,
    IOTEDGE_E_POLICY_DEVICE,
}

/// The name of a status number as it stands in this header, for logs: `"IOTEDGE_OK"`, `"IOTEDGE_E_NULL"`, ...; for a number
/// that this build does not know, `"IOTEDGE_E_UNKNOWN"`.
///
/// The text is constant, zero-terminated and lives as long as the program; never free it. From any thread, and from an
/// interrupt.
#[unsafe(no_mangle)]
pub extern "C" fn iotedge_status_name(status: i32) -> *const core::ffi::c_char {
    let place = NUMBERS
        .iter()
        .position(|number| i32::from(*number) == status);
    let mut rest = TEXT.as_bytes();
    for _ in 0..place.unwrap_or(NUMBERS.len()) {
        let end = rest.iter().position(|byte| *byte == 0).unwrap_or(0);
        rest = rest.get(end.saturating_add(1)..).unwrap_or(&[]);
    }
    rest.as_ptr().cast()
}

/// The number of a refusal: the same in core and here.
pub(crate) const fn refusal(reason: Refusal) -> i32 {
    reason as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The constants as this file declares them: name and number.
    fn declared() -> Vec<(String, i32)> {
        include_str!("status.rs")
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.strip_prefix("pub const ")?.split_once(": i32 = ")?;
                Some((name.into(), rest.strip_suffix(';')?.parse().ok()?))
            })
            .collect()
    }

    fn name(status: i32) -> String {
        // SAFETY: a constant C string.
        unsafe { core::ffi::CStr::from_ptr(iotedge_status_name(status)) }
            .to_str()
            .unwrap()
            .into()
    }

    #[test]
    fn every_number_is_declared_once_and_has_its_name() {
        let all = declared();
        assert_eq!(all.len(), NUMBERS.len());
        for (at, (constant, number)) in all.iter().enumerate() {
            assert_eq!(&name(*number), constant);
            assert!(all[..at].iter().all(|(n, v)| n != constant && v != number));
        }
        assert_eq!(name(-1), "IOTEDGE_E_UNKNOWN");
        assert_eq!(name(i32::MAX), "IOTEDGE_E_UNKNOWN");
    }

    #[test]
    fn refusals_are_one_to_one_with_the_core() {
        let all = declared();
        for reason in Refusal::ALL {
            let mut constant = String::from("IOTEDGE_E");
            for letter in reason.name().chars() {
                if letter.is_uppercase() {
                    constant.push('_');
                }
                constant.extend(letter.to_uppercase());
            }
            assert_eq!(name(refusal(*reason)), constant);
        }
        let below_100 = all.iter().filter(|(_, n)| (1..100).contains(n)).count();
        assert_eq!(below_100, Refusal::ALL.len());
    }
}
