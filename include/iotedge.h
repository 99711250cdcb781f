/*
 * libiotedge: makes a device a citizen of the IoTEdge network.
 *
 * Generated from ffi/src by cbindgen (ci/header). Do not edit. docs/c-api.md introduces it with an example.
 *
 * Conventions, for every function unless it says otherwise
 *  - Result. An int32_t: IOTEDGE_OK or one of IOTEDGE_E_*. Numbers are never reused; iotedge_status_name() names them.
 *  - Order. What is worked on comes first, then inputs, then outputs. Outputs are written only when the result is
 *    IOTEDGE_OK. A first argument that points to const is not changed.
 *  - Memory. The library allocates nothing, has no global state, starts no threads and does no I/O. It keeps no
 *    pointer after a call returns, except where a function says so. Inputs and outputs must not overlap.
 *  - NULL. A pointer must not be NULL (IOTEDGE_E_NULL), except to a buffer whose length is 0 and where it is said.
 *  - Structures. Set `size` to the sizeof of the structure before every use, for outputs too, and everything that you
 *    do not use to zero. Later versions only append fields, so old callers keep working.
 *  - Integers. Only fixed widths cross this interface; lengths are size_t, in bytes. Times are milliseconds.
 *  - Threads and interrupts. Functions without a node are pure and may run on any thread at once. A node belongs to one
 *    thread at a time: keep your own lock around it. Each function says whether an interrupt may call it.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef IOTEDGE_H
#define IOTEDGE_H

#include <stddef.h>
#include <stdint.h>
/** The version of this header as text. */
#define IOTEDGE_VERSION_TEXT "0.1.0"


/**
 * Suite of a key: Ed25519 (RFC 8032). The number is that of COSE.
 */
#define IOTEDGE_SUITE_ED25519 -8

/**
 * Suite of a key: ECDSA on P-256 with SHA-256, in builds with the feature `es256`. The number is that of COSE.
 */
#define IOTEDGE_SUITE_ES256 -7

/**
 * Bytes of an id: of a device, a transaction, a header, a neighbourhood.
 */
#define IOTEDGE_ID_SIZE 32

/**
 * Bytes of a signature of either suite.
 */
#define IOTEDGE_SIGNATURE_SIZE 64

/**
 * Bytes of the seed of an Ed25519 key.
 */
#define IOTEDGE_SEED_SIZE 32

/**
 * Letters of a device id as text, without the zero that ends a C string.
 */
#define IOTEDGE_DEVICE_ID_TEXT_SIZE 63

/**
 * All went well; outputs are written.
 */
#define IOTEDGE_OK 0

/**
 * Too short, too long, or bytes after the end.
 */
#define IOTEDGE_E_MALFORMED 1

/**
 * Not core deterministic CBOR.
 */
#define IOTEDGE_E_NOT_DETERMINISTIC 2

/**
 * A field has the wrong type.
 */
#define IOTEDGE_E_WRONG_TYPE 3

/**
 * A version that this build does not know.
 */
#define IOTEDGE_E_VERSION 4

/**
 * Another neighbourhood's frame.
 */
#define IOTEDGE_E_NEIGHBOURHOOD 5

/**
 * A kind that this build does not know.
 */
#define IOTEDGE_E_UNSUPPORTED_KIND 6

/**
 * An epoch older than the one before the newest trim's.
 */
#define IOTEDGE_E_EPOCH_VOID 7

/**
 * Not the epoch that follows from its parents.
 */
#define IOTEDGE_E_EPOCH_MISMATCH 8

/**
 * The issuer is not in the table.
 */
#define IOTEDGE_E_UNKNOWN_ISSUER 9

/**
 * Evidence against the issuer is in the ledger.
 */
#define IOTEDGE_E_FROZEN_ISSUER 10

/**
 * The signature does not verify.
 */
#define IOTEDGE_E_SIGNATURE 11

/**
 * The suite is not the one in the table.
 */
#define IOTEDGE_E_SUITE 12

/**
 * Already here.
 */
#define IOTEDGE_E_DUPLICATE 13

/**
 * The first parent is not on the issuer's own chain.
 */
#define IOTEDGE_E_PARENT_OFF_CHAIN 14

/**
 * The number does not follow the first parent's.
 */
#define IOTEDGE_E_NUMBER_GAP 15

/**
 * Parents unsorted.
 */
#define IOTEDGE_E_PARENTS_UNSORTED 16

/**
 * A parent named twice.
 */
#define IOTEDGE_E_PARENTS_DOUBLED 17

/**
 * A parent prefix means two ids and none of the choices verifies.
 */
#define IOTEDGE_E_AMBIGUOUS_PARENT 18

/**
 * A parent is unknown: set aside and asked for.
 */
#define IOTEDGE_E_UNKNOWN_PARENT 19

/**
 * Not later than a parent.
 */
#define IOTEDGE_E_TIME_NOT_ABOVE_PARENT 20

/**
 * More than P_max later than a parent.
 */
#define IOTEDGE_E_PARENT_TOO_OLD 21

/**
 * Ahead of the local clock: set aside until then.
 */
#define IOTEDGE_E_FROM_THE_FUTURE 22

/**
 * Amount 0.
 */
#define IOTEDGE_E_AMOUNT_ZERO 23

/**
 * Above the cap per transaction.
 */
#define IOTEDGE_E_CAP_TRANSACTION 24

/**
 * Above the cap per peer.
 */
#define IOTEDGE_E_CAP_PEER 25

/**
 * Above the cap on unsettled exposure.
 */
#define IOTEDGE_E_CAP_EXPOSURE 26

/**
 * More than the settled credits.
 */
#define IOTEDGE_E_INSUFFICIENT_CREDITS 27

/**
 * The lifetime debits do not add up.
 */
#define IOTEDGE_E_FALSE_DEBITS 28

/**
 * A sum does not fit 64 bits.
 */
#define IOTEDGE_E_OVERFLOW 29

/**
 * A trim without a fresh quorum in its cone, or whose predecessor is not certified there.
 */
#define IOTEDGE_E_VOID_TRIM 30

/**
 * Only the GL-node may issue this.
 */
#define IOTEDGE_E_NOT_GL_NODE 31

/**
 * Evidence that proves nothing.
 */
#define IOTEDGE_E_FALSE_EVIDENCE 32

/**
 * A member operation that is not valid (certificate, proof, consent).
 */
#define IOTEDGE_E_MEMBER_OPERATION 33

/**
 * A header not signed by the GL-node, or with fields that contradict the last.
 */
#define IOTEDGE_E_FORGED_HEADER 34

/**
 * Votes short of the stake quorum, or not the set's.
 */
#define IOTEDGE_E_SHORT_OF_QUORUM 35

/**
 * A Merkle path that does not lead to the root.
 */
#define IOTEDGE_E_WRONG_PATH 36

/**
 * Another validator set than the trusted one.
 */
#define IOTEDGE_E_WRONG_VALIDATOR_SET 37

/**
 * A record or table that does not match the settled root.
 */
#define IOTEDGE_E_FORGED_TABLE 38

/**
 * The neighbour or the issuer sends more than its share.
 */
#define IOTEDGE_E_RATE_LIMITED 39

/**
 * No room; try later.
 */
#define IOTEDGE_E_BUSY 40

/**
 * A frame type that is not for this node.
 */
#define IOTEDGE_E_NOT_FOR_ME 41

/**
 * A genesis that the pinned authority did not sign, or whose fields are out of bounds.
 */
#define IOTEDGE_E_FORGED_GENESIS 42

/**
 * The outbox is full: submit again when `Sent` events have made room.
 */
#define IOTEDGE_E_OUTBOX_FULL 43

/**
 * This node is not a member (yet).
 */
#define IOTEDGE_E_NOT_MEMBER 44

/**
 * The payee is not a member.
 */
#define IOTEDGE_E_UNKNOWN_PAYEE 45

/**
 * The body is empty or too long.
 */
#define IOTEDGE_E_BODY_LENGTH 46

/**
 * The platform failed.
 */
#define IOTEDGE_E_PLATFORM 47

/**
 * A transaction at or below the highest number of its issuer whose place is not known: held until explained.
 */
#define IOTEDGE_E_UNEXPLAINED 48

/**
 * An attachment that is malformed or does not fit its transaction.
 */
#define IOTEDGE_E_ATTACHMENT 49

/**
 * A pointer that must not be NULL is. Nothing was done.
 */
#define IOTEDGE_E_NULL 100

/**
 * A length is outside of what the function takes. Nothing was done.
 */
#define IOTEDGE_E_LENGTH 101

/**
 * Memory or a structure does not have the alignment that its type needs (8 bytes for a node).
 */
#define IOTEDGE_E_MISALIGNED 102

/**
 * The memory for a node is shorter than `iotedge_node_size` says for these limits.
 */
#define IOTEDGE_E_MEMORY_TOO_SMALL 103

/**
 * No node lives here: never initialised, deinitialised, copied from elsewhere, or overwritten.
 */
#define IOTEDGE_E_NOT_INITIALISED 104

/**
 * The first field of a structure is not its `sizeof`, or a field that this build does not know is not zero.
 */
#define IOTEDGE_E_STRUCT_SIZE 105

/**
 * The output does not fit. Nothing was written; the call may be repeated with a larger buffer.
 */
#define IOTEDGE_E_BUFFER_TOO_SMALL 106

/**
 * The node is in use: a call from one of its own callbacks, an interrupt or another thread. Nothing was done.
 */
#define IOTEDGE_E_REENTERED 107

/**
 * Not now: the call that must come before this one was not made, or the work is already over.
 */
#define IOTEDGE_E_WRONG_ORDER 108

/**
 * There is nothing (more) to give: no event, no frame, no such transaction in the window. Not an error.
 */
#define IOTEDGE_E_NONE 109

/**
 * A value is outside of what the field allows.
 */
#define IOTEDGE_E_ARGUMENT 110

/**
 * A live node is already in this memory: call `iotedge_node_deinit` first.
 */
#define IOTEDGE_E_ALREADY_INITIALISED 111

/**
 * A case that this build does not know how to name. Please report it.
 */
#define IOTEDGE_E_INTERNAL 112

/**
 * A key or a signature that can never be accepted: wrong encoding, small order or a number out of range.
 */
#define IOTEDGE_E_SIGNATURE_MALFORMED 200

/**
 * Not a device id as text: wrong letters, prefix, length or checksum. Nothing was sent; let the person type it again.
 */
#define IOTEDGE_E_DEVICE_ID 201

/**
 * A number, a length or a count in the bytes is outside of what its field allows.
 */
#define IOTEDGE_E_RANGE 202

/**
 * Major version. Before 1.0 each minor version may change the ABI.
 */
#define IOTEDGE_VERSION_MAJOR 0

/**
 * Minor version.
 */
#define IOTEDGE_VERSION_MINOR 1

/**
 * Patch version.
 */
#define IOTEDGE_VERSION_PATCH 0

/**
 * The version of this header as one number, `0x00MMmmpp`. Compare it with `iotedge_version()`.
 */
#define IOTEDGE_VERSION_NUMBER 256

/**
 * A public key. Set `size` to `sizeof(iotedge_public_key_t)` before any use, also as an output.
 */
typedef struct iotedge_public_key_t {
    /**
     * `sizeof(iotedge_public_key_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_SUITE_ED25519` or `IOTEDGE_SUITE_ES256`.
     */
    int32_t suite;
    /**
     * Ed25519: 32 bytes, then zeros. ES256: x then y, 32 bytes each, big-endian.
     */
    uint8_t bytes[64];
} iotedge_public_key_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The public key of a seed.
 *
 * `seed`: 32 bytes from a random generator fit for keys; read only, the caller keeps it secret and wipes it. `key`: set its
 * `size` first; written on success.
 *
 * `IOTEDGE_E_SIGNATURE_MALFORMED`: the seed is all zero, which is storage that was never written or randomness that failed.
 *
 * From any thread. Not from an interrupt: it takes a signature's time.
 */
int32_t iotedge_public_key_from_seed(const uint8_t *seed,
                                     struct iotedge_public_key_t *key);

/**
 * Says whether a key can ever verify a signature: canonical, on the curve, not of small order, and of a suite that this build
 * has. Call it before you store a key from outside.
 *
 * `IOTEDGE_E_SIGNATURE_MALFORMED`: it cannot. `IOTEDGE_E_SUITE`: this build lacks the suite.
 *
 * From any thread. Not from an interrupt: it takes part of a signature check's time.
 */
int32_t iotedge_public_key_check(const struct iotedge_public_key_t *key);

/**
 * The device id of a device whose first key is `key`: SHA-256 of its COSE_Key (RFC 9679). `id`: 32 bytes, written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_device_id(const struct iotedge_public_key_t *key,
                          uint8_t *id);

/**
 * A device id as text for people, Bech32m `iote1...`: `IOTEDGE_DEVICE_ID_TEXT_SIZE` letters without a zero at the end.
 *
 * `id`: 32 bytes. `text`: room for `text_capacity` letters; `text_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_BUFFER_TOO_SMALL`: the text does not fit.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_device_id_to_text(const uint8_t *id,
                                  char *text,
                                  size_t text_capacity,
                                  size_t *text_len);

/**
 * Reads a device id from text. `text`: `text_len` letters, no zero needed. `id`: 32 bytes, written on success.
 *
 * `IOTEDGE_E_DEVICE_ID`: not a device id: wrong letters, prefix, length or checksum.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_device_id_from_text(const char *text,
                                    size_t text_len,
                                    uint8_t *id);

/**
 * Signs `message` with the Ed25519 key of `seed` (RFC 8032, deterministic). A node signs by itself; this is for factory tools
 * and for a software stand-in where a secure element will be.
 *
 * `seed`: 32 bytes; read only. `signature`: 64 bytes, written on success.
 *
 * From any thread. Not from an interrupt: about 1 million instructions on a Cortex-M.
 */
int32_t iotedge_sign(const uint8_t *seed,
                     const uint8_t *message,
                     size_t message_len,
                     uint8_t *signature);

/**
 * Checks one signature under the network's rule (docs/protocol.md section 2): the same verdict as every node's.
 *
 * `signature`: 64 bytes. All inputs are read only.
 *
 * `IOTEDGE_E_SIGNATURE`: not a signature of this message by this key. `IOTEDGE_E_SIGNATURE_MALFORMED`: key or signature can
 * never be accepted. `IOTEDGE_E_SUITE`: this build lacks the key's suite.
 *
 * From any thread. Not from an interrupt: about 2 million instructions on a Cortex-M.
 */
int32_t iotedge_verify(const struct iotedge_public_key_t *key,
                       const uint8_t *message,
                       size_t message_len,
                       const uint8_t *signature);

/**
 * SHA-256 of `data` (FIPS 180-4). `digest`: 32 bytes, written on success.
 *
 * From any thread, and from an interrupt if `len` is small.
 */
int32_t iotedge_sha256(const uint8_t *data, size_t len, uint8_t *digest);

/**
 * Reads a COSE_Key (RFC 9052 section 7) as it stands in certificates and in `keys.json`. `key`: set its `size` first; written
 * on success.
 *
 * `IOTEDGE_E_MALFORMED`, `IOTEDGE_E_NOT_DETERMINISTIC`, `IOTEDGE_E_WRONG_TYPE`: not a key of this protocol.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_public_key_from_cose(const uint8_t *cose,
                                     size_t cose_len,
                                     struct iotedge_public_key_t *key);

/**
 * The name of a status number as it stands in this header, for logs: `"IOTEDGE_OK"`, `"IOTEDGE_E_NULL"`, ...; for a number
 * that this build does not know, `"IOTEDGE_E_UNKNOWN"`.
 *
 * The text is constant, zero-terminated and lives as long as the program; never free it. From any thread, and from an
 * interrupt.
 */
const char *iotedge_status_name(int32_t status);

/**
 * The version of the library that is linked, as one number like `IOTEDGE_VERSION_NUMBER`. Different major or (before 1.0)
 * minor parts mean: header and library do not fit together.
 *
 * From any thread, and from an interrupt.
 */
uint32_t iotedge_version(void);

/**
 * The version of the library as text, `"0.1.0"`.
 *
 * The text is constant, zero-terminated and lives as long as the program; never free it. From any thread, and from an
 * interrupt.
 */
const char *iotedge_version_text(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* IOTEDGE_H */
