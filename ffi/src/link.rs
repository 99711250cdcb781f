//! The link: an `iotedge_link_t` in the caller's memory, between a node and a radio with small packets.
//!
//! Invariant as for nodes: at most one call works on a link at a time, and a refused call changes nothing but counters. The node that a link looks
//! things up in is only read, for the length of the call.

use crate::node::iotedge_node_t;
use crate::node::memory::{
    Cutter, Living, create_living, destroy_living, look, look_living, with_living,
};
use crate::node::{IOTEDGE_MAX_FRAME, peer_of};
use crate::raw::{Call, Out, OutBytes, OutStruct, Sized32, done, input, structure};
use crate::status;
use iotedge_core::Millis;
use iotedge_core::link::{
    Incoming, Link, LinkConfig, LinkCounters, LinkError, LinkLimits, LinkMemory, LinkPeer, Nothing,
    Outgoing, Repair,
};

/// Bytes of a link whatever its limits: see `IOTEDGE_LINK_SIZE`.
pub const IOTEDGE_LINK_SIZE_FIXED: usize = 512;
/// Bytes of a link per neighbour.
pub const IOTEDGE_LINK_SIZE_PEER: usize = 152;
/// Bytes of a link per frame under way, without the frame itself.
pub const IOTEDGE_LINK_SIZE_FRAME: usize = 72;

/// What an 802.15.4 frame with short addresses and a MIC of 64 bits carries.
pub const IOTEDGE_LINK_MTU_802_15_4: u32 = 102;

/// A link. Lives in memory that you give to `iotedge_link_init` and is never copied or moved.
pub struct iotedge_link_t {
    _opaque: [u8; 0],
}

type CLink = Link<'static>;

impl Living for CLink {
    const SEAL: u64 = 0x694f_5445_6c69_6e6b;
}

/// How much a link holds: memory is proportional, nothing grows at run time. Set `size` first, or let
/// `iotedge_link_limits_default` fill it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_link_limits_t {
    /// `sizeof(iotedge_link_limits_t)`.
    pub size: u32,
    /// Neighbours, 1 to 65,535.
    pub peers: u32,
    /// Frames on their way out or kept for repair, all neighbours together, at least 1.
    pub outgoing: u32,
    /// Datagrams in the making, all neighbours together, at least 1. With as many as neighbours none has to wait for another.
    pub incoming: u32,
    /// The same for one neighbour while no other needs them, at least 1.
    pub per_peer: u32,
    /// Most bytes of a frame, 160 to 1,400. Longer ones are refused.
    pub frame: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_link_limits_t {}
const OLDEST_LIMITS: usize = 24;
const _: () = assert!(size_of::<iotedge_link_limits_t>() == OLDEST_LIMITS);

impl iotedge_link_limits_t {
    fn to_core(self) -> Call<LinkLimits> {
        let short = |n: u32| u16::try_from(n).map_err(|_| status::IOTEDGE_E_LIMITS);
        let limits = LinkLimits {
            peers: short(self.peers)?,
            outgoing: short(self.outgoing)?,
            incoming: short(self.incoming)?,
            per_peer: short(self.per_peer)?,
            frame: short(self.frame)?,
        };
        limits.sizes().ok_or(status::IOTEDGE_E_LIMITS)?;
        Ok(limits)
    }
}

/// How a link behaves. Set everything to zero, then `size` and `mtu`; what stays zero has the value that is said.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_link_config_t {
    /// `sizeof(iotedge_link_config_t)`.
    pub size: u32,
    /// Most bytes of a packet: what the radio carries beside its own header and trailer, at least 20; 32 packets must carry the longest frame.
    pub mtu: u32,
    /// 1: frames leave whole, nothing is left out of them; compressed ones are understood all the same.
    pub whole_only: u32,
    /// 1: lost fragments are not asked for; who asks is answered all the same.
    pub no_repair: u32,
    /// Milliseconds that a datagram stands still before its missing fragments are asked for; 0: 250. Longer than the gap between two fragments.
    pub repair_after: u32,
    /// How often one datagram is asked for, at most 255; 0: 8.
    pub repair_rounds: u32,
    /// Milliseconds that a datagram may take, and that a frame is kept for who asks again; 0: 5,000.
    pub lifetime: u32,
    /// Zero.
    pub reserved: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_link_config_t {}
const OLDEST_CONFIG: usize = 32;
const _: () = assert!(size_of::<iotedge_link_config_t>() == OLDEST_CONFIG);

impl iotedge_link_config_t {
    fn to_core(self) -> Call<LinkConfig> {
        let mtu = u16::try_from(self.mtu).map_err(|_| status::IOTEDGE_E_ARGUMENT)?;
        if self.whole_only > 1 || self.no_repair > 1 || self.reserved != 0 {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        let rounds = u8::try_from(self.repair_rounds).map_err(|_| status::IOTEDGE_E_ARGUMENT)?;
        let mut config = LinkConfig::new(mtu);
        config.compress = self.whole_only == 0;
        let usual = config
            .repair
            .map_or((Millis(250), 8), |r| (r.after, r.rounds));
        config.repair = (self.no_repair == 0).then_some(Repair {
            after: match self.repair_after {
                0 => usual.0,
                after => Millis(after.into()),
            },
            rounds: if rounds == 0 { usual.1 } else { rounds },
        });
        if self.lifetime != 0 {
            config.lifetime = Millis(self.lifetime.into());
        }
        Ok(config)
    }
}

/// What a link counted since it was initialised; numbers only grow, and wrap. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_link_counters_t {
    /// `sizeof(iotedge_link_counters_t)`.
    pub size: u32,
    /// Frames taken to send.
    pub frames_out: u32,
    /// Of these, compressed.
    pub compressed: u32,
    /// Of these, in one packet.
    pub in_one: u32,
    /// Bytes of packets sent, requests included.
    pub bytes_out: u64,
    /// Packets sent, requests included.
    pub packets_out: u32,
    /// Packets received.
    pub packets_in: u32,
    /// Frames received.
    pub frames_in: u32,
    /// Requests for fragments sent.
    pub repairs_out: u32,
    /// Requests for fragments answered.
    pub repairs_in: u32,
    /// Frames that could not be rebuilt here.
    pub out_of_step: u32,
    /// Frames that a neighbour could not rebuild.
    pub refused: u32,
    /// Fragments that came twice or too late.
    pub duplicates: u32,
    /// Datagrams that did not become whole in time.
    pub expired: u32,
    /// Datagrams that made room for newer ones of the same neighbour.
    pub replaced: u32,
    /// Datagrams whose fragments contradicted each other.
    pub contradicted: u32,
    /// Datagrams whose CRC was wrong.
    pub corrupt: u32,
    /// Fragments for which there was no room.
    pub no_room: u32,
    /// Packets that no honest neighbour writes.
    pub malformed: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_link_counters_t {}
const OLDEST_COUNTERS: usize = 80;
const _: () = assert!(size_of::<iotedge_link_counters_t>() == OLDEST_COUNTERS);

impl iotedge_link_counters_t {
    fn from_core(c: &LinkCounters) -> Self {
        Self {
            size: 0,
            frames_out: c.frames_out,
            compressed: c.compressed,
            in_one: c.in_one,
            bytes_out: c.bytes_out,
            packets_out: c.packets_out,
            packets_in: c.packets_in,
            frames_in: c.frames_in,
            repairs_out: c.repairs_out,
            repairs_in: c.repairs_in,
            out_of_step: c.out_of_step,
            refused: c.refused,
            duplicates: c.duplicates,
            expired: c.expired,
            replaced: c.replaced,
            contradicted: c.contradicted,
            corrupt: c.corrupt,
            no_room: c.no_room,
            malformed: c.malformed,
        }
    }
}

fn refused(error: LinkError) -> i32 {
    match error {
        LinkError::Config => status::IOTEDGE_E_ARGUMENT,
        LinkError::Memory => status::IOTEDGE_E_MEMORY_TOO_SMALL,
        LinkError::UnknownPeer => status::IOTEDGE_E_UNKNOWN_PEER,
        LinkError::Busy => status::IOTEDGE_E_BUSY,
        LinkError::TooLong => status::IOTEDGE_E_LENGTH,
        LinkError::BufferTooSmall => status::IOTEDGE_E_BUFFER_TOO_SMALL,
        LinkError::Malformed => status::IOTEDGE_E_MALFORMED,
        LinkError::Corrupt => status::IOTEDGE_E_CORRUPT,
        LinkError::OutOfStep => status::IOTEDGE_E_OUT_OF_STEP,
    }
}

/// Cuts (or with no base only counts) a link's slices; gives the distance of the link.
///
/// # Safety
/// As [`Cutter::cut`].
unsafe fn cut(limits: &LinkLimits, cutter: &mut Cutter) -> Option<(LinkMemory<'static>, usize)> {
    let n = limits.sizes()?;
    let at = cutter.living::<CLink>()?;
    // SAFETY: the caller's promise.
    let memory = unsafe {
        LinkMemory {
            peers: cutter.cut(n.peers, LinkPeer::default)?,
            outgoing: cutter.cut(n.outgoing, Outgoing::default)?,
            incoming: cutter.cut(n.incoming, Incoming::default)?,
            bytes: cutter.cut(n.bytes, Default::default)?,
        }
    };
    Some((memory, at))
}

fn link_size(limits: &LinkLimits) -> Call<usize> {
    // SAFETY: nothing is cut without memory.
    Cutter::count(|cutter| unsafe { cut(limits, cutter) })
}

/// The limits of a device with eight neighbours: about 16 KiB. Change what you need.
///
/// `limits`: set its `size` first; written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_limits_default(limits: *mut iotedge_link_limits_t) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let usual = LinkLimits::SMALL;
        OutStruct::new(limits, OLDEST_LIMITS)?.write(&iotedge_link_limits_t {
            size: OLDEST_LIMITS as u32,
            peers: usual.peers.into(),
            outgoing: usual.outgoing.into(),
            incoming: usual.incoming.into(),
            per_peer: usual.per_peer.into(),
            frame: usual.frame.into(),
        });
        Ok(())
    })())
}

/// How many bytes of memory a link with these limits needs. For static arrays there is the macro `IOTEDGE_LINK_SIZE`, which is a
/// little more.
///
/// `bytes`: written on success.
///
/// `IOTEDGE_E_LIMITS`: a limit is out of bounds; see `iotedge_link_limits_t`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_size(
    limits: *const iotedge_link_limits_t,
    bytes: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let limits = structure(limits, OLDEST_LIMITS)?.to_core()?;
        let bytes = Out::new(bytes)?;
        bytes.write(link_size(&limits)?);
        Ok(())
    })())
}

/// Starts a link in memory that you give. It has no neighbours yet.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_link_size`; the link's until `iotedge_link_deinit`, not to be read,
/// written, moved or copied meanwhile. `limits`, `config`: copied. `link`: written on success; points into `memory`.
///
/// `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_LIMITS`: see above. `IOTEDGE_E_ARGUMENT`: a field of the configuration, or 32
/// packets do not carry the longest frame. `IOTEDGE_E_ALREADY_INITIALISED`: a link lives here.
///
/// ```c
/// static uint64_t link_memory[IOTEDGE_LINK_SIZE(8, 4, 6, 1400) / 8];
///
/// static int32_t radio_start(iotedge_link_t **link)
/// {
///     iotedge_link_limits_t limits;
///     iotedge_link_config_t config;
///     memset(&limits, 0, sizeof limits);
///     limits.size = (uint32_t)sizeof limits;
///     limits.peers = 8;
///     limits.outgoing = 4;
///     limits.incoming = 6;
///     limits.per_peer = 2;
///     limits.frame = IOTEDGE_MAX_FRAME;
///     memset(&config, 0, sizeof config);
///     config.size = (uint32_t)sizeof config;
///     config.mtu = IOTEDGE_LINK_MTU_802_15_4;
///     return iotedge_link_init(link_memory, sizeof link_memory, &limits, &config, link);
/// }
/// ```
///
/// From any thread; the link then belongs to one thread at a time, the one that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    limits: *const iotedge_link_limits_t,
    config: *const iotedge_link_config_t,
    link: *mut *mut iotedge_link_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let limits = structure(limits, OLDEST_LIMITS)?.to_core()?;
        let config = structure(config, OLDEST_CONFIG)?.to_core()?;
        let out = Out::new(link)?;
        create_living::<CLink, _>(
            memory.cast(),
            memory_len,
            |cutter| cut(&limits, cutter),
            |memory| Link::new(memory, limits, config).map_err(refused),
        )?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// Ends a link and wipes its memory, which is yours again.
///
/// `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
///
/// From the thread that has the link. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_deinit(link: *mut iotedge_link_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CLink>(link.cast()) })
}

/// Adds a neighbour, numbered as for the node. Adding one that is there succeeds.
///
/// `IOTEDGE_E_BUSY`: all places for neighbours are taken.
///
/// From the thread that has the link. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_add_peer(link: *mut iotedge_link_t, peer: u32) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        with_living(link.cast(), |l: &mut CLink| {
            l.add_peer(peer).map_err(refused)
        })
    })())
}

/// Forgets a neighbour and what is under way to and from it. Forgetting one that is not there succeeds.
///
/// From the thread that has the link. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_remove_peer(link: *mut iotedge_link_t, peer: u32) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        with_living(link.cast(), |l: &mut CLink| {
            l.remove_peer(peer);
            Ok(())
        })
    })())
}

/// Whether `iotedge_link_send` takes one more frame. Ask before you take a frame out of the node.
///
/// `room`: 1 or 0; written on success.
///
/// From the thread that has the link. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_has_room(link: *const iotedge_link_t, room: *mut u32) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = Out::new(room)?;
        out.write(look_living(link.cast(), |l: &CLink| {
            Ok(u32::from(l.has_room()))
        })?);
        Ok(())
    })())
}

/// Gives the link a frame for a neighbour: what `iotedge_node_next_frame` gave. After it, send the packets.
///
/// `now`: local milliseconds that never go back, as in all calls below, on the node's clock. `frame`: `frame_len` bytes, copied. `node`: the node of
/// this device, read only, from which the link knows what can be left out; NULL: the frame goes whole.
///
/// `IOTEDGE_E_BUSY`: no room, see `iotedge_link_has_room`. `IOTEDGE_E_LENGTH`: empty or above the limit. `IOTEDGE_E_UNKNOWN_PEER`.
///
/// From the thread that has the link and the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_send(
    link: *mut iotedge_link_t,
    now: u64,
    peer: u32,
    frame: *const u8,
    frame_len: usize,
    node: *const iotedge_node_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        let frame = input(frame, frame_len)?;
        with_living(link.cast(), |l: &mut CLink| {
            let sent = match node.is_null() {
                true => l.send(Millis(now), peer, frame, &Nothing),
                false => look(node.cast(), |n| Ok(l.send(Millis(now), peer, frame, n)))?,
            };
            sent.map_err(refused)
        })
    })())
}

/// The next packet to send. Call it until it says `IOTEDGE_E_NONE`, as fast as the radio takes packets: after every other call, and at the
/// deadline.
///
/// `peer`: whom to send it to. `packet`: room for `packet_capacity` bytes, at least the packet size of the configuration; `packet_len`: how many
/// to send. All written on success.
///
/// `IOTEDGE_E_NONE`: nothing to send now. `IOTEDGE_E_BUFFER_TOO_SMALL`: nothing is lost.
///
/// From the thread that has the link. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_next_packet(
    link: *mut iotedge_link_t,
    now: u64,
    peer: *mut u32,
    packet: *mut u8,
    packet_capacity: usize,
    packet_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = Out::new(peer)?;
        let out = OutBytes::new(packet, packet_capacity, packet_len)?;
        with_living(link.cast(), |l: &mut CLink| {
            if packet_capacity < usize::from(l.config().mtu) {
                return Err(status::IOTEDGE_E_BUFFER_TOO_SMALL);
            }
            let (room, len) = out.room();
            let (to, written) = l
                .next_packet(Millis(now), room)
                .ok_or(status::IOTEDGE_E_NONE)?;
            len.write(written);
            peer.write(to.0.into());
            Ok(())
        })
    })())
}

/// Gives the link a packet from a neighbour. Where it completes a frame, give that to `iotedge_node_receive`. After it, send the packets.
///
/// `packet`: `packet_len` bytes, read only. `node`: as for `iotedge_link_send`; NULL: compressed frames are asked for whole. `frame`: room for
/// `frame_capacity` bytes, at least `IOTEDGE_MAX_FRAME`; `frame_len`: how many. Both written on success.
///
/// `IOTEDGE_E_NONE`: taken, no frame yet. `IOTEDGE_E_OUT_OF_STEP`, `IOTEDGE_E_CORRUPT`, `IOTEDGE_E_MALFORMED`, `IOTEDGE_E_BUSY`: counted, need no
/// action. `IOTEDGE_E_UNKNOWN_PEER`. `IOTEDGE_E_BUFFER_TOO_SMALL`: `frame_capacity` is below `IOTEDGE_MAX_FRAME`.
///
/// From the thread that has the link and the node. Not from an interrupt: put the packet in a queue there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_receive(
    link: *mut iotedge_link_t,
    now: u64,
    peer: u32,
    packet: *const u8,
    packet_len: usize,
    node: *const iotedge_node_t,
    frame: *mut u8,
    frame_capacity: usize,
    frame_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        let packet = input(packet, packet_len)?;
        let out = OutBytes::new(frame, frame_capacity, frame_len)?;
        if frame_capacity < IOTEDGE_MAX_FRAME {
            return Err(status::IOTEDGE_E_BUFFER_TOO_SMALL);
        }
        with_living(link.cast(), |l: &mut CLink| {
            let now = Millis(now);
            let mut bytes = [0; IOTEDGE_MAX_FRAME];
            let room = &mut bytes;
            let came = match node.is_null() {
                true => l.receive(now, peer, packet, &Nothing, room),
                false => look(node.cast(), |n| Ok(l.receive(now, peer, packet, n, room)))?,
            };
            let len = came.map_err(refused)?.ok_or(status::IOTEDGE_E_NONE)?;
            out.write(bytes.get(..len).ok_or(status::IOTEDGE_E_INTERNAL)?)
        })
    })())
}

/// When to call `iotedge_link_next_packet` again at the latest, if nothing else happens.
///
/// `deadline`: local milliseconds, not before `now`; `UINT64_MAX`: never. Written on success.
///
/// From the thread that has the link. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_next_deadline(
    link: *const iotedge_link_t,
    now: u64,
    deadline: *mut u64,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = Out::new(deadline)?;
        let at = look_living(link.cast(), |l: &CLink| Ok(l.next_deadline(Millis(now))))?;
        out.write(at.map_or(u64::MAX, |at| at.0));
        Ok(())
    })())
}

/// What a link counted.
///
/// `counters`: set its `size` first; written on success.
///
/// From the thread that has the link. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_link_counters(
    link: *const iotedge_link_t,
    counters: *mut iotedge_link_counters_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(counters, OLDEST_COUNTERS)?;
        let counted = look_living(link.cast(), |l: &CLink| Ok(l.counters()))?;
        out.write(&iotedge_link_counters_t::from_core(&counted));
        Ok(())
    })())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_macro_for_static_arrays_is_enough_and_not_far_too_much() {
        let usual = LinkLimits::SMALL;
        for limits in [
            usual,
            LinkLimits {
                peers: 1,
                outgoing: 1,
                incoming: 1,
                frame: 160,
                ..usual
            },
            LinkLimits {
                peers: 1024,
                ..usual
            },
            LinkLimits {
                outgoing: 64,
                incoming: 64,
                frame: 160,
                ..usual
            },
            LinkLimits {
                incoming: 512,
                ..usual
            },
        ] {
            let needed = link_size(&limits).unwrap();
            let frames = usize::from(limits.outgoing) + usize::from(limits.incoming);
            let given = IOTEDGE_LINK_SIZE_FIXED
                + usize::from(limits.peers) * IOTEDGE_LINK_SIZE_PEER
                + frames * (IOTEDGE_LINK_SIZE_FRAME + usize::from(limits.frame));
            assert!(needed <= given, "{limits:?} needs {needed}, macro {given}");
            assert!(
                given <= needed * 3 / 2,
                "{limits:?} needs {needed}, macro {given}"
            );
        }
    }
}
