use super::testing::*;
use super::*;
use crate::{Amount, MemberIndex};
use proptest::prelude::{ProptestConfig, any, proptest};

const A: Peer = Peer(1);
const B: Peer = Peer(2);

fn no_repair(mtu: u16) -> LinkConfig {
    LinkConfig {
        repair: None,
        ..LinkConfig::new(mtu)
    }
}

fn pair(config: LinkConfig) -> (Link<'static>, Link<'static>) {
    let a = link(LinkLimits::SMALL, config, &[2]);
    (a, link(LinkLimits::SMALL, config, &[1]))
}

fn give(
    link: &mut Link<'_>,
    now: u64,
    from: Peer,
    packet: &[u8],
) -> Result<Option<Vec<u8>>, LinkError> {
    let mut frame = [0; MAX_FRAME];
    let len = link.receive(Millis(now), from, packet, &Nothing, &mut frame)?;
    Ok(len.map(|len| frame[..len].to_vec()))
}

fn any_frame(len: usize) -> Vec<u8> {
    Rng(len as u64).bytes(len)
}

#[test]
fn every_length_over_every_packet_size() {
    for mtu in [46u16, 51, 102, 115, 127, 222, 244, 1024] {
        let (mut a, mut b) = pair(no_repair(mtu));
        for len in [
            1, 40, 44, 45, 46, 50, 51, 52, 90, 101, 102, 103, 148, 160, 190, 500, 999, 1399, 1400,
        ] {
            let frame = any_frame(len);
            a.send(Millis(0), B, &frame, &Nothing).unwrap();
            let all = packets(&mut a, 0);
            let tile = usize::from(mtu) - 2;
            let count = if len < usize::from(mtu) {
                1
            } else {
                (len + 5).div_ceil(tile)
            };
            assert_eq!(all.len(), count, "{len} over {mtu}");
            assert!(all.iter().all(|p| p.len() <= usize::from(mtu)));
            let (last, before) = all.split_last().unwrap();
            for packet in before {
                assert_eq!(give(&mut b, 0, A, packet), Ok(None));
            }
            assert_eq!(give(&mut b, 0, A, last), Ok(Some(frame)));
        }
    }
}

#[test]
fn the_smallest_packet_size_carries_what_fits_32_fragments() {
    let limits = LinkLimits {
        frame: 571,
        ..LinkLimits::SMALL
    };
    let config = no_repair(20);
    let mut a = link(limits, config, &[2]);
    let mut b = link(limits, config, &[1]);
    let frame = any_frame(571);
    a.send(Millis(0), B, &frame, &Nothing).unwrap();
    let all = packets(&mut a, 0);
    assert_eq!(all.len(), 32);
    let mut came = None;
    for packet in all.iter().rev() {
        came = give(&mut b, 0, A, packet).unwrap();
    }
    assert_eq!(came, Some(frame));
    assert_eq!(
        a.send(Millis(0), B, &any_frame(572), &Nothing),
        Err(LinkError::TooLong)
    );
}

#[test]
fn limits_and_memory_are_checked() {
    let sizes = LinkLimits::SMALL.sizes().unwrap();
    let make = |limits: LinkLimits, config: LinkConfig, bytes: usize| {
        let memory = LinkMemory {
            peers: leak(LinkPeer::default(), sizes.peers),
            outgoing: leak(Outgoing::default(), sizes.outgoing),
            incoming: leak(Incoming::default(), sizes.incoming),
            bytes: leak(0, bytes),
        };
        Link::new(memory, limits, config).map(|_| ()).err()
    };
    let (small, config) = (LinkLimits::SMALL, LinkConfig::new(51));
    assert_eq!(make(small, config, sizes.bytes), None);
    assert_eq!(
        make(small, config, sizes.bytes - 1),
        Some(LinkError::Memory)
    );
    for bad in [
        LinkLimits { peers: 0, ..small },
        LinkLimits {
            outgoing: 0,
            ..small
        },
        LinkLimits {
            incoming: 0,
            ..small
        },
        LinkLimits {
            per_peer: 0,
            ..small
        },
        LinkLimits {
            frame: 159,
            ..small
        },
        LinkLimits {
            frame: 1401,
            ..small
        },
    ] {
        assert_eq!(make(bad, config, sizes.bytes), Some(LinkError::Config));
    }
    assert_eq!(
        make(small, LinkConfig::new(45), sizes.bytes),
        Some(LinkError::Config),
        "32 fragments of 43"
    );
    assert_eq!(
        make(small, LinkConfig::new(19), sizes.bytes),
        Some(LinkError::Config)
    );
    let dead = LinkConfig {
        lifetime: Millis(0),
        ..config
    };
    assert_eq!(make(small, dead, sizes.bytes), Some(LinkError::Config));
}

#[test]
fn any_order_and_doubles_and_late_ones() {
    for seed in 0..40u64 {
        let mut rng = Rng(seed);
        let (mut a, mut b) = pair(no_repair(51));
        let frame = any_frame(60 + rng.below(1300) as usize);
        a.send(Millis(0), B, &frame, &Nothing).unwrap();
        let mut all = packets(&mut a, 0);
        let doubles = all.clone();
        all.extend(doubles);
        for i in (1..all.len()).rev() {
            all.swap(i, rng.below(i as u64 + 1) as usize);
        }
        let came: Vec<Vec<u8>> = all
            .iter()
            .filter_map(|packet| give(&mut b, 0, A, packet).unwrap())
            .collect();
        assert_eq!(came, [frame], "seed {seed}");
        assert_eq!(usize::try_from(b.counters().duplicates), Ok(all.len() / 2));
    }
}

#[test]
fn what_is_missing_is_asked_for_and_nothing_else_is_sent_again() {
    let (mut a, mut b) = pair(LinkConfig::new(51));
    let frame = any_frame(1400);
    a.send(Millis(0), B, &frame, &Nothing).unwrap();
    let all = packets(&mut a, 0);
    assert_eq!(all.len(), 29);
    for (i, packet) in all.iter().enumerate() {
        if ![0, 7, 28].contains(&i) {
            assert_eq!(give(&mut b, 10, A, packet), Ok(None));
        }
    }
    assert_eq!(b.next_deadline(Millis(10)), Some(Millis(260)));
    assert!(packets(&mut b, 259).is_empty());
    let asked = packets(&mut b, 260);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].len(), 6);
    assert_eq!(give(&mut a, 261, B, &asked[0]), Ok(None));
    let again = packets(&mut a, 261);
    assert_eq!(again, [all[0].clone(), all[7].clone(), all[28].clone()]);
    for packet in &again[..2] {
        assert_eq!(give(&mut b, 262, A, packet), Ok(None));
    }
    assert_eq!(give(&mut b, 262, A, &again[2]), Ok(Some(frame)));
    assert_eq!(b.next_deadline(Millis(262)), None);
    assert_eq!((a.counters().repairs_in, b.counters().repairs_out), (1, 1));
}

#[test]
fn requests_end_and_so_do_answers() {
    let (mut a, mut b) = pair(LinkConfig::new(51));
    a.send(Millis(0), B, &any_frame(300), &Nothing).unwrap();
    let all = packets(&mut a, 0);
    give(&mut b, 0, A, &all[0]).unwrap();
    let mut asked = 0;
    for now in (0..10_000).step_by(50) {
        for packet in packets(&mut b, now) {
            asked += 1;
            give(&mut a, now, B, &packet).unwrap();
        }
        packets(&mut a, now);
    }
    assert_eq!(asked, 8);
    assert_eq!(a.counters().packets_out, 7 + 8 * 6);
    assert_eq!(b.counters().expired, 1);
    // Gone on both sides.
    assert_eq!(give(&mut a, 10_000, B, &[2, 0]), Ok(None));
    assert!(packets(&mut a, 10_000).is_empty());
    // Requests for what is not here use nothing up: the second frame has the id 1.
    for check in 0..300u16 {
        let [high, low] = check.to_be_bytes();
        assert_eq!(give(&mut a, 10_000, B, &[1, high, low]), Ok(None));
    }
    a.send(Millis(10_000), B, &any_frame(300), &Nothing)
        .unwrap();
    assert_eq!(packets(&mut a, 10_000)[0][1], 1);
}

#[test]
fn a_lifetime_that_no_fragment_renews() {
    let (mut a, mut b) = pair(no_repair(51));
    a.send(Millis(0), B, &any_frame(300), &Nothing).unwrap();
    let all = packets(&mut a, 0);
    for (i, packet) in all.iter().enumerate() {
        assert_eq!(give(&mut b, i as u64 * 1_000, A, packet), Ok(None), "{i}");
    }
    assert_eq!(b.counters().expired, 1);
}

#[test]
fn a_storm_of_one_neighbour_costs_the_others_nothing() {
    let limits = LinkLimits {
        incoming: 4,
        per_peer: 3,
        ..LinkLimits::SMALL
    };
    let mut to = link(limits, no_repair(51), &[1, 2, 3, 4, 5]);
    let mut from = link(LinkLimits::SMALL, no_repair(51), &[9]);
    let frame = any_frame(400);
    from.send(Millis(0), Peer(9), &frame, &Nothing).unwrap();
    let all = packets(&mut from, 0);
    assert_eq!(give(&mut to, 0, Peer(2), &all[0]), Ok(None));
    // Every fragment opens another datagram.
    for n in 0..1000u32 {
        let packet = [0x20 | (n % 8) as u8, (n % 128) as u8, 1, 2, 3];
        assert_eq!(give(&mut to, u64::from(n), Peer(1), &packet), Ok(None));
    }
    assert_eq!(to.counters().replaced, 997);
    for packet in &all[1..5] {
        assert_eq!(give(&mut to, 0, Peer(2), packet), Ok(None));
    }
    // A third and a fourth take what the storm has above one.
    assert_eq!(give(&mut to, 0, Peer(3), &all[0]), Ok(None));
    assert_eq!(give(&mut to, 0, Peer(4), &all[0]), Ok(None));
    // Now each has one, and the fifth waits.
    assert_eq!(give(&mut to, 0, Peer(5), &all[0]), Err(LinkError::Busy));
    for n in 0..100u8 {
        let _ = give(&mut to, 0, Peer(1), &[0x21, n, 1]);
    }
    let (last, rest) = all[1..].split_last().unwrap();
    for peer in [Peer(2), Peer(3), Peer(4)] {
        for packet in rest {
            assert_eq!(give(&mut to, 0, peer, packet), Ok(None));
        }
        assert_eq!(give(&mut to, 0, peer, last), Ok(Some(frame.clone())));
    }
}

#[test]
fn the_oldest_of_the_same_neighbour_goes_first() {
    let limits = LinkLimits {
        incoming: 2,
        per_peer: 2,
        ..LinkLimits::SMALL
    };
    let mut to = link(limits, no_repair(51), &[1]);
    let mut from = link(LinkLimits::SMALL, no_repair(51), &[9]);
    let frames: Vec<Vec<u8>> = (0..3).map(|n| any_frame(200 + n)).collect();
    let sent: Vec<Vec<Vec<u8>>> = frames
        .iter()
        .map(|frame| {
            from.send(Millis(0), Peer(9), frame, &Nothing).unwrap();
            packets(&mut from, 0)
        })
        .collect();
    for (now, packets) in sent.iter().enumerate() {
        give(&mut to, now as u64, A, &packets[0]).unwrap();
    }
    for n in [2, 1] {
        let came: Vec<_> = sent[n][1..]
            .iter()
            .map(|p| give(&mut to, 5, A, p).unwrap())
            .collect();
        assert_eq!(came.last(), Some(&Some(frames[n].clone())));
    }
    let came: Vec<_> = sent[0][1..]
        .iter()
        .map(|p| give(&mut to, 5, A, p).unwrap())
        .collect();
    assert!(came.iter().all(Option::is_none));
}

#[test]
fn contradictions_begin_anew() {
    let lengths: [(&[u8], &[u8]); 6] = [
        (&[0x20, 5, 1, 2, 3, 4], &[0x21, 5, 1, 2, 3]), // another tile
        (&[0x21, 0x85, 1, 2], &[0x22, 0x85, 1, 2]),    // another last
        (&[0x21, 0x85, 1, 2], &[0x21, 0x85, 1, 2, 3]), // of another length
        (&[0x21, 0x85, 1, 2], &[0x23, 5, 1, 2, 3]),    // behind the last
        (&[0x23, 5, 1, 2, 3], &[0x21, 0x85, 1, 2]),    // the last before it
        (&[0x20, 5, 1, 2, 3], &[0x20, 5, 1, 2, 4]),    // other bytes
    ];
    for (first, second) in lengths {
        let (mut a, mut b) = pair(LinkConfig::new(51));
        give(&mut b, 0, A, first).unwrap();
        give(&mut b, 0, A, second).unwrap();
        assert_eq!(b.counters().contradicted, 1, "{first:?} {second:?}");
        // After a wrap what is left of the old one can spoil the new one once; its fragments are asked for again.
        for _ in 0..5 {
            a.send(Millis(0), B, &any_frame(30), &Nothing).unwrap();
            packets(&mut a, 0);
        }
        let frame = any_frame(120);
        a.send(Millis(0), B, &frame, &Nothing).unwrap();
        let mut came = talk(&mut a, &mut b, 0, &Book::default(), &Book::default());
        came.extend(talk(
            &mut a,
            &mut b,
            260,
            &Book::default(),
            &Book::default(),
        ));
        assert_eq!(came, [frame], "{first:?} {second:?}");
    }
    // A last one longer than the others, and one for which there is no room.
    let (_, mut b) = pair(no_repair(51));
    give(&mut b, 0, A, &[0x21, 0x85, 1, 2, 3, 4]).unwrap();
    give(&mut b, 0, A, &[0x20, 5, 1, 2, 3]).unwrap();
    assert_eq!(b.counters().contradicted, 1);
    let long = [0x3f; 100];
    assert_eq!(give(&mut b, 0, A, &long), Err(LinkError::Malformed));
    // The last waits at the end of the room; then its place is behind the room.
    give(&mut b, 0, A, &[0x3f, 0x87, 1, 2]).unwrap();
    let mut tile = vec![0x20, 7];
    tile.extend([0; 100]);
    assert_eq!(give(&mut b, 0, A, &tile), Err(LinkError::Malformed));
}

#[test]
fn a_wrong_crc_gives_nothing() {
    let (mut a, mut b) = pair(no_repair(51));
    a.send(Millis(0), B, &any_frame(120), &Nothing).unwrap();
    let mut all = packets(&mut a, 0);
    all[1][10] ^= 1;
    let came: Vec<_> = all.iter().map(|p| give(&mut b, 0, A, p)).collect();
    assert_eq!(came.last(), Some(&Err(LinkError::Corrupt)));
    assert_eq!(b.counters().corrupt, 1);
    // The same once more, whole: it was not taken for done.
    all[1][10] ^= 1;
    let came: Vec<_> = all.iter().map(|p| give(&mut b, 0, A, p)).collect();
    assert_eq!(came.last(), Some(&Ok(Some(any_frame(120)))));
}

#[test]
fn strangers_and_full_queues() {
    let (mut a, _) = pair(no_repair(51));
    assert_eq!(
        a.send(Millis(0), Peer(7), &[1], &Nothing),
        Err(LinkError::UnknownPeer)
    );
    assert_eq!(
        give(&mut a, 0, Peer(7), &[0, 1]),
        Err(LinkError::UnknownPeer)
    );
    assert_eq!(a.send(Millis(0), B, &[], &Nothing), Err(LinkError::TooLong));
    for _ in 0..LinkLimits::SMALL.outgoing {
        assert!(a.has_room());
        a.send(Millis(0), B, &any_frame(99), &Nothing).unwrap();
    }
    assert!(!a.has_room());
    assert_eq!(
        a.send(Millis(0), B, &any_frame(99), &Nothing),
        Err(LinkError::Busy)
    );
    assert_eq!(a.next_deadline(Millis(4)), Some(Millis(4)));
    let mut short = [0; 50];
    assert_eq!(a.next_packet(Millis(0), &mut short), None);
    // First in, first out; what is kept only gives way.
    assert_eq!(packets(&mut a, 0).len(), 3 * 4);
    assert!(a.has_room());
    a.send(Millis(0), B, &any_frame(99), &Nothing).unwrap();
    a.remove_peer(B);
    assert!(packets(&mut a, 0).is_empty());
    let mut frame = [0; 100];
    a.add_peer(B).unwrap();
    let small = a.receive(Millis(0), B, &[0, 1], &Nothing, &mut frame);
    assert_eq!(small, Err(LinkError::BufferTooSmall));
    for n in 10..17 {
        a.add_peer(Peer(n)).unwrap();
    }
    a.add_peer(Peer(16)).unwrap();
    assert_eq!(a.add_peer(Peer(17)), Err(LinkError::Busy));
}

fn transfer() -> crate::tx::Body<'static> {
    crate::tx::Body::Transfer {
        to: MemberIndex(2),
        amount: Amount(250),
        debits: Amount(9_250),
    }
}

/// Sends with the sender's context, receives with the receiver's, until nothing moves; gives the frames that arrived.
fn talk(a: &mut Link<'_>, b: &mut Link<'_>, now: u64, ours: &Book, theirs: &Book) -> Vec<Vec<u8>> {
    let (mut came, mut frame) = (Vec::new(), [0; MAX_FRAME]);
    loop {
        let there = packets(a, now);
        for packet in &there {
            if let Ok(Some(len)) = b.receive(Millis(now), A, packet, theirs, &mut frame) {
                came.push(frame[..len].to_vec());
            }
        }
        let back = packets(b, now);
        for packet in &back {
            let _ = a.receive(Millis(now), B, packet, ours, &mut frame);
        }
        if there.is_empty() && back.is_empty() {
            return came;
        }
    }
}

#[test]
fn out_of_step_the_whole_form_follows_and_trust_falls_and_rises() {
    let mut rng = Rng(9);
    let ours = Book::drawn(&mut rng, &[4, 7, 9]);
    let mut theirs = ours.clone();
    let (mut a, mut b) = pair(LinkConfig::new(102));
    let whole = next_frame(&ours, 4, &ours.tips(), transfer(), &mut rng);
    a.send(Millis(0), B, &whole, &ours).unwrap();
    assert_eq!(talk(&mut a, &mut b, 0, &ours, &theirs), vec![whole.clone()]);
    assert_eq!((a.counters().packets_out, a.counters().in_one), (1, 1));
    // They lose a parent: one packet, one request of three bytes, the whole form in two fragments.
    let lost = theirs.newest(7).1;
    theirs.seen.remove(&lost);
    theirs.chains.get_mut(&7).unwrap().pop();
    a.send(Millis(1), B, &whole, &ours).unwrap();
    assert_eq!(talk(&mut a, &mut b, 1, &ours, &theirs), vec![whole.clone()]);
    assert_eq!((a.counters().packets_out, b.counters().bytes_out), (4, 3));
    assert_eq!((a.counters().refused, b.counters().out_of_step), (1, 1));
    // From then on only what they are known to hold is left out. It is told of: so nothing is refused.
    let mut careful = ours.clone();
    careful.unknown.insert(lost);
    for _ in 0..8 {
        a.send(Millis(2), B, &whole, &careful).unwrap();
        assert_eq!(
            talk(&mut a, &mut b, 2, &careful, &theirs),
            vec![whole.clone()]
        );
    }
    assert_eq!((a.counters().refused, a.counters().compressed), (1, 10));
    // One that never can rebuild anything soon gets nearly everything whole, and all of it arrives.
    theirs = Book::default();
    for now in 0..400 {
        a.send(Millis(10 + now), B, &whole, &ours).unwrap();
        assert_eq!(
            talk(&mut a, &mut b, 10 + now, &ours, &theirs),
            vec![whole.clone()]
        );
    }
    assert!(a.counters().refused < 20, "{}", a.counters().refused);
    // In step again it is found out by itself.
    theirs = ours.clone();
    let before = a.counters().compressed;
    for now in 0..400 {
        a.send(Millis(900 + now), B, &whole, &ours).unwrap();
        assert_eq!(
            talk(&mut a, &mut b, 900 + now, &ours, &theirs),
            vec![whole.clone()]
        );
    }
    assert!(a.counters().compressed - before > 250);
}

#[test]
fn compressed_frames_in_fragments_too() {
    let mut rng = Rng(10);
    let ours = Book::drawn(&mut rng, &[4, 7, 9]);
    let (mut a, mut b) = pair(LinkConfig::new(51));
    let whole = next_frame(&ours, 4, &ours.tips(), transfer(), &mut rng);
    a.send(Millis(0), B, &whole, &ours).unwrap();
    assert_eq!(talk(&mut a, &mut b, 0, &ours, &ours), vec![whole.clone()]);
    assert_eq!(a.counters().packets_out, 2);
    a.send(Millis(1), B, &whole, &ours).unwrap();
    assert_eq!(
        talk(&mut a, &mut b, 1, &ours, &Book::default()),
        vec![whole.clone()]
    );
    // Two in vain, then 148 and 5 bytes in tiles of 49.
    assert_eq!(a.counters().packets_out, 2 + 2 + 4);
    let off = LinkConfig {
        compress: false,
        ..LinkConfig::new(51)
    };
    let mut a = link(LinkLimits::SMALL, off, &[2]);
    a.send(Millis(0), B, &whole, &ours).unwrap();
    assert_eq!(packets(&mut a, 0).len(), 4);
}

/// One run of frames over a lossy radio.
struct Run {
    arrived: u32,
    bytes: u64,
}

/// Sends `count` frames one after the other; with `again` each until it arrived, as the gossip would.
fn run(seed: u64, mtu: u16, len: usize, loss: u64, repair: bool, again: bool, count: u32) -> Run {
    let mut rng = Rng(seed);
    let config = if repair {
        LinkConfig::new(mtu)
    } else {
        no_repair(mtu)
    };
    let (mut a, mut b) = pair(config);
    let (mut now, mut arrived) = (0, 0);
    for n in 0..count {
        let frame = Rng(u64::from(n)).bytes(len);
        loop {
            a.send(Millis(now), B, &frame, &Nothing).unwrap();
            let end = now + 6_000;
            let mut came = false;
            while now < end && !came {
                for packet in packets(&mut a, now) {
                    if rng.below(100) >= loss {
                        let got = give(&mut b, now, A, &packet).unwrap();
                        assert!(got.is_none() || got.as_ref() == Some(&frame));
                        came |= got.is_some();
                    }
                }
                for packet in packets(&mut b, now) {
                    if rng.below(100) >= loss {
                        give(&mut a, now, B, &packet).unwrap();
                    }
                }
                now += 50;
            }
            now = end;
            arrived += u32::from(came);
            if came || !again {
                break;
            }
        }
    }
    let bytes = a.counters().bytes_out + b.counters().bytes_out;
    Run { arrived, bytes }
}

/// The figures of decision 0014; printed with `--nocapture`.
#[test]
fn asking_for_single_fragments_pays_from_a_few_fragments_on() {
    println!(
        "goodput: frame bytes that arrived per byte on the air, each frame sent until it arrives; and the share that arrives at the first try"
    );
    println!("| MTU | frame | loss % | none | repair | first try, none | first try, repair |");
    println!("|---|---|---|---|---|---|---|");
    let (mut worse, mut rows) = (0, 0);
    for (mtu, len) in [
        (51, 148),
        (51, 400),
        (51, 1400),
        (102, 148),
        (102, 1400),
        (222, 1400),
    ] {
        for loss in [0, 1, 5, 10, 20] {
            let goodput = |repair| {
                let count = 40;
                let all = run(7, mtu, len, loss, repair, true, count);
                assert_eq!(all.arrived, count);
                100 * u64::from(count) * len as u64 / all.bytes
            };
            let first = |repair| 100 * run(8, mtu, len, loss, repair, false, 100).arrived / 100;
            let (without, with) = (goodput(false), goodput(true));
            let (f0, f1) = (first(false), first(true));
            println!("| {mtu} | {len} | {loss} | 0.{without:02} | 0.{with:02} | {f0} % | {f1} % |");
            rows += 1;
            worse += u32::from(with + 2 < without);
            assert!(f1 >= f0);
            if loss >= 10 && len == 1400 && mtu == 51 {
                assert!(with > 2 * without, "{with} {without}");
            }
        }
    }
    assert_eq!(worse, 0, "of {rows}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever neighbours send: no panic, and no frame but those whose CRC is right.
    #[test]
    fn hostile_packets_never_panic(seed in any::<u64>()) {
        let mut rng = Rng(seed);
        let book = Book::drawn(&mut rng, &[0, 1, 2]);
        let mut to = link(LinkLimits { incoming: 3, ..LinkLimits::SMALL }, LinkConfig::new(51), &[1, 2, 3]);
        let mut frame = [0; MAX_FRAME];
        for now in 0..400u64 {
            let len = rng.below(60) as usize;
            let mut packet = rng.bytes(len);
            if let Some(first) = packet.first_mut() {
                *first &= 0x3f;
            }
            if let Some(second) = packet.get_mut(1) {
                *second &= 0x83;
            }
            let peer = Peer(1 + rng.below(3) as u16);
            let _ = to.receive(Millis(now * 10), peer, &packet, &book, &mut frame);
            if rng.below(4) == 0 {
                let _ = to.send(Millis(now * 10), peer, &rng.bytes(200), &book);
            }
            if rng.below(3) == 0 {
                packets(&mut to, now * 10);
            }
        }
    }
}
