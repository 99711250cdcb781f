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
 * Bytes of a node with these limits (see iotedge_limits_t), a multiple of 8, for a static array:
 * `static uint64_t memory[IOTEDGE_NODE_SIZE(128, 16, 8, 4, 8, 16, 16384) / 8];`
 * Never less than what iotedge_node_size() says, and good for every target.
 */
#define IOTEDGE_NODE_SIZE(window, members, peers, aside, outbox, own, raw)                                     \
    ((IOTEDGE_NODE_SIZE_FIXED + (size_t)(window) * (IOTEDGE_NODE_SIZE_WINDOW + 4 * (((peers) + 31) / 32)) +    \
      (size_t)(members) * IOTEDGE_NODE_SIZE_MEMBER + (size_t)(peers) * IOTEDGE_NODE_SIZE_PEER +                \
      (size_t)(aside) * IOTEDGE_NODE_SIZE_ASIDE + (size_t)(outbox) * IOTEDGE_NODE_SIZE_OUTBOX +                \
      (size_t)(own) * IOTEDGE_NODE_SIZE_OWN + (size_t)(raw) + 7) / 8 * 8)

/**
 * The same for a lean node, whose `records` are fewer than its members (see docs/decisions/0021): all limits are given, none is 0.
 */
#define IOTEDGE_NODE_SIZE_LEAN(window, members, peers, aside, outbox, own, raw, records, tracked, wants, headers, \
                               buckets, queue)                                                                 \
    ((IOTEDGE_NODE_SIZE_LEAN_FIXED +                                                                           \
      (size_t)(window) * (IOTEDGE_NODE_SIZE_LEAN_WINDOW + 4 * (((peers) + 31) / 32)) +                         \
      (size_t)(members) * (IOTEDGE_NODE_SIZE_LEAN_MEMBER + 6 * (((tracked) + 7) / 8)) +                        \
      ((size_t)(records) + 1) * IOTEDGE_NODE_SIZE_LEAN_RECORD + (size_t)(peers) * IOTEDGE_NODE_SIZE_PEER +     \
      (size_t)(aside) * IOTEDGE_NODE_SIZE_ASIDE + (size_t)(outbox) * IOTEDGE_NODE_SIZE_OUTBOX +                \
      (size_t)(own) * IOTEDGE_NODE_SIZE_OWN + (size_t)(raw) +                                                  \
      (size_t)(tracked) * IOTEDGE_NODE_SIZE_LEAN_TRACKED + (size_t)(wants) * IOTEDGE_NODE_SIZE_LEAN_WANT +     \
      (size_t)(headers) * IOTEDGE_NODE_SIZE_LEAN_HEADER + (size_t)(buckets) * 8 +                              \
      (size_t)(queue) * IOTEDGE_NODE_SIZE_LEAN_QUEUE + 7) / 8 * 8)

/** What `weights` in iotedge_limits_t adds to IOTEDGE_NODE_SIZE. */
#define IOTEDGE_NODE_SIZE_WEIGHTS(window, members)                                                             \
    ((size_t)(window) * IOTEDGE_NODE_SIZE_WORK + (size_t)(members) * 8)

/**
 * Bytes of a link with these limits (see iotedge_link_limits_t), a multiple of 8, for a static array:
 * `static uint64_t link_memory[IOTEDGE_LINK_SIZE(8, 4, 6, 1400) / 8];`
 * Never less than what iotedge_link_size() says, and good for every target.
 */
#define IOTEDGE_LINK_SIZE(peers, outgoing, incoming, frame)                                                    \
    ((IOTEDGE_LINK_SIZE_FIXED + (size_t)(peers) * IOTEDGE_LINK_SIZE_PEER +                                     \
      ((size_t)(outgoing) + (size_t)(incoming)) * (IOTEDGE_LINK_SIZE_FRAME + (size_t)(frame)) + 7) / 8 * 8)

/**
 * Bytes of a channel's owner (see iotedge_channel_config_t), a multiple of 8, for a static array:
 * `static uint64_t owner_memory[IOTEDGE_CHANNEL_OWNER_SIZE(16, 8) / 8];`
 * Never less than what iotedge_channel_owner_size() says, and good for every target.
 */
#define IOTEDGE_CHANNEL_OWNER_SIZE(batch, readers)                                                             \
    ((IOTEDGE_CHANNEL_OWNER_SIZE_FIXED + (size_t)(batch) * IOTEDGE_CHANNEL_OWNER_SIZE_MESSAGE +                \
      (size_t)(readers) * IOTEDGE_CHANNEL_OWNER_SIZE_READER + 7) / 8 * 8)

/**
 * Bytes of a subscriber (see iotedge_subscriber_config_t), a multiple of 8, for a static array:
 * `static uint64_t subscriber_memory[IOTEDGE_SUBSCRIBER_SIZE(8, 16, 16) / 8];`
 * Never less than what iotedge_subscriber_size() says, and good for every target.
 */
#define IOTEDGE_SUBSCRIBER_SIZE(channels, skipped, recent)                                                     \
    ((IOTEDGE_SUBSCRIBER_SIZE_FIXED + (size_t)(channels) * IOTEDGE_SUBSCRIBER_SIZE_CHANNEL +                   \
      (size_t)(skipped) * IOTEDGE_SUBSCRIBER_SIZE_SKIPPED + (size_t)(recent) * IOTEDGE_SUBSCRIBER_SIZE_RECENT +  \
      7) / 8 * 8)

/**
 * Bytes of a provider (see iotedge_provider_config_t), a multiple of 8, for a static array:
 * `static uint64_t provider_memory[IOTEDGE_PROVIDER_SIZE(65536, 8, 3) / 8];`
 * Never less than what iotedge_provider_size() says, and good for every target.
 */
#define IOTEDGE_PROVIDER_SIZE(length, chunk, level)                                                            \
    (IOTEDGE_PROVIDER_SIZE_FIXED + (((size_t)(length) - 1) / ((size_t)1 << ((chunk) + (level))) + 1) * 32)

/** Most bytes that a frame of this length takes on a serial line: its CRC-32, two zeros, and one byte for each 254 bytes begun. */
#define IOTEDGE_SERIAL_SIZE(frame) ((size_t)(frame) + 6 + ((size_t)(frame) + 257) / 254)

/**
 * Bytes of a decoder of frames of at most this length, a multiple of 8, for a static array:
 * `static uint64_t line_memory[IOTEDGE_SERIAL_DECODER_SIZE(IOTEDGE_MAX_FRAME) / 8];`
 * Never less than what iotedge_serial_decoder_size() says, and good for every target.
 */
#define IOTEDGE_SERIAL_DECODER_SIZE(frame) ((IOTEDGE_SERIAL_DECODER_SIZE_FIXED + (size_t)(frame) + 7) / 8 * 8)


/**
 * Suite of an accelerator: Ed25519.
 */
#define IOTEDGE_ACCELERATE_ED25519 1

/**
 * Suite of an accelerator: ES256.
 */
#define IOTEDGE_ACCELERATE_ES256 2

/**
 * Answer of an accelerator: the signature is one of this message by this key. No number that a register holds by chance.
 */
#define IOTEDGE_ACCELERATOR_VALID 1261278945

/**
 * Answer of an accelerator: it is not. Any other number: the engine failed, or is busy.
 */
#define IOTEDGE_ACCELERATOR_INVALID 886204702

/**
 * What `told` tells: the engine failed, and the software did this check.
 */
#define IOTEDGE_ACCELERATOR_FAILED 1

/**
 * What `told` tells: the engine refused what the rule accepts. Rare and harmless where its equation has no cofactor and somebody made such a signature on purpose; often means
 * that it is faulty.
 */
#define IOTEDGE_ACCELERATOR_DISAGREED 2

/**
 * Most bytes of an attestation: the buffer for `iotedge_attest`.
 */
#define IOTEDGE_MAX_ATTESTATION 681

/**
 * Most bytes of what is signed for one, and for anything else: the buffer for `iotedge_attest_statement`.
 */
#define IOTEDGE_MAX_SIGN_INPUT 640

/**
 * Most measurements of an attestation.
 */
#define IOTEDGE_MAX_MEASUREMENTS 8

/**
 * Secure boot: the platform does not say.
 */
#define IOTEDGE_SECURE_BOOT_UNKNOWN 0

/**
 * Secure boot: anything may have booted.
 */
#define IOTEDGE_SECURE_BOOT_OFF 1

/**
 * Secure boot: only what the maker of the hardware allows could boot (`oemboot`, RFC 9711 section 4.2.8).
 */
#define IOTEDGE_SECURE_BOOT_ON 2

/**
 * Debugging: the platform does not say. The others are one more than the values of `dbgstat` (RFC 9711 section 4.2.9).
 */
#define IOTEDGE_DEBUG_UNKNOWN 0

/**
 * Debugging: possible now.
 */
#define IOTEDGE_DEBUG_ENABLED 1

/**
 * Debugging: not now; it may have been since the boot.
 */
#define IOTEDGE_DEBUG_DISABLED 2

/**
 * Debugging: not since the boot.
 */
#define IOTEDGE_DEBUG_DISABLED_SINCE_BOOT 3

/**
 * Debugging: only the maker ever can again.
 */
#define IOTEDGE_DEBUG_DISABLED_PERMANENTLY 4

/**
 * Debugging: nobody ever can again.
 */
#define IOTEDGE_DEBUG_DISABLED_FULLY 5

/**
 * Everybody who knows the channel may read; signatures and roots alone protect it.
 */
#define IOTEDGE_CHANNEL_PUBLIC 0

/**
 * Who was granted it may read.
 */
#define IOTEDGE_CHANNEL_PRIVATE 1

/**
 * Who was granted it and has the pre-shared side key may read.
 */
#define IOTEDGE_CHANNEL_RESTRICTED 2

/**
 * Bytes of a channel's pre-shared side key.
 */
#define IOTEDGE_SIDE_KEY_SIZE 32

/**
 * Most bytes of a message's plaintext.
 */
#define IOTEDGE_CHANNEL_MAX_BODY 1200

/**
 * Most bytes of a sealed message: plaintext, what sealing adds, signature.
 */
#define IOTEDGE_CHANNEL_MAX_MESSAGE 1300

/**
 * Most bytes of an operation: what an owner or a subscriber says of a channel.
 */
#define IOTEDGE_CHANNEL_MAX_OP 320

/**
 * A message goes with the owner's signature: one behind it, or that of the transaction that carries it. Without it, it is attributable once its batch's root is known.
 */
#define IOTEDGE_CHANNEL_SIGNED 1

/**
 * A compact message has the whole tag of 16 bytes; without it 8. What an 8-byte tag means: docs/threat-model.md.
 */
#define IOTEDGE_CHANNEL_LONG_TAG 2

/**
 * COSE_Encrypt0 (RFC 9052) instead of the compact form; always with the whole tag.
 */
#define IOTEDGE_CHANNEL_COSE 4

/**
 * Bytes of an owner beside batch and readers: see `IOTEDGE_CHANNEL_OWNER_SIZE`.
 */
#define IOTEDGE_CHANNEL_OWNER_SIZE_FIXED 1248

/**
 * Bytes of an owner per message of a batch.
 */
#define IOTEDGE_CHANNEL_OWNER_SIZE_MESSAGE 32

/**
 * Bytes of an owner per reader.
 */
#define IOTEDGE_CHANNEL_OWNER_SIZE_READER 4

/**
 * Operation: the channel is there, and its chain goes on at this place.
 */
#define IOTEDGE_CHANNEL_OP_ANNOUNCE 0

/**
 * Operation: the root of a batch.
 */
#define IOTEDGE_CHANNEL_OP_ROOT 1

/**
 * Operation, by a subscriber: it asks for the channel.
 */
#define IOTEDGE_CHANNEL_OP_SUBSCRIBE 2

/**
 * Operation: the chain's key from an index on, for one subscriber.
 */
#define IOTEDGE_CHANNEL_OP_GRANT 3

/**
 * Operation: a new key epoch, for those who stay.
 */
#define IOTEDGE_CHANNEL_OP_REVOKE 4

/**
 * Operation: a subscriber's way through the tree of readers.
 */
#define IOTEDGE_CHANNEL_OP_PATH 5

/**
 * Operation: a signed message.
 */
#define IOTEDGE_CHANNEL_OP_MESSAGE 6

/**
 * An application's frame: a sealed message.
 */
#define IOTEDGE_SAID_MESSAGE 0

/**
 * An application's frame: the signer's member index (two bytes, big-endian) and a statement with its signature.
 */
#define IOTEDGE_SAID_STATEMENT 1

/**
 * An application's frame: a request for parts of large content.
 */
#define IOTEDGE_SAID_REQUEST 2

/**
 * An application's frame: a part of large content.
 */
#define IOTEDGE_SAID_PART 3

/**
 * An application's frame: a tick of a metered sale.
 */
#define IOTEDGE_SAID_TICK 4

/**
 * An application's frame: a quote.
 */
#define IOTEDGE_SAID_QUOTE 5

/**
 * An application's frame: the manifest of a firmware that the sender has, or knows of.
 */
#define IOTEDGE_SAID_MANIFEST 6

/**
 * Bytes of a subscriber beside its channels and rooms: see `IOTEDGE_SUBSCRIBER_SIZE`.
 */
#define IOTEDGE_SUBSCRIBER_SIZE_FIXED 416

/**
 * Bytes of a subscriber per channel.
 */
#define IOTEDGE_SUBSCRIBER_SIZE_CHANNEL 216

/**
 * Bytes of a subscriber per skipped message that it keeps the key of.
 */
#define IOTEDGE_SUBSCRIBER_SIZE_SKIPPED 96

/**
 * Bytes of a subscriber per message that it remembers.
 */
#define IOTEDGE_SUBSCRIBER_SIZE_RECENT 96

/**
 * A statement told nothing to this device, or what it knows.
 */
#define IOTEDGE_HEARD_NOTHING 0

/**
 * The chain goes on at another place; a public channel can be read from there on.
 */
#define IOTEDGE_HEARD_ANNOUNCED 1

/**
 * The channel can be read, from the place of the grant on.
 */
#define IOTEDGE_HEARD_GRANTED 2

/**
 * The path came: a later revoke of another reader can be followed.
 */
#define IOTEDGE_HEARD_SEATED 3

/**
 * Another reader was revoked; this device reads on, under the new key epoch.
 */
#define IOTEDGE_HEARD_REKEYED 4

/**
 * A revoke in which nothing is for this device: it reads no more from the new key epoch on, unless another part of the same revoke has it. Subscribe again, perhaps.
 */
#define IOTEDGE_HEARD_REVOKED 5

/**
 * The root of a batch of `count` messages from `index` on. With `IOTEDGE_HEARD_ATTRIBUTED` all of them were opened here and are the owner's; else `iotedge_subscriber_prove` each.
 */
#define IOTEDGE_HEARD_ROOT 6

/**
 * A message; its plaintext is in the output.
 */
#define IOTEDGE_HEARD_MESSAGE 7

/**
 * A message: the owner signed it. A root: all its messages are the owner's. Without it any reader could have made it.
 */
#define IOTEDGE_HEARD_ATTRIBUTED 1

/**
 * A message: it came after a later one.
 */
#define IOTEDGE_HEARD_LATE 2

/**
 * Most bytes of a cluster's label.
 */
#define IOTEDGE_MAX_LABEL 32

/**
 * Most members of a hand-over list.
 */
#define IOTEDGE_MAX_SUCCESSORS 4

/**
 * Most contracts of a profile.
 */
#define IOTEDGE_MAX_CONTRACTS 4

/**
 * Bytes of a context id.
 */
#define IOTEDGE_CONTEXT_SIZE 16

/**
 * Score of a node that follows and is never head.
 */
#define IOTEDGE_CLUSTER_FOLLOWS UINT32_MAX

/**
 * The greatest distance, and that of what is not known.
 */
#define IOTEDGE_FARTHEST 1000

/**
 * Of `iotedge_profile_t.known`: the cell.
 */
#define IOTEDGE_PROFILE_CELL 1

/**
 * Of `iotedge_profile_t.known`: the signal strength.
 */
#define IOTEDGE_PROFILE_RSSI 2

/**
 * Of `iotedge_profile_t.known`: the hops.
 */
#define IOTEDGE_PROFILE_HOPS 4

/**
 * Most bytes of a content's name: `iotedge_content_name`.
 */
#define IOTEDGE_CONTENT_MAX_NAME 45

/**
 * Most bytes of a request.
 */
#define IOTEDGE_CONTENT_MAX_REQUEST 33

/**
 * Most bytes of a part that fits a frame of `iotedge_frame_say`.
 */
#define IOTEDGE_CONTENT_MAX_PART 1394

/**
 * Most bytes of what `iotedge_content_save` writes: all but 43 of them are 32 for each level that the tree of chunks has.
 */
#define IOTEDGE_CONTENT_MAX_STATE 715

/**
 * What a part brought: hashes on the way to the next chunk. Ask again.
 */
#define IOTEDGE_CONTENT_WAY 0

/**
 * What a part brought: a chunk, which was written.
 */
#define IOTEDGE_CONTENT_CHUNK 1

/**
 * A manifest says when it expires.
 */
#define IOTEDGE_MANIFEST_EXPIRES 1

/**
 * A manifest is of a delta: `precursor` must run.
 */
#define IOTEDGE_MANIFEST_PRECURSOR 2

/**
 * Most bytes of what a maker signs.
 */
#define IOTEDGE_MANIFEST_MAX_INPUT 315

/**
 * Bytes of a provider beside the hashes that it keeps: see `IOTEDGE_PROVIDER_SIZE`.
 */
#define IOTEDGE_PROVIDER_SIZE_FIXED 208

/**
 * Bytes of a receiver, a multiple of 8, for a static array: `static uint64_t memory[IOTEDGE_CONTENT_SIZE / 8];`. Never less than what `iotedge_content_size` says, and good for every target.
 */
#define IOTEDGE_CONTENT_SIZE 960

/**
 * Bytes of an update, a multiple of 8, for a static array: `static uint64_t memory[IOTEDGE_UPDATE_SIZE / 8];`. Never less than what `iotedge_update_size` says, and good for every target.
 */
#define IOTEDGE_UPDATE_SIZE 1376

/**
 * Most bytes of a manifest with its signature.
 */
#define IOTEDGE_UPDATE_MAX_MANIFEST 282

/**
 * Most bytes of a component's name.
 */
#define IOTEDGE_UPDATE_MAX_COMPONENT 16

/**
 * Most bytes of what is said of an installed update.
 */
#define IOTEDGE_UPDATE_MAX_RECORD 81

/**
 * Bytes of a store, a multiple of 8, for a static array: `static uint64_t memory[IOTEDGE_FLASH_STORE_SIZE / 8];`. Good for every target.
 */
#define IOTEDGE_FLASH_STORE_SIZE 160

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
 * Bytes of a leaf, a multiple of 8, for a static array: `static uint64_t memory[IOTEDGE_LEAF_SIZE / 8];`. Never less than what
 * `iotedge_leaf_size` says, and good for every target.
 */
#define IOTEDGE_LEAF_SIZE 4608

/**
 * Event of a leaf: q neighbours besides the head hold transaction `id`.
 */
#define IOTEDGE_EVENT_HELD 25

/**
 * Event of a leaf: neighbour `code`, which it used as its head, did not answer, offered what nobody knows, or passed nothing on. Another is asked from
 * now on; nothing is lost.
 */
#define IOTEDGE_EVENT_HEAD_SUSPECTED 26

/**
 * Event of a leaf: somebody else signs with this device's key. It stays silent until it is started again.
 */
#define IOTEDGE_EVENT_DOUBLED 27

/**
 * Event of a leaf: two settled headers exclude each other; a quorum of validators is guilty. It stays silent.
 */
#define IOTEDGE_EVENT_FORK 28

/**
 * Event of a leaf: the validator set is older than the genesis allows; the authority must help.
 */
#define IOTEDGE_EVENT_STALE 29

/**
 * Phase of a leaf: it stays silent until it is started again; an event said why.
 */
#define IOTEDGE_PHASE_STOPPED 6

/**
 * Bytes of a link whatever its limits: see `IOTEDGE_LINK_SIZE`.
 */
#define IOTEDGE_LINK_SIZE_FIXED 512

/**
 * Bytes of a link per neighbour.
 */
#define IOTEDGE_LINK_SIZE_PEER 152

/**
 * Bytes of a link per frame under way, without the frame itself.
 */
#define IOTEDGE_LINK_SIZE_FRAME 72

/**
 * What an 802.15.4 frame with short addresses and a MIC of 64 bits carries.
 */
#define IOTEDGE_LINK_MTU_802_15_4 102

/**
 * Most bytes of a frame: the buffer for `iotedge_node_next_frame`.
 */
#define IOTEDGE_MAX_FRAME 1400

/**
 * Most bytes of a compact receipt: the buffer for `iotedge_node_receipt`.
 */
#define IOTEDGE_MAX_RECEIPT 7168

/**
 * Most bytes of an encoded validator set.
 */
#define IOTEDGE_MAX_SET 2829

/**
 * Most parents of a transaction.
 */
#define IOTEDGE_MAX_PARENTS 8

/**
 * Bytes of an Ethereum address.
 */
#define IOTEDGE_TARGET_SIZE 20

/**
 * Alignment of a node's memory.
 */
#define IOTEDGE_NODE_ALIGN 8

/**
 * Bytes of a node whatever its limits: see `IOTEDGE_NODE_SIZE`.
 */
#define IOTEDGE_NODE_SIZE_FIXED 69632

/**
 * Bytes of a node per transaction in the window, without what each neighbour adds.
 */
#define IOTEDGE_NODE_SIZE_WINDOW 184

/**
 * Bytes of a node per member.
 */
#define IOTEDGE_NODE_SIZE_MEMBER 768

/**
 * Bytes of a node per neighbour.
 */
#define IOTEDGE_NODE_SIZE_PEER 104

/**
 * Bytes of a node per transaction set aside.
 */
#define IOTEDGE_NODE_SIZE_ASIDE 1600

/**
 * Bytes of a node per submission.
 */
#define IOTEDGE_NODE_SIZE_OUTBOX 24

/**
 * Bytes of a node per followed transaction.
 */
#define IOTEDGE_NODE_SIZE_OWN 96

/**
 * Bytes that `weights` adds per transaction in the window: see `IOTEDGE_NODE_SIZE_WEIGHTS`.
 */
#define IOTEDGE_NODE_SIZE_WORK 56

/**
 * Bytes of a lean node whatever its limits: see `IOTEDGE_NODE_SIZE_LEAN`.
 */
#define IOTEDGE_NODE_SIZE_LEAN_FIXED 18944

/**
 * Bytes of a lean node per transaction in the window, without what each neighbour adds.
 */
#define IOTEDGE_NODE_SIZE_LEAN_WINDOW 160

/**
 * Bytes of a lean node per member, without what each eight followed transactions add: six.
 */
#define IOTEDGE_NODE_SIZE_LEAN_MEMBER 66

/**
 * Bytes of a lean node per record of each table in memory.
 */
#define IOTEDGE_NODE_SIZE_LEAN_RECORD 552

/**
 * Bytes of a lean node per followed transaction.
 */
#define IOTEDGE_NODE_SIZE_LEAN_TRACKED 160

/**
 * Bytes of a lean node per transaction that can be asked for.
 */
#define IOTEDGE_NODE_SIZE_LEAN_WANT 32

/**
 * Bytes of a lean node per settled header.
 */
#define IOTEDGE_NODE_SIZE_LEAN_HEADER 6080

/**
 * Bytes of a lean node per place in its queues.
 */
#define IOTEDGE_NODE_SIZE_LEAN_QUEUE 216

/**
 * Role of a node: enrols, issues and approves.
 */
#define IOTEDGE_ROLE_MEMBER 0

/**
 * Role of a node: follows and verifies, never issues.
 */
#define IOTEDGE_ROLE_OBSERVER 1

/**
 * Clock: absolute time is `now` plus `clock_offset`.
 */
#define IOTEDGE_CLOCK_OFFSET 0

/**
 * Clock: the device has none; absolute time is the median of what q neighbours say, and until then the node is silent.
 */
#define IOTEDGE_CLOCK_NEIGHBOURS 1

/**
 * For `iotedge_config_t.approvals`: this device approves only with what it has to say itself.
 */
#define IOTEDGE_APPROVALS_NONE UINT32_MAX

/**
 * Event: the neighbourhood accepted the certificate; a later table makes this node a member.
 */
#define IOTEDGE_EVENT_ENROL_ACCEPTED 1

/**
 * Event: the gateway refused the enrolment; `code` is the status of ENROL_RESULT (docs/protocol.md section 4).
 */
#define IOTEDGE_EVENT_ENROL_REFUSED 2

/**
 * Event: the genesis was verified; `id` is the neighbourhood.
 */
#define IOTEDGE_EVENT_JOINED 3

/**
 * Event: this node is a member under index `member`.
 */
#define IOTEDGE_EVENT_MEMBER 4

/**
 * Event: epoch `epoch`, opened by header `header`, can be used.
 */
#define IOTEDGE_EVENT_EPOCH_OPENED 5

/**
 * Event: data (`code` 0) or a service (`code` 1) of `member` came in as `id`. Read it with `iotedge_node_body`.
 */
#define IOTEDGE_EVENT_DATA 6

/**
 * Event: `member` pays this node `amount` with `id`. `code` 1: it would exceed the caps; do not serve for it.
 */
#define IOTEDGE_EVENT_RECEIVED 7

/**
 * Event: submission `ticket` was signed and stored and is in the ledger as `id`.
 */
#define IOTEDGE_EVENT_SENT 8

/**
 * Event: submission `ticket` will never be sent: its time ran out.
 */
#define IOTEDGE_EVENT_EXPIRED 9

/**
 * Event: submission `ticket` was refused when its turn came; `code` is the status.
 */
#define IOTEDGE_EVENT_REJECTED 10

/**
 * Event: transaction `id`, of or to this node, reached grade `code` (`IOTEDGE_GRADE_*`) at local time `time`.
 */
#define IOTEDGE_EVENT_GRADED 11

/**
 * Event: header `header` with cut time `time` reached its stake quorum.
 */
#define IOTEDGE_EVENT_HEADER_SETTLED 12

/**
 * Event: the receipt of `id` in header `header` was verified. Fetch it with `iotedge_node_receipt` before the next call of
 * `iotedge_node_receive`.
 */
#define IOTEDGE_EVENT_RECEIPT 13

/**
 * Event: trim `id` with cut time `time` was certified by the members' weight.
 */
#define IOTEDGE_EVENT_TRIM_CERTIFIED 14

/**
 * Event: `member` signed two transactions, `id` and `other`, that exclude each other.
 */
#define IOTEDGE_EVENT_EQUIVOCATION 15

/**
 * Event: evidence against `member` is in the ledger: nothing it issues counts any more.
 */
#define IOTEDGE_EVENT_FROZEN 16

/**
 * Event: `id` waited for its parents in vain and was given up.
 */
#define IOTEDGE_EVENT_SET_ASIDE_DROPPED 17

/**
 * Event: no neighbour was heard for longer than P_max.
 */
#define IOTEDGE_EVENT_SILENCE 18

/**
 * Event: the store is damaged or empty although the table knows this node: it is silent until its chain head is agreed on.
 */
#define IOTEDGE_EVENT_RECOVERING 19

/**
 * Event: the chain head was agreed on again.
 */
#define IOTEDGE_EVENT_RECOVERED 20

/**
 * Event: the external signer has work: fetch it with `iotedge_node_sign_input` or `iotedge_leaf_sign_input`. It is told again every ten seconds while no
 * answer comes; a transaction that waited for longer than P_max is drafted anew, under the same number.
 */
#define IOTEDGE_EVENT_SIGNATURE_NEEDED 21

/**
 * Event: the platform failed; nothing was sent; it is tried again.
 */
#define IOTEDGE_EVENT_PLATFORM_FAILED 22

/**
 * Event: `code` events are missing, because they were not fetched in time. Counters are exact all the same.
 */
#define IOTEDGE_EVENT_LOST 23

/**
 * Event: own transaction `id` died with its epoch; what it said is in the outbox again, under `ticket`.
 */
#define IOTEDGE_EVENT_REISSUED 24

/**
 * Event: `member` said something of a channel with `id`; `code` is the operation (`IOTEDGE_CHANNEL_OP_*`). Fetch it with `iotedge_node_body`, give it to `iotedge_subscriber_hear`, and look for
 * who subscribes to a channel of this device.
 */
#define IOTEDGE_EVENT_CHANNEL 30

/**
 * Event: `member` set `amount` aside for this node with `id`; its terms are in the body, `iotedge_node_body`. `code` 1: it would exceed the caps; do not serve for it. Serve once
 * it has reached `IOTEDGE_GRADE_QUORUM`. Its term begins at `time`, absolute: claim two periods (`period` of `iotedge_node_status_t`) before it is over.
 */
#define IOTEDGE_EVENT_LOCKED 31

/**
 * Event: with `id` the payee claims this node's own lock `other`. What it shows is in the body, `iotedge_node_body`.
 */
#define IOTEDGE_EVENT_CLAIMED 32

/**
 * Event: header `header`, and so every one before it, is final on the G-Chain: validators with more than two thirds of the stake say that Ethereum block `block` holds it. The receipts of
 * those headers are graded `IOTEDGE_GRADE_ANCHORED`, each with an event of its own.
 */
#define IOTEDGE_EVENT_HEADER_ANCHORED 33

/**
 * Grade: in the local window.
 */
#define IOTEDGE_GRADE_SEEN 1

/**
 * Grade: approved by q distinct members besides the issuer.
 */
#define IOTEDGE_GRADE_WITNESSED 2

/**
 * Grade: two rounds of more than two thirds of the weight.
 */
#define IOTEDGE_GRADE_QUORUM 3

/**
 * Grade: in a macro transaction under a stake quorum, proved by a receipt.
 */
#define IOTEDGE_GRADE_SETTLED 4

/**
 * Grade: that macro transaction is final on G-Chain.
 */
#define IOTEDGE_GRADE_ANCHORED 5

/**
 * Grade: will never have an effect. Reached from seen and witnessed only; no grade ever goes back.
 */
#define IOTEDGE_GRADE_DEAD 6

/**
 * Phase: it does not know its neighbourhood; it enrols and waits for the genesis.
 */
#define IOTEDGE_PHASE_OUTSIDE 1

/**
 * Phase: it knows the genesis and fetches the table.
 */
#define IOTEDGE_PHASE_SYNCHRONISING 2

/**
 * Phase: it follows the ledger but is not in the table (yet).
 */
#define IOTEDGE_PHASE_FOLLOWING 3

/**
 * Phase: a member that issues.
 */
#define IOTEDGE_PHASE_ACTIVE 4

/**
 * Phase: a member that stays silent until its chain head is agreed on.
 */
#define IOTEDGE_PHASE_RECOVERING 5

/**
 * Use: transfers to a member.
 */
#define IOTEDGE_USE_TRANSFER 1

/**
 * Use: locks whose payee is paid by ticks.
 */
#define IOTEDGE_USE_TICKS 2

/**
 * Use: locks whose payee is paid by vouchers.
 */
#define IOTEDGE_USE_VOUCHERS 4

/**
 * Use: locks that readers release.
 */
#define IOTEDGE_USE_PREDICATE 8

/**
 * Use: exits to G-Chain.
 */
#define IOTEDGE_USE_EXIT 16

/**
 * Most payees that a policy names.
 */
#define IOTEDGE_MAX_PAYEES 16

/**
 * Most bytes of a signed policy.
 */
#define IOTEDGE_MAX_POLICY 211

/**
 * Most bytes of what an owner signs.
 */
#define IOTEDGE_MAX_POLICY_INPUT 225

/**
 * Most readings of one pack that this interface encodes.
 */
#define IOTEDGE_MAX_READINGS 16

/**
 * Most bytes of the body of a data or service transaction, and so of a pack.
 */
#define IOTEDGE_MAX_BODY 320

/**
 * Words of 64 bits in an `iotedge_receipt_check_t`.
 */
#define IOTEDGE_RECEIPT_CHECK_WORDS 448

/**
 * A lock is released by ticks of a hash chain.
 */
#define IOTEDGE_TERMS_TICKS 0

/**
 * By totals that a key signs.
 */
#define IOTEDGE_TERMS_VOUCHERS 1

/**
 * By statements of enough readers.
 */
#define IOTEDGE_TERMS_PREDICATE 2

/**
 * A claim shows a tick.
 */
#define IOTEDGE_PROOF_TICK 0

/**
 * A voucher.
 */
#define IOTEDGE_PROOF_VOUCHER 1

/**
 * Statements of readers.
 */
#define IOTEDGE_PROOF_STATEMENTS 2

/**
 * Nothing: the payee ends the lock.
 */
#define IOTEDGE_PROOF_NOTHING 3

/**
 * The value is at least the threshold.
 */
#define IOTEDGE_AT_LEAST 0

/**
 * At most the threshold.
 */
#define IOTEDGE_AT_MOST 1

/**
 * The threshold exactly.
 */
#define IOTEDGE_EQUAL 2

/**
 * Anything else.
 */
#define IOTEDGE_NOT_EQUAL 3

/**
 * Most readers of a predicate.
 */
#define IOTEDGE_MAX_READERS 8

/**
 * Most statements of a claim.
 */
#define IOTEDGE_MAX_STATEMENTS 4

/**
 * Most bytes of a feed's name.
 */
#define IOTEDGE_FEED_SIZE 16

/**
 * Most bytes that the signer of a voucher or a statement signs.
 */
#define IOTEDGE_VOUCHER_INPUT_SIZE 160

/**
 * Bytes of a tick.
 */
#define IOTEDGE_TICK_SIZE 32

/**
 * Most units of a sale.
 */
#define IOTEDGE_MAX_UNITS 65536

/**
 * Bytes of a payer of as many units as there can be, for a static array: `static uint64_t payer_memory[IOTEDGE_PAYER_SIZE / 8];` Good for every target.
 */
#define IOTEDGE_PAYER_SIZE 1280

/**
 * Bytes of working memory that `iotedge_port_selftest` needs at least; with `IOTEDGE_MAX_SET` it tries the longest value that there is.
 */
#define IOTEDGE_SELFTEST_MEMORY 1400

/**
 * The keys of the store that `iotedge_port_selftest` uses, and the one above; nodes and leaves use neither.
 */
#define IOTEDGE_SELFTEST_KEY 65534

/**
 * Most bytes that a frame takes on a serial line: `IOTEDGE_SERIAL_SIZE(IOTEDGE_MAX_FRAME)`.
 */
#define IOTEDGE_SERIAL_MAX 1412

/**
 * Bytes of a decoder beside its longest frame: see `IOTEDGE_SERIAL_DECODER_SIZE`.
 */
#define IOTEDGE_SERIAL_DECODER_SIZE_FIXED 128

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
 * The hardware counter is at its end: nothing is signed any more.
 */
#define IOTEDGE_E_COUNTER_EXHAUSTED 50

/**
 * Terms of a lock that nobody could keep, or a claim that shows nothing.
 */
#define IOTEDGE_E_TERMS 51

/**
 * The owner's policy does not allow it: no policy yet or not any more, not for this, not to this payee, more than in all or in any window.
 */
#define IOTEDGE_E_POLICY 52

/**
 * More than is left in the owner's window; a later one has it.
 */
#define IOTEDGE_E_POLICY_WINDOW 53

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
 * A field of SenML that this protocol does not use. Not a reading of ours.
 */
#define IOTEDGE_E_SENML_FIELD 203

/**
 * A record without a value. Not a reading of ours.
 */
#define IOTEDGE_E_SENML_NO_VALUE 204

/**
 * A name that is empty, too long or has letters that RFC 8428 does not allow, or a base name where none may stand.
 */
#define IOTEDGE_E_SENML_NAME 205

/**
 * A unit that is empty or too long.
 */
#define IOTEDGE_E_SENML_UNIT 206

/**
 * The protected header of a COSE_Sign1 is not what the protocol says. Refuse it.
 */
#define IOTEDGE_E_PROTECTED_HEADER 210

/**
 * The unprotected header holds something: unsigned data has no place there. Refuse it.
 */
#define IOTEDGE_E_UNPROTECTED_HEADER 211

/**
 * The signature is not 64 bytes. Refuse it.
 */
#define IOTEDGE_E_SIGNATURE_LENGTH 212

/**
 * The payload or frame is longer than the protocol allows. When building: shorten the body.
 */
#define IOTEDGE_E_PAYLOAD_LENGTH 213

/**
 * Epoch 0: the first is 1. Refuse it.
 */
#define IOTEDGE_E_EPOCH_ZERO 214

/**
 * Number 0: the first is 1. Refuse it.
 */
#define IOTEDGE_E_NUMBER_ZERO 215

/**
 * No parent, more than 8, or not a whole number of them. Refuse it.
 */
#define IOTEDGE_E_PARENT_COUNT 216

/**
 * The transaction names itself as a parent. Refuse it.
 */
#define IOTEDGE_E_SELF_PARENT 217

/**
 * The full parent ids given are not those that the transaction names. Look them up again.
 */
#define IOTEDGE_E_PARENT_MISMATCH 218

/**
 * Signed by another key than the one given. Find the key that it names, or refuse it.
 */
#define IOTEDGE_E_WRONG_SIGNER 220

/**
 * A claim of the certificate is missing, unknown or out of bounds. Refuse it.
 */
#define IOTEDGE_E_CERTIFICATE_CLAIM 221

/**
 * The certified key could never verify a signature. Refuse it.
 */
#define IOTEDGE_E_CERTIFICATE_KEY 222

/**
 * The certificate is no longer valid, or never is. Check the clock, then ask the authority for a new one.
 */
#define IOTEDGE_E_CERTIFICATE_EXPIRED 223

/**
 * The certificate is not valid yet. Check the clock, then wait.
 */
#define IOTEDGE_E_CERTIFICATE_NOT_YET_VALID 224

/**
 * The certificate is on the revocation list. Refuse it for good.
 */
#define IOTEDGE_E_CERTIFICATE_REVOKED 225

/**
 * The certificate is for another kind of subject than the one asked for. Refuse it for this purpose.
 */
#define IOTEDGE_E_CERTIFICATE_KIND 226

/**
 * A certificate is valid for longer than the one above it. Refuse the chain.
 */
#define IOTEDGE_E_CERTIFICATE_OUTLIVES 227

/**
 * No pinned authority has the key that the chain begins with.
 */
#define IOTEDGE_E_UNKNOWN_AUTHORITY 228

/**
 * The first of two certificates does not certify an authority. Refuse the chain.
 */
#define IOTEDGE_E_NOT_AN_AUTHORITY 229

/**
 * An authority below the pinned one signs devices and leaves only. Refuse the chain.
 */
#define IOTEDGE_E_NOT_ITS_TO_SIGN 230

/**
 * A chain has one or two certificates.
 */
#define IOTEDGE_E_CHAIN_LENGTH 231

/**
 * The validator set is empty, without stake or has one key twice. Refuse it.
 */
#define IOTEDGE_E_VALIDATOR_SET 240

/**
 * The set has no validator of this index. Refuse the vote.
 */
#define IOTEDGE_E_UNKNOWN_VALIDATOR 241

/**
 * Voters do not come in strictly rising index. Refuse the receipt.
 */
#define IOTEDGE_E_VOTER_ORDER 242

/**
 * Leaf 0 is the header: no transaction stands there. Refuse the receipt.
 */
#define IOTEDGE_E_HEADER_LEAF 243

/**
 * The leaf's index is not below the size of the tree. Refuse the proof.
 */
#define IOTEDGE_E_LEAF_INDEX 244

/**
 * The path is longer or shorter than index and size demand. Refuse the proof.
 */
#define IOTEDGE_E_PATH_LENGTH 245

/**
 * A limit of a node is out of bounds; see `iotedge_limits_t`.
 */
#define IOTEDGE_E_LIMITS 113

/**
 * The configuration holds no certificate, a broken one, or one that is not of the signer's key.
 */
#define IOTEDGE_E_OWN_CERTIFICATE 114

/**
 * The store holds the state of another neighbourhood authority or of a later version. Use an empty store, or the right authority.
 */
#define IOTEDGE_E_STORED_STATE 115

/**
 * A compressed frame leaves out what is not held here. Nobody is to blame; its whole form is asked for by the link itself.
 */
#define IOTEDGE_E_OUT_OF_STEP 116

/**
 * Fragments that do not make the datagram that was sent. Dropped; the node asks again for what it lacks.
 */
#define IOTEDGE_E_CORRUPT 117

/**
 * Not a neighbour of this link: add it first.
 */
#define IOTEDGE_E_UNKNOWN_PEER 118

/**
 * What a leaf was shown does not prove itself: genesis, header, record, path or own transaction. Dropped.
 */
#define IOTEDGE_E_FORGED 119

/**
 * A header, set or record that does not follow what the leaf trusts. Dropped; it asks for what lies between.
 */
#define IOTEDGE_E_OUT_OF_ORDER 120

/**
 * The flash store is full. All values stand; remove something, or give it more blocks.
 */
#define IOTEDGE_E_STORE_FULL 130

/**
 * What the flash store wrote is not there any more. Erase it with `iotedge_flash_store_format`: the neighbours know how far the device was.
 */
#define IOTEDGE_E_STORE_DAMAGED 131

/**
 * A callback of `iotedge_flash_t` failed, and no other block is left to use instead. All values stand; try again.
 */
#define IOTEDGE_E_FLASH 132

/**
 * An attestation of another profile, or of none: a statement of another protocol. Refuse it.
 */
#define IOTEDGE_E_PROFILE 250

/**
 * A nonce of fewer than 8 or more than 64 bytes, or an attestation that answers another nonce. Refuse it, and ask again.
 */
#define IOTEDGE_E_NONCE 251

/**
 * What a platform says of itself is out of bounds: a text, a digest, a count, or one name twice; see `iotedge_evidence_t`.
 */
#define IOTEDGE_E_EVIDENCE 252

/**
 * The hardware counter is ahead of the store: somebody put an old image of it back. Nothing is signed. Erase the store: the neighbours know how far the
 * device was.
 */
#define IOTEDGE_E_OLD_IMAGE 133

/**
 * The hardware counter is not the one that the store is bound to, says that it moves and does not, or is there no more. Nothing is signed.
 */
#define IOTEDGE_E_COUNTER 134

/**
 * A port's `random` says that it failed.
 */
#define IOTEDGE_E_RANDOM_FAILED 150

/**
 * A port's `random` does not fill all bytes that it was asked for.
 */
#define IOTEDGE_E_RANDOM_SHORT 151

/**
 * A port's `random` gave the same twice.
 */
#define IOTEDGE_E_RANDOM_REPEATS 152

/**
 * A port's `random` gave one byte too often in a row (repetition count test, NIST SP 800-90B section 4.4.1).
 */
#define IOTEDGE_E_RANDOM_STUCK 153

/**
 * A port's `random` gives one byte too often (adaptive proportion test, NIST SP 800-90B section 4.4.2): raw noise, perhaps, that nothing conditions.
 */
#define IOTEDGE_E_RANDOM_BIASED 154

/**
 * A port's clock went back.
 */
#define IOTEDGE_E_CLOCK_BACK 155

/**
 * A port's clock does not go on.
 */
#define IOTEDGE_E_CLOCK_STUCK 156

/**
 * A port's `store_get` does not say `IOTEDGE_E_NONE` for a key that is not there.
 */
#define IOTEDGE_E_STORE_MISSING 157

/**
 * A port's `store_put` says that it failed.
 */
#define IOTEDGE_E_STORE_WRITE 158

/**
 * A port's `store_get` says that it failed, or that there is nothing, where a value was put.
 */
#define IOTEDGE_E_STORE_READ 159

/**
 * A port's `store_get` gives other bytes, or another length, than were put last.
 */
#define IOTEDGE_E_STORE_VALUE 160

/**
 * A port's store does not take and give back a long value.
 */
#define IOTEDGE_E_STORE_LONG 161

/**
 * A port's `store_get` succeeds although the value is longer than its room.
 */
#define IOTEDGE_E_STORE_SHORT 162

/**
 * A port's store mixes two keys up.
 */
#define IOTEDGE_E_STORE_KEYS 163

/**
 * A port's `store_remove` fails, also where nothing is there, or leaves the value.
 */
#define IOTEDGE_E_STORE_REMOVE 164

/**
 * A port's callback writes behind the room that it was given.
 */
#define IOTEDGE_E_OVERRUN 165

/**
 * The stack is too small: less of it stayed untouched than was asked for.
 */
#define IOTEDGE_E_STACK 166

/**
 * An accelerator was given to a build that takes none (feature `accelerator`). Leave it out, or use another archive.
 */
#define IOTEDGE_E_ACCELERATOR 167

/**
 * An accelerator gave no answer to a signature at the start. Its engine is not there, or not powered; nothing starts.
 */
#define IOTEDGE_E_ACCELERATOR_FAILED 168

/**
 * An accelerator refuses a signature that is valid. Nothing starts: mend it, or leave it out.
 */
#define IOTEDGE_E_ACCELERATOR_REFUSES 169

/**
 * An accelerator accepts a signature that is none. Nothing starts: mend it, or leave it out.
 */
#define IOTEDGE_E_ACCELERATOR_ACCEPTS 170

/**
 * A message of no channel that is read here, or from before the grant, after a revoke, too far ahead or too long ago. Nothing has changed.
 */
#define IOTEDGE_E_CHANNEL_UNKNOWN 171

/**
 * A message whose place is known, but that was changed on the way or made up; or a path or wrap that does not open. Drop it.
 */
#define IOTEDGE_E_CHANNEL_FORGED 172

/**
 * The very message that was opened before. Drop it.
 */
#define IOTEDGE_E_CHANNEL_REPLAYED 173

/**
 * Another message than the one opened at this place, and not signed: it may be anyone's who overheard the first. The batch's root says which stands.
 */
#define IOTEDGE_E_CHANNEL_DOUBLED 174

/**
 * The owner signed two messages for one place. Keep the two: they are evidence.
 */
#define IOTEDGE_E_CHANNEL_FORK 175

/**
 * The last index of a key epoch was used: open the next one.
 */
#define IOTEDGE_E_CHANNEL_INDEX 176

/**
 * An announce that jumps too far: subscribe again.
 */
#define IOTEDGE_E_CHANNEL_JUMP 177

/**
 * Of a place that is behind, or said before. Drop it.
 */
#define IOTEDGE_E_CHANNEL_STALE 178

/**
 * Of another channel than this one, or no such subscription.
 */
#define IOTEDGE_E_CHANNEL_OTHER 179

/**
 * A grant that the owner signed and that was sealed for another reader.
 */
#define IOTEDGE_E_CHANNEL_WRONG_READER 180

/**
 * A grant that the owner signed for this reader, with another pre-shared side key.
 */
#define IOTEDGE_E_CHANNEL_SIDE_KEY 181

/**
 * The mode needs a side key or must not have one, does not exist, or has no readers to grant to.
 */
#define IOTEDGE_E_CHANNEL_MODE 182

/**
 * No part of a revoke is for this reader.
 */
#define IOTEDGE_E_CHANNEL_REVOKED 183

/**
 * No place is free.
 */
#define IOTEDGE_E_CHANNEL_SLOTS 184

/**
 * Not a reader of this channel, or the store has another number of places for readers.
 */
#define IOTEDGE_E_CHANNEL_READER 185

/**
 * The root is of another batch, or there is no batch.
 */
#define IOTEDGE_E_CHANNEL_BATCH 186

/**
 * A subscriber's X25519 key of small order: everybody would know what is sealed to it. Refuse the subscriber.
 */
#define IOTEDGE_E_CHANNEL_WEAK_KEY 187

/**
 * No bytes, or more than 2^20 chunks.
 */
#define IOTEDGE_E_CONTENT_SIZE 188

/**
 * A request or a part of another content. Perhaps another object's.
 */
#define IOTEDGE_E_CONTENT_OTHER 189

/**
 * Not the part that comes next: late, doubled, or ahead. Ask again.
 */
#define IOTEDGE_E_CONTENT_PART 190

/**
 * A part with a chunk that is not as long as its place says, or with hashes that are none. Ask somebody else.
 */
#define IOTEDGE_E_CONTENT_LENGTH 191

/**
 * A part that does not lead to the content's root: whoever sent it changed it, or has something else under this name. Ask somebody else.
 */
#define IOTEDGE_E_CONTENT_FORGED 192

/**
 * A request for a place that the content does not have.
 */
#define IOTEDGE_E_CONTENT_INDEX 193

/**
 * A request for fewer bytes than the smallest part has.
 */
#define IOTEDGE_E_CONTENT_NARROW 194

/**
 * What was saved is of another content, or damaged. Begin anew.
 */
#define IOTEDGE_E_CONTENT_STORED 195

/**
 * A manifest for another vendor's devices.
 */
#define IOTEDGE_E_UPDATE_VENDOR 140

/**
 * A manifest for another class of devices.
 */
#define IOTEDGE_E_UPDATE_CLASS 141

/**
 * A manifest for another component of the device.
 */
#define IOTEDGE_E_UPDATE_COMPONENT 142

/**
 * A manifest or a number that is not above that of the installed firmware, or of the one under way.
 */
#define IOTEDGE_E_UPDATE_OLDER 143

/**
 * A manifest that expired. Check the clock.
 */
#define IOTEDGE_E_UPDATE_EXPIRED 144

/**
 * A manifest of a delta to another image than the one that runs.
 */
#define IOTEDGE_E_UPDATE_PRECURSOR 145

/**
 * A manifest of a payload whose format this device does not know.
 */
#define IOTEDGE_E_UPDATE_FORMAT 146

/**
 * A manifest of a payload that is larger than its place.
 */
#define IOTEDGE_E_UPDATE_ROOM 147

/**
 * What lies in the slot has not the digest of the manifest: the memory failed, or the maker was wrong. Give the update up.
 */
#define IOTEDGE_E_UPDATE_DIGEST 148

/**
 * All units of the sale are paid, or the tick is beyond them.
 */
#define IOTEDGE_E_SALE_SPENT 196

/**
 * Not above the highest tick that is here: late, or shown twice. Harmless.
 */
#define IOTEDGE_E_SALE_STALE 197

/**
 * More than 64 units further than the highest tick that is here, or above what was reserved.
 */
#define IOTEDGE_E_SALE_TOO_FAR 198

/**
 * The tick does not lead to the one before it.
 */
#define IOTEDGE_E_SALE_FORGED 199

/**
 * What is stored of the sale is damaged, or of another one.
 */
#define IOTEDGE_E_SALE_STORED 149

/**
 * A policy with another content is in force that has this number or a higher one.
 */
#define IOTEDGE_E_POLICY_OLDER 135

/**
 * A policy for another device.
 */
#define IOTEDGE_E_POLICY_DEVICE 136

/**
 * Kind of a certificate: a device.
 */
#define IOTEDGE_KIND_DEVICE 0

/**
 * Kind of a certificate: an authority that may sign devices.
 */
#define IOTEDGE_KIND_AUTHORITY 1

/**
 * Kind of a certificate: a gateway that closes epochs.
 */
#define IOTEDGE_KIND_GL_NODE 2

/**
 * Kind of a certificate: a validator.
 */
#define IOTEDGE_KIND_VALIDATOR 3

/**
 * Kind of a certificate: a leaf, which joins as a submit-only member of weight 0.
 */
#define IOTEDGE_KIND_LEAF 4

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
 * The owner of a channel. Lives in memory that you give to `iotedge_channel_owner_init` and is never copied or moved.
 */
typedef struct iotedge_channel_owner_t iotedge_channel_owner_t;

/**
 * A receiver of one content. Lives in memory that you give to `iotedge_content_begin` and is never copied or moved.
 */
typedef struct iotedge_content_t iotedge_content_t;

/**
 * A store over raw NOR flash. Lives in memory that you give to `iotedge_flash_store_open` and is never copied or moved.
 */
typedef struct iotedge_flash_store_t iotedge_flash_store_t;

/**
 * A leaf. Lives in memory that you give to `iotedge_leaf_init` and is never copied or moved.
 */
typedef struct iotedge_leaf_t iotedge_leaf_t;

/**
 * A link. Lives in memory that you give to `iotedge_link_init` and is never copied or moved.
 */
typedef struct iotedge_link_t iotedge_link_t;

/**
 * An L-node. Lives in memory that you give to `iotedge_node_init` and is never copied or moved.
 */
typedef struct iotedge_node_t iotedge_node_t;

/**
 * Who pays by ticks. Lives in memory that you give to `iotedge_payer_init` and is never copied or moved.
 */
typedef struct iotedge_payer_t iotedge_payer_t;

/**
 * Who has a content and serves it. Lives in memory that you give to `iotedge_provider_init` and is never copied or moved.
 */
typedef struct iotedge_provider_t iotedge_provider_t;

/**
 * A decoder. Lives in memory that you give to `iotedge_serial_decoder_init` and is never copied or moved.
 */
typedef struct iotedge_serial_decoder_t iotedge_serial_decoder_t;

/**
 * A subscriber of channels. Lives in memory that you give to `iotedge_subscriber_init` and is never copied or moved.
 */
typedef struct iotedge_subscriber_t iotedge_subscriber_t;

/**
 * A firmware on its way. Lives in memory that you give to `iotedge_update_offer` or `iotedge_update_resume` and is never copied or moved.
 */
typedef struct iotedge_update_t iotedge_update_t;

/**
 * One thing that was measured: a stage of the boot, the firmware, a configuration. Set `size` first.
 */
typedef struct iotedge_measurement_t {
    /**
     * `sizeof(iotedge_measurement_t)`.
     */
    uint32_t size;
    /**
     * Length of the digest: 32 (SHA-256), 48 (SHA-384) or 64 (SHA-512).
     */
    uint32_t digest_len;
    /**
     * The digest.
     */
    const uint8_t *digest;
    /**
     * Its name, 1 to 32 printable letters of ASCII; no zero needed.
     */
    const char *name;
    /**
     * Their number.
     */
    size_t name_len;
} iotedge_measurement_t;

/**
 * What a platform says of itself. Set everything to zero, then `size`, then what is known; the rest is left out. Texts are 1 to 32 printable letters of
 * ASCII, without a zero at the end.
 */
typedef struct iotedge_evidence_t {
    /**
     * `sizeof(iotedge_evidence_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_SECURE_BOOT_*`.
     */
    uint32_t secure_boot;
    /**
     * `IOTEDGE_DEBUG_*`.
     */
    uint32_t debug;
    /**
     * The maker's Private Enterprise Number, where `oem` is not given; 0: not said.
     */
    uint32_t oem_pen;
    /**
     * How often the device booted; 0: not said.
     */
    uint64_t boot_count;
    /**
     * The maker's OUI of 3 bytes, or 16 random bytes that it chose once.
     */
    const uint8_t *oem;
    /**
     * 3 or 16; 0: see `oem_pen`.
     */
    size_t oem_len;
    /**
     * The hardware's model, 1 to 32 bytes.
     */
    const uint8_t *model;
    /**
     * Its length.
     */
    size_t model_len;
    /**
     * The hardware's version.
     */
    const char *hardware_version;
    /**
     * Its length.
     */
    size_t hardware_version_len;
    /**
     * 32 to 64 random bytes drawn at this boot.
     */
    const uint8_t *boot_seed;
    /**
     * Their number.
     */
    size_t boot_seed_len;
    /**
     * The firmware's name.
     */
    const char *software_name;
    /**
     * Its length.
     */
    size_t software_name_len;
    /**
     * The firmware's version.
     */
    const char *software_version;
    /**
     * Its length.
     */
    size_t software_version_len;
    /**
     * What was measured, each with its `size`, in the order in which it booted.
     */
    const iotedge_measurement_t *measurements;
    /**
     * Their number, at most `IOTEDGE_MAX_MEASUREMENTS`.
     */
    size_t measurement_count;
} iotedge_evidence_t;

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

/**
 * What you decide of a channel. Set `size` first.
 */
typedef struct iotedge_channel_config_t {
    /**
     * `sizeof(iotedge_channel_config_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_CHANNEL_PUBLIC`, `IOTEDGE_CHANNEL_PRIVATE` or `IOTEDGE_CHANNEL_RESTRICTED`.
     */
    uint32_t mode;
    /**
     * Which of the device's channels, 0 to 65,535. It says what the channel is, and stays.
     */
    uint32_t channel;
    /**
     * 0, or a sub-channel: a chain of its own, for a subset of the readers.
     */
    uint32_t sub_channel;
    /**
     * This device's neighbourhood.
     */
    uint8_t neighbourhood[32];
    /**
     * This device's id.
     */
    uint8_t device[32];
    /**
     * Restricted: the pre-shared key, 32 bytes, copied. Else NULL.
     */
    const uint8_t *side_key;
    /**
     * The first of two keys of the store, 0x0100 to 0x0ffe; nobody else's.
     */
    uint32_t store_key;
    /**
     * So many indexes are reserved with one write of the store, 1 to 64; 0: 16. After a power cut that many are skipped.
     */
    uint32_t ahead;
    /**
     * Messages under one root, 1 to 64; 0: no batches.
     */
    uint32_t batch;
    /**
     * Most readers at once: 1, 2, 4, 8, 16, 32, 64 or 128. 0 for a public channel.
     */
    uint32_t readers;
} iotedge_channel_config_t;

/**
 * An engine that checks signatures: `accelerator` of `iotedge_platform_t`. Set everything to zero, then `size` and what there is. Callbacks run inside the calls of the node or leaf, on
 * the caller's thread, and must not call it.
 */
typedef struct iotedge_accelerator_t {
    /**
     * `sizeof(iotedge_accelerator_t)`.
     */
    uint32_t size;
    /**
     * What it can: `IOTEDGE_ACCELERATE_ED25519`, `IOTEDGE_ACCELERATE_ES256`, or both. Other suites stay with the software.
     */
    uint32_t suites;
    /**
     * Handed to each callback first. Must live as long as the node or leaf.
     */
    void *user;
    /**
     * Says whether `signature` (64 bytes: R, S; or r, s big-endian) is one of `message` (not hashed yet) by `key` (32 bytes; ES256: 64, x, y): `IOTEDGE_ACCELERATOR_VALID`,
     * `IOTEDGE_ACCELERATOR_INVALID`, or anything else where it could not find out: then the software does. `suite`: `IOTEDGE_SUITE_ED25519` or
     * `IOTEDGE_SUITE_ES256`. It is asked only where the key is a point that can be one and the numbers are in range; whether the equation has the cofactor makes no difference.
     */
    uint32_t (*verify)(void *user,
                       int32_t suite,
                       const uint8_t *key,
                       const uint8_t *message,
                       size_t message_len,
                       const uint8_t *signature);
    /**
     * Told when the engine failed (`IOTEDGE_ACCELERATOR_FAILED`) or refused what is valid (`IOTEDGE_ACCELERATOR_DISAGREED`). NULL: nobody is told.
     */
    void (*told)(void *user, uint32_t what);
} iotedge_accelerator_t;

/**
 * What a device provides. All callbacks run inside the calls of the node, on the caller's thread, and must not call the node.
 * Each returns `IOTEDGE_OK`, or anything else where it failed; then the call does nothing, or is retried later.
 */
typedef struct iotedge_platform_t {
    /**
     * `sizeof(iotedge_platform_t)`.
     */
    uint32_t size;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * Handed to each callback first. Must live as long as the node.
     */
    void *user;
    /**
     * Fills `out` with `len` random bytes fit for keys. There is no fallback: without randomness it must fail.
     */
    int32_t (*random)(void *user, uint8_t *out, size_t len);
    /**
     * Reads the value under `key` into `out` and sets `*len`; `IOTEDGE_E_NONE` where there is none. A value longer than
     * `capacity` is a failure.
     */
    int32_t (*store_get)(void *user, uint32_t key, uint8_t *out, size_t capacity, size_t *len);
    /**
     * Writes a value under `key`, at most 65,535, atomically and durably: once it returned `IOTEDGE_OK` a power cut leaves the new value,
     * before that the old one.
     */
    int32_t (*store_put)(void *user, uint32_t key, const uint8_t *value, size_t len);
    /**
     * Removes a key; removing what is not there succeeds.
     */
    int32_t (*store_remove)(void *user, uint32_t key);
    /**
     * Handed to the `store_*` callbacks in place of `user`, such as an `iotedge_flash_store_t`; NULL: they get `user`.
     */
    void *store_user;
    /**
     * Reads a hardware monotonic counter: its value and the last that it can take. NULL, with `counter_advance`: the device has none. With one an old image of the store
     * is refused (`IOTEDGE_E_OLD_IMAGE`); without one the device only asks its neighbours, as it does with one, too. Once it was there it has to be there.
     */
    int32_t (*counter_read)(void *user, uint32_t *value, uint32_t *last);
    /**
     * Advances the counter by one, durably. It is read back.
     */
    int32_t (*counter_advance)(void *user);
    /**
     * Own transactions for one step of the counter; 0: 1. With 1 every old image is noticed; with more the counter lasts longer, and an image is
     * only noticed once it is that many transactions old.
     */
    uint32_t counter_stride;
    /**
     * Zero.
     */
    uint32_t reserved2;
    /**
     * Optional, for neighbourhoods whose gateway demands an attestation: fills in what the device knows of its hardware, its boot and its firmware. `evidence` comes
     * zeroed, with its `size`. What it points to must stay as it is until the next call on the node or leaf; asked twice, it says the same until the next boot. NULL: the
     * device cannot attest.
     */
    int32_t (*attest)(void *user, iotedge_evidence_t *evidence);
    /**
     * Optional: an engine that checks signatures. It gives known answers at the start, or the node or leaf does not start; it changes no verdict. Copied. NULL: the software does it.
     */
    const iotedge_accelerator_t *accelerator;
} iotedge_platform_t;

/**
 * A message that was sealed. Set `size` first.
 */
typedef struct iotedge_channel_published_t {
    /**
     * `sizeof(iotedge_channel_published_t)`.
     */
    uint32_t size;
    /**
     * Its key epoch.
     */
    uint32_t key_epoch;
    /**
     * Its index.
     */
    uint64_t index;
    /**
     * Its leaf in the batch's tree.
     */
    uint8_t leaf[32];
    /**
     * With `IOTEDGE_CHANNEL_SIGNED` and no transaction around it: what the device signs. `iotedge_channel_sign` puts the signature behind the message.
     */
    uint8_t sign_input[56];
    /**
     * 1: its batch is full, and the root is due.
     */
    uint32_t batch_full;
    /**
     * Zero.
     */
    uint32_t reserved;
} iotedge_channel_published_t;

/**
 * What an owner says of itself. Set `size` first.
 */
typedef struct iotedge_channel_status_t {
    /**
     * `sizeof(iotedge_channel_status_t)`.
     */
    uint32_t size;
    /**
     * The key epoch of the next message.
     */
    uint32_t key_epoch;
    /**
     * Its index.
     */
    uint64_t index;
    /**
     * Members that may read.
     */
    uint32_t readers;
    /**
     * Zero.
     */
    uint32_t reserved;
} iotedge_channel_status_t;

/**
 * What an operation says. Set `size` first. What an operation does not use is zero.
 */
typedef struct iotedge_channel_op_t {
    /**
     * `sizeof(iotedge_channel_op_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_CHANNEL_OP_*`.
     */
    uint32_t op;
    /**
     * Which channel of its owner.
     */
    uint32_t channel;
    /**
     * 0, or its sub-channel.
     */
    uint32_t sub_channel;
    /**
     * Subscribe: whose channel. Grant, path: for whom. A member's index.
     */
    uint32_t member;
    /**
     * Announce: `IOTEDGE_CHANNEL_PUBLIC`, `..._PRIVATE` or `..._RESTRICTED`.
     */
    uint32_t mode;
    /**
     * Announce, root, grant, revoke: the key epoch.
     */
    uint32_t key_epoch;
    /**
     * Root: messages of the batch. Path: the slot. Revoke: wraps.
     */
    uint32_t count;
    /**
     * Announce, root, grant, revoke: the index.
     */
    uint64_t index;
    /**
     * Revoke: where the key epoch before ended.
     */
    uint64_t ended;
    /**
     * Root: the root. Subscribe: the X25519 key. Else zero.
     */
    uint8_t bytes[32];
} iotedge_channel_op_t;

/**
 * What you decide of a subscriber. Set `size` first.
 */
typedef struct iotedge_subscriber_config_t {
    /**
     * `sizeof(iotedge_subscriber_config_t)`.
     */
    uint32_t size;
    /**
     * Most channels at once, 1 to 64.
     */
    uint32_t channels;
    /**
     * This device's neighbourhood.
     */
    uint8_t neighbourhood[32];
    /**
     * This device's id.
     */
    uint8_t device[32];
    /**
     * The first of three keys of the store for each channel, 0x0100 to 0x0fff in all; nobody else's.
     */
    uint32_t store_key;
    /**
     * Messages of gaps, of all channels together, that can still be read when they come late, 0 to 1,024.
     */
    uint32_t skipped;
    /**
     * Messages, of all channels together, that are remembered: to tell a replay or a fork, and to check a batch without paths, 0 to 1,024.
     */
    uint32_t recent;
    /**
     * So many messages of a channel are read between two writes of the store, 1 to 64; 0: 1. After a power cut those since the last can be read once more, if they come again.
     */
    uint32_t store_every;
} iotedge_subscriber_config_t;

/**
 * Whose channel. Set `size` first.
 */
typedef struct iotedge_channel_source_t {
    /**
     * `sizeof(iotedge_channel_source_t)`.
     */
    uint32_t size;
    /**
     * The owner's index in the member table.
     */
    uint32_t owner;
    /**
     * Its device id (`iotedge_node_member_device`).
     */
    uint8_t device[32];
    /**
     * Which of its channels.
     */
    uint32_t channel;
    /**
     * 0, or the sub-channel.
     */
    uint32_t sub_channel;
} iotedge_channel_source_t;

/**
 * What a statement or a message told. Set `size` first. What a kind does not use is zero.
 */
typedef struct iotedge_heard_t {
    /**
     * `sizeof(iotedge_heard_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_HEARD_*`.
     */
    uint32_t kind;
    /**
     * Which subscription, as `iotedge_subscriber_subscribe` gave it.
     */
    uint32_t subscription;
    /**
     * A message, a root: `IOTEDGE_HEARD_ATTRIBUTED`, `IOTEDGE_HEARD_LATE`, added.
     */
    uint32_t flags;
    /**
     * A message: its index. A root: that of the batch's first.
     */
    uint64_t index;
    /**
     * Messages that can't be read any more, as of this.
     */
    uint64_t lost;
    /**
     * A message, a root: the key epoch.
     */
    uint32_t key_epoch;
    /**
     * A message: so many before it have not come (yet). A root: messages of the batch.
     */
    uint32_t count;
    /**
     * A message: bytes of plaintext.
     */
    uint32_t text_len;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * A message: its leaf in the batch's tree. A root: the root.
     */
    uint8_t hash[32];
} iotedge_heard_t;

/**
 * How a subscription stands. Set `size` first.
 */
typedef struct iotedge_subscription_status_t {
    /**
     * `sizeof(iotedge_subscription_status_t)`.
     */
    uint32_t size;
    /**
     * The owner's index.
     */
    uint32_t owner;
    /**
     * Which of its channels.
     */
    uint32_t channel;
    /**
     * 0, or the sub-channel.
     */
    uint32_t sub_channel;
    /**
     * 1: it can be read. 0: nothing was granted (or announced, for a public channel) yet.
     */
    uint32_t granted;
    /**
     * The key epoch of the next message; 0 where nothing was granted.
     */
    uint32_t key_epoch;
    /**
     * Its index.
     */
    uint64_t index;
} iotedge_subscription_status_t;

/**
 * A cluster that a node takes part in; all its members have the same secret, label and lease. Set everything to zero, then `size` and what is needed.
 */
typedef struct iotedge_cluster_config_t {
    /**
     * `sizeof(iotedge_cluster_config_t)`.
     */
    uint32_t size;
    /**
     * How able this node is, 0 to 65,535, by `iotedge_cluster_score`; or `IOTEDGE_CLUSTER_FOLLOWS`. A node with an external signer only follows.
     */
    uint32_t score;
    /**
     * Milliseconds that a head may be silent at most before another has taken over, 64 to 2^31.
     */
    uint32_t lease;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * 32 random bytes that the cluster's members share, given at provisioning; copied.
     */
    const uint8_t *secret;
    /**
     * Tells the clusters of one secret apart, for example by place; at most `IOTEDGE_MAX_LABEL` bytes, copied.
     */
    const uint8_t *label;
    /**
     * Its length.
     */
    size_t label_len;
} iotedge_cluster_config_t;

/**
 * What a device can bring to being a head. Set `size` first.
 */
typedef struct iotedge_capability_t {
    /**
     * `sizeof(iotedge_capability_t)`.
     */
    uint32_t size;
    /**
     * 1: fed from the mains; else 0.
     */
    uint32_t mains;
    /**
     * Free memory in KiB.
     */
    uint32_t free_kib;
    /**
     * Quality of the link to the gateway, 0 to 100.
     */
    uint32_t uplink;
    /**
     * Charge of the battery, 0 to 100; not looked at on mains.
     */
    uint32_t battery;
    /**
     * Seconds since the last reset.
     */
    uint32_t uptime;
} iotedge_capability_t;

/**
 * What a verified claim of a cluster's head says. Set `size` first.
 */
typedef struct iotedge_claim_t {
    /**
     * `sizeof(iotedge_claim_t)`.
     */
    uint32_t size;
    /**
     * The epoch of `context`.
     */
    uint32_t epoch;
    /**
     * When it was said, in absolute milliseconds.
     */
    uint64_t at;
    /**
     * When the lease ends.
     */
    uint64_t until;
    /**
     * Who claims.
     */
    uint32_t member;
    /**
     * 0: ready to be head. Above: head for this term.
     */
    uint32_t term;
    /**
     * Capability as the claimant scores it.
     */
    uint32_t score;
    /**
     * How many of `successors` are there.
     */
    uint32_t successors_count;
    /**
     * Who takes over, in this order.
     */
    uint32_t successors[IOTEDGE_MAX_SUCCESSORS];
    /**
     * The cluster's name.
     */
    uint8_t context[IOTEDGE_CONTEXT_SIZE];
} iotedge_claim_t;

/**
 * What a device says of itself, and what it measured of the other one. Set everything to zero, then `size` and what is known.
 */
typedef struct iotedge_profile_t {
    /**
     * `sizeof(iotedge_profile_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_PROFILE_*`: which of the fields below are known.
     */
    uint32_t known;
    /**
     * Its place on a grid: east, north, floor.
     */
    int32_t cell[3];
    /**
     * Signal strength that it measured of the other one, in dBm, -128 to 127.
     */
    int32_t rssi;
    /**
     * Hops to the other one, 0 to 255.
     */
    uint32_t hops;
    /**
     * The slots of a cycle of 32 in which it is awake, one bit each; 0: always.
     */
    uint32_t wake;
    /**
     * Who owns it: a tag, or any 8 bytes that both sides use alike.
     */
    uint8_t owner[8];
    /**
     * Contracts that it takes part in, tags likewise.
     */
    uint8_t contracts[IOTEDGE_MAX_CONTRACTS][8];
    /**
     * How many of them are there.
     */
    uint32_t contracts_count;
    /**
     * Zero.
     */
    uint32_t reserved;
} iotedge_profile_t;

/**
 * What a content is: whatever has these bytes under this cut has no other. Set `size` first.
 */
typedef struct iotedge_content_descriptor_t {
    /**
     * `sizeof(iotedge_content_descriptor_t)`.
     */
    uint32_t size;
    /**
     * Bytes of a chunk, as a power of two: 6 (64 bytes) to 10 (1,024). The last one is shorter.
     */
    uint32_t chunk;
    /**
     * Bytes of the content: 1 to 2^20 chunks.
     */
    uint64_t length;
    /**
     * The root of RFC 9162 over the chunks.
     */
    uint8_t root[32];
} iotedge_content_descriptor_t;

/**
 * What a manifest says beside its content. Set `size` first.
 */
typedef struct iotedge_manifest_t {
    /**
     * `sizeof(iotedge_manifest_t)`.
     */
    uint32_t size;
    /**
     * How to read the payload: 0 is the image as it runs, others are the vendor's.
     */
    uint32_t format;
    /**
     * 1 and above; each release has a higher one.
     */
    uint64_t sequence;
    /**
     * With `IOTEDGE_MANIFEST_EXPIRES`: not to be begun from then on, in seconds since 1970. Else zero.
     */
    uint64_t expires;
    /**
     * Whose devices: a UUID.
     */
    uint8_t vendor_id[16];
    /**
     * Which of them: a UUID.
     */
    uint8_t class_id[16];
    /**
     * Which part of the device, then zeros.
     */
    uint8_t component[16];
    /**
     * Bytes of `component`, 1 to `IOTEDGE_UPDATE_MAX_COMPONENT`.
     */
    uint32_t component_len;
    /**
     * `IOTEDGE_MANIFEST_EXPIRES`, `IOTEDGE_MANIFEST_PRECURSOR`, added.
     */
    uint32_t flags;
    /**
     * With `IOTEDGE_MANIFEST_PRECURSOR`: SHA-256 of the image that must run. Else zero.
     */
    uint8_t precursor[32];
    /**
     * SHA-256 of the payload.
     */
    uint8_t digest[32];
} iotedge_manifest_t;

/**
 * What a provider is to serve. Set `size` first.
 */
typedef struct iotedge_provider_config_t {
    /**
     * `sizeof(iotedge_provider_config_t)`.
     */
    uint32_t size;
    /**
     * Bytes of a chunk, as a power of two: 6 (64 bytes) to 10 (1,024).
     */
    uint32_t chunk;
    /**
     * Bytes of the content: 1 to 2^20 chunks.
     */
    uint64_t length;
    /**
     * One hash is kept for 2^`level` chunks; what lies below is read and hashed anew for an answer. 0 keeps all, 32 bytes a chunk. At most 20.
     */
    uint32_t level;
    /**
     * Zero.
     */
    uint32_t reserved;
} iotedge_provider_config_t;

/**
 * Where a content lies, or is to lie: a part of flash, a file, memory. Set everything to zero, then all fields that are used. Copied by the call that it is given to.
 *
 * Each callback returns `IOTEDGE_OK`, or anything else where it failed: the call says `IOTEDGE_E_PLATFORM`, and may be made again. They run inside the calls of the object, on the caller's
 * thread, and must not call it (`IOTEDGE_E_REENTERED`).
 */
typedef struct iotedge_slot_t {
    /**
     * `sizeof(iotedge_slot_t)`.
     */
    uint32_t size;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * Handed to each callback first. Must live as long as the object.
     */
    void *user;
    /**
     * Reads `len` bytes at an offset in the content. For providers, and for `iotedge_update_verify`.
     */
    int32_t (*read)(void *user, uint64_t offset, uint8_t *out, size_t len);
    /**
     * Writes a chunk that was proved; offsets come in order. After a reset they begin again where the state was saved last, over what was written there before. For receivers and updates: it must be in
     * the cells, whatever happens to the power, before the state of its step is saved.
     */
    int32_t (*write)(void *user, uint64_t offset, const uint8_t *bytes, size_t len);
} iotedge_slot_t;

/**
 * How far a receiver is. Set `size` first.
 */
typedef struct iotedge_content_progress_t {
    /**
     * `sizeof(iotedge_content_progress_t)`.
     */
    uint32_t size;
    /**
     * Chunks that are here: all before this one.
     */
    uint32_t chunks;
    /**
     * Chunks of the content.
     */
    uint32_t count;
    /**
     * 1: all is here.
     */
    uint32_t complete;
} iotedge_content_progress_t;

/**
 * What a component of this device takes: which firmware, from whom, and where to. The same before and after a reset. Set everything to zero, then all fields. Copied.
 */
typedef struct iotedge_update_target_t {
    /**
     * `sizeof(iotedge_update_target_t)`.
     */
    uint32_t size;
    /**
     * Formats above it are refused: 0 takes images as they run only, others are the vendor's.
     */
    uint32_t formats;
    /**
     * Whose device: a UUID.
     */
    uint8_t vendor_id[16];
    /**
     * Which of them: a UUID.
     */
    uint8_t class_id[16];
    /**
     * Which part of the device: a name of 1 to `IOTEDGE_UPDATE_MAX_COMPONENT` bytes.
     */
    const uint8_t *component;
    /**
     * Its length.
     */
    size_t component_len;
    /**
     * Who signs firmware: pinned when the device was made.
     */
    const iotedge_public_key_t *authority;
    /**
     * SHA-256 of the image that runs, 32 bytes, where deltas are taken; else NULL.
     */
    const uint8_t *running;
    /**
     * Bytes of the place where the payload is written.
     */
    uint64_t room;
    /**
     * Chunks of a step, at least 1: after so many the state is stored, and after a reset it goes on at a step's beginning. As many as an erase block of the slot has.
     */
    uint32_t step;
    /**
     * The first of two keys of the store, 0x0100 to 0x0ffe; nobody else's.
     */
    uint32_t store_key;
} iotedge_update_target_t;

/**
 * How an update stands. Set `size` first.
 */
typedef struct iotedge_update_status_t {
    /**
     * `sizeof(iotedge_update_status_t)`.
     */
    uint32_t size;
    /**
     * Chunks that are here: all before this one.
     */
    uint32_t chunks;
    /**
     * Chunks of the payload.
     */
    uint32_t count;
    /**
     * 1: all is here.
     */
    uint32_t complete;
    /**
     * The manifest's sequence number: for `iotedge_update_confirm`.
     */
    uint64_t sequence;
    /**
     * SHA-256 of the payload: for the bootloader, and for `iotedge_update_record`.
     */
    uint8_t digest[32];
} iotedge_update_status_t;

/**
 * A firmware that was installed. Set `size` first.
 */
typedef struct iotedge_installed_t {
    /**
     * `sizeof(iotedge_installed_t)`.
     */
    uint32_t size;
    /**
     * Bytes of `component`.
     */
    uint32_t component_len;
    /**
     * The manifest's sequence number.
     */
    uint64_t sequence;
    /**
     * Which part of the device, then zeros.
     */
    uint8_t component[16];
    /**
     * SHA-256 of the payload.
     */
    uint8_t digest[32];
} iotedge_installed_t;

/**
 * Raw NOR flash, or the part of it that is the store's. Set everything to zero, then all fields. Addresses (`at`) are in bytes
 * from the start of that part.
 *
 * Erased bytes read 0xff: on a chip where they read 0 (STM32L0 and L1) invert what you read and program. Each callback returns `IOTEDGE_OK`, or anything
 * else where it failed: then another block is used and this one is not any more. They run inside the calls of the store, on the caller's thread.
 */
typedef struct iotedge_flash_t {
    /**
     * `sizeof(iotedge_flash_t)`.
     */
    uint32_t size;
    /**
     * Bytes that are programmed at once: 1, 2, 4, 8, 16 or 32. No unit is ever programmed twice between two erases. On serial flash that programs pages take 16
     * or 32: each unit is an operation of its own.
     */
    uint32_t unit;
    /**
     * Bytes that are erased at once, a multiple of `unit`: at least 256, and 4,096 for every value that a node stores. Where the chip's sectors are smaller take
     * several for one block, and erase them all.
     */
    uint32_t block;
    /**
     * Blocks, at least 3, two of which are always free. From 4 on one may fail and everything goes on.
     */
    uint32_t blocks;
    /**
     * Handed to each callback first. Must live as long as the store.
     */
    void *user;
    /**
     * Reads `len` bytes. What the chip reports as uncorrectable (ECC) is given as zeros, with `IOTEDGE_OK`: it was torn when the power went. A failure is for
     * what may succeed another time, such as a bus that is busy.
     */
    int32_t (*read)(void *user, uint32_t at, uint8_t *out, size_t len);
    /**
     * Programs one unit: `len` is `unit`, `at` a multiple of it, `data` is aligned to 8.
     */
    int32_t (*program)(void *user, uint32_t at, const uint8_t *data, size_t len);
    /**
     * Erases the block that begins at `at`.
     */
    int32_t (*erase)(void *user, uint32_t at);
    /**
     * Returns when everything that was programmed and erased before is in the cells, whatever happens to the power from here on. Where `program` and `erase`
     * wait themselves it has nothing to do.
     */
    int32_t (*sync)(void *user);
} iotedge_flash_t;

/**
 * Who a leaf is and how it behaves. Set everything to zero, then `size`, `authority` and `seed` or `signer`, and `certificate` where it is to join. Nothing
 * here needs to live after `iotedge_leaf_init`; wipe your copy of the seed.
 */
typedef struct iotedge_leaf_config_t {
    /**
     * `sizeof(iotedge_leaf_config_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_CLOCK_OFFSET`, or `IOTEDGE_CLOCK_NEIGHBOURS` for a device without a clock.
     */
    uint32_t clock;
    /**
     * Absolute time in milliseconds since 1970 is the `now` of every call plus this, with `IOTEDGE_CLOCK_OFFSET`.
     */
    int64_t clock_offset;
    /**
     * How far clocks may differ, in milliseconds; 0: 2,000.
     */
    uint32_t clock_tolerance;
    /**
     * How often neighbours are asked, in milliseconds, while something is wanted of them; 0: 500.
     */
    uint32_t poll;
    /**
     * How long a head may take before another is asked, in milliseconds, at most an eighth of the neighbourhood's period; 0: 3,000.
     */
    uint32_t patience;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * Key of the pinned neighbourhood authority, which signs the genesis.
     */
    const iotedge_public_key_t *authority;
    /**
     * 32 bytes of the device's Ed25519 seed, copied; NULL with an external signer.
     */
    const uint8_t *seed;
    /**
     * The device's certificate, a CWT of kind `IOTEDGE_KIND_LEAF`, with which it asks to join until it is a member; it goes into the store, so NULL
     * is fine once it was given, and for a founder.
     */
    const uint8_t *certificate;
    /**
     * Its length.
     */
    size_t certificate_len;
    /**
     * The certificate of the authority that signed `certificate`, where no authority did that the gateway knows; else NULL.
     */
    const uint8_t *issuer;
    /**
     * Its length.
     */
    size_t issuer_len;
    /**
     * Public key of an external signer (secure element); NULL with a seed.
     */
    const iotedge_public_key_t *signer;
    /**
     * 64 bytes with an external signer and a certificate: its signature over `iotedge_enrol_statement`, made once at provisioning. Else NULL.
     */
    const uint8_t *enrolment;
} iotedge_leaf_config_t;

/**
 * Something the application may act on. Set `size` first. What an event does not use is zero.
 */
typedef struct iotedge_event_t {
    /**
     * `sizeof(iotedge_event_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_EVENT_*`.
     */
    uint32_t kind;
    /**
     * A transaction or the neighbourhood.
     */
    uint8_t id[32];
    /**
     * A second transaction.
     */
    uint8_t other[32];
    /**
     * Micro-tokens.
     */
    uint64_t amount;
    /**
     * Milliseconds.
     */
    uint64_t time;
    /**
     * Index of a member.
     */
    uint32_t member;
    /**
     * Number of a header.
     */
    uint32_t header;
    /**
     * Number of an epoch.
     */
    uint32_t epoch;
    /**
     * What `iotedge_node_submit_...` gave.
     */
    uint32_t ticket;
    /**
     * A grade, a status, a flag or a count: see the kind.
     */
    uint32_t code;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * Number of an Ethereum block.
     */
    uint64_t block;
} iotedge_event_t;

/**
 * What a leaf says of itself. Set `size` first.
 */
typedef struct iotedge_leaf_status_t {
    /**
     * `sizeof(iotedge_leaf_status_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_PHASE_*`.
     */
    uint32_t phase;
    /**
     * Device id.
     */
    uint8_t device[32];
    /**
     * Neighbourhood; zero while outside.
     */
    uint8_t neighbourhood[32];
    /**
     * Settled credits, in micro-tokens.
     */
    uint64_t credits;
    /**
     * Lifetime debits, unsettled ones included. It can spend credits - debits.
     */
    uint64_t debits;
    /**
     * 0: the debits are not known again yet (the store was lost), and nothing is paid; else 1.
     */
    uint32_t debits_known;
    /**
     * Index of this member; `UINT32_MAX` while it is none.
     */
    uint32_t member;
    /**
     * Number of its newest transaction.
     */
    uint32_t number;
    /**
     * Newest epoch that it may stand in.
     */
    uint32_t epoch;
    /**
     * 1: a submission waits; the next one is refused until it was sent.
     */
    uint32_t waiting;
    /**
     * Own transactions whose end is awaited.
     */
    uint32_t unsettled;
    /**
     * The neighbour that it sends to first; `UINT32_MAX` while there is none.
     */
    uint32_t head;
    /**
     * Zero.
     */
    uint32_t reserved;
} iotedge_leaf_status_t;

/**
 * How much a link holds: memory is proportional, nothing grows at run time. Set `size` first, or let
 * `iotedge_link_limits_default` fill it.
 */
typedef struct iotedge_link_limits_t {
    /**
     * `sizeof(iotedge_link_limits_t)`.
     */
    uint32_t size;
    /**
     * Neighbours, 1 to 65,535.
     */
    uint32_t peers;
    /**
     * Frames on their way out or kept for repair, all neighbours together, at least 1.
     */
    uint32_t outgoing;
    /**
     * Datagrams in the making, all neighbours together, at least 1. With as many as neighbours none has to wait for another.
     */
    uint32_t incoming;
    /**
     * The same for one neighbour while no other needs them, at least 1.
     */
    uint32_t per_peer;
    /**
     * Most bytes of a frame, 160 to 1,400. Longer ones are refused.
     */
    uint32_t frame;
} iotedge_link_limits_t;

/**
 * How a link behaves. Set everything to zero, then `size` and `mtu`; what stays zero has the value that is said.
 */
typedef struct iotedge_link_config_t {
    /**
     * `sizeof(iotedge_link_config_t)`.
     */
    uint32_t size;
    /**
     * Most bytes of a packet: what the radio carries beside its own header and trailer, at least 20; 32 packets must carry the longest frame.
     */
    uint32_t mtu;
    /**
     * 1: frames leave whole, nothing is left out of them; compressed ones are understood all the same.
     */
    uint32_t whole_only;
    /**
     * 1: lost fragments are not asked for; who asks is answered all the same.
     */
    uint32_t no_repair;
    /**
     * Milliseconds that a datagram stands still before its missing fragments are asked for; 0: 250. Longer than the gap between two fragments.
     */
    uint32_t repair_after;
    /**
     * How often one datagram is asked for, at most 255; 0: 8.
     */
    uint32_t repair_rounds;
    /**
     * Milliseconds that a datagram may take, and that a frame is kept for who asks again; 0: 5,000.
     */
    uint32_t lifetime;
    /**
     * Zero.
     */
    uint32_t reserved;
} iotedge_link_config_t;

/**
 * What a link counted since it was initialised; numbers only grow, and wrap. Set `size` first.
 */
typedef struct iotedge_link_counters_t {
    /**
     * `sizeof(iotedge_link_counters_t)`.
     */
    uint32_t size;
    /**
     * Frames taken to send.
     */
    uint32_t frames_out;
    /**
     * Of these, compressed.
     */
    uint32_t compressed;
    /**
     * Of these, in one packet.
     */
    uint32_t in_one;
    /**
     * Bytes of packets sent, requests included.
     */
    uint64_t bytes_out;
    /**
     * Packets sent, requests included.
     */
    uint32_t packets_out;
    /**
     * Packets received.
     */
    uint32_t packets_in;
    /**
     * Frames received.
     */
    uint32_t frames_in;
    /**
     * Requests for fragments sent.
     */
    uint32_t repairs_out;
    /**
     * Requests for fragments answered.
     */
    uint32_t repairs_in;
    /**
     * Frames that could not be rebuilt here.
     */
    uint32_t out_of_step;
    /**
     * Frames that a neighbour could not rebuild.
     */
    uint32_t refused;
    /**
     * Fragments that came twice or too late.
     */
    uint32_t duplicates;
    /**
     * Datagrams that did not become whole in time.
     */
    uint32_t expired;
    /**
     * Datagrams that made room for newer ones of the same neighbour.
     */
    uint32_t replaced;
    /**
     * Datagrams whose fragments contradicted each other.
     */
    uint32_t contradicted;
    /**
     * Datagrams whose CRC was wrong.
     */
    uint32_t corrupt;
    /**
     * Fragments for which there was no room.
     */
    uint32_t no_room;
    /**
     * Packets that no honest neighbour writes.
     */
    uint32_t malformed;
} iotedge_link_counters_t;

/**
 * How much of everything a node holds: memory is proportional, nothing grows at run time. Set `size` first, or let
 * `iotedge_limits_default` fill it.
 */
typedef struct iotedge_limits_t {
    /**
     * `sizeof(iotedge_limits_t)`.
     */
    uint32_t size;
    /**
     * Transactions in the window: a power of two from 32 to 65,536.
     */
    uint32_t window;
    /**
     * Members in the table, 1 to 65,535.
     */
    uint32_t members;
    /**
     * Neighbours, 1 to 1,024.
     */
    uint32_t peers;
    /**
     * Transactions set aside until their parents come, at least 2. Each takes a frame of memory.
     */
    uint32_t aside;
    /**
     * Submissions waiting to be sent, at least 1.
     */
    uint32_t outbox;
    /**
     * Own and received transactions followed until their receipts, at least 4.
     * Half of the places are given to own ones at once; the second half is made to last for several epochs, so choose twice what this device says
     * in an epoch and a half. All members' places together: at most half of the gateway's window.
     */
    uint32_t own;
    /**
     * Bytes of transactions kept for neighbours, at least 5,600.
     */
    uint32_t raw;
    /**
     * 1: with working memory for cumulative weights, confidence and the weighted walk; else 0.
     */
    uint32_t weights;
    /**
     * Member records of each table in memory: a multiple of 8, or 0 for all. What is not in memory is read from the platform's store when it is
     * needed, which is for nearly every transaction in a large neighbourhood: choose it where memory is short and the store reads fast.
     */
    uint32_t records;
    /**
     * Transactions whose finality is followed at once in the window, 4 to 64; 0: 64. Each takes six bits per member, in whole bytes.
     */
    uint32_t tracked;
    /**
     * Transactions that can be asked for at once, at least 8; 0: 256.
     */
    uint32_t wants;
    /**
     * Settled headers whose votes and paths are kept, to check and write receipts with: 1 to 3; 0: 3.
     */
    uint32_t headers;
    /**
     * Members whose rate is watched at once, at least 8; 0: all. Who spoke least of late is forgotten first.
     */
    uint32_t buckets;
    /**
     * Events and frames that wait to be pulled, at least 8; 0: 64.
     */
    uint32_t queue;
} iotedge_limits_t;

/**
 * Who a node is and how it behaves. Set everything to zero, then `size`, `authority` and, for a member, `certificate` and
 * either `seed` or `signer`. Nothing here needs to live after `iotedge_node_init`; wipe your copy of the seed.
 */
typedef struct iotedge_config_t {
    /**
     * `sizeof(iotedge_config_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_ROLE_MEMBER` or `IOTEDGE_ROLE_OBSERVER`.
     */
    uint32_t role;
    /**
     * Absolute time in milliseconds since 1970 is the `now` of every call plus this, with `IOTEDGE_CLOCK_OFFSET`.
     */
    int64_t clock_offset;
    /**
     * Announcements are collected this many milliseconds, a quarter more or less at random; 0: the node tunes it itself, from 100 to 300.
     */
    uint32_t announce_interval;
    /**
     * A beacon to each neighbour this often, in milliseconds; 0: the node tunes it itself, from 1,000 to 8,000 and at most a third of P_max.
     */
    uint32_t beacon_interval;
    /**
     * A request is repeated at another neighbour after this many milliseconds; 0: 300.
     */
    uint32_t request_timeout;
    /**
     * A transaction is given up when its parents did not come for this many milliseconds; 0: 30,000.
     */
    uint32_t aside_timeout;
    /**
     * Milliseconds that a transaction may be ahead of the local clock before it has to wait; 0: 2,000.
     */
    uint32_t clock_tolerance;
    /**
     * Tips chosen beside the own previous transaction, 1 to 7; 0: the node tunes it itself, from 2 to 4.
     */
    uint32_t tips;
    /**
     * How tips are chosen: 0: uniformly; else the Tangle paper's weighted walk with this alpha, in 1/65,536 (needs
     * `iotedge_limits_t.weights`). The archives for microcontrollers have no walk (feature `weighted` of `iotedge-ffi`): there anything but 0 is refused with `IOTEDGE_E_LIMITS`.
     */
    uint32_t alpha;
    /**
     * `IOTEDGE_CLOCK_OFFSET`, or `IOTEDGE_CLOCK_NEIGHBOURS` for a device without a clock.
     */
    uint32_t clock;
    /**
     * Key of the pinned neighbourhood authority, which signs the genesis.
     */
    const iotedge_public_key_t *authority;
    /**
     * 32 bytes of the device's Ed25519 seed, copied; NULL with an external signer and for an observer.
     */
    const uint8_t *seed;
    /**
     * Public key of an external signer (secure element); NULL with a seed and for an observer.
     */
    const iotedge_public_key_t *signer;
    /**
     * 64 bytes with an external signer: its signature over `iotedge_enrol_statement`, made once at provisioning. Else NULL.
     */
    const uint8_t *enrolment;
    /**
     * The device's certificate, a CWT; NULL for an observer.
     */
    const uint8_t *certificate;
    /**
     * Its length.
     */
    size_t certificate_len;
    /**
     * The certificate of the authority that signed `certificate`, where the pinned one did not; else NULL.
     */
    const uint8_t *issuer;
    /**
     * Its length.
     */
    size_t issuer_len;
    /**
     * Approvals that all members together may add per hour, beside what they say anyway: a member with nothing of its own to say approves
     * what its neighbours paid, so that it is agreed in seconds and not in minutes. Each is a transaction of about 150 bytes, signed, stored
     * and sent. 0: 18,000. `IOTEDGE_APPROVALS_NONE`: this device gives none.
     */
    uint32_t approvals;
    /**
     * How long to wait before such an approval, in milliseconds; 0: the node tunes it itself, from 500 to 60,000.
     */
    uint32_t slot;
    /**
     * Key of the device's owner, who bounds what it may spend (`iotedge_node_set_policy`): it spends nothing before there is a policy. NULL: nobody; its caps alone bound it.
     */
    const iotedge_public_key_t *owner;
} iotedge_config_t;

/**
 * What a lock is released by. Set `size` first; what the kind does not use is zero.
 */
typedef struct iotedge_terms_t {
    /**
     * `sizeof(iotedge_terms_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_TERMS_*`.
     */
    uint32_t kind;
    /**
     * Ticks: the payer's number of this sale. No number twice.
     */
    uint32_t sale;
    /**
     * Ticks: units, 1 to `IOTEDGE_MAX_UNITS`. They divide the lock's amount.
     */
    uint32_t units;
    /**
     * Ticks: w(0), of `iotedge_payer_anchor`.
     */
    uint8_t anchor[32];
    /**
     * Vouchers: whose signature they bear. Its own `size` is not looked at.
     */
    struct iotedge_public_key_t key;
    /**
     * Predicate: what a reading is compared with.
     */
    int64_t threshold;
    /**
     * Predicate: what is read, `feed_len` bytes.
     */
    uint8_t feed[16];
    /**
     * Predicate: 1 to `IOTEDGE_FEED_SIZE`.
     */
    uint32_t feed_len;
    /**
     * Predicate: `IOTEDGE_AT_LEAST` and its like.
     */
    uint32_t comparison;
    /**
     * Predicate: most milliseconds between the earliest and the latest statement.
     */
    uint32_t window;
    /**
     * Predicate: how many readers must say so, 1 to `IOTEDGE_MAX_STATEMENTS`.
     */
    uint32_t quorum;
    /**
     * Predicate: how many may, at most `IOTEDGE_MAX_READERS`.
     */
    uint32_t reader_count;
    /**
     * Predicate: their indices, rising.
     */
    uint32_t readers[8];
    /**
     * Zero.
     */
    uint32_t reserved;
} iotedge_terms_t;

/**
 * What one reader says.
 */
typedef struct iotedge_statement_t {
    /**
     * `sizeof(iotedge_statement_t)`; inside a proof it is not looked at.
     */
    uint32_t size;
    /**
     * Its place among the lock's readers.
     */
    uint32_t place;
    /**
     * What it read.
     */
    int64_t value;
    /**
     * When, milliseconds since 1970.
     */
    uint64_t time;
    /**
     * By its device key, over `iotedge_statement_input`.
     */
    uint8_t signature[64];
} iotedge_statement_t;

/**
 * What a claim shows. Set `size` first; what the kind does not use is zero.
 */
typedef struct iotedge_proof_t {
    /**
     * `sizeof(iotedge_proof_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_PROOF_*`.
     */
    uint32_t kind;
    /**
     * Tick: its index, 1 and above.
     */
    uint32_t index;
    /**
     * Statements: how many, 1 to `IOTEDGE_MAX_STATEMENTS`.
     */
    uint32_t statement_count;
    /**
     * Voucher: micro-tokens in all.
     */
    uint64_t total;
    /**
     * Tick: w(index).
     */
    uint8_t value[32];
    /**
     * Voucher: by the key of the lock, over `iotedge_voucher_input`.
     */
    uint8_t signature[64];
    /**
     * Statements, in rising order of their places.
     */
    struct iotedge_statement_t statements[4];
} iotedge_proof_t;

/**
 * What an owner allows its device to spend. Set `size` first.
 */
typedef struct iotedge_policy_t {
    /**
     * `sizeof(iotedge_policy_t)`.
     */
    uint32_t size;
    /**
     * 1 and above; each later policy has a higher one.
     */
    uint32_t number;
    /**
     * `IOTEDGE_USE_*`, added: what the device may spend value for.
     */
    uint32_t uses;
    /**
     * How many of `payees`; 0: it may pay anybody.
     */
    uint32_t payee_count;
    /**
     * The lifetime debits that it may reach (`debits` of `iotedge_node_status_t`), those before the policy included.
     */
    uint64_t total;
    /**
     * How long a window is, in milliseconds: 60,000 (a minute) to 31,622,400,000 (366 days). It begins with the first debit after the one before.
     */
    uint64_t span;
    /**
     * How much it may spend within each window.
     */
    uint64_t within;
    /**
     * When it runs out, in milliseconds since 1970; 0: never.
     */
    uint64_t until;
    /**
     * Id of the device that it binds.
     */
    uint8_t device[32];
    /**
     * Whom it may pay: indexes of members, rising. The rest is zero.
     */
    uint16_t payees[16];
    /**
     * Zero.
     */
    uint32_t reserved[2];
} iotedge_policy_t;

/**
 * What a device may still spend under its owner's policy. Set `size` first.
 */
typedef struct iotedge_allowance_t {
    /**
     * `sizeof(iotedge_allowance_t)`.
     */
    uint32_t size;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * In all.
     */
    uint64_t total;
    /**
     * Now.
     */
    uint64_t now;
    /**
     * When the window ends that is open, in milliseconds since 1970; 0: none is.
     */
    uint64_t ends;
} iotedge_allowance_t;

/**
 * What a node says of itself. Set `size` first.
 */
typedef struct iotedge_node_status_t {
    /**
     * `sizeof(iotedge_node_status_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_PHASE_*`.
     */
    uint32_t phase;
    /**
     * Device id; zero for an observer.
     */
    uint8_t device[32];
    /**
     * Neighbourhood; zero while outside.
     */
    uint8_t neighbourhood[32];
    /**
     * G0 of the newest settled header.
     */
    uint8_t g0[32];
    /**
     * Settled credits C, in micro-tokens.
     */
    uint64_t credits;
    /**
     * Lifetime debits D, unsettled ones included. It can spend C - D.
     */
    uint64_t debits;
    /**
     * Index of this member; `UINT32_MAX` while it is none.
     */
    uint32_t member;
    /**
     * Greatest number of its own chain.
     */
    uint32_t number;
    /**
     * Newest epoch whose table it holds.
     */
    uint32_t epoch;
    /**
     * Newest settled header.
     */
    uint32_t header;
    /**
     * Transactions in the window.
     */
    uint32_t window;
    /**
     * Transactions set aside.
     */
    uint32_t aside;
    /**
     * Submissions waiting.
     */
    uint32_t outbox;
    /**
     * Neighbours heard within the last P_max.
     */
    uint32_t heard;
    /**
     * 1: evidence against this node is in the ledger.
     */
    uint32_t frozen;
    /**
     * Newest header that is final on the G-Chain, by the word of a stake quorum; 0 where none is known to be.
     */
    uint32_t anchored;
    /**
     * Absolute time now, in milliseconds since 1970, as this node has it; 0: a device without a clock that does not know it yet.
     */
    uint64_t time;
    /**
     * T, how long an epoch of the neighbourhood lasts, in milliseconds; 0 while outside.
     */
    uint64_t period;
    /**
     * The Ethereum block that holds header `anchored`.
     */
    uint64_t block;
} iotedge_node_status_t;

/**
 * What a node counted since it was initialised; numbers only grow, and wrap. Set `size` first.
 */
typedef struct iotedge_counters_t {
    /**
     * `sizeof(iotedge_counters_t)`.
     */
    uint32_t size;
    /**
     * Frames received.
     */
    uint32_t frames_in;
    /**
     * Bytes received.
     */
    uint64_t bytes_in;
    /**
     * Bytes sent.
     */
    uint64_t bytes_out;
    /**
     * Frames sent.
     */
    uint32_t frames_out;
    /**
     * Transactions inserted.
     */
    uint32_t inserted;
    /**
     * Signatures checked.
     */
    uint32_t verified;
    /**
     * Transactions that came a second time.
     */
    uint32_t duplicates;
    /**
     * Transactions asked for.
     */
    uint32_t requested;
    /**
     * Those of them that were asked for again: a measure of what the links lose.
     */
    uint32_t repeated;
    /**
     * Approvals issued with nothing of its own to say; see `iotedge_config_t.approvals`.
     */
    uint32_t approvals;
    /**
     * Zero.
     */
    uint32_t reserved;
} iotedge_counters_t;

/**
 * One reading: a name, a decimal value and, where known, a unit and a time. Set `size` first.
 */
typedef struct iotedge_reading_t {
    /**
     * `sizeof(iotedge_reading_t)`.
     */
    uint32_t size;
    /**
     * The power of ten, -128 to 127: 21.5 is mantissa 215, exponent -1.
     */
    int32_t exponent;
    /**
     * The mantissa.
     */
    int64_t mantissa;
    /**
     * Seconds: since 1970 from 2^28 on, else relative to now (RFC 8428 section 4.5.3). Only where `has_time` is 1.
     */
    int64_t time;
    /**
     * 1 where `time` counts, else 0. The transaction has a time of its own.
     */
    uint32_t has_time;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * What was measured, zero-terminated, at most 32 letters: letters, digits and `-:./_`, a letter or digit first.
     */
    char name[36];
    /**
     * In what, zero-terminated, at most 8 letters (RFC 8428 section 12.1: `Cel`, `%`, `W`); empty for none.
     */
    char unit[12];
} iotedge_reading_t;

/**
 * A receipt being verified. Set `size` before `iotedge_receipt_begin`, then leave it alone and where it is: a copy is refused.
 * No need to free it. 3.5 KiB, so rather static than on a small stack.
 */
typedef struct iotedge_receipt_check_t {
    /**
     * `sizeof(iotedge_receipt_check_t)`.
     */
    uint32_t size;
    /**
     * Internal.
     */
    uint32_t reserved;
    /**
     * Internal.
     */
    uint64_t words[448];
} iotedge_receipt_check_t;

/**
 * What a receipt proves. Set `size` first.
 */
typedef struct iotedge_settled_t {
    /**
     * `sizeof(iotedge_settled_t)`.
     */
    uint32_t size;
    /**
     * Number of the macro transaction header that settled it.
     */
    uint32_t header;
    /**
     * Id of the transaction.
     */
    uint8_t id[32];
} iotedge_settled_t;

/**
 * A lock, as its transaction says it. Set `size` first.
 */
typedef struct iotedge_lock_t {
    /**
     * `sizeof(iotedge_lock_t)`.
     */
    uint32_t size;
    /**
     * Index of the payee.
     */
    uint32_t to;
    /**
     * Micro-tokens.
     */
    uint64_t amount;
    /**
     * The payer's lifetime debits with it.
     */
    uint64_t debits;
    /**
     * How long it stands, in milliseconds from its own time on.
     */
    uint32_t term;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * What releases it.
     */
    struct iotedge_terms_t terms;
} iotedge_lock_t;

/**
 * A claim, as its transaction says it. Set `size` first.
 */
typedef struct iotedge_lock_claim_t {
    /**
     * `sizeof(iotedge_lock_claim_t)`.
     */
    uint32_t size;
    /**
     * 1: the payee wants no more.
     */
    uint32_t last;
    /**
     * Which lock.
     */
    uint8_t lock[32];
    /**
     * What it shows.
     */
    struct iotedge_proof_t proof;
} iotedge_lock_claim_t;

/**
 * The highest tick of a sale: what to claim, to store, and to show to a payer that lost its state. Holds no secret. Set `size` first.
 */
typedef struct iotedge_payee_t {
    /**
     * `sizeof(iotedge_payee_t)`.
     */
    uint32_t size;
    /**
     * Units of the sale.
     */
    uint32_t units;
    /**
     * How many are paid.
     */
    uint32_t index;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * Which sale.
     */
    uint8_t sale[32];
    /**
     * w(index).
     */
    uint8_t value[32];
} iotedge_payee_t;

/**
 * A sale, as its payer sets it up. Set `size` first.
 */
typedef struct iotedge_payer_config_t {
    /**
     * `sizeof(iotedge_payer_config_t)`.
     */
    uint32_t size;
    /**
     * Number of this sale; no number twice.
     */
    uint32_t sale;
    /**
     * Units, 1 to `IOTEDGE_MAX_UNITS`.
     */
    uint32_t units;
    /**
     * Ticks reserved by one write of the store, 1 to 64; 0: 1. After a power cut one less than so many are lost, unless the payee shows its highest: `iotedge_payer_resync`.
     */
    uint32_t ahead;
    /**
     * The store's key of this sale, 0x0100 to 0x0fff; nobody else's, until `iotedge_payer_forget`.
     */
    uint32_t store_key;
    /**
     * The store's key of the device's secret for ticks, 0x0100 to 0x0fff: the same for all its sales. It is drawn at the first one.
     */
    uint32_t secret_key;
    /**
     * This device's neighbourhood.
     */
    uint8_t neighbourhood[32];
    /**
     * This device's id.
     */
    uint8_t device[32];
} iotedge_payer_config_t;

/**
 * What a self test is to look at beside the platform. Set everything to zero, then `size`, `memory` and `memory_len`, and what there is.
 */
typedef struct iotedge_port_t {
    /**
     * `sizeof(iotedge_port_t)`.
     */
    uint32_t size;
    /**
     * At least so many bytes of the stack must stay untouched; 0: 256.
     */
    uint32_t stack_spare;
    /**
     * Handed to each callback here first.
     */
    void *user;
    /**
     * Working memory; its contents do not matter and are lost. That of a node or leaf that does not live yet will do.
     */
    uint8_t *memory;
    /**
     * At least `IOTEDGE_SELFTEST_MEMORY`.
     */
    size_t memory_len;
    /**
     * The clock that you give as `now`: milliseconds that never go back. NULL: not tested.
     */
    uint64_t (*now)(void *user);
    /**
     * The external signer: 64 bytes into `signature`, waited for. NULL: not tested.
     */
    int32_t (*sign)(void *user, const uint8_t *message, size_t message_len, uint8_t *signature);
    /**
     * Its public key, as it is in the certificate.
     */
    const iotedge_public_key_t *signer;
    /**
     * The lowest address of the stack that this call runs on, for stacks that grow downwards. What is below this call is painted, so nothing else may use it. NULL: not tested, or by
     * `stack_left`.
     */
    uint8_t *stack;
    /**
     * Says how many bytes of this stack were never used, as many an RTOS can. NULL: see `stack`.
     */
    uint32_t (*stack_left)(void *user);
} iotedge_port_t;

/**
 * What a self test found: for each part `IOTEDGE_OK`, `IOTEDGE_E_NONE` where it was not tested, or what is wrong; `iotedge_status_name` says it. Set `size` first.
 */
typedef struct iotedge_selftest_t {
    /**
     * `sizeof(iotedge_selftest_t)`.
     */
    uint32_t size;
    /**
     * Parts with a fault.
     */
    uint32_t failed;
    /**
     * `random`: `IOTEDGE_E_RANDOM_FAILED`, `..._RANDOM_SHORT`, `..._RANDOM_REPEATS`, `..._RANDOM_STUCK` (repetition count), `..._RANDOM_BIASED` (adaptive
     * proportion, both of NIST SP 800-90B section 4.4), `IOTEDGE_E_OVERRUN`.
     */
    int32_t random;
    /**
     * `now`: `IOTEDGE_E_CLOCK_BACK`, `IOTEDGE_E_CLOCK_STUCK`.
     */
    int32_t clock;
    /**
     * `store_*`: `IOTEDGE_E_STORE_MISSING`, `..._STORE_WRITE`, `..._STORE_READ`, `..._STORE_VALUE`, `..._STORE_LONG`, `..._STORE_SHORT`, `..._STORE_KEYS`, `..._STORE_REMOVE`,
     * `IOTEDGE_E_OVERRUN`.
     */
    int32_t store;
    /**
     * `sign`: `IOTEDGE_E_PLATFORM` where it says that it failed, `IOTEDGE_E_SIGNATURE` where it is not one by the key, `IOTEDGE_E_OVERRUN`.
     */
    int32_t signer;
    /**
     * `attest`: `IOTEDGE_E_PLATFORM` where it says that it failed, `IOTEDGE_E_EVIDENCE` and others of `iotedge_attest`.
     */
    int32_t attest;
    /**
     * `counter_*`: `IOTEDGE_E_NULL` where one of the two is missing, `IOTEDGE_E_PLATFORM` where one says that it failed, `IOTEDGE_E_COUNTER` where it does not count by one or does not
     * say the same twice, `IOTEDGE_E_COUNTER_EXHAUSTED` at its end. The test spends one step.
     */
    int32_t counter;
    /**
     * The stack: `IOTEDGE_E_STACK`.
     */
    int32_t stack;
    /**
     * Bytes of the stack that stayed untouched, where it was tested.
     */
    uint32_t stack_left;
    /**
     * The longest value that the store took and gave back.
     */
    uint32_t store_longest;
    /**
     * `accelerator`: `IOTEDGE_E_ACCELERATOR_FAILED`, `..._ACCELERATOR_REFUSES`, `..._ACCELERATOR_ACCEPTS` (a signature), as a node or leaf would refuse it; `IOTEDGE_E_ACCELERATOR` where this
     * build takes none.
     */
    int32_t accelerator;
} iotedge_selftest_t;

/**
 * Where `iotedge_serial_encode_part` stands in a frame. All zero but `size` for the beginning of each frame.
 */
typedef struct iotedge_serial_encoder_t {
    /**
     * `sizeof(iotedge_serial_encoder_t)`.
     */
    uint32_t size;
    /**
     * The library's.
     */
    uint32_t state[4];
} iotedge_serial_encoder_t;

/**
 * What a decoder counted since it was initialised; numbers only grow, and wrap. Set `size` first.
 */
typedef struct iotedge_serial_counters_t {
    /**
     * `sizeof(iotedge_serial_counters_t)`.
     */
    uint32_t size;
    /**
     * Frames given out.
     */
    uint32_t frames;
    /**
     * Zeros with nothing before them: the one in front of each frame, or a line that idles. Not an error.
     */
    uint32_t empty;
    /**
     * Dropped: too short for a CRC and one byte.
     */
    uint32_t too_short;
    /**
     * Dropped: ended before it was whole, by a reset of the sender or because bytes were lost.
     */
    uint32_t cut;
    /**
     * Dropped: longer than the decoder takes.
     */
    uint32_t too_long;
    /**
     * Dropped: the CRC was wrong.
     */
    uint32_t corrupt;
} iotedge_serial_counters_t;

/**
 * What a certificate says. Set `size` first.
 */
typedef struct iotedge_certificate_t {
    /**
     * `sizeof(iotedge_certificate_t)`.
     */
    uint32_t size;
    /**
     * `IOTEDGE_KIND_*`.
     */
    uint32_t kind;
    /**
     * First second since 1970 at which it is no longer valid; 0 for never.
     */
    uint64_t expires;
    /**
     * First second at which it is valid; 0 for always.
     */
    uint64_t not_before;
    /**
     * Second at which it was issued.
     */
    uint64_t issued;
    /**
     * Suite of the certified key.
     */
    int32_t suite;
    /**
     * Bytes of `cti` that count, 8 to 16.
     */
    uint32_t cti_len;
    /**
     * The certified key, as in `iotedge_public_key_t`.
     */
    uint8_t key[64];
    /**
     * Device id, if the certified key is the device's first.
     */
    uint8_t device[32];
    /**
     * Id of the certificate: what a revocation names.
     */
    uint8_t cti[16];
    /**
     * The authority's name, zero-terminated. Nothing is decided by it.
     */
    char name[40];
} iotedge_certificate_t;

/**
 * What a transaction says. Set `size` first.
 */
typedef struct iotedge_tx_t {
    /**
     * `sizeof(iotedge_tx_t)`.
     */
    uint32_t size;
    /**
     * Kind of the body (docs/protocol.md section 3): 0 data, 1 transfer, 2 lock, 3 claim, 4 channel, 5 service, 6 member, 7 trim, 8 exit, 9 evidence.
     */
    uint32_t kind;
    /**
     * Epoch.
     */
    uint32_t epoch;
    /**
     * Index of the member that issued it.
     */
    uint32_t issuer;
    /**
     * Number in its issuer's chain.
     */
    uint32_t number;
    /**
     * Milliseconds since the epoch's clock began.
     */
    uint32_t offset;
    /**
     * Index of the payee of a transfer, or of the offender of an evidence; else 0.
     */
    uint32_t to;
    /**
     * How many parents, 1 to 8.
     */
    uint32_t parents;
    /**
     * Micro-tokens of a transfer or an exit; else 0.
     */
    uint64_t amount;
    /**
     * The issuer's lifetime debits with this one, for a transfer or an exit; else 0.
     */
    uint64_t debits;
    /**
     * First 16 bytes of each parent's id, the issuer's own first.
     */
    uint8_t prefixes[128];
    /**
     * Body of a data or service transaction: it points into the bytes that were parsed and lives as long as they; else NULL.
     */
    const uint8_t *body;
    /**
     * Bytes of the body; else 0.
     */
    size_t body_len;
} iotedge_tx_t;

/**
 * What evidence proves. Set `size` first.
 */
typedef struct iotedge_offence_t {
    /**
     * `sizeof(iotedge_offence_t)`.
     */
    uint32_t size;
    /**
     * Index of the guilty member.
     */
    uint32_t offender;
    /**
     * 1: one number, two transactions. 2: neighbours, the second not laid upon the first. 3: false total of debits.
     * 4: two trims upon the same one.
     */
    uint32_t form;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * The lower of the two ids.
     */
    uint8_t a[32];
    /**
     * The higher.
     */
    uint8_t b[32];
} iotedge_offence_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Attests with a key in memory: says in a signed EAT (RFC 9711) what runs here, in answer to a nonce. A node or a leaf does that by itself when a gateway asks, see
 * `iotedge_platform_t.attest`; this is for any other asker.
 *
 * `seed`: 32 bytes of the device's Ed25519 seed; read only. `device`: its id, 32 bytes; NULL: that of the key, which is right while it was never rotated. `nonce`: 8 to 64 bytes
 * from the asker, fresh for each question. `evidence`: read only, with all that it points to. `eat`: room for `eat_capacity` bytes, `IOTEDGE_MAX_ATTESTATION` are enough;
 * `eat_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_NONCE`: too short or too long. `IOTEDGE_E_EVIDENCE`: a text, digest or number out of bounds, or one name twice. `IOTEDGE_E_BUFFER_TOO_SMALL`: `eat_capacity`, or the
 * evidence is too much in all. `IOTEDGE_E_SIGNATURE`: a fault while signing; nothing was written.
 *
 * ```c
 * static int32_t say_what_runs(const uint8_t *seed, const uint8_t *nonce, size_t nonce_len, const uint8_t *firmware_sha256,
 *                              uint8_t *eat, size_t capacity, size_t *len)
 * {
 *     iotedge_evidence_t evidence;
 *     iotedge_measurement_t firmware;
 *     memset(&firmware, 0, sizeof firmware);
 *     firmware.size = (uint32_t)sizeof firmware;
 *     firmware.name = "firmware";
 *     firmware.name_len = 8;
 *     firmware.digest = firmware_sha256;
 *     firmware.digest_len = 32;
 *     memset(&evidence, 0, sizeof evidence);
 *     evidence.size = (uint32_t)sizeof evidence;
 *     evidence.model = (const uint8_t *)"acme-sensor-2";
 *     evidence.model_len = 13;
 *     evidence.debug = IOTEDGE_DEBUG_DISABLED_PERMANENTLY;
 *     evidence.measurements = &firmware;
 *     evidence.measurement_count = 1;
 *     return iotedge_attest(seed, NULL, nonce, nonce_len, &evidence, eat, capacity, len);
 * }
 * ```
 *
 * From any thread. Not from an interrupt: it signs and verifies, and takes 3 KiB of stack.
 */
int32_t iotedge_attest(const uint8_t *seed,
                       const uint8_t *device,
                       const uint8_t *nonce,
                       size_t nonce_len,
                       const iotedge_evidence_t *evidence,
                       uint8_t *eat,
                       size_t eat_capacity,
                       size_t *eat_len);

/**
 * What a signer elsewhere signs to attest: a secure element, in its own time. Then comes `iotedge_attest_assemble`.
 *
 * `key`: the device's public key. `device`, `nonce`, `evidence`: as in `iotedge_attest`. `message`: room for `message_capacity` bytes, `IOTEDGE_MAX_SIGN_INPUT` are enough;
 * `message_len`: their number. Both written on success. Errors as there.
 *
 * From any thread. Not from an interrupt: it takes 2 KiB of stack.
 */
int32_t iotedge_attest_statement(const iotedge_public_key_t *key,
                                 const uint8_t *device,
                                 const uint8_t *nonce,
                                 size_t nonce_len,
                                 const iotedge_evidence_t *evidence,
                                 uint8_t *message,
                                 size_t message_capacity,
                                 size_t *message_len);

/**
 * Makes the attestation of a signature over the message of `iotedge_attest_statement`, if it is one by `key`.
 *
 * `message`: `message_len` bytes, as they were given. `signature`: 64 bytes. `eat`: room for `eat_capacity` bytes, `IOTEDGE_MAX_ATTESTATION` are enough; `eat_len`: their number.
 * Both written on success.
 *
 * `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not a signature of the message by the key: a fault, or another key in the slot. Nothing was written. Any other: the message is not
 * that of an attestation by this key.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_attest_assemble(const iotedge_public_key_t *key,
                                const uint8_t *message,
                                size_t message_len,
                                const uint8_t *signature,
                                uint8_t *eat,
                                size_t eat_capacity,
                                size_t *eat_len);

/**
 * Verifies an attestation: that `key` of `device` signed it in answer to `nonce`. What it says is the device's word: compare it with what you allow.
 *
 * `key`: the device's public key, from its certificate. `device`: its id, 32 bytes; NULL: that of the key. `nonce`: what you asked with, `nonce_len` bytes; take each answer once. `eat`:
 * `eat_len` bytes, read only. `evidence`: set its `size` first; written on success. Its texts and bytes point into `eat`; `measurements` is NULL: fetch each of
 * `measurement_count` with `iotedge_attest_measurement`.
 *
 * `IOTEDGE_E_NONCE`: it answers another nonce. `IOTEDGE_E_DEVICE_ID`: another device's. `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`: another key's, or altered.
 * `IOTEDGE_E_PROFILE`, `IOTEDGE_E_CERTIFICATE_CLAIM`, ...: no attestation of this protocol.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_attest_verify(const iotedge_public_key_t *key,
                              const uint8_t *device,
                              const uint8_t *nonce,
                              size_t nonce_len,
                              const uint8_t *eat,
                              size_t eat_len,
                              iotedge_evidence_t *evidence);

/**
 * One measurement of an attestation that was verified.
 *
 * `eat`: `eat_len` bytes, read only. `index`: from 0. `measurement`: set its `size` first; written on success. Name and digest point into `eat`.
 *
 * `IOTEDGE_E_NONE`: there is none of this index. Any other: no attestation of this protocol.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_attest_measurement(const uint8_t *eat,
                                   size_t eat_len,
                                   size_t index,
                                   iotedge_measurement_t *measurement);

/**
 * How many bytes of memory an owner with this configuration needs. For static arrays there is the macro `IOTEDGE_CHANNEL_OWNER_SIZE`, which is a little more.
 *
 * `bytes`: written on success.
 *
 * `IOTEDGE_E_ARGUMENT`, `IOTEDGE_E_CHANNEL_MODE`: a field of the configuration.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_channel_owner_size(const iotedge_channel_config_t *config,
                                   size_t *bytes);

/**
 * Opens the channel that is in the store, or a new one, in memory that you give. After it, say what is due: `iotedge_channel_owner_next_op`.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_channel_owner_size`; the owner's until `iotedge_channel_owner_deinit`, not to be read, written, moved or copied meanwhile.
 * `config`, `platform`: copied; the accelerator is not used. `newest`: `number` of the status of this device's node or leaf, 0 where it has neither: what the hardware counter, if there is one, must go with.
 * `owner`: written on success; points into `memory`.
 *
 * `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`. `IOTEDGE_E_ARGUMENT`: a field of the configuration. `IOTEDGE_E_CHANNEL_MODE`: the mode needs a side key, or must
 * not have one. `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_OLD_IMAGE`, `IOTEDGE_E_COUNTER`, and what the bytes of a damaged store give: only a new channel number is safe.
 * `IOTEDGE_E_CHANNEL_OTHER`, `IOTEDGE_E_CHANNEL_READER`: the store has another channel, or another number of readers, under this key.
 *
 * Calls the platform. From any thread; the owner then belongs to one thread at a time. Not from an interrupt.
 */
int32_t iotedge_channel_owner_init(void *memory,
                                   size_t memory_len,
                                   const iotedge_channel_config_t *config,
                                   const iotedge_platform_t *platform,
                                   uint32_t newest,
                                   iotedge_channel_owner_t **owner);

/**
 * Ends the owner: wipes its keys and all its memory, which is yours again. What is in the store stays.
 *
 * `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
 *
 * From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_deinit(iotedge_channel_owner_t *owner);

/**
 * Does ahead, while nobody waits, what the next message needs whatever it says: its index reserved in the store, its keys computed. Called again it does nothing.
 *
 * `newest`: as for `iotedge_channel_owner_init`, here and below.
 *
 * `IOTEDGE_E_CHANNEL_INDEX`: the last index was used: `iotedge_channel_owner_rekey`. `IOTEDGE_E_PLATFORM`, `IOTEDGE_E_OLD_IMAGE`, `IOTEDGE_E_COUNTER`: no index was used.
 *
 * Calls the platform. From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_prepare(iotedge_channel_owner_t *owner,
                                      uint32_t newest);

/**
 * Seals a message. Its index is used up with success, and only then.
 *
 * `flags`: `IOTEDGE_CHANNEL_SIGNED`, `IOTEDGE_CHANNEL_LONG_TAG`, `IOTEDGE_CHANNEL_COSE`, added. `body`: `body_len` bytes, at most `IOTEDGE_CHANNEL_MAX_BODY`. `sealed`: room for `sealed_capacity`
 * bytes, `body_len` + 36 are enough; `sealed_len`: their number. `published`: set its `size` first. The last three are written on success.
 *
 * `IOTEDGE_E_BUSY`: the root of a full batch, or a revoke, must be said first: `iotedge_channel_owner_next_op`. `IOTEDGE_E_LENGTH`, `IOTEDGE_E_BUFFER_TOO_SMALL`, and as `iotedge_channel_owner_prepare`.
 *
 * ```c
 * static int32_t publish(iotedge_channel_owner_t *owner, iotedge_node_t *node, uint64_t now, const uint8_t tag[4],
 *                        const uint8_t *reading, size_t reading_len, uint8_t *frame, size_t *frame_len)
 * {
 *     iotedge_node_status_t stands;
 *     iotedge_channel_published_t published;
 *     uint8_t sealed[IOTEDGE_CHANNEL_MAX_MESSAGE];
 *     size_t sealed_len = 0;
 *     int32_t status;
 *     memset(&stands, 0, sizeof stands);
 *     stands.size = (uint32_t)sizeof stands;
 *     memset(&published, 0, sizeof published);
 *     published.size = (uint32_t)sizeof published;
 *     status = iotedge_node_status(node, now, &stands);
 *     if (status == IOTEDGE_OK) {
 *         status = iotedge_channel_owner_publish(owner, stands.number, 0, reading, reading_len, sealed,
 *                                                sizeof sealed, &sealed_len, &published);
 *     }
 *     if (status == IOTEDGE_OK) {
 *         status = iotedge_frame_say(tag, IOTEDGE_SAID_MESSAGE, sealed, sealed_len, frame,
 *                                    IOTEDGE_MAX_FRAME, frame_len);
 *     }
 *     return status;
 * }
 * ```
 *
 * Calls the platform. From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_publish(iotedge_channel_owner_t *owner,
                                      uint32_t newest,
                                      uint32_t flags,
                                      const uint8_t *body,
                                      size_t body_len,
                                      uint8_t *sealed,
                                      size_t sealed_capacity,
                                      size_t *sealed_len,
                                      iotedge_channel_published_t *published);

/**
 * Puts the device's signature behind a message that was sealed with `IOTEDGE_CHANNEL_SIGNED`, once it is found to be one.
 *
 * `published`: of `iotedge_channel_owner_publish`. `key`: the device's public key. `signature`: 64 bytes over `sign_input`, by the device's key or secure element. `sealed`: the message, with room for
 * `sealed_capacity` bytes; `sealed_len`: in, its length; out, 64 more. Both changed on success.
 *
 * `IOTEDGE_E_SIGNATURE`: not a signature of it: a fault, or another key. Sign again. `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_channel_sign(const iotedge_channel_published_t *published,
                             const iotedge_public_key_t *key,
                             const uint8_t *signature,
                             uint8_t *sealed,
                             size_t sealed_capacity,
                             size_t *sealed_len);

/**
 * Closes the open batch before it is full: its root becomes due. An empty one stays.
 *
 * `IOTEDGE_E_BUSY`: the root before is due still.
 *
 * From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_close_batch(iotedge_channel_owner_t *owner);

/**
 * The path of a message in the tree of its batch, until the next message after the batch is published: for a reader that has not all of the batch.
 *
 * `path`: room for `path_capacity` hashes of 32 bytes, 6 are enough; `path_count`: their number. Both written on success.
 *
 * `IOTEDGE_E_CHANNEL_BATCH`: not in the batch. `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_path(const iotedge_channel_owner_t *owner,
                                   uint64_t index,
                                   uint8_t *path,
                                   size_t path_capacity,
                                   size_t *path_count);

/**
 * Grants the channel, from the next message on, to a member that subscribed. Grant and path become due, also after a reset. Granted again, it keeps its place.
 *
 * `member`: its index. `device`: its device id, 32 bytes (`iotedge_node_member_device`). `key`: `bytes` of its `IOTEDGE_CHANNEL_OP_SUBSCRIBE`.
 *
 * `IOTEDGE_E_BUSY`: another grant is due: say it first. `IOTEDGE_E_CHANNEL_SLOTS`: no place is free: `iotedge_channel_owner_renew`. `IOTEDGE_E_CHANNEL_MODE`: a public channel. `IOTEDGE_E_PLATFORM`.
 *
 * Calls the platform. From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_grant(iotedge_channel_owner_t *owner,
                                    uint32_t member,
                                    const uint8_t *device,
                                    const uint8_t *key);

/**
 * Revokes a reader: it gets no key of the messages that are published from here on. The root of the open batch and the revoke become due, also after a reset; until both were taken nothing is published.
 *
 * `IOTEDGE_E_CHANNEL_READER`: it is no reader. `IOTEDGE_E_BUSY`: the root of the batch before is due still. `IOTEDGE_E_PLATFORM`: call again.
 *
 * Calls the platform. From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_revoke(iotedge_channel_owner_t *owner,
                                     uint32_t newest,
                                     uint32_t member);

/**
 * Opens a new key epoch for the same readers: heals after a key was exposed, and goes on after the last index. Else as `iotedge_channel_owner_revoke`.
 *
 * Calls the platform. From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_rekey(iotedge_channel_owner_t *owner,
                                    uint32_t newest);

/**
 * Makes all places for readers free, when `iotedge_channel_owner_grant` finds none: a revoked reader's place is not given again before. Who reads is told that it is revoked, and subscribes again.
 * Else as `iotedge_channel_owner_revoke`.
 *
 * Calls the platform. From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_renew(iotedge_channel_owner_t *owner,
                                    uint32_t newest);

/**
 * What must be said of the channel next: submit it with `iotedge_node_submit_channel`, or send it as a statement, then call `iotedge_channel_owner_taken`. Call it until it says `IOTEDGE_E_NONE`, after every
 * other call. Asked again it is the same thing; a grant is sealed anew each time.
 *
 * `op`: room for `op_capacity` bytes, at least `IOTEDGE_CHANNEL_MAX_OP`; `op_len`: how many. Both written on success.
 *
 * `IOTEDGE_E_NONE`: nothing is due. `IOTEDGE_E_CHANNEL_WEAK_KEY`: the subscriber's key is none; its grant is given up, go on. `IOTEDGE_E_PLATFORM`: try again.
 *
 * ```c
 * static int32_t say_what_is_due(iotedge_channel_owner_t *owner, iotedge_node_t *node, uint64_t now, uint32_t newest)
 * {
 *     uint8_t op[IOTEDGE_CHANNEL_MAX_OP];
 *     size_t op_len = 0;
 *     uint32_t ticket;
 *     int32_t status = iotedge_channel_owner_next_op(owner, newest, op, sizeof op, &op_len);
 *     while (status == IOTEDGE_OK) {
 *         status = iotedge_node_submit_channel(node, now, 0, op, op_len, &ticket);
 *         if (status == IOTEDGE_OK) {
 *             status = iotedge_channel_owner_taken(owner);
 *         }
 *         if (status == IOTEDGE_OK) {
 *             status = iotedge_channel_owner_next_op(owner, newest, op, sizeof op, &op_len);
 *         }
 *     }
 *     return status == IOTEDGE_E_NONE || status == IOTEDGE_E_OUTBOX_FULL ? IOTEDGE_OK : status;
 * }
 * ```
 *
 * Calls the platform. From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_next_op(iotedge_channel_owner_t *owner,
                                      uint32_t newest,
                                      uint8_t *op,
                                      size_t op_capacity,
                                      size_t *op_len);

/**
 * What `iotedge_channel_owner_next_op` gave last is in the node's outbox, or sent: it is due no longer.
 *
 * `IOTEDGE_E_WRONG_ORDER`: nothing was given since the last call, or it changed since. `IOTEDGE_E_PLATFORM`: it stays due.
 *
 * Calls the platform. From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_taken(iotedge_channel_owner_t *owner);

/**
 * The members that may read, one by one.
 *
 * `place`: 0, 1, ... `member`: its index; written on success.
 *
 * `IOTEDGE_E_NONE`: no more.
 *
 * From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_reader(const iotedge_channel_owner_t *owner,
                                     uint32_t place,
                                     uint32_t *member);

/**
 * What the owner says of itself.
 *
 * `channel_status`: set its `size` first; written on success.
 *
 * From the thread that has the owner. Not from an interrupt.
 */
int32_t iotedge_channel_owner_status(const iotedge_channel_owner_t *owner,
                                     iotedge_channel_status_t *channel_status);

/**
 * Reads an operation: the body of a transaction of `IOTEDGE_EVENT_CHANNEL` (see `iotedge_node_body`), or of a statement. An owner looks for
 * `IOTEDGE_CHANNEL_OP_SUBSCRIBE` with its own index in `member`, and answers with `iotedge_channel_owner_grant`.
 *
 * `op`: `op_len` bytes. `told`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_UNSUPPORTED_KIND`: an operation that this build does not know. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`, `..._RANGE`: none.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_channel_op_read(const uint8_t *op,
                                size_t op_len,
                                iotedge_channel_op_t *told);

/**
 * The operation that carries a signed message: what `iotedge_channel_owner_publish` sealed with `IOTEDGE_CHANNEL_SIGNED`, without a signature of its own, since the
 * transaction's is over it.
 *
 * `sealed`: `sealed_len` bytes, so many that the operation has at most `IOTEDGE_CHANNEL_MAX_OP`. `op`: room for `op_capacity` bytes; `op_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_LENGTH`: too long for a transaction. `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_channel_message_op(uint32_t channel,
                                   uint32_t sub_channel,
                                   const uint8_t *sealed,
                                   size_t sealed_len,
                                   uint8_t *op,
                                   size_t op_capacity,
                                   size_t *op_len);

/**
 * What a device signs for an operation off the ledger, for a neighbour that it reaches without one. Behind the operation then stand the 64 bytes of the signature: a statement.
 *
 * `neighbourhood`, `device`: 32 bytes each; the signer's device id. `op`: `op_len` bytes. `message`: room for `message_capacity` bytes, `op_len` + 120 are enough;
 * `message_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_BUFFER_TOO_SMALL`; `IOTEDGE_E_MALFORMED` and others: not an operation.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_channel_statement_input(const uint8_t *neighbourhood,
                                        const uint8_t *device,
                                        const uint8_t *op,
                                        size_t op_len,
                                        uint8_t *message,
                                        size_t message_capacity,
                                        size_t *message_len);

/**
 * Says whether a statement is the signer's: an operation, and behind it its signature.
 *
 * `neighbourhood`, `device`: 32 bytes each; the signer's device id. `key`: its public key. `statement`: `statement_len` bytes. `op_len`: how many of them are the operation; written on
 * success.
 *
 * `IOTEDGE_E_SIGNATURE`: it is not. `IOTEDGE_E_MALFORMED` and others: not a statement.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_channel_statement_check(const uint8_t *neighbourhood,
                                        const uint8_t *device,
                                        const iotedge_public_key_t *key,
                                        const uint8_t *statement,
                                        size_t statement_len,
                                        size_t *op_len);

/**
 * Puts what applications say to each other into a frame, for one neighbour, one hop: send it as you send the frames of a node, through an `iotedge_link_t` too. Nodes refuse it with
 * `IOTEDGE_E_NOT_FOR_ME`.
 *
 * `tag`: the first 4 bytes of the neighbourhood id. `what`: `IOTEDGE_SAID_*`. `bytes`: `bytes_len` of them, at least 1. `frame`: room for `frame_capacity` bytes, `bytes_len` + 6 are
 * enough; `frame_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_LENGTH`: nothing, or more than fits `IOTEDGE_MAX_FRAME`. `IOTEDGE_E_NEIGHBOURHOOD`: a tag of zeros.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_frame_say(const uint8_t *tag,
                          uint32_t what,
                          const uint8_t *bytes,
                          size_t bytes_len,
                          uint8_t *frame,
                          size_t frame_capacity,
                          size_t *frame_len);

/**
 * Looks whether a frame is one that applications say to each other. Ask before you hand a frame to a node or leaf.
 *
 * `tag`: the first 4 bytes of the neighbourhood id. `frame`: `frame_len` bytes. `what`: `IOTEDGE_SAID_*`. `bytes`: points into `frame`, `bytes_len` bytes of it. All written on success.
 *
 * `IOTEDGE_E_NONE`: no such frame: it is for the node or leaf. `IOTEDGE_E_UNSUPPORTED_KIND`: something that this build does not know. `IOTEDGE_E_LENGTH`: nothing said. Drop both.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_frame_said(const uint8_t *tag,
                           const uint8_t *frame,
                           size_t frame_len,
                           uint32_t *what,
                           const uint8_t **bytes,
                           size_t *bytes_len);

/**
 * How many bytes of memory a subscriber with this configuration needs. For static arrays there is the macro `IOTEDGE_SUBSCRIBER_SIZE`, which is a little more.
 *
 * `bytes`: written on success.
 *
 * `IOTEDGE_E_ARGUMENT`: a field of the configuration.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_subscriber_size(const iotedge_subscriber_config_t *config,
                                size_t *bytes);

/**
 * Opens the subscriptions that are in the store, in memory that you give.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_subscriber_size`; the subscriber's until `iotedge_subscriber_deinit`, not to be read, written, moved or copied meanwhile.
 * `config`, `platform`: copied. `subscriber`: written on success; points into `memory`.
 *
 * `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`. `IOTEDGE_E_ARGUMENT`: a field of the configuration. `IOTEDGE_E_PLATFORM`: try again. What the bytes of a damaged store
 * give: remove its keys, and subscribe again.
 *
 * Calls the platform. From any thread; the subscriber then belongs to one thread at a time. Not from an interrupt.
 */
int32_t iotedge_subscriber_init(void *memory,
                                size_t memory_len,
                                const iotedge_subscriber_config_t *config,
                                const iotedge_platform_t *platform,
                                iotedge_subscriber_t **subscriber);

/**
 * Ends the subscriber: wipes its keys and all its memory, which is yours again. What is in the store stays.
 *
 * `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
 *
 * From the thread that has the subscriber. Not from an interrupt.
 */
int32_t iotedge_subscriber_deinit(iotedge_subscriber_t *subscriber);

/**
 * Asks for a channel: gives the operation to submit with `iotedge_node_submit_channel`, or to send as a statement. Asked again before the grant came it is the same, so ask again now and then; after it, it asks
 * anew. A public channel needs no asking, but is followed by it, too, from its owner's next announce on.
 *
 * `source`: whose channel. `key`: the owner's public key (`iotedge_node_member_key`). `side_key`: 32 bytes for a restricted channel, kept in the store; else NULL. `subscription`: its number from now on,
 * also after a reset. `op`: room for `op_capacity` bytes, 64 are enough; `op_len`: their number. The last three are written on success.
 *
 * `IOTEDGE_E_CHANNEL_SLOTS`: all places are taken. `IOTEDGE_E_SIGNATURE_MALFORMED`: not a key. `IOTEDGE_E_BUFFER_TOO_SMALL`, `IOTEDGE_E_PLATFORM`.
 *
 * Calls the platform. From the thread that has the subscriber. Not from an interrupt.
 */
int32_t iotedge_subscriber_subscribe(iotedge_subscriber_t *subscriber,
                                     const iotedge_channel_source_t *source,
                                     const iotedge_public_key_t *key,
                                     const uint8_t *side_key,
                                     uint32_t *subscription,
                                     uint8_t *op,
                                     size_t op_capacity,
                                     size_t *op_len);

/**
 * Ends a subscription and erases its keys from memory and store.
 *
 * `IOTEDGE_E_CHANNEL_OTHER`: there is none with this number. `IOTEDGE_E_PLATFORM`: it stands; try again.
 *
 * Calls the platform. From the thread that has the subscriber. Not from an interrupt.
 */
int32_t iotedge_subscriber_unsubscribe(iotedge_subscriber_t *subscriber, uint32_t subscription);

/**
 * Tells the subscriber what a member said of a channel in a transaction: the body of `IOTEDGE_EVENT_CHANNEL`, which the node verified. What is said of other channels tells nothing.
 *
 * `me`: this device's index. `from`: the member that said it. `op`: `op_len` bytes (`iotedge_node_body`). `text`: room for `text_capacity` bytes, at least `IOTEDGE_CHANNEL_MAX_OP`: takes the plaintext of a
 * message, and is wiped where nothing came of one. `heard`: set its `size` first. Both written on success.
 *
 * Everything else changed nothing: `IOTEDGE_E_CHANNEL_STALE`: replayed, or late. `IOTEDGE_E_CHANNEL_WRONG_READER`, `IOTEDGE_E_CHANNEL_SIDE_KEY`: a grant that does not open: sealed for another reader, or with another side key.
 * `IOTEDGE_E_CHANNEL_JUMP`: ask anew. `IOTEDGE_E_WRONG_PATH`: a root, and one of the messages opened here is not under it: it was not the owner's. `IOTEDGE_E_CHANNEL_FORK`: keep both messages: evidence.
 * `IOTEDGE_E_PLATFORM`: tell it again.
 *
 * Calls the platform. From the thread that has the subscriber. Not from an interrupt: a grant is one X25519.
 */
int32_t iotedge_subscriber_hear(iotedge_subscriber_t *subscriber,
                                uint32_t me,
                                uint32_t from,
                                const uint8_t *op,
                                size_t op_len,
                                uint8_t *text,
                                size_t text_capacity,
                                iotedge_heard_t *heard);

/**
 * The same for a statement off the ledger: an operation with its signature, which is checked under the owner's key.
 *
 * `statement`: `statement_len` bytes. Else as `iotedge_subscriber_hear`.
 *
 * `IOTEDGE_E_SIGNATURE`: not the owner's.
 *
 * Calls the platform. From the thread that has the subscriber. Not from an interrupt: one signature check.
 */
int32_t iotedge_subscriber_hear_statement(iotedge_subscriber_t *subscriber,
                                          uint32_t me,
                                          uint32_t from,
                                          const uint8_t *statement,
                                          size_t statement_len,
                                          uint8_t *text,
                                          size_t text_capacity,
                                          iotedge_heard_t *heard);

/**
 * Opens a message off the ledger (`IOTEDGE_SAID_MESSAGE`), of whichever channel it is.
 *
 * `sealed`: `sealed_len` bytes. `text`: room for `text_capacity` bytes, `sealed_len` are enough: takes the plaintext, and is wiped where nothing came of it. `heard`: set its `size` first; its kind is
 * `IOTEDGE_HEARD_MESSAGE`. Both written on success.
 *
 * Everything else changed nothing: `IOTEDGE_E_CHANNEL_UNKNOWN`: of no channel that is read here, or from before the grant, after a revoke, too far ahead or too long ago. `IOTEDGE_E_CHANNEL_FORGED`, `IOTEDGE_E_SIGNATURE`:
 * changed on the way, or made up. `IOTEDGE_E_CHANNEL_REPLAYED`, `IOTEDGE_E_CHANNEL_DOUBLED`, `IOTEDGE_E_CHANNEL_FORK`: one with its place was opened before. `IOTEDGE_E_MALFORMED`, `IOTEDGE_E_VERSION`: no message.
 * `IOTEDGE_E_PLATFORM`: it could not be stored; give it again.
 *
 * Calls the platform. From the thread that has the subscriber. Not from an interrupt: a signed one takes a signature check.
 */
int32_t iotedge_subscriber_read(iotedge_subscriber_t *subscriber,
                                const uint8_t *sealed,
                                size_t sealed_len,
                                uint8_t *text,
                                size_t text_capacity,
                                iotedge_heard_t *heard);

/**
 * Says whether a message that was opened is under the root of its batch: then it is the owner's.
 *
 * `root`: the operation of `IOTEDGE_HEARD_ROOT`, `root_len` bytes, as it was heard. `index`: of the message. `path`: `path_count` hashes of 32 bytes, from the owner (`iotedge_channel_owner_path`).
 *
 * `IOTEDGE_E_WRONG_PATH`, `IOTEDGE_E_PATH_LENGTH`: it is not. `IOTEDGE_E_CHANNEL_UNKNOWN`: it is not remembered. `IOTEDGE_E_CHANNEL_BATCH`: of another batch.
 *
 * From the thread that has the subscriber. Not from an interrupt.
 */
int32_t iotedge_subscriber_prove(const iotedge_subscriber_t *subscriber,
                                 uint32_t subscription,
                                 const uint8_t *root,
                                 size_t root_len,
                                 uint64_t index,
                                 const uint8_t *path,
                                 size_t path_count);

/**
 * Writes what was read since the last write of the store, where `store_every` is above 1: before the device sleeps.
 *
 * `IOTEDGE_E_PLATFORM`: try again.
 *
 * Calls the platform. From the thread that has the subscriber. Not from an interrupt.
 */
int32_t iotedge_subscriber_store(iotedge_subscriber_t *subscriber);

/**
 * How a subscription stands.
 *
 * `subscription_status`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_CHANNEL_OTHER`: there is none with this number.
 *
 * From the thread that has the subscriber. Not from an interrupt.
 */
int32_t iotedge_subscriber_status(const iotedge_subscriber_t *subscriber,
                                  uint32_t subscription,
                                  iotedge_subscription_status_t *subscription_status);

/**
 * Lets the node take part in a cluster, in place of any before: it hears and makes claims, and says in its offers to leaves where it stands.
 *
 * `config`: copied.
 *
 * `IOTEDGE_E_ARGUMENT`: the lease has no sense, or the score. `IOTEDGE_E_LENGTH`: the label is too long.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_cluster_join(iotedge_node_t *node,
                             const iotedge_cluster_config_t *config);

/**
 * Says that the node became more or less able. A head that is given `IOTEDGE_CLUSTER_FOLLOWS` lays its lease down, and the first of its line takes over.
 *
 * `score`: as in `iotedge_cluster_config_t`.
 *
 * From the thread that has the node. Not from an interrupt: it may sign.
 */
int32_t iotedge_cluster_set_score(iotedge_node_t *node,
                                  uint64_t now,
                                  uint32_t score);

/**
 * Who is head, while its lease runs. A hint: a head has no power over the ledger.
 *
 * `member`: its index. `term`: which election it is. Both written on success.
 *
 * `IOTEDGE_E_NONE`: the node is in no cluster, or nobody is head now.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_cluster_head(const iotedge_node_t *node,
                             uint64_t now,
                             uint32_t *member,
                             uint32_t *term);

/**
 * The score of a device, 0 to 66, in coarse steps, so that it seldom changes.
 *
 * `score`: written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_cluster_score(const iotedge_capability_t *capability, uint32_t *score);

/**
 * The name of a cluster in an epoch, which tells an outsider nothing of its place.
 *
 * `secret`: 32 bytes. `neighbourhood`: 32 bytes. `label`: `label_len` bytes. `context`: `IOTEDGE_CONTEXT_SIZE` bytes, written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_cluster_context(const uint8_t *secret,
                                const uint8_t *neighbourhood,
                                uint32_t epoch,
                                const uint8_t *label,
                                size_t label_len,
                                uint8_t *context);

/**
 * Verifies a claim (docs/protocol.md section 10.2) without a node.
 *
 * `neighbourhood`: 32 bytes. `key`: the claimant's, from the member table. `claim_bytes`: the COSE_Sign1, `claim_len` bytes. `claim`: set its `size` first; written
 * on success.
 *
 * `IOTEDGE_E_NEIGHBOURHOOD`, `IOTEDGE_E_RANGE`, `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_MALFORMED` and others of its form: refuse it.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_cluster_claim_verify(const uint8_t *neighbourhood,
                                     const iotedge_public_key_t *key,
                                     const uint8_t *claim_bytes,
                                     size_t claim_len,
                                     iotedge_claim_t *claim);

/**
 * How far apart two devices are, 0 to `IOTEDGE_FARTHEST`: two parts place, one part each whose they are and when they are awake. The same from both
 * sides. A member belongs to the nearest head.
 *
 * `a`, `b`: each with what it measured of the other. `distance`: written on success.
 *
 * `IOTEDGE_E_ARGUMENT`: a field is out of its range.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_cluster_distance(const iotedge_profile_t *a,
                                 const iotedge_profile_t *b,
                                 uint32_t *distance);

/**
 * Reads a content's name: what a neighbour's message or a manifest says of it.
 *
 * `name`: `name_len` bytes. `descriptor`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`: no name.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_content_describe(const uint8_t *name,
                                 size_t name_len,
                                 iotedge_content_descriptor_t *descriptor);

/**
 * Writes a content's name, for who is to ask for it.
 *
 * `name`: room for `name_capacity` bytes, `IOTEDGE_CONTENT_MAX_NAME` are enough; `name_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so. `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_content_name(const iotedge_content_descriptor_t *descriptor,
                             uint8_t *name,
                             size_t name_capacity,
                             size_t *name_len);

/**
 * What a content is asked for by: requests and parts carry the first 16 bytes.
 *
 * `id`: 32 bytes, written on success.
 *
 * `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_content_id(const iotedge_content_descriptor_t *descriptor, uint8_t *id);

/**
 * Says what a manifest says, if `key` signed it: for who serves or passes on firmware. A device that is to install one gives it to `iotedge_update_offer`, which asks more.
 *
 * `manifest`: `manifest_len` bytes. `said`, `content`: set their `size` first; written on success.
 *
 * `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not by this key. `IOTEDGE_E_VERSION`, `IOTEDGE_E_RANGE`, `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_PROTECTED_HEADER`,
 * `IOTEDGE_E_MALFORMED` and others of bytes: no manifest of a form that is known here.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_manifest_verify(const iotedge_public_key_t *key,
                                const uint8_t *manifest,
                                size_t manifest_len,
                                iotedge_manifest_t *said,
                                iotedge_content_descriptor_t *content);

/**
 * What a maker signs of a manifest: in software (`iotedge_sign`), or with what keeps the key.
 *
 * `key`: the maker's public key. `said`: what it is to say. `content`: of what (`iotedge_provider_descriptor`). `message`: room for `message_capacity` bytes, `IOTEDGE_MANIFEST_MAX_INPUT` are enough;
 * `message_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_RANGE`: sequence number 0, or a component's name that is empty, too long or not zero behind its end. `IOTEDGE_E_ARGUMENT`: a flag that is not known, or something without its flag.
 * `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_manifest_input(const iotedge_public_key_t *key,
                               const iotedge_manifest_t *said,
                               const iotedge_content_descriptor_t *content,
                               uint8_t *message,
                               size_t message_capacity,
                               size_t *message_len);

/**
 * Puts a manifest together with the maker's signature, once that is found to be one.
 *
 * `key`, `said`, `content`: as for `iotedge_manifest_input`. `signature`: 64 bytes over its message. `manifest`: room for `manifest_capacity` bytes, `IOTEDGE_UPDATE_MAX_MANIFEST` are enough;
 * `manifest_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not a signature of it: a fault, or another key. Sign again. Else as `iotedge_manifest_input`.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_manifest_assemble(const iotedge_public_key_t *key,
                                  const iotedge_manifest_t *said,
                                  const iotedge_content_descriptor_t *content,
                                  const uint8_t *signature,
                                  uint8_t *manifest,
                                  size_t manifest_capacity,
                                  size_t *manifest_len);

/**
 * How many bytes of memory a provider with this configuration needs. For static arrays there is the macro `IOTEDGE_PROVIDER_SIZE`, which is a little more.
 *
 * `bytes`: written on success.
 *
 * `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so. `IOTEDGE_E_ARGUMENT`: another field.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_provider_size(const iotedge_provider_config_t *config,
                              size_t *bytes);

/**
 * Makes a provider of what lies in a slot, in memory that you give. Reads and hashes all of it once: a second for each megabyte or so on a microcontroller. What it then is says
 * `iotedge_provider_descriptor`: compare it where you know what it should be.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_provider_size`; the provider's until `iotedge_provider_deinit`, not to be read, written, moved or copied meanwhile. `config`, `slot`:
 * copied; `read` must be there, and what it reads must stay as it is. `provider`: written on success; points into `memory`.
 *
 * `IOTEDGE_E_PLATFORM`: it could not be read. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`, and as `iotedge_provider_size`.
 *
 * Calls the slot. From any thread; the provider then belongs to one thread at a time. Not from an interrupt.
 */
int32_t iotedge_provider_init(void *memory,
                              size_t memory_len,
                              const iotedge_provider_config_t *config,
                              const iotedge_slot_t *slot,
                              iotedge_provider_t **provider);

/**
 * Ends the provider: wipes its memory, which is yours again.
 *
 * `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
 *
 * From the thread that has the provider. Not from an interrupt.
 */
int32_t iotedge_provider_deinit(iotedge_provider_t *provider);

/**
 * What lies there.
 *
 * `descriptor`: set its `size` first; written on success.
 *
 * From the thread that has the provider. Not from an interrupt.
 */
int32_t iotedge_provider_descriptor(const iotedge_provider_t *provider,
                                    iotedge_content_descriptor_t *descriptor);

/**
 * Answers a request with one part, and says what to answer next. A provider keeps nothing of who asks: the request has all of it, so keep it per neighbour where parts go out one by one, or drop it: who
 * lacks something asks again.
 *
 * `request`: in, `*request_len` bytes, with room for `IOTEDGE_CONTENT_MAX_REQUEST`; out, what to answer next. `request_len`: out, 0 where this was all that was asked for. `part`: room for `part_capacity`
 * bytes: no part is longer, nor longer than the request allows; `part_len`: their number. All changed on success.
 *
 * `IOTEDGE_E_CONTENT_OTHER`: for another content: perhaps another provider's. `IOTEDGE_E_CONTENT_INDEX`: no such place in it. `IOTEDGE_E_CONTENT_NARROW`: the asker takes fewer bytes than the smallest part
 * has, or `part_capacity` is below that. `IOTEDGE_E_PLATFORM`: it could not be read. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`, `..._RANGE`: no request.
 *
 * What came from a neighbour as `IOTEDGE_SAID_REQUEST` is served whole:
 *
 * ```c
 * extern void say_to(uint32_t peer, const uint8_t *frame, size_t len);
 *
 * static void serve(iotedge_provider_t *provider, const uint8_t tag[4], uint32_t peer, const uint8_t *request, size_t request_len)
 * {
 *     uint8_t asked[IOTEDGE_CONTENT_MAX_REQUEST], part[IOTEDGE_CONTENT_MAX_PART], frame[IOTEDGE_MAX_FRAME];
 *     size_t part_len = 0, frame_len = 0;
 *     if (request_len > sizeof asked) {
 *         return;
 *     }
 *     memcpy(asked, request, request_len);
 *     while (request_len > 0 && iotedge_provider_answer(provider, asked, &request_len, part, sizeof part, &part_len) == IOTEDGE_OK &&
 *            iotedge_frame_say(tag, IOTEDGE_SAID_PART, part, part_len, frame, sizeof frame, &frame_len) == IOTEDGE_OK) {
 *         say_to(peer, frame, frame_len);
 *     }
 * }
 * ```
 *
 * Calls the slot. From the thread that has the provider. Not from an interrupt.
 */
int32_t iotedge_provider_answer(iotedge_provider_t *provider,
                                uint8_t *request,
                                size_t *request_len,
                                uint8_t *part,
                                size_t part_capacity,
                                size_t *part_len);

/**
 * How many bytes of memory a receiver needs. For static arrays there is `IOTEDGE_CONTENT_SIZE`, which is a little more.
 *
 * `bytes`: written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_content_size(size_t *bytes);

/**
 * Begins to receive a content, in memory that you give.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_content_size`; the receiver's until `iotedge_content_deinit`, not to be read, written, moved or copied meanwhile. `descriptor`: which one;
 * believe it only from who may say it, everything after it proves itself. `slot`: where it is to lie; `write` must be there. Both copied. `content`: written on success; points into `memory`.
 *
 * `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`.
 *
 * From any thread; the receiver then belongs to one thread at a time. Not from an interrupt.
 */
int32_t iotedge_content_begin(void *memory,
                              size_t memory_len,
                              const iotedge_content_descriptor_t *descriptor,
                              const iotedge_slot_t *slot,
                              iotedge_content_t **content);

/**
 * Goes on where `iotedge_content_save` was, after a reset; else as `iotedge_content_begin`. Chunks after that place are written once more.
 *
 * `saved`: `saved_len` bytes, from this device's own store: they are believed.
 *
 * `IOTEDGE_E_CONTENT_STORED`: of another content, or damaged: begin anew.
 *
 * From any thread; the receiver then belongs to one thread at a time. Not from an interrupt.
 */
int32_t iotedge_content_restore(void *memory,
                                size_t memory_len,
                                const iotedge_content_descriptor_t *descriptor,
                                const iotedge_slot_t *slot,
                                const uint8_t *saved,
                                size_t saved_len,
                                iotedge_content_t **content);

/**
 * Ends the receiver: wipes its memory, which is yours again. What was written stays.
 *
 * `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
 *
 * From the thread that has the receiver. Not from an interrupt.
 */
int32_t iotedge_content_deinit(iotedge_content_t *content);

/**
 * What to ask a neighbour for next, in a frame as `IOTEDGE_SAID_REQUEST` or however you reach it. Any neighbour that has the content answers alike; ask again, or another one, where nothing comes.
 *
 * `most`: most bytes of one part, up to 65,535; at least 66 more than a chunk has, or somewhere the answer is `IOTEDGE_E_CONTENT_NARROW`. `chunks`: so many in a row, up to 255; 0: 1. `request`: room for `request_capacity` bytes,
 * `IOTEDGE_CONTENT_MAX_REQUEST` are enough; `request_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_NONE`: all is here. `IOTEDGE_E_ARGUMENT`, `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From the thread that has the receiver. Not from an interrupt.
 */
int32_t iotedge_content_request(const iotedge_content_t *content,
                                uint32_t most,
                                uint32_t chunks,
                                uint8_t *request,
                                size_t request_capacity,
                                size_t *request_len);

/**
 * Takes a part, from whomever it comes. A chunk that proves to be the content's is handed to `write` of the slot; only if that succeeds has it come.
 *
 * `part`: `part_len` bytes. `step`: `IOTEDGE_CONTENT_CHUNK` or `IOTEDGE_CONTENT_WAY`; written on success.
 *
 * All of them changed nothing. `IOTEDGE_E_CONTENT_PART`: late, doubled or ahead: drop it. `IOTEDGE_E_CONTENT_OTHER`: of another content. `IOTEDGE_E_CONTENT_FORGED`, `IOTEDGE_E_CONTENT_LENGTH`: whoever sent it
 * changed it, or has something else under this name: ask somebody else. `IOTEDGE_E_PLATFORM`: it could not be written: take it again. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`,
 * `..._RANGE`: no part.
 *
 * Calls the slot. From the thread that has the receiver. Not from an interrupt.
 */
int32_t iotedge_content_take(iotedge_content_t *content,
                             const uint8_t *part,
                             size_t part_len,
                             uint32_t *step);

/**
 * Writes what `iotedge_content_restore` goes on with: how far the receiver is, and the hashes that prove what is to come. Save at steps of your choice: where an erase block of the flash begins, so that
 * what is written again after a reset begins with an erased one.
 *
 * `saved`: room for `saved_capacity` bytes, `IOTEDGE_CONTENT_MAX_STATE` are enough; `saved_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_WRONG_ORDER`: between two parts of one chunk: save before or after. `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From the thread that has the receiver. Not from an interrupt.
 */
int32_t iotedge_content_save(const iotedge_content_t *content,
                             uint8_t *saved,
                             size_t saved_capacity,
                             size_t *saved_len);

/**
 * How far the receiver is.
 *
 * `progress`: set its `size` first; written on success.
 *
 * From the thread that has the receiver. Not from an interrupt.
 */
int32_t iotedge_content_progress(const iotedge_content_t *content,
                                 iotedge_content_progress_t *progress);

/**
 * How many bytes of memory an update needs. For static arrays there is `IOTEDGE_UPDATE_SIZE`, which is a little more.
 *
 * `bytes`: written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_update_size(size_t *bytes);

/**
 * The sequence number of the firmware that runs, as it confirmed itself: 0 before the first update.
 *
 * `platform`: copied; used during the call. `store_key`: that of the target. `sequence`: written on success.
 *
 * `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_CONTENT_STORED`: what the store has under this key is no number.
 *
 * Calls the platform. From any thread. Not from an interrupt.
 */
int32_t iotedge_update_installed(const iotedge_platform_t *platform,
                                 uint32_t store_key,
                                 uint64_t *sequence);

/**
 * Begins an update under a manifest, or goes on with it where the same one is under way. A newer one takes the place of one under way.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_update_size`; the update's until `iotedge_update_deinit`, not to be read, written, moved or copied meanwhile. `target`, `platform`, `slot`:
 * copied; `write` of the slot must be there. `manifest`: `manifest_len` bytes, from whomever they come. `now`: seconds since 1970; 0 where the device has no clock: then nothing expires. `update`: written
 * on success; points into `memory`.
 *
 * Refused, with nothing stored. `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not by the pinned key. `IOTEDGE_E_UPDATE_VENDOR`, `..._CLASS`, `..._COMPONENT`: for
 * others. `IOTEDGE_E_UPDATE_OLDER`: not above what is installed or under way. `IOTEDGE_E_UPDATE_EXPIRED`, `..._PRECURSOR`, `..._FORMAT`, `..._ROOM`: not for this device now. `IOTEDGE_E_VERSION`,
 * `IOTEDGE_E_RANGE`, `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_MALFORMED` and others of bytes: no manifest of a form that is known here. `IOTEDGE_E_CONTENT_STORED`: the installed number cannot be read.
 * `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_ARGUMENT`: a field of the target. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`; `IOTEDGE_E_ALREADY_INITIALISED`: end the one that lives there first.
 *
 * Calls the platform. From any thread; the update then belongs to one thread at a time. Not from an interrupt: one or two signature checks.
 */
int32_t iotedge_update_offer(void *memory,
                             size_t memory_len,
                             const iotedge_update_target_t *target,
                             const iotedge_platform_t *platform,
                             const iotedge_slot_t *slot,
                             const uint8_t *manifest,
                             size_t manifest_len,
                             uint64_t now,
                             iotedge_update_t **update);

/**
 * The update that was under way before a reset; else as `iotedge_update_offer`. Its chunks come from the beginning of a step on, the last ones perhaps once more.
 *
 * `IOTEDGE_E_NONE`: none is. `IOTEDGE_E_PLATFORM`: try again. Anything else: it no longer counts, and the next offer takes its place.
 *
 * Calls the platform. From any thread; the update then belongs to one thread at a time. Not from an interrupt: one signature check.
 */
int32_t iotedge_update_resume(void *memory,
                              size_t memory_len,
                              const iotedge_update_target_t *target,
                              const iotedge_platform_t *platform,
                              const iotedge_slot_t *slot,
                              iotedge_update_t **update);

/**
 * Ends the object: wipes its memory, which is yours again. The update stays under way in the store: `iotedge_update_resume`.
 *
 * `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
 *
 * From the thread that has the update. Not from an interrupt.
 */
int32_t iotedge_update_deinit(iotedge_update_t *update);

/**
 * What to ask a neighbour for next: as `iotedge_content_request`.
 *
 * `IOTEDGE_E_NONE`: all is here: `iotedge_update_verify`, then start it.
 *
 * From the thread that has the update. Not from an interrupt.
 */
int32_t iotedge_update_request(const iotedge_update_t *update,
                               uint32_t most,
                               uint32_t chunks,
                               uint8_t *request,
                               size_t request_capacity,
                               size_t *request_len);

/**
 * Takes a part: as `iotedge_content_take`. At the end of a step, and of the whole, the state is stored.
 *
 * `IOTEDGE_E_PLATFORM`: the chunk could not be written, and has not come; or it has, and its step could not be stored: then that comes with the next step, and a reset before it takes a step more back. Either
 * way ask for what comes next. All others as `iotedge_content_take`.
 *
 * What is refused changes nothing, so a loop takes whatever frame comes; here 1 says that the whole image lies in the slot:
 *
 * ```c
 * static int take_frame(iotedge_update_t *update, const uint8_t tag[4], const uint8_t *frame, size_t frame_len)
 * {
 *     const uint8_t *bytes = NULL;
 *     size_t len = 0;
 *     uint32_t what = 0, step = 0;
 *     iotedge_update_status_t stands;
 *     memset(&stands, 0, sizeof stands);
 *     stands.size = (uint32_t)sizeof stands;
 *     if (iotedge_frame_said(tag, frame, frame_len, &what, &bytes, &len) == IOTEDGE_OK && what == IOTEDGE_SAID_PART) {
 *         (void)iotedge_update_take(update, bytes, len, &step);
 *     }
 *     return iotedge_update_status(update, &stands) == IOTEDGE_OK && stands.complete && iotedge_update_verify(update) == IOTEDGE_OK;
 * }
 * ```
 *
 * Calls the slot and the platform. From the thread that has the update. Not from an interrupt.
 */
int32_t iotedge_update_take(iotedge_update_t *update,
                            const uint8_t *part,
                            size_t part_len,
                            uint32_t *step);

/**
 * How an update stands.
 *
 * `update_status`: set its `size` first; written on success.
 *
 * From the thread that has the update. Not from an interrupt.
 */
int32_t iotedge_update_status(const iotedge_update_t *update,
                              iotedge_update_status_t *update_status);

/**
 * The payload's name: whom to ask for it, and what an `iotedge_provider_t` over the slot serves afterwards.
 *
 * `descriptor`: set its `size` first; written on success.
 *
 * From the thread that has the update. Not from an interrupt.
 */
int32_t iotedge_update_descriptor(const iotedge_update_t *update,
                                  iotedge_content_descriptor_t *descriptor);

/**
 * Reads back what was written, and says whether it is what the maker signed: what a memory lost, and what a maker took for its image, is found here. A bootloader checks it again.
 *
 * `IOTEDGE_E_UPDATE_DIGEST`: it is not: give it up. `IOTEDGE_E_WRONG_ORDER`: not all is here yet. `IOTEDGE_E_NULL`: the slot has no `read`. `IOTEDGE_E_PLATFORM`: it could not be read.
 *
 * Calls the slot. From the thread that has the update. Not from an interrupt.
 */
int32_t iotedge_update_verify(iotedge_update_t *update);

/**
 * The new firmware runs and is to stay: from now on only what is above its number begins. Call it from the new firmware, once it knows that it works: a firmware that does not boot leaves the way back open. First
 * submit its record, where there is one (`iotedge_update_record`): a reset in between says it twice, which harms nobody.
 *
 * `platform`: copied; used during the call. `store_key`: that of the target. `sequence`: of `iotedge_update_status`, or built into the firmware.
 *
 * `IOTEDGE_E_UPDATE_OLDER`: a higher one is confirmed. `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_CONTENT_STORED`: what the store has under this key is no number.
 *
 * Calls the platform. From any thread. Not from an interrupt.
 */
int32_t iotedge_update_confirm(const iotedge_platform_t *platform,
                               uint32_t store_key,
                               uint64_t sequence);

/**
 * Gives up the update that is under way, if one is. End its object, too.
 *
 * `platform`: copied; used during the call. `store_key`: that of the target.
 *
 * `IOTEDGE_E_PLATFORM`: it stands; try again.
 *
 * Calls the platform. From any thread. Not from an interrupt.
 */
int32_t iotedge_update_give_up(const iotedge_platform_t *platform, uint32_t store_key);

/**
 * What a device says on the L-Chain of a firmware that it installed: the body of a data transaction, for `iotedge_node_submit_data` or `iotedge_leaf_submit_data` (docs/protocol.md section 13.4).
 *
 * `body`: room for `body_capacity` bytes, `IOTEDGE_UPDATE_MAX_RECORD` are enough; `body_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_RANGE`: sequence number 0, or a component's name that is empty, too long or not zero behind its end. `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_update_record(const iotedge_installed_t *installed,
                              uint8_t *body,
                              size_t body_capacity,
                              size_t *body_len);

/**
 * Reads the body of a data transaction as what its issuer says of a firmware that it installed. It is the issuer's word; an attestation proves more.
 *
 * `body`: `body_len` bytes. `installed`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_NONE`: it is something else. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`, `..._RANGE`: it begins as one and is none.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_update_record_read(const uint8_t *body,
                                   size_t body_len,
                                   iotedge_installed_t *installed);

/**
 * What an external signer signs once, at provisioning, to prove that it holds the device's key (docs/protocol.md section 2.2).
 * The signature goes into `iotedge_config_t.enrolment` or `iotedge_leaf_config_t.enrolment`.
 *
 * `authority`: the pinned neighbourhood authority. `device`: 32 bytes, see `iotedge_device_id`. `statement`: room for
 * `statement_capacity` bytes, 96 are enough; `statement_len`: their number. Both written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_enrol_statement(const iotedge_public_key_t *authority,
                                const uint8_t *device,
                                uint8_t *statement,
                                size_t statement_capacity,
                                size_t *statement_len);

/**
 * Opens the store in raw flash, and first of all makes lasting what a power cut left open. Flash that holds none is an empty store: nothing has to be prepared.
 * With another `unit`, `block` or `blocks` than before it is empty, too.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `IOTEDGE_FLASH_STORE_SIZE`; the store's until `iotedge_flash_store_close`. `flash`: copied; its `user`
 * must live as long as the store. `store`: written on success; points into `memory`. It holds nothing of the flash but where its end is.
 *
 * After a start the first value that is written goes to a fresh block: one erase. What a power cut may have touched is not programmed again.
 *
 * `IOTEDGE_E_ARGUMENT`: `unit`, `block` or `blocks`. `IOTEDGE_E_FLASH`: the flash failed; try again. `IOTEDGE_E_STORE_DAMAGED`: see
 * `iotedge_flash_store_get`. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`: the memory.
 *
 * ```c
 * static uint64_t store_memory[IOTEDGE_FLASH_STORE_SIZE / 8];
 *
 * static int32_t store_start(const iotedge_flash_t *flash, iotedge_platform_t *platform)
 * {
 *     iotedge_flash_store_t *store = NULL;
 *     int32_t status = iotedge_flash_store_open(store_memory, sizeof store_memory, flash, &store);
 *     platform->size = (uint32_t)sizeof *platform;
 *     platform->store_user = store;
 *     platform->store_get = iotedge_flash_store_get;
 *     platform->store_put = iotedge_flash_store_put;
 *     platform->store_remove = iotedge_flash_store_remove;
 *     return status;
 * }
 * ```
 *
 * From any thread; the store then belongs to one thread at a time, that of its node or leaf. Not from an interrupt.
 */
int32_t iotedge_flash_store_open(void *memory,
                                 size_t memory_len,
                                 const iotedge_flash_t *flash,
                                 iotedge_flash_store_t **store);

/**
 * Erases the whole store, as for a device that is given away, or where it is damaged. No store may be open over this flash. Where the power goes meanwhile, repeat it.
 *
 * `IOTEDGE_E_ARGUMENT`: `unit`, `block` or `blocks`. `IOTEDGE_E_FLASH`: a block could not be erased; all others are.
 *
 * From any thread. Not from an interrupt.
 */
int32_t iotedge_flash_store_format(const iotedge_flash_t *flash);

/**
 * The longest value that fits one key. A node stores up to 2,829 bytes (64 validators), a leaf as much; with few validators 1,400 do.
 *
 * `bytes`: written on success.
 *
 * From the store's thread. Not from an interrupt.
 */
int32_t iotedge_flash_store_longest(const iotedge_flash_store_t *store,
                                    size_t *bytes);

/**
 * Reads a value: `store_get` of `iotedge_platform_t`, with the store as `store_user`.
 *
 * `user`: an `iotedge_flash_store_t`. `key`: at most 65,535. `out`: `capacity` bytes; changed on failure too. `len`: written on success.
 *
 * `IOTEDGE_E_NONE`: no value. `IOTEDGE_E_LENGTH`: longer than `capacity`. `IOTEDGE_E_FLASH`: the flash could not be read. `IOTEDGE_E_STORE_DAMAGED`: what was
 * written is not there any more, since cells lost their charge or somebody else wrote; an older value is never given in its place. Erase it
 * (`iotedge_flash_store_format`): the neighbours know how far the device was.
 *
 * From the store's thread. Not from an interrupt.
 */
int32_t iotedge_flash_store_get(void *user,
                                uint32_t key,
                                uint8_t *out,
                                size_t capacity,
                                size_t *len);

/**
 * Writes a value: `store_put` of `iotedge_platform_t`, with the store as `store_user`. When it returns `IOTEDGE_OK` the value stays, and until then the old
 * one does, whenever the power goes. It may erase a block, and seldom several.
 *
 * `user`: an `iotedge_flash_store_t`. `key`: at most 65,535. `value`: `len` bytes, at most `iotedge_flash_store_longest`.
 *
 * `IOTEDGE_E_LENGTH`: too long. `IOTEDGE_E_STORE_FULL`: no room. `IOTEDGE_E_FLASH`: the flash failed, and no block is left to use instead. All values
 * stand then.
 *
 * From the store's thread. Not from an interrupt.
 */
int32_t iotedge_flash_store_put(void *user,
                                uint32_t key,
                                const uint8_t *value,
                                size_t len);

/**
 * Removes a value: `store_remove` of `iotedge_platform_t`, with the store as `store_user`. Removing what is not there succeeds. Works in a full store.
 *
 * `user`: an `iotedge_flash_store_t`. `key`: at most 65,535.
 *
 * `IOTEDGE_E_FLASH`: the flash failed; the value stands.
 *
 * From the store's thread. Not from an interrupt.
 */
int32_t iotedge_flash_store_remove(void *user,
                                   uint32_t key);

/**
 * Ends the store; its memory is yours again. What was written stays. End the node or leaf before.
 *
 * From the store's thread. Not from an interrupt.
 */
int32_t iotedge_flash_store_close(iotedge_flash_store_t *store);

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
                                     iotedge_public_key_t *key);

/**
 * Says whether a key can ever verify a signature: canonical, on the curve, not of small order, and of a suite that this build
 * has. Call it before you store a key from outside.
 *
 * `IOTEDGE_E_SIGNATURE_MALFORMED`: it cannot. `IOTEDGE_E_SUITE`: this build lacks the suite.
 *
 * From any thread. Not from an interrupt: it takes part of a signature check's time.
 */
int32_t iotedge_public_key_check(const iotedge_public_key_t *key);

/**
 * The device id of a device whose first key is `key`: SHA-256 of its COSE_Key (RFC 9679). `id`: 32 bytes, written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_device_id(const iotedge_public_key_t *key,
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
 * The public key of a P-256 scalar, for factory tools and for a software stand-in where a secure element will be.
 *
 * `scalar`: 32 bytes, big-endian, from a random generator fit for keys; read only, the caller keeps it secret and wipes it. `key`:
 * set its `size` first; written on success.
 *
 * `IOTEDGE_E_SIGNATURE_MALFORMED`: zero, or not below the order of the group: draw again. `IOTEDGE_E_SUITE`: this build lacks ES256.
 *
 * From any thread. Not from an interrupt: it takes a signature's time.
 */
int32_t iotedge_public_key_from_scalar(const uint8_t *scalar,
                                       iotedge_public_key_t *key);

/**
 * Signs `message` in ES256 with the key of `scalar` (deterministic, RFC 6979), as a secure element does behind
 * `IOTEDGE_EVENT_SIGNATURE_NEEDED`; this is its stand-in in software.
 *
 * `scalar`: 32 bytes, see `iotedge_public_key_from_scalar`; read only. `signature`: 64 bytes, r then s, written on success.
 *
 * `IOTEDGE_E_SIGNATURE_MALFORMED`: not a scalar. `IOTEDGE_E_SUITE`: this build lacks ES256.
 *
 * From any thread. Not from an interrupt: several million instructions on a Cortex-M.
 */
int32_t iotedge_sign_es256(const uint8_t *scalar,
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
int32_t iotedge_verify(const iotedge_public_key_t *key,
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
                                     iotedge_public_key_t *key);

/**
 * How many bytes of memory a leaf needs. For static arrays there is `IOTEDGE_LEAF_SIZE`, which is a little more.
 *
 * `bytes`: written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_leaf_size(size_t *bytes);

/**
 * Starts a leaf in memory that you give, and reads back what its store holds: after a reset the same call goes on where the device was. A device is a
 * leaf or a node, never both over one store.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_leaf_size`; the leaf's until `iotedge_leaf_deinit`, not to be read,
 * written, moved or copied meanwhile. `config`: copied. `platform`: copied; its `user` must live as long as the leaf.
 * `leaf`: written on success; points into `memory`.
 *
 * Calls the platform: the store. The longest value under one key is a validator set, at most `IOTEDGE_MAX_SET` bytes and in practice those of one frame.
 *
 * `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`: see above. `IOTEDGE_E_ALREADY_INITIALISED`: a leaf lives here. `IOTEDGE_E_OWN_CERTIFICATE`:
 * the certificate is another device's, or not of kind leaf. `IOTEDGE_E_PLATFORM`: a callback failed.
 *
 * ```c
 * static uint64_t leaf_memory[IOTEDGE_LEAF_SIZE / 8];
 *
 * static int32_t leaf_start(const iotedge_public_key_t *authority, const uint8_t *seed, const uint8_t *cwt, size_t cwt_len,
 *                           const iotedge_platform_t *platform, iotedge_leaf_t **leaf)
 * {
 *     iotedge_leaf_config_t config;
 *     memset(&config, 0, sizeof config);
 *     config.size = (uint32_t)sizeof config;
 *     config.authority = authority;
 *     config.seed = seed;
 *     config.certificate = cwt;
 *     config.certificate_len = cwt_len;
 *     return iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &config, platform, leaf);
 * }
 * ```
 *
 * From any thread; the leaf then belongs to one thread at a time. Not from an interrupt.
 */
int32_t iotedge_leaf_init(void *memory,
                          size_t memory_len,
                          const iotedge_leaf_config_t *config,
                          const iotedge_platform_t *platform,
                          iotedge_leaf_t **leaf);

/**
 * Ends the leaf: wipes its key and all its memory, which is yours again. What is in the store stays.
 *
 * `leaf`: live. A second call is refused with `IOTEDGE_E_NOT_INITIALISED`, as is every other call on a leaf that ended.
 *
 * From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_deinit(iotedge_leaf_t *leaf);

/**
 * Adds a neighbour, or changes whether it is an uplink. The library never sees addresses: you number your neighbours. At least q + 1 are needed, q being the
 * neighbourhood's number of witnesses: one to send to and q to ask whether it passed everything on.
 *
 * `peer`: 0 to 65,535. `uplink`: 1 for a gateway or validator, which proves single transactions; else 0.
 *
 * `IOTEDGE_E_BUSY`: eight neighbours are known.
 *
 * From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_add_peer(iotedge_leaf_t *leaf,
                              uint32_t peer,
                              uint32_t uplink);

/**
 * Forgets a neighbour. Forgetting one that is not there succeeds.
 *
 * From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_remove_peer(iotedge_leaf_t *leaf, uint32_t peer);

/**
 * Gives the leaf a frame from a neighbour. After it, fetch events and frames.
 *
 * `now`: local milliseconds that never go back, as in all calls below. `peer`: whom it came from. `frame`: `frame_len` bytes, read only.
 *
 * Anything but `IOTEDGE_OK` says why the frame was refused; it changed nothing and needs no action: neighbours send a leaf much that is for
 * nodes (`IOTEDGE_E_NOT_FOR_ME`), and strangers what they like.
 *
 * Calls the platform. From the thread that has the leaf. Not from an interrupt: one signature check or more; put the frame in a
 * queue there.
 */
int32_t iotedge_leaf_receive(iotedge_leaf_t *leaf,
                             uint64_t now,
                             uint32_t peer,
                             const uint8_t *frame,
                             size_t frame_len);

/**
 * The next frame to send. Call it until it says `IOTEDGE_E_NONE`: after every other call, and at the deadline.
 *
 * `peer`: whom to send it to. `frame`: points into the leaf's memory, so that no second buffer is needed: send or copy its `frame_len` bytes before the next
 * call on this leaf. All written on success.
 *
 * `IOTEDGE_E_NONE`: nothing to send now.
 *
 * Calls the platform. From the thread that has the leaf. Not from an interrupt: it may sign.
 */
int32_t iotedge_leaf_next_frame(iotedge_leaf_t *leaf,
                                uint64_t now,
                                uint32_t *peer,
                                const uint8_t **frame,
                                size_t *frame_len);

/**
 * The next event. Call it until it says `IOTEDGE_E_NONE`, after every other call. A leaf tells of its own transactions only: `IOTEDGE_EVENT_SENT` with the
 * number in `code`, `IOTEDGE_EVENT_HELD`, `IOTEDGE_EVENT_GRADED` with witnessed, settled or dead (then say it again), `IOTEDGE_EVENT_REJECTED`; of its standing
 * (`IOTEDGE_EVENT_JOINED`, `..._MEMBER`, `..._RECOVERED`, `..._ENROL_...`), and of what is wrong (`IOTEDGE_EVENT_HEAD_SUSPECTED`, `..._DOUBLED`, `..._FORK`,
 * `..._STALE`, `..._PLATFORM_FAILED`, `..._LOST`); with an external signer of `IOTEDGE_EVENT_SIGNATURE_NEEDED`.
 *
 * `event`: set its `size` first; written on success.
 *
 * From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_next_event(iotedge_leaf_t *leaf,
                                iotedge_event_t *event);

/**
 * When to call `iotedge_leaf_next_frame` again at the latest, if nothing else happens. A leaf that sleeps longer only learns later.
 *
 * `deadline`: local milliseconds; written on success.
 *
 * From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_next_deadline(const iotedge_leaf_t *leaf,
                                   uint64_t *deadline);

/**
 * What the leaf says of itself.
 *
 * `leaf_status`: set its `size` first; written on success.
 *
 * From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_status(const iotedge_leaf_t *leaf, iotedge_leaf_status_t *leaf_status);

/**
 * Submits data, usually a SenML pack of `iotedge_reading_encode`. It goes into the store, is signed once neighbours besides the head agree on what it stands on, and is sent
 * also after a reset; an event with the ticket says how it ended. One submission waits at a time.
 *
 * `body`: `body_len` bytes, 1 to `IOTEDGE_MAX_BODY`, copied. `ticket`: written on success.
 *
 * `IOTEDGE_E_BUSY`: another one waits: try again after `IOTEDGE_EVENT_SENT`. `IOTEDGE_E_BODY_LENGTH`, `IOTEDGE_E_PLATFORM`: nothing was stored.
 *
 * Calls the platform. From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_submit_data(iotedge_leaf_t *leaf,
                                 uint64_t now,
                                 const uint8_t *body,
                                 size_t body_len,
                                 uint32_t *ticket);

/**
 * Submits a service: what this device offers, for other applications to read. Else as `iotedge_leaf_submit_data`.
 *
 * Calls the platform. From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_submit_service(iotedge_leaf_t *leaf,
                                    uint64_t now,
                                    const uint8_t *body,
                                    size_t body_len,
                                    uint32_t *ticket);

/**
 * Pays another member. Else as `iotedge_leaf_submit_data`.
 *
 * `to`: index of the payee. `amount`: micro-tokens, not 0.
 *
 * `IOTEDGE_E_AMOUNT_ZERO`, `IOTEDGE_E_UNKNOWN_PAYEE`: nothing was stored. Caps and credits are looked at when its turn comes: then
 * `IOTEDGE_EVENT_REJECTED` says `IOTEDGE_E_CAP_TRANSACTION`, `IOTEDGE_E_CAP_EXPOSURE` or `IOTEDGE_E_INSUFFICIENT_CREDITS`.
 *
 * Calls the platform. From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_submit_transfer(iotedge_leaf_t *leaf,
                                     uint64_t now,
                                     uint32_t to,
                                     uint64_t amount,
                                     uint32_t *ticket);

/**
 * Takes value out of the neighbourhood to an Ethereum address. Else as `iotedge_leaf_submit_transfer`.
 *
 * `target`: `IOTEDGE_TARGET_SIZE` bytes.
 *
 * Calls the platform. From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_submit_exit(iotedge_leaf_t *leaf,
                                 uint64_t now,
                                 uint64_t amount,
                                 const uint8_t *target,
                                 uint32_t *ticket);

/**
 * What the external signer shall sign, after `IOTEDGE_EVENT_SIGNATURE_NEEDED`: the next transaction, or the answer to a gateway that wants an attestation. Take it as often as you like,
 * it is the same; then give `iotedge_leaf_sign_output` or `iotedge_leaf_sign_fail`, at once or later.
 *
 * `message`: room for `message_capacity` bytes, `IOTEDGE_MAX_SIGN_INPUT` are enough; `message_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_NONE`: nothing waits for a signature (any more). `IOTEDGE_E_PLATFORM`: the store cannot be read.
 *
 * Calls the platform. From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_sign_input(iotedge_leaf_t *leaf,
                                uint8_t *message,
                                size_t message_capacity,
                                size_t *message_len);

/**
 * The external signer's answer. It is checked against the device's public key before anything leaves the device.
 *
 * `signature`: 64 bytes.
 *
 * `IOTEDGE_E_SIGNATURE`: not a signature of the message: a fault, another key in the slot, or it comes too late. Nothing left, no number was used up, and it is asked for again after a
 * second. `IOTEDGE_E_WRONG_ORDER`: nothing waits for a signature, or the input was not taken. `IOTEDGE_E_PLATFORM`: it could not be stored; it is asked for again.
 *
 * Calls the platform. From the thread that has the leaf. Not from an interrupt: one signature check.
 */
int32_t iotedge_leaf_sign_output(iotedge_leaf_t *leaf,
                                 uint64_t now,
                                 const uint8_t *signature);

/**
 * The external signer cannot sign. What waits stays in the store and is tried again after a second.
 *
 * From the thread that has the leaf. Not from an interrupt.
 */
int32_t iotedge_leaf_sign_fail(iotedge_leaf_t *leaf, uint64_t now);

/**
 * The limits of a device with eight neighbours: about 16 KiB. Change what you need.
 *
 * `limits`: set its `size` first; written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_link_limits_default(iotedge_link_limits_t *limits);

/**
 * How many bytes of memory a link with these limits needs. For static arrays there is the macro `IOTEDGE_LINK_SIZE`, which is a
 * little more.
 *
 * `bytes`: written on success.
 *
 * `IOTEDGE_E_LIMITS`: a limit is out of bounds; see `iotedge_link_limits_t`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_link_size(const iotedge_link_limits_t *limits,
                          size_t *bytes);

/**
 * Starts a link in memory that you give. It has no neighbours yet.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_link_size`; the link's until `iotedge_link_deinit`, not to be read,
 * written, moved or copied meanwhile. `limits`, `config`: copied. `link`: written on success; points into `memory`.
 *
 * `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_LIMITS`: see above. `IOTEDGE_E_ARGUMENT`: a field of the configuration, or 32
 * packets do not carry the longest frame. `IOTEDGE_E_ALREADY_INITIALISED`: a link lives here.
 *
 * ```c
 * static uint64_t link_memory[IOTEDGE_LINK_SIZE(8, 4, 6, 1400) / 8];
 *
 * static int32_t radio_start(iotedge_link_t **link)
 * {
 *     iotedge_link_limits_t limits;
 *     iotedge_link_config_t config;
 *     memset(&limits, 0, sizeof limits);
 *     limits.size = (uint32_t)sizeof limits;
 *     limits.peers = 8;
 *     limits.outgoing = 4;
 *     limits.incoming = 6;
 *     limits.per_peer = 2;
 *     limits.frame = IOTEDGE_MAX_FRAME;
 *     memset(&config, 0, sizeof config);
 *     config.size = (uint32_t)sizeof config;
 *     config.mtu = IOTEDGE_LINK_MTU_802_15_4;
 *     return iotedge_link_init(link_memory, sizeof link_memory, &limits, &config, link);
 * }
 * ```
 *
 * From any thread; the link then belongs to one thread at a time, the one that has the node. Not from an interrupt.
 */
int32_t iotedge_link_init(void *memory,
                          size_t memory_len,
                          const iotedge_link_limits_t *limits,
                          const iotedge_link_config_t *config,
                          iotedge_link_t **link);

/**
 * Ends a link and wipes its memory, which is yours again.
 *
 * `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
 *
 * From the thread that has the link. Not from an interrupt.
 */
int32_t iotedge_link_deinit(iotedge_link_t *link);

/**
 * Adds a neighbour, numbered as for the node. Adding one that is there succeeds.
 *
 * `IOTEDGE_E_BUSY`: all places for neighbours are taken.
 *
 * From the thread that has the link. Not from an interrupt.
 */
int32_t iotedge_link_add_peer(iotedge_link_t *link, uint32_t peer);

/**
 * Forgets a neighbour and what is under way to and from it. Forgetting one that is not there succeeds.
 *
 * From the thread that has the link. Not from an interrupt.
 */
int32_t iotedge_link_remove_peer(iotedge_link_t *link, uint32_t peer);

/**
 * Whether `iotedge_link_send` takes one more frame. Ask before you take a frame out of the node.
 *
 * `room`: 1 or 0; written on success.
 *
 * From the thread that has the link. Not from an interrupt.
 */
int32_t iotedge_link_has_room(const iotedge_link_t *link, uint32_t *room);

/**
 * Gives the link a frame for a neighbour: what `iotedge_node_next_frame` gave. After it, send the packets.
 *
 * `now`: local milliseconds that never go back, as in all calls below, on the node's clock. `frame`: `frame_len` bytes, copied. `node`: the node of
 * this device, read only, from which the link knows what can be left out; NULL: the frame goes whole.
 *
 * `IOTEDGE_E_BUSY`: no room, see `iotedge_link_has_room`. `IOTEDGE_E_LENGTH`: empty or above the limit. `IOTEDGE_E_UNKNOWN_PEER`.
 *
 * From the thread that has the link and the node. Not from an interrupt.
 */
int32_t iotedge_link_send(iotedge_link_t *link,
                          uint64_t now,
                          uint32_t peer,
                          const uint8_t *frame,
                          size_t frame_len,
                          const iotedge_node_t *node);

/**
 * The next packet to send. Call it until it says `IOTEDGE_E_NONE`, as fast as the radio takes packets: after every other call, and at the
 * deadline.
 *
 * `peer`: whom to send it to. `packet`: room for `packet_capacity` bytes, at least the packet size of the configuration; `packet_len`: how many
 * to send. All written on success.
 *
 * `IOTEDGE_E_NONE`: nothing to send now. `IOTEDGE_E_BUFFER_TOO_SMALL`: nothing is lost.
 *
 * From the thread that has the link. Not from an interrupt.
 */
int32_t iotedge_link_next_packet(iotedge_link_t *link,
                                 uint64_t now,
                                 uint32_t *peer,
                                 uint8_t *packet,
                                 size_t packet_capacity,
                                 size_t *packet_len);

/**
 * Gives the link a packet from a neighbour. Where it completes a frame, give that to `iotedge_node_receive`. After it, send the packets.
 *
 * `packet`: `packet_len` bytes, read only. `node`: as for `iotedge_link_send`; NULL: compressed frames are asked for whole. `frame`: room for
 * `frame_capacity` bytes, at least `IOTEDGE_MAX_FRAME`; `frame_len`: how many. Both written on success.
 *
 * `IOTEDGE_E_NONE`: taken, no frame yet. `IOTEDGE_E_OUT_OF_STEP`, `IOTEDGE_E_CORRUPT`, `IOTEDGE_E_MALFORMED`, `IOTEDGE_E_BUSY`: counted, need no
 * action. `IOTEDGE_E_UNKNOWN_PEER`. `IOTEDGE_E_BUFFER_TOO_SMALL`: `frame_capacity` is below `IOTEDGE_MAX_FRAME`.
 *
 * From the thread that has the link and the node. Not from an interrupt: put the packet in a queue there.
 */
int32_t iotedge_link_receive(iotedge_link_t *link,
                             uint64_t now,
                             uint32_t peer,
                             const uint8_t *packet,
                             size_t packet_len,
                             const iotedge_node_t *node,
                             uint8_t *frame,
                             size_t frame_capacity,
                             size_t *frame_len);

/**
 * When to call `iotedge_link_next_packet` again at the latest, if nothing else happens.
 *
 * `deadline`: local milliseconds, not before `now`; `UINT64_MAX`: never. Written on success.
 *
 * From the thread that has the link. Not from an interrupt.
 */
int32_t iotedge_link_next_deadline(const iotedge_link_t *link, uint64_t now, uint64_t *deadline);

/**
 * What a link counted.
 *
 * `counters`: set its `size` first; written on success.
 *
 * From the thread that has the link. Not from an interrupt.
 */
int32_t iotedge_link_counters(const iotedge_link_t *link, iotedge_link_counters_t *counters);

/**
 * The limits of a Linux device in a small neighbourhood: about 560 KiB. Change what you need.
 *
 * `limits`: set its `size` first; written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_limits_default(iotedge_limits_t *limits);

/**
 * How many bytes of memory a node with these limits needs. For static arrays there is the macro `IOTEDGE_NODE_SIZE`, which is a
 * little more.
 *
 * `bytes`: written on success.
 *
 * `IOTEDGE_E_LIMITS`: a limit is out of bounds; see `iotedge_limits_t`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_node_size(const iotedge_limits_t *limits,
                          size_t *bytes);

/**
 * Starts a node in memory that you give, and reads back what its store holds: after a reset the same call goes on where the device was.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_node_size`; the node's until `iotedge_node_deinit`, not to be read,
 * written, moved or copied meanwhile. `limits`, `config`: copied. `platform`: copied; its `user` must live as long as the node.
 * `node`: written on success; points into `memory`.
 *
 * Calls the platform: randomness and the store.
 *
 * `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_LIMITS`: see above. `IOTEDGE_E_ALREADY_INITIALISED`: a node lives
 * here. `IOTEDGE_E_OWN_CERTIFICATE`: no certificate, or not one of this key. `IOTEDGE_E_STORED_STATE`: the store is of another
 * neighbourhood authority or of a later version. `IOTEDGE_E_PLATFORM`: a callback failed.
 *
 * ```c
 * static uint64_t memory[IOTEDGE_NODE_SIZE(128, 16, 8, 4, 8, 16, 16384) / 8];
 *
 * static int32_t start(const iotedge_public_key_t *authority, const uint8_t *seed, const uint8_t *cwt, size_t cwt_len,
 *                      const iotedge_platform_t *platform, iotedge_node_t **node)
 * {
 *     iotedge_limits_t limits;
 *     iotedge_config_t config;
 *     memset(&limits, 0, sizeof limits);
 *     limits.size = (uint32_t)sizeof limits;
 *     limits.window = 128;
 *     limits.members = 16;
 *     limits.peers = 8;
 *     limits.aside = 4;
 *     limits.outbox = 8;
 *     limits.own = 16;
 *     limits.raw = 16384;
 *     memset(&config, 0, sizeof config);
 *     config.size = (uint32_t)sizeof config;
 *     config.authority = authority;
 *     config.seed = seed;
 *     config.certificate = cwt;
 *     config.certificate_len = cwt_len;
 *     return iotedge_node_init(memory, sizeof memory, &limits, &config, platform, node);
 * }
 * ```
 *
 * From any thread; the node then belongs to one thread at a time. Not from an interrupt.
 */
int32_t iotedge_node_init(void *memory,
                          size_t memory_len,
                          const iotedge_limits_t *limits,
                          const iotedge_config_t *config,
                          const iotedge_platform_t *platform,
                          iotedge_node_t **node);

/**
 * Ends the node: wipes its keys and all its memory, which is yours again. What is in the store stays.
 *
 * `node`: live. A second call is refused with `IOTEDGE_E_NOT_INITIALISED`, as is every other call on a node that ended.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_deinit(iotedge_node_t *node);

/**
 * Adds a neighbour, or changes whether it is an uplink. The library never sees addresses: you number your neighbours.
 *
 * `now`: local milliseconds that never go back, as in all calls below. `peer`: 0 to 65,535. `uplink`: 1 for the gateway or a relay to
 * it, which is asked for enrolment, headers, tables and proofs; else 0.
 *
 * `IOTEDGE_E_BUSY`: all places for neighbours are taken.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_add_peer(iotedge_node_t *node,
                              uint64_t now,
                              uint32_t peer,
                              uint32_t uplink);

/**
 * Forgets a neighbour. Forgetting one that is not there succeeds.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_remove_peer(iotedge_node_t *node, uint32_t peer);

/**
 * Gives the node a frame from a neighbour. After it, fetch events and frames.
 *
 * `peer`: whom it came from. `frame`: `frame_len` bytes, read only.
 *
 * Anything but `IOTEDGE_OK` says why the frame was refused (`IOTEDGE_E_MALFORMED` and the other numbers below 100): it is counted,
 * changed nothing, and needs no action; strangers send what they like. `IOTEDGE_E_UNKNOWN_PARENT` and `IOTEDGE_E_FROM_THE_FUTURE`: kept for
 * later.
 *
 * In the archives for microcontrollers (built without the feature `many-validators` of `iotedge-ffi`) a validator set of more than 16 is refused with
 * `IOTEDGE_E_WRONG_VALIDATOR_SET`: as a genesis, and then this node never joins, or as a later set, and then it settles nothing more.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt: one signature check or more; put the frame in a
 * queue there.
 */
int32_t iotedge_node_receive(iotedge_node_t *node,
                             uint64_t now,
                             uint32_t peer,
                             const uint8_t *frame,
                             size_t frame_len);

/**
 * The next frame to send. Call it until it says `IOTEDGE_E_NONE`: after every other call, and at the deadline.
 *
 * `peer`: whom to send it to. `frame`: room for `frame_capacity` bytes, at least `IOTEDGE_MAX_FRAME`; `frame_len`: how many to send. All
 * written on success.
 *
 * `IOTEDGE_E_NONE`: nothing to send now. `IOTEDGE_E_BUFFER_TOO_SMALL`: `frame_capacity` is below `IOTEDGE_MAX_FRAME`; nothing is lost.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt: it may sign.
 */
int32_t iotedge_node_next_frame(iotedge_node_t *node,
                                uint64_t now,
                                uint32_t *peer,
                                uint8_t *frame,
                                size_t frame_capacity,
                                size_t *frame_len);

/**
 * The next event. Call it until it says `IOTEDGE_E_NONE`, after every other call.
 *
 * `event`: set its `size` first; written on success.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_next_event(iotedge_node_t *node, iotedge_event_t *event);

/**
 * When to call `iotedge_node_next_frame` again at the latest, if nothing else happens.
 *
 * `deadline`: local milliseconds, not before `now`; written on success.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_next_deadline(const iotedge_node_t *node, uint64_t now, uint64_t *deadline);

/**
 * Submits data, usually a SenML pack of `iotedge_reading_encode`. It goes into the durable outbox and is signed and sent when its turn
 * comes, also after a reset; an event with the ticket says how it ended.
 *
 * `expires`: absolute milliseconds since 1970 after which it is not worth sending; 0 for never. `body`: `body_len` bytes, 1 to
 * `IOTEDGE_MAX_BODY`, copied. `ticket`: written on success.
 *
 * `IOTEDGE_E_OUTBOX_FULL`: wait for `IOTEDGE_EVENT_SENT`. `IOTEDGE_E_BODY_LENGTH`, `IOTEDGE_E_PLATFORM`: nothing was stored.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_submit_data(iotedge_node_t *node,
                                 uint64_t now,
                                 uint64_t expires,
                                 const uint8_t *body,
                                 size_t body_len,
                                 uint32_t *ticket);

/**
 * Submits a service: what this device offers, for other applications to read. Else as `iotedge_node_submit_data`.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_submit_service(iotedge_node_t *node,
                                    uint64_t now,
                                    uint64_t expires,
                                    const uint8_t *body,
                                    size_t body_len,
                                    uint32_t *ticket);

/**
 * Says something of a channel: what `iotedge_channel_owner_next_op` or `iotedge_subscriber_subscribe` gave. One that dies with its epoch is in the outbox again. Else as `iotedge_node_submit_data`.
 *
 * `op`: `op_len` bytes, copied.
 *
 * `IOTEDGE_E_UNSUPPORTED_KIND`, `IOTEDGE_E_MALFORMED` and others: not an operation; nothing was stored.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_submit_channel(iotedge_node_t *node,
                                    uint64_t now,
                                    uint64_t expires,
                                    const uint8_t *op,
                                    size_t op_len,
                                    uint32_t *ticket);

/**
 * Pays another member. Else as `iotedge_node_submit_data`.
 *
 * `to`: index of the payee. `amount`: micro-tokens, not 0.
 *
 * `IOTEDGE_E_AMOUNT_ZERO`, `IOTEDGE_E_CAP_TRANSACTION`, `IOTEDGE_E_CAP_PEER`, `IOTEDGE_E_CAP_EXPOSURE`,
 * `IOTEDGE_E_INSUFFICIENT_CREDITS`, `IOTEDGE_E_UNKNOWN_PAYEE`, `IOTEDGE_E_NOT_MEMBER`: not now; nothing was stored.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_submit_transfer(iotedge_node_t *node,
                                     uint64_t now,
                                     uint64_t expires,
                                     uint32_t to,
                                     uint64_t amount,
                                     uint32_t *ticket);

/**
 * Sets value aside for a member: what its claims show is paid when the lock ends, the rest comes back. Else as `iotedge_node_submit_transfer`.
 *
 * `term`: how long it stands, 1 to 2^31 milliseconds from the time of its transaction on. `terms`: what releases it; copied.
 *
 * `IOTEDGE_E_TERMS`: nobody could keep them: no units, units that do not divide the amount, a predicate without readers, no term. `IOTEDGE_E_UNSUPPORTED_KIND`: a kind of terms that does not exist.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_submit_lock(iotedge_node_t *node,
                                 uint64_t now,
                                 uint64_t expires,
                                 uint32_t to,
                                 uint64_t amount,
                                 uint32_t term,
                                 const iotedge_terms_t *terms,
                                 uint32_t *ticket);

/**
 * Claims a lock that is for this device: shows the highest tick or voucher, or statements of enough readers. Claim again when there is more; a claim that shows no more than one before has no
 * effect. Else as `iotedge_node_submit_data`.
 *
 * `lock`: 32 bytes, the transaction that made it. `last`: 1 where this device wants no more of it: what it did not reach goes back at once; else 0. `proof`: copied.
 *
 * `IOTEDGE_E_TERMS`: it shows nothing and is not the last, or is no proof of any lock. `IOTEDGE_E_UNSUPPORTED_KIND`. `IOTEDGE_E_ARGUMENT`: `last`.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_submit_claim(iotedge_node_t *node,
                                  uint64_t now,
                                  uint64_t expires,
                                  const uint8_t *lock,
                                  uint32_t last,
                                  const iotedge_proof_t *proof,
                                  uint32_t *ticket);

/**
 * Takes value out of the neighbourhood to an Ethereum address. Else as `iotedge_node_submit_transfer`.
 *
 * `target`: `IOTEDGE_TARGET_SIZE` bytes.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_submit_exit(iotedge_node_t *node,
                                 uint64_t now,
                                 uint64_t expires,
                                 uint64_t amount,
                                 const uint8_t *target,
                                 uint32_t *ticket);

/**
 * Leaves the neighbourhood: from the next table on this device is no member. Else as `iotedge_node_submit_data`.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_submit_leave(iotedge_node_t *node,
                                  uint64_t now,
                                  uint64_t expires,
                                  uint32_t *ticket);

/**
 * Changes the device's key and keeps its account. First store the new seed durably yourself; until the rotation is settled, call this again
 * after each reset with the same seed. The old key signs until the table that the next header opens names the new one; from then on
 * initialise the node with the new seed.
 *
 * `next_seed`: 32 bytes, copied into the node and wiped with it.
 *
 * `IOTEDGE_E_SIGNATURE_MALFORMED`: the seed is all zero. `IOTEDGE_E_MEMBER_OPERATION`: the key in use. `IOTEDGE_E_SUITE`: the signer is
 * external. `IOTEDGE_E_NOT_MEMBER`: an observer.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt: it may sign twice.
 */
int32_t iotedge_node_rotate(iotedge_node_t *node,
                            uint64_t now,
                            const uint8_t *next_seed);

/**
 * What the external signer shall sign, after `IOTEDGE_EVENT_SIGNATURE_NEEDED`. Take it as often as you like; then give
 * `iotedge_node_sign_output` or `iotedge_node_sign_fail`, at once or later.
 *
 * `message`: room for `message_capacity` bytes, 640 are enough; `message_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_NONE`: nothing waits for a signature.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_sign_input(iotedge_node_t *node,
                                uint8_t *message,
                                size_t message_capacity,
                                size_t *message_len);

/**
 * The external signer's answer. It is checked against the device's public key before anything leaves the device.
 *
 * `signature`: 64 bytes.
 *
 * `IOTEDGE_E_SIGNATURE`: not a signature of the message: a fault, or another key in the slot; it is asked for again. `IOTEDGE_E_WRONG_ORDER`:
 * nothing waits for a signature, or the input was not taken.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt: one signature check.
 */
int32_t iotedge_node_sign_output(iotedge_node_t *node,
                                 uint64_t now,
                                 const uint8_t *signature);

/**
 * The external signer cannot sign. The submission stays in the outbox and is tried again after a second.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_sign_fail(iotedge_node_t *node, uint64_t now);

/**
 * What an owner signs of a policy: in software (`iotedge_sign`), or with what keeps the key.
 *
 * `owner`: its public key. `neighbourhood`: 32 bytes. `policy`: what it is to say. `message`: room for `message_capacity` bytes, `IOTEDGE_MAX_POLICY_INPUT` are enough; `message_len`: their
 * number. Both written on success.
 *
 * `IOTEDGE_E_RANGE`: number 0, a use that does not exist, a window that is too short or too long, too many payees, or payees that do not rise. `IOTEDGE_E_ARGUMENT`: payees behind the last.
 * `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_policy_input(const iotedge_public_key_t *owner,
                             const uint8_t *neighbourhood,
                             const iotedge_policy_t *policy,
                             uint8_t *message,
                             size_t message_capacity,
                             size_t *message_len);

/**
 * Puts a policy together with its owner's signature, once that is found to be one.
 *
 * `owner`, `neighbourhood`, `policy`: as for `iotedge_policy_input`. `signature`: 64 bytes over its message. `signed_policy`: room for `signed_capacity` bytes, `IOTEDGE_MAX_POLICY` are enough;
 * `signed_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not a signature of it: a fault, or another key. Sign again. Else as `iotedge_policy_input`.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_policy_assemble(const iotedge_public_key_t *owner,
                                const uint8_t *neighbourhood,
                                const iotedge_policy_t *policy,
                                const uint8_t *signature,
                                uint8_t *signed_policy,
                                size_t signed_capacity,
                                size_t *signed_len);

/**
 * Says what a policy says, if its owner signed it for this neighbourhood. The device that it binds gives it to `iotedge_node_set_policy`, which asks more.
 *
 * `owner`: its public key. `neighbourhood`: 32 bytes. `signed_policy`: `signed_len` bytes. `policy`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not by this key, or for another neighbourhood. `IOTEDGE_E_RANGE`, `IOTEDGE_E_PROTECTED_HEADER`, `IOTEDGE_E_MALFORMED`
 * and others of bytes: no policy of a form that is known here.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_policy_verify(const iotedge_public_key_t *owner,
                              const uint8_t *neighbourhood,
                              const uint8_t *signed_policy,
                              size_t signed_len,
                              iotedge_policy_t *policy);

/**
 * Takes a policy of the device's owner (`owner` of `iotedge_config_t`): from then on it bounds what the device signs, over resets too. The window that is open goes on. One that is in force already is taken again.
 *
 * `now`: local milliseconds. `signed_policy`: `signed_len` bytes, copied. `number`: the policy's; written on success.
 *
 * `IOTEDGE_E_NONE`: this device has no owner. `IOTEDGE_E_WRONG_ORDER`: the node does not know its neighbourhood or the time yet. `IOTEDGE_E_POLICY_OLDER`: what is in force has this number or a higher one.
 * `IOTEDGE_E_POLICY_DEVICE`: for another device. `IOTEDGE_E_PLATFORM`: the store failed. Else as `iotedge_policy_verify`. What was in force still is.
 *
 * Calls the platform. From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_set_policy(iotedge_node_t *node,
                                uint64_t now,
                                const uint8_t *signed_policy,
                                size_t signed_len,
                                uint32_t *number);

/**
 * What the owner still allows this device to spend: nothing before there is a policy, or when it ran out.
 *
 * `now`: local milliseconds. `allowance`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_NONE`: this device has no owner.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_allowance(const iotedge_node_t *node,
                               uint64_t now,
                               iotedge_allowance_t *allowance);

/**
 * The body of a data or service transaction, while the window holds its bytes.
 *
 * `id`: 32 bytes. `body`: room for `body_capacity` bytes, `IOTEDGE_MAX_BODY` are enough; `body_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_NONE`: not in the window (any more), or of another kind.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_body(const iotedge_node_t *node,
                          const uint8_t *id,
                          uint8_t *body,
                          size_t body_capacity,
                          size_t *body_len);

/**
 * A transaction as it travels: its COSE_Sign1 and, where there is one, its attachment.
 *
 * `id`: 32 bytes. `bytes`: room for `bytes_capacity` bytes, `IOTEDGE_MAX_FRAME` are enough; `bytes_len`: their number. Both written on
 * success.
 *
 * `IOTEDGE_E_NONE`: not in the window (any more).
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_raw(const iotedge_node_t *node,
                         const uint8_t *id,
                         uint8_t *bytes,
                         size_t bytes_capacity,
                         size_t *bytes_len);

/**
 * The full ids of a transaction's parents, in its own order: what `iotedge_tx_verify` takes.
 *
 * `id`: 32 bytes. `ids`: room for `ids_capacity` bytes, 32 for each of up to `IOTEDGE_MAX_PARENTS`; `ids_len`: how many bytes. Both written on
 * success.
 *
 * `IOTEDGE_E_NONE`: it or one of its parents is not in the window (any more).
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_parents(const iotedge_node_t *node,
                             const uint8_t *id,
                             uint8_t *ids,
                             size_t ids_capacity,
                             size_t *ids_len);

/**
 * How final a transaction of or to this node is.
 *
 * `id`: 32 bytes. `grade`: `IOTEDGE_GRADE_*`, written on success.
 *
 * `IOTEDGE_E_NONE`: it is not followed (any more).
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_grade(const iotedge_node_t *node, const uint8_t *id, uint32_t *grade);

/**
 * The compact receipt (docs/protocol.md section 7.3) that the last `IOTEDGE_EVENT_RECEIPT` told of, to keep as proof. It was
 * verified already; anyone verifies it again with `iotedge_receipt_verify`.
 *
 * `id`: 32 bytes. `receipt`: room for `receipt_capacity` bytes, at least `IOTEDGE_MAX_RECEIPT`; `receipt_len`: how many were used. Both
 * written on success.
 *
 * `IOTEDGE_E_NONE`: not the transaction of the last such event. `IOTEDGE_E_BUFFER_TOO_SMALL`: `receipt_capacity` is below
 * `IOTEDGE_MAX_RECEIPT`.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_receipt(const iotedge_node_t *node,
                             const uint8_t *id,
                             uint8_t *receipt,
                             size_t receipt_capacity,
                             size_t *receipt_len);

/**
 * What the node says of itself.
 *
 * `status`: set its `size` first; written on success.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_status(const iotedge_node_t *node,
                            uint64_t now,
                            iotedge_node_status_t *status);

/**
 * What the node counted.
 *
 * `counters`: set its `size` first; written on success.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_counters(const iotedge_node_t *node, iotedge_counters_t *counters);

/**
 * How often something was refused for this reason.
 *
 * `reason`: `IOTEDGE_E_MALFORMED` or another status below 100. `count`: written on success.
 *
 * `IOTEDGE_E_ARGUMENT`: not such a status.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_refused(const iotedge_node_t *node, int32_t reason, uint32_t *count);

/**
 * The public key of a member, from the newest table.
 *
 * `member`: index. `key`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_NONE`: no such member. `IOTEDGE_E_PLATFORM`: with `iotedge_limits_t.records`, the store could not read its record.
 *
 * From the thread that has the node. Not from an interrupt. May call the platform's store.
 */
int32_t iotedge_node_member_key(const iotedge_node_t *node,
                                uint32_t member,
                                iotedge_public_key_t *key);

/**
 * The device id of a member, from the newest table: its account, which stays when it changes its key.
 *
 * `member`: index. `device`: 32 bytes; written on success.
 *
 * `IOTEDGE_E_NONE`: no such member. `IOTEDGE_E_PLATFORM`: as for `iotedge_node_member_key`.
 *
 * From the thread that has the node. Not from an interrupt. May call the platform's store.
 */
int32_t iotedge_node_member_device(const iotedge_node_t *node, uint32_t member, uint8_t *device);

/**
 * The newest trusted validator set, encoded (docs/protocol.md section 7.2): what `iotedge_receipt_verify` takes.
 *
 * `time`: absolute, milliseconds since 1970. `set`: room for `set_capacity` bytes, `IOTEDGE_MAX_SET` are enough; `set_len`: their
 * number. Both written on success.
 *
 * `IOTEDGE_E_NONE`: the genesis is not known yet. `IOTEDGE_E_WRONG_VALIDATOR_SET`: the set is too old, or its term ended and the next one
 * is not here yet.
 *
 * From the thread that has the node. Not from an interrupt.
 */
int32_t iotedge_node_validators(const iotedge_node_t *node,
                                uint64_t time,
                                uint8_t *set,
                                size_t set_capacity,
                                size_t *set_len);

/**
 * Writes readings as one SenML pack (RFC 8428 in CBOR), ready for `iotedge_node_submit_data`.
 *
 * `base_name`: NULL, or a zero-terminated text that precedes every name, for two or more readings. `readings`: `count` of
 * them, 1 to `IOTEDGE_MAX_READINGS`, each with its `size`. `pack`: room for `pack_capacity` bytes; `pack_len`: their number.
 * Both are written on success.
 *
 * `IOTEDGE_E_SENML_NAME`, `IOTEDGE_E_SENML_UNIT`: a text is empty, too long, or has letters that SenML does not allow.
 * `IOTEDGE_E_RANGE`: an exponent outside of -128 to 127. `IOTEDGE_E_BUFFER_TOO_SMALL`: the pack is longer than
 * `pack_capacity` or than `IOTEDGE_MAX_BODY`.
 *
 * ```c
 * static int32_t encode_celsius(int64_t tenths, uint8_t *pack, size_t capacity, size_t *len)
 * {
 *     iotedge_reading_t reading;
 *     memset(&reading, 0, sizeof reading);
 *     reading.size = (uint32_t)sizeof reading;
 *     memcpy(reading.name, "temp", 5);
 *     memcpy(reading.unit, "Cel", 4);
 *     reading.mantissa = tenths;
 *     reading.exponent = -1;
 *     return iotedge_reading_encode(NULL, &reading, 1, pack, capacity, len);
 * }
 * ```
 *
 * From any thread. Not from an interrupt: it takes 2 KiB of stack.
 */
int32_t iotedge_reading_encode(const char *base_name,
                               const iotedge_reading_t *readings,
                               size_t count,
                               uint8_t *pack,
                               size_t pack_capacity,
                               size_t *pack_len);

/**
 * Reads the `index`-th reading of a pack, the first is 0; its name includes the pack's base name.
 *
 * `pack`: what `iotedge_node_body` gave. `reading`: set its `size` first; written on success, zero-terminated texts.
 *
 * `IOTEDGE_E_NONE`: the pack has no such reading. Anything else: not a pack of this protocol; applications may send other data.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_reading_decode(const uint8_t *pack,
                               size_t pack_len,
                               size_t index,
                               iotedge_reading_t *reading);

/**
 * Begins to verify a receipt in a stream: header first. What was in `check` is forgotten.
 *
 * `check`: its `size` set; the state, until `iotedge_receipt_finish`. `neighbourhood`: 32 bytes. `set`: the trusted validator
 * set of that term, encoded (docs/protocol.md section 7.2); copied. `header`: the header's payload. `path`: `path_count` hashes of 32 bytes,
 * from leaf 0 to the root.
 *
 * `IOTEDGE_E_NEIGHBOURHOOD`, `IOTEDGE_E_FORGED_HEADER`, `IOTEDGE_E_WRONG_VALIDATOR_SET`, `IOTEDGE_E_PATH_LENGTH`: refuse it.
 *
 * From any thread, one check at a time in one thread. Not from an interrupt: 4 KiB of stack.
 */
int32_t iotedge_receipt_begin(iotedge_receipt_check_t *check,
                              const uint8_t *neighbourhood,
                              const uint8_t *set,
                              size_t set_len,
                              const uint8_t *header,
                              size_t header_len,
                              const uint8_t *path,
                              size_t path_count);

/**
 * Takes one vote. Indices strictly rise. A vote that fails counts nothing: go on with the next.
 *
 * `check`: begun. `index`: of the validator in the set. `signature`: 64 bytes.
 *
 * `IOTEDGE_E_WRONG_ORDER`: not begun, over, or a copy. `IOTEDGE_E_VOTER_ORDER`, `IOTEDGE_E_UNKNOWN_VALIDATOR`,
 * `IOTEDGE_E_SIGNATURE`: the vote does not count.
 *
 * From any thread, one check at a time in one thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_receipt_vote(iotedge_receipt_check_t *check,
                             uint32_t index,
                             const uint8_t *signature);

/**
 * Ends the check: says whether the votes are a quorum and the transaction is in the tree. On success the check is over;
 * with `IOTEDGE_E_SHORT_OF_QUORUM` more votes may follow.
 *
 * `check`: begun. `id`: 32 bytes, the transaction. `leaf`: its place in the tree, from 1. `path`: `path_count` hashes of 32
 * bytes. `result`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_WRONG_PATH`, `IOTEDGE_E_PATH_LENGTH`, `IOTEDGE_E_LEAF_INDEX`, `IOTEDGE_E_HEADER_LEAF`: not in this tree.
 * `IOTEDGE_E_WRONG_ORDER`: not begun, over, or a copy.
 *
 * From any thread, one check at a time in one thread. Not from an interrupt.
 */
int32_t iotedge_receipt_finish(iotedge_receipt_check_t *check,
                               const uint8_t *id,
                               uint32_t leaf,
                               const uint8_t *path,
                               size_t path_count,
                               iotedge_settled_t *result);

/**
 * Reads a lock: the body of a transaction of `IOTEDGE_EVENT_LOCKED` (see `iotedge_node_body`).
 *
 * `lock`: set its `size` first; written on success. Before you serve under it, wait for `IOTEDGE_GRADE_QUORUM`, and look at amount, terms and term: claim so that
 * two of the neighbourhood's periods are left before it ends.
 *
 * `IOTEDGE_E_UNSUPPORTED_KIND`, `IOTEDGE_E_TERMS`, `IOTEDGE_E_MALFORMED` and others: not a lock.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_lock_read(const uint8_t *body,
                          size_t body_len,
                          iotedge_lock_t *lock);

/**
 * Reads a claim: the body of a transaction of `IOTEDGE_EVENT_CLAIMED` (see `iotedge_node_body`). What it shows holds only if the settlement says so.
 *
 * `claim`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_UNSUPPORTED_KIND`, `IOTEDGE_E_TERMS`, `IOTEDGE_E_MALFORMED` and others: not a claim.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_lock_claim_read(const uint8_t *body,
                                size_t body_len,
                                iotedge_lock_claim_t *claim);

/**
 * What the key of a lock signs to pay `total` of it: a `Sig_structure` (RFC 9052). Sign it with `iotedge_sign` or your own signer.
 *
 * `key`: the lock's. `neighbourhood`, `lock`: 32 bytes each. `out`: room for `out_capacity` bytes, `IOTEDGE_VOUCHER_INPUT_SIZE` are enough; `out_len`: their number. Both written on success.
 *
 * `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_voucher_input(const iotedge_public_key_t *key,
                              const uint8_t *neighbourhood,
                              const uint8_t *lock,
                              uint64_t total,
                              uint8_t *out,
                              size_t out_capacity,
                              size_t *out_len);

/**
 * Checks a voucher: keep the one with the highest total, which `iotedge_node_submit_claim` shows. That it is above what you have, and no more than the lock's amount, is for you to look at.
 *
 * As `iotedge_voucher_input`; `signature`: 64 bytes.
 *
 * `IOTEDGE_E_SIGNATURE` and others: it is none. Refusals are found twice.
 *
 * From any thread. Not from an interrupt.
 */
int32_t iotedge_voucher_verify(const iotedge_public_key_t *key,
                               const uint8_t *neighbourhood,
                               const uint8_t *lock,
                               uint64_t total,
                               const uint8_t *signature);

/**
 * What a reader signs to say that `feed` was `value` at `time`. It is bound to no lock: one statement serves all who ask.
 *
 * `key`: the reader's device key. `neighbourhood`: 32 bytes. `feed`: `feed_len` bytes, 1 to `IOTEDGE_FEED_SIZE`. `time`: milliseconds since 1970. `out` as in `iotedge_voucher_input`.
 *
 * `IOTEDGE_E_TERMS`: no name for a feed. `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_statement_input(const iotedge_public_key_t *key,
                                const uint8_t *neighbourhood,
                                const uint8_t *feed,
                                size_t feed_len,
                                int64_t value,
                                uint64_t time,
                                uint8_t *out,
                                size_t out_capacity,
                                size_t *out_len);

/**
 * Checks a reader's statement. As `iotedge_statement_input`; `signature`: 64 bytes.
 *
 * `IOTEDGE_E_SIGNATURE` and others: it is none. Refusals are found twice.
 *
 * From any thread. Not from an interrupt.
 */
int32_t iotedge_statement_verify(const iotedge_public_key_t *key,
                                 const uint8_t *neighbourhood,
                                 const uint8_t *feed,
                                 size_t feed_len,
                                 int64_t value,
                                 uint64_t time,
                                 const uint8_t *signature);

/**
 * The payee of a lock for ticks, with nothing paid yet.
 *
 * `neighbourhood`, `payer`: 32 bytes each; the payer's device id is of `iotedge_node_member_device`. `terms`: of `iotedge_lock_read`. `payee`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_UNSUPPORTED_KIND`: other terms. `IOTEDGE_E_TERMS`: no units, or too many.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_payee_begin(const uint8_t *neighbourhood,
                            const uint8_t *payer,
                            const iotedge_terms_t *terms,
                            iotedge_payee_t *payee);

/**
 * Takes a tick: as many hashes as it is units further, at most 64.
 *
 * `payee`: as `iotedge_payee_begin` or an earlier call left it, perhaps from your store; changed on success. `value`: `IOTEDGE_TICK_SIZE` bytes. `paid`: units that it pays, written on success.
 *
 * `IOTEDGE_E_SALE_STALE`: not above the highest one; harmless. `IOTEDGE_E_SALE_TOO_FAR`: more than 64 units further. `IOTEDGE_E_SALE_SPENT`: beyond the units. `IOTEDGE_E_SALE_FORGED`: it does not lead to
 * the one before.
 *
 * From the thread that has the payee. From an interrupt too, if that has the time.
 */
int32_t iotedge_payee_take(uint32_t index,
                           const uint8_t *value,
                           iotedge_payee_t *payee,
                           uint32_t *paid);

/**
 * The anchor that the lock names, w(0): as many hashes as the chain is long, the next power of two above the units.
 *
 * `anchor`: 32 bytes, written on success.
 *
 * `IOTEDGE_E_ARGUMENT`, `IOTEDGE_E_TERMS`: a field of the configuration. `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_SALE_STORED`: the device's secret is damaged.
 *
 * Calls the platform. From any thread. Not from an interrupt.
 */
int32_t iotedge_payer_anchor(const iotedge_payer_config_t *config,
                             const iotedge_platform_t *platform,
                             uint8_t *anchor);

/**
 * How many bytes of memory a payer of so many units needs. `IOTEDGE_PAYER_SIZE` is enough for any.
 *
 * `bytes`: written on success.
 *
 * `IOTEDGE_E_TERMS`: no units, or too many.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_payer_size(uint32_t units, size_t *bytes);

/**
 * Opens the sale that is in the store, or a new one, in memory that you give: as many hashes as the chain is long.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_payer_size`; the payer's until `iotedge_payer_deinit`, not to be read, written, moved or copied meanwhile. `config`, `platform`: copied; the
 * accelerator is not used. `payer`: written on success; points into `memory`.
 *
 * As `iotedge_payer_anchor`; `IOTEDGE_E_SALE_STORED` also: the store has another sale under this key. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`.
 *
 * Calls the platform. From any thread; the payer then belongs to one thread at a time. Not from an interrupt.
 */
int32_t iotedge_payer_init(void *memory,
                           size_t memory_len,
                           const iotedge_payer_config_t *config,
                           const iotedge_platform_t *platform,
                           iotedge_payer_t **payer);

/**
 * Ends the payer: wipes what it knows and all its memory, which is yours again. What is in the store stays.
 *
 * `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
 *
 * From the thread that has the payer. Not from an interrupt.
 */
int32_t iotedge_payer_deinit(iotedge_payer_t *payer);

/**
 * Pays a unit: the tick to send. It is given even if it never arrives; send it again, or the next one, which pays for both.
 *
 * `index`, `value` (`IOTEDGE_TICK_SIZE` bytes): written on success.
 *
 * `IOTEDGE_E_SALE_SPENT`: all units are paid. `IOTEDGE_E_PLATFORM`: nothing was given.
 *
 * Calls the platform. From the thread that has the payer. Not from an interrupt.
 */
int32_t iotedge_payer_pay(iotedge_payer_t *payer,
                          uint32_t *index,
                          uint8_t *value);

/**
 * The payee shows its highest tick after a reset of this device: goes on behind it, so that nothing is lost. Only before the first `iotedge_payer_pay` after `iotedge_payer_init`; as many hashes as the
 * chain is long.
 *
 * `value`: `IOTEDGE_TICK_SIZE` bytes; index 0 and the anchor where the payee has none.
 *
 * `IOTEDGE_E_SALE_STALE`: a tick was given since, or it is further back than one reservation. `IOTEDGE_E_SALE_TOO_FAR`: above what was reserved. `IOTEDGE_E_SALE_FORGED`.
 *
 * From the thread that has the payer. Not from an interrupt.
 */
int32_t iotedge_payer_resync(iotedge_payer_t *payer,
                             uint32_t index,
                             const uint8_t *value);

/**
 * How many units are paid, and how many are left. Both written on success.
 *
 * From the thread that has the payer. Not from an interrupt.
 */
int32_t iotedge_payer_given(const iotedge_payer_t *payer, uint32_t *given, uint32_t *left);

/**
 * Forgets a sale whose lock is over: its key of the store is free for another one. The sale's number is not: it must never be given again.
 *
 * `IOTEDGE_E_ARGUMENT`: a field of the configuration. `IOTEDGE_E_PLATFORM`: try again.
 *
 * Calls the platform. From any thread, without a payer of this sale. Not from an interrupt.
 */
int32_t iotedge_payer_forget(const iotedge_payer_config_t *config,
                             const iotedge_platform_t *platform);

/**
 * Tests a port on the device: randomness, clock, store, signer, attestation, accelerator, stack. Call it at a bench, and in the firmware's own self test; not on a store that a node or leaf is using.
 *
 * `platform`: as for a node or a leaf. `port`: what else there is. Both read only, but for `port->memory` and the stack below. `result`: set its `size` first; written whenever the test
 * ran, whatever it found: look at `failed`.
 *
 * ```c
 * static unsigned long selftest(const iotedge_platform_t *platform, uint8_t *memory, size_t len, uint64_t (*now)(void *user))
 * {
 *     iotedge_port_t port;
 *     iotedge_selftest_t found;
 *     memset(&port, 0, sizeof port);
 *     port.size = (uint32_t)sizeof port;
 *     port.memory = memory;
 *     port.memory_len = len;
 *     port.now = now;
 *     memset(&found, 0, sizeof found);
 *     found.size = (uint32_t)sizeof found;
 *     if (iotedge_port_selftest(platform, &port, &found) != IOTEDGE_OK) {
 *         return 1;
 *     }
 *     printf("random %s, clock %s, store %s, stack %s\n", iotedge_status_name(found.random), iotedge_status_name(found.clock),
 *            iotedge_status_name(found.store), iotedge_status_name(found.stack));
 *     return found.failed;
 * }
 * ```
 *
 * Calls the platform. From any thread, with the stack of a node or leaf. Not from an interrupt: it signs, and takes seconds on a microcontroller.
 */
int32_t iotedge_port_selftest(const iotedge_platform_t *platform,
                              const iotedge_port_t *port,
                              iotedge_selftest_t *result);

/**
 * A frame as it travels on a serial line, all at once. `iotedge_serial_encode_part` needs no buffer of this length.
 *
 * `frame`: `frame_len` bytes, what `iotedge_node_next_frame` or `iotedge_leaf_next_frame` gave. `line`: room for `line_capacity` bytes, at least
 * `IOTEDGE_SERIAL_SIZE(frame_len)`; `line_len`: how many to send. Both written on success.
 *
 * `IOTEDGE_E_LENGTH`: empty, or above `IOTEDGE_MAX_FRAME`. `IOTEDGE_E_BUFFER_TOO_SMALL`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_serial_encode(const uint8_t *frame,
                              size_t frame_len,
                              uint8_t *line,
                              size_t line_capacity,
                              size_t *line_len);

/**
 * The next bytes of a frame as it travels on a serial line: as many as the UART takes now. Nothing is copied but those, so a device needs no
 * second buffer.
 *
 * `encoder`: where it stands; yours, 20 bytes, all zero but its `size` before the first part. `frame`: the same `frame_len` bytes at every call of
 * one frame. `part`: room for `part_capacity` bytes, at least 1; `part_len`: how many to send. `encoder`, `part` and `part_len` are written on
 * success.
 *
 * `IOTEDGE_E_NONE`: the frame is written; begin the next one with a fresh encoder. `IOTEDGE_E_LENGTH`: the frame is empty or above
 * `IOTEDGE_MAX_FRAME`, or there is no room at all. `IOTEDGE_E_ARGUMENT`: an encoder that does not stand in this frame; what is in `part` is void.
 *
 * ```c
 * extern size_t uart_room(void);
 * extern void uart_put(const uint8_t *bytes, size_t len);
 *
 * static void send(const uint8_t *frame, size_t frame_len)
 * {
 *     iotedge_serial_encoder_t encoder;
 *     uint8_t part[32];
 *     size_t len;
 *     memset(&encoder, 0, sizeof encoder);
 *     encoder.size = (uint32_t)sizeof encoder;
 *     while (iotedge_serial_encode_part(&encoder, frame, frame_len, part, sizeof part, &len) == IOTEDGE_OK) {
 *         while (uart_room() < len) {
 *         }
 *         uart_put(part, len);
 *     }
 * }
 * ```
 *
 * From any thread, and from an interrupt; an encoder belongs to one of them.
 */
int32_t iotedge_serial_encode_part(iotedge_serial_encoder_t *encoder,
                                   const uint8_t *frame,
                                   size_t frame_len,
                                   uint8_t *part,
                                   size_t part_capacity,
                                   size_t *part_len);

/**
 * How many bytes of memory a decoder of frames of at most `frame` bytes needs. For static arrays there is the macro
 * `IOTEDGE_SERIAL_DECODER_SIZE`, which is a little more.
 *
 * `bytes`: written on success.
 *
 * `IOTEDGE_E_LIMITS`: `frame` is 0 or above `IOTEDGE_MAX_FRAME`.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_serial_decoder_size(uint32_t frame,
                                    size_t *bytes);

/**
 * Starts a decoder in memory that you give.
 *
 * `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_serial_decoder_size`; the decoder's until `iotedge_serial_decoder_deinit`, not to be
 * read, written, moved or copied meanwhile. `frame`: the longest frame that it takes; longer ones are dropped and counted. A node needs
 * `IOTEDGE_MAX_FRAME`. `decoder`: written on success; points into `memory`.
 *
 * `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_LIMITS`: see above. `IOTEDGE_E_ALREADY_INITIALISED`: a decoder lives here.
 *
 * From any thread, or from an interrupt; the decoder then belongs to one of them at a time.
 */
int32_t iotedge_serial_decoder_init(void *memory,
                                    size_t memory_len,
                                    uint32_t frame,
                                    iotedge_serial_decoder_t **decoder);

/**
 * Ends a decoder and wipes its memory, which is yours again.
 *
 * `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
 *
 * From the thread or interrupt that has the decoder.
 */
int32_t iotedge_serial_decoder_deinit(iotedge_serial_decoder_t *decoder);

/**
 * Gives a decoder the bytes that came, in pieces of any length. Where they end a frame, that is for `iotedge_node_receive` or
 * `iotedge_leaf_receive`; then give it the rest of the bytes.
 *
 * `bytes`: `len` bytes, read only. `frame`, `frame_len`: a frame whose CRC is right; it lies in the decoder's memory and is good until the decoder's
 * next call. `taken`: how many of the bytes were taken, at least 1. All written on success.
 *
 * `IOTEDGE_E_NONE`: all bytes were taken, and no frame ended. What is damaged is dropped and counted (`iotedge_serial_decoder_counters`).
 *
 * ```c
 * static uint64_t line_memory[IOTEDGE_SERIAL_DECODER_SIZE(IOTEDGE_MAX_FRAME) / 8];
 *
 * static int32_t line_start(iotedge_serial_decoder_t **line)
 * {
 *     return iotedge_serial_decoder_init(line_memory, sizeof line_memory, IOTEDGE_MAX_FRAME, line);
 * }
 *
 * static void on_bytes(iotedge_node_t *node, iotedge_serial_decoder_t *line, uint64_t now, const uint8_t *bytes, size_t len)
 * {
 *     const uint8_t *frame;
 *     size_t frame_len, taken;
 *     while (iotedge_serial_decoder_take(line, bytes, len, &frame, &frame_len, &taken) == IOTEDGE_OK) {
 *         (void)iotedge_node_receive(node, now, 0, frame, frame_len);
 *         bytes += taken;
 *         len -= taken;
 *     }
 * }
 * ```
 *
 * From the thread or interrupt that has the decoder.
 */
int32_t iotedge_serial_decoder_take(iotedge_serial_decoder_t *decoder,
                                    const uint8_t *bytes,
                                    size_t len,
                                    const uint8_t **frame,
                                    size_t *frame_len,
                                    size_t *taken);

/**
 * Forgets the frame under way, as after a line was opened anew. The counters stay.
 *
 * From the thread or interrupt that has the decoder.
 */
int32_t iotedge_serial_decoder_reset(iotedge_serial_decoder_t *decoder);

/**
 * What a decoder counted.
 *
 * `counters`: set its `size` first; written on success.
 *
 * From the thread or interrupt that has the decoder.
 */
int32_t iotedge_serial_decoder_counters(const iotedge_serial_decoder_t *decoder,
                                        iotedge_serial_counters_t *counters);

/**
 * The name of a status number as it stands in this header, for logs: `"IOTEDGE_OK"`, `"IOTEDGE_E_NULL"`, ...; for a number
 * that this build does not know, `"IOTEDGE_E_UNKNOWN"`.
 *
 * The text is constant, zero-terminated and lives as long as the program; never free it. From any thread, and from an
 * interrupt.
 */
const char *iotedge_status_name(int32_t status);

/**
 * Reads a certificate (a CWT in COSE_Sign1) without checking who signed it: for tools that show it. Decide nothing by it;
 * see `iotedge_certificate_verify`.
 *
 * `IOTEDGE_E_CERTIFICATE_CLAIM`: a claim is missing, unknown or out of bounds. `IOTEDGE_E_CERTIFICATE_KEY`: the certified key
 * could never verify anything.
 *
 * From any thread. Not from an interrupt: it checks a point of the curve.
 */
int32_t iotedge_certificate_parse(const uint8_t *certificate_bytes,
                                  size_t certificate_len,
                                  iotedge_certificate_t *claims);

/**
 * Verifies a certificate chain: `certificate_bytes` signed by `authority`, or, where `issuer_len` is not 0, by the
 * certificate `issuer`, which `authority` signed.
 *
 * `authority`: the pinned key. `now`: seconds since 1970. `kind`: what the subject must be, `IOTEDGE_KIND_*`. `claims`: set its
 * `size` first; written on success.
 *
 * `IOTEDGE_E_UNKNOWN_AUTHORITY`: another authority's. `IOTEDGE_E_CERTIFICATE_EXPIRED`, `..._NOT_YET_VALID`: check the clock
 * first. `IOTEDGE_E_NOT_AN_AUTHORITY`, `IOTEDGE_E_NOT_ITS_TO_SIGN`, `IOTEDGE_E_CERTIFICATE_OUTLIVES`,
 * `IOTEDGE_E_CERTIFICATE_KIND`, `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`: refuse the chain.
 *
 * From any thread. Not from an interrupt: one signature check for each certificate.
 */
int32_t iotedge_certificate_verify(const iotedge_public_key_t *authority,
                                   uint64_t now,
                                   uint32_t kind,
                                   const uint8_t *issuer,
                                   size_t issuer_len,
                                   const uint8_t *certificate_bytes,
                                   size_t certificate_len,
                                   iotedge_certificate_t *claims);

/**
 * Verifies the genesis of a neighbourhood and gives its id, which every other function here takes.
 *
 * `authority`: the pinned key. `neighbourhood`: 32 bytes, written on success.
 *
 * `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`: another authority's, or forged. `IOTEDGE_E_FORGED_GENESIS`: its
 * parameters break a bound.
 *
 * From any thread. Not from an interrupt: one signature check.
 */
int32_t iotedge_genesis_verify(const iotedge_public_key_t *authority,
                               const uint8_t *genesis,
                               size_t genesis_len,
                               uint8_t *neighbourhood);

/**
 * Reads a transaction (COSE_Sign1, without attachment) without checking its signature. Decide nothing by it; see
 * `iotedge_tx_verify`.
 *
 * `tx`: set its `size` first; written on success. Its `body` points into `cose`.
 *
 * Every form that docs/protocol.md section 3 forbids has its own status.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_tx_parse(const uint8_t *cose,
                         size_t cose_len,
                         iotedge_tx_t *tx);

/**
 * The id of a transaction: of its payload in this neighbourhood, whoever signed it.
 *
 * `neighbourhood`: 32 bytes. `id`: 32 bytes, written on success.
 *
 * From any thread, and from an interrupt.
 */
int32_t iotedge_tx_id(const uint8_t *neighbourhood, const uint8_t *cose, size_t cose_len, uint8_t *id);

/**
 * Verifies one transaction: form, parents and signature. Not its place in the ledger, which is a node's work.
 *
 * `neighbourhood`: 32 bytes. `key`: the issuer's, from the member table or its certificate. `parents`: `parents_count` full ids
 * of 32 bytes, in the order of the transaction. `id`: 32 bytes, written on success.
 *
 * `IOTEDGE_E_PARENT_MISMATCH`: the ids given are not those that it names. `IOTEDGE_E_SIGNATURE`: not this member's, or not
 * over these parents.
 *
 * From any thread. Not from an interrupt: one signature check and 1 KiB of stack beside it.
 */
int32_t iotedge_tx_verify(const uint8_t *neighbourhood,
                          const iotedge_public_key_t *key,
                          const uint8_t *parents,
                          size_t parents_count,
                          const uint8_t *cose,
                          size_t cose_len,
                          uint8_t *id);

/**
 * Verifies evidence offline: two signed transactions of one member that exclude each other.
 *
 * `neighbourhood`: 32 bytes. `key`: the accused member's. `attachment`: what travels beside an evidence transaction
 * (docs/protocol.md section 4.1). `offence`: set its `size` first; written on success.
 *
 * `IOTEDGE_E_FALSE_EVIDENCE`: the two do not exclude each other. `IOTEDGE_E_SIGNATURE`: one was not signed by this key.
 *
 * From any thread. Not from an interrupt: two signature checks.
 */
int32_t iotedge_evidence_verify(const uint8_t *neighbourhood,
                                const iotedge_public_key_t *key,
                                const uint8_t *attachment,
                                size_t attachment_len,
                                iotedge_offence_t *offence);

/**
 * Checks that a leaf is in a Merkle tree (RFC 9162 over SHA-256).
 *
 * `root`: 32 bytes. `index` of `size` leaves, from 0. `leaf`: its bytes. `path`: `path_count` hashes of 32 bytes, at most 32.
 *
 * `IOTEDGE_E_WRONG_PATH`, `IOTEDGE_E_PATH_LENGTH`, `IOTEDGE_E_LEAF_INDEX`: it is not proved.
 *
 * From any thread, and from an interrupt: at most 34 hashes.
 */
int32_t iotedge_merkle_verify(const uint8_t *root,
                              uint32_t index,
                              uint32_t size,
                              const uint8_t *leaf,
                              size_t leaf_len,
                              const uint8_t *path,
                              size_t path_count);

/**
 * Verifies a compact PoSp receipt (docs/protocol.md section 7.3) in one call: every vote in it, their quorum, both paths.
 *
 * `neighbourhood`: 32 bytes. `set`: the trusted validator set of that term, encoded (section 7.2). `result`: set its `size`
 * first; written on success.
 *
 * `IOTEDGE_E_SHORT_OF_QUORUM`: not more than two thirds of the stake. `IOTEDGE_E_WRONG_VALIDATOR_SET`: another term's set.
 * `IOTEDGE_E_WRONG_PATH`, `IOTEDGE_E_SIGNATURE` and others: forged or damaged.
 *
 * From any thread. Not from an interrupt: one signature check per vote and 4 KiB of stack. Where that is too much, see
 * `iotedge_receipt_begin`.
 */
int32_t iotedge_receipt_verify(const uint8_t *neighbourhood,
                               const uint8_t *set,
                               size_t set_len,
                               const uint8_t *receipt,
                               size_t receipt_len,
                               iotedge_settled_t *result);

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
