//! One owner and its subscribers through everything that is said between them, with losses, refusals and the power going at every write of either.

use super::*;
use crate::channel::publisher::{self, Publisher};
use crate::channel::reader::stored::stored_len;
use crate::channel::subscriber::{self, Heard, Source, Subscriber, Subscription};

const OWNER: MemberIndex = MemberIndex(7);
const KEY: u16 = 0x100;
const DEPTH: u8 = 2;

fn publisher_config(mode: Mode) -> publisher::Config {
    publisher::Config {
        neighbourhood: HERE,
        device: Id([7; 32]),
        number: NUMBER,
        mode,
        key: KEY,
        ahead: 4,
        depth: DEPTH,
    }
}

fn side_of(mode: Mode) -> Option<SideKey> {
    (mode == Mode::Restricted).then_some(SideKey([0x51; 32]))
}

fn a_publisher(
    platform: &mut MemoryPlatform,
    mode: Mode,
) -> Result<Publisher<'static>, ChannelError> {
    let memory = publisher::Memory {
        leaves: leak(Id::ZERO, 4),
        members: leak(MemberIndex(0), publisher::readers(DEPTH)),
        buffer: leak(0, publisher::stored_len(DEPTH)),
    };
    Publisher::open(
        platform,
        NEWEST,
        publisher_config(mode),
        side_of(mode),
        memory,
    )
}

fn device(me: MemberIndex) -> Id {
    Id([me.0 as u8; 32])
}

fn a_subscriber(
    platform: &mut MemoryPlatform,
    me: MemberIndex,
) -> Result<Subscriber<'static>, ChannelError> {
    let memory = subscriber::Memory {
        channels: Vec::leak((0..2).map(|_| Subscription::default()).collect()),
        skipped: leak(Skipped::default(), 16),
        recent: leak(Recent::default(), 8),
        buffer: leak(0, stored_len(16)),
        every: 1,
    };
    Subscriber::open(platform, HERE, device(me), KEY, memory)
}

fn source() -> Source {
    Source {
        owner: OWNER,
        device: Id([7; 32]),
        key: signer().public_key(),
        number: NUMBER,
    }
}

fn parse(bytes: &[u8]) -> Op<'_> {
    let mut r = crate::wire::Reader::new(bytes);
    let op = Op::read(&mut r).unwrap();
    r.finish().unwrap();
    op
}

/// What is due, taken until nothing is.
fn drain(
    publisher: &mut Publisher<'_>,
    platform: &mut MemoryPlatform,
) -> Result<Vec<Vec<u8>>, ChannelError> {
    let mut all = Vec::new();
    let mut out = [0; 320];
    while let Some(len) = publisher.next_op(platform, NEWEST, &mut out)? {
        all.push(out[..len].to_vec());
        publisher.taken(platform)?;
        assert!(all.len() < 40);
    }
    Ok(all)
}

struct Party {
    me: MemberIndex,
    platform: MemoryPlatform,
    subscriber: Subscriber<'static>,
}

impl Party {
    fn new(me: u16) -> Self {
        let me = MemberIndex(me);
        let mut platform = MemoryPlatform {
            seed: me.0.into(),
            ..MemoryPlatform::default()
        };
        let subscriber = a_subscriber(&mut platform, me).unwrap();
        Self {
            me,
            platform,
            subscriber,
        }
    }

    fn ask(&mut self, mode: Mode) -> [u8; 32] {
        let mut out = [0; 64];
        let side = side_of(mode);
        let asked =
            self.subscriber
                .subscribe(&mut self.platform, &source(), side.as_ref(), &mut out);
        let (_, len) = asked.unwrap();
        match parse(&out[..len]) {
            Op::Subscribe { owner, key, .. } if owner == OWNER => *key,
            other => panic!("{other:?}"),
        }
    }

    fn hear(&mut self, op: &[u8]) -> Result<Heard, ChannelError> {
        let (platform, op) = (&mut self.platform, parse(op));
        self.subscriber
            .hear(platform, self.me, OWNER, &op, &mut [0; 400])
    }

    fn hear_all(&mut self, ops: &[Vec<u8>]) -> Vec<Result<Heard, ChannelError>> {
        ops.iter().map(|op| self.hear(op)).collect()
    }

    fn read(&mut self, message: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let mut out = vec![0xee; 400];
        let (platform, verifier) = (&mut self.platform, &mut Software);
        match self.subscriber.read(platform, verifier, message, &mut out) {
            Ok((_, opened)) => Ok(out[..opened.len].to_vec()),
            Err(error) => {
                assert!(out.iter().all(|b| *b == 0 || *b == 0xee), "{error:?}");
                Err(error)
            }
        }
    }

    fn restart(&mut self) {
        self.subscriber = a_subscriber(&mut self.platform, self.me).unwrap();
    }
}

fn say(
    publisher: &mut Publisher<'_>,
    platform: &mut MemoryPlatform,
    form: Form,
    text: &[u8],
) -> Result<Vec<u8>, ChannelError> {
    let mut out = vec![0; 400];
    let done = publisher.publish(platform, NEWEST, form, text, &mut out)?;
    let len = match form.signed {
        true => done.sign(&signer().sign(&done.to_be_signed()), &mut out)?,
        false => done.len,
    };
    out.truncate(len);
    Ok(out)
}

#[test]
fn a_stream_is_asked_for_granted_read_revoked_and_asked_for_again() {
    for mode in [Mode::Private, Mode::Restricted] {
        let platform = &mut MemoryPlatform::default();
        let mut owner = a_publisher(platform, mode).unwrap();
        let first = drain(&mut owner, platform).unwrap();
        assert!(matches!(parse(&first[0]), Op::Announce { .. }) && first.len() == 1);
        let early = say(&mut owner, platform, Form::COMPACT, b"before").unwrap();
        let (mut a, mut b, mut stranger) = (Party::new(1), Party::new(2), Party::new(3));
        stranger.ask(mode);
        for party in [&mut a, &mut b] {
            let key = party.ask(mode);
            assert_eq!(party.ask(mode), key, "the same request while it waits");
            owner
                .grant(platform, party.me, &device(party.me), &key)
                .unwrap();
            let busy = owner.grant(platform, party.me, &device(party.me), &key);
            assert_eq!(busy, Err(ChannelError::Busy));
            let ops = drain(&mut owner, platform).unwrap();
            let told = party.hear_all(&ops);
            let channel = 0;
            assert_eq!(
                told,
                [
                    Ok(Heard::Granted { channel }),
                    Ok(Heard::Seated { channel })
                ]
            );
            assert_eq!(
                stranger.hear_all(&ops),
                [Ok(Heard::Nothing), Ok(Heard::Nothing)]
            );
            // Replayed, it does nothing.
            let told = party.hear_all(&ops);
            assert_eq!(told, [Err(ChannelError::Stale), Err(ChannelError::Stale)]);
            assert_ne!(party.ask(mode), key, "a request of its own after the path");
        }
        let readers: Vec<_> = owner.readers().collect();
        assert_eq!(readers, [a.me, b.me]);
        for (form, text) in forms()
            .into_iter()
            .zip([b"1", b"2", b"3", b"4", b"5", b"6"])
        {
            let message = match say(&mut owner, platform, form, text) {
                Err(ChannelError::Busy) => {
                    let ops = drain(&mut owner, platform).unwrap();
                    for party in [&mut a, &mut b] {
                        let told = party.hear_all(&ops);
                        assert!(matches!(
                            told[..],
                            [Ok(Heard::Root { proved: true, .. })]
                                | [Ok(Heard::Root { proved: false, .. })]
                        ));
                    }
                    say(&mut owner, platform, form, text).unwrap()
                }
                other => other.unwrap(),
            };
            assert_eq!(a.read(&message), Ok(text.to_vec()));
            assert_eq!(a.read(&message), Err(ChannelError::Replayed));
            assert_eq!(b.read(&message), Ok(text.to_vec()));
            a.restart();
            assert_eq!(a.read(&message), Err(ChannelError::Unknown));
            assert_eq!(a.read(&early), Err(ChannelError::Unknown));
            assert_eq!(stranger.read(&message), Err(ChannelError::Unknown));
        }
        assert_eq!(
            owner.revoke(platform, NEWEST, stranger.me),
            Err(ChannelError::Slot)
        );
        owner.revoke(platform, NEWEST, b.me).unwrap();
        let busy = say(&mut owner, platform, Form::COMPACT, b"x");
        assert_eq!(busy, Err(ChannelError::Busy), "wraps come first");
        let ops = drain(&mut owner, platform).unwrap();
        let (channel, lost) = (0, 0);
        assert_eq!(
            a.hear_all(&ops).pop(),
            Some(Ok(Heard::Rekeyed { channel, lost }))
        );
        assert_eq!(a.hear_all(&ops).pop(), Some(Ok(Heard::Nothing)), "twice");
        assert_eq!(b.hear_all(&ops).pop(), Some(Ok(Heard::Revoked { channel })));
        let late = say(&mut owner, platform, Form::COMPACT, b"late").unwrap();
        assert_eq!(a.read(&late), Ok(b"late".to_vec()));
        assert_eq!(b.read(&late), Err(ChannelError::Unknown));
        let key = b.ask(mode);
        owner.grant(platform, b.me, &device(b.me), &key).unwrap();
        let ops = drain(&mut owner, platform).unwrap();
        assert!(b.hear_all(&ops).iter().all(Result::is_ok));
        let more = say(&mut owner, platform, Form::COMPACT, b"more").unwrap();
        assert_eq!(
            (a.read(&more), b.read(&more)),
            (Ok(b"more".to_vec()), Ok(b"more".to_vec()))
        );
        assert_eq!(
            b.read(&late),
            Err(ChannelError::Unknown),
            "never before the grant"
        );
        b.subscriber.unsubscribe(&mut b.platform, 0).unwrap();
        let last = say(&mut owner, platform, Form::COMPACT, b"last").unwrap();
        assert_eq!(b.read(&last), Err(ChannelError::Unknown));
        assert_eq!(b.platform.store.len(), 0, "nothing is left of it");
    }
}

#[test]
fn a_public_channel_needs_no_grant_and_its_roots_prove_it() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = a_publisher(platform, Mode::Public).unwrap();
    let mut party = Party::new(1);
    let key = party.ask(Mode::Public);
    assert_eq!(
        owner.grant(platform, party.me, &device(party.me), &key),
        Err(ChannelError::Mode)
    );
    assert_eq!(
        owner.revoke(platform, NEWEST, party.me),
        Err(ChannelError::Slot)
    );
    let ops = drain(&mut owner, platform).unwrap();
    let (channel, lost) = (0, 0);
    assert_eq!(
        party.hear_all(&ops),
        [Ok(Heard::Announced { channel, lost })]
    );
    assert_eq!(party.hear_all(&ops), [Ok(Heard::Nothing)]);
    let all: Vec<_> = (0..4_u8)
        .map(|n| say(&mut owner, platform, Form::STANDARD, &[n]).unwrap())
        .collect();
    for (n, message) in (0..).zip(&all) {
        assert_eq!(party.read(message), Ok(vec![n]));
    }
    let mut path = [Id::ZERO; 6];
    let len = owner.path(Index(2), &mut path).unwrap();
    let ops = drain(&mut owner, platform).unwrap();
    let Op::Root { batch, .. } = parse(&ops[0]) else {
        panic!()
    };
    assert_eq!(
        party.hear_all(&ops),
        [Ok(Heard::Root {
            channel,
            batch,
            proved: true
        })]
    );
    assert_eq!(
        party.subscriber.prove(0, &batch, Index(2), &path[..len]),
        Ok(())
    );
    let wrong = party.subscriber.prove(0, &batch, Index(1), &path[..len]);
    assert!(matches!(wrong, Err(ChannelError::Path(_))));
    // A root over another reading: one that was opened is not the owner's.
    let forged = Batch {
        root: Id([1; 32]),
        ..batch
    };
    let mut bytes = [0; 320];
    let mut w = Writer::new(&mut bytes);
    Op::Root {
        number: NUMBER,
        batch: forged,
    }
    .write(&mut w)
    .unwrap();
    assert!(matches!(
        party.hear(w.written()),
        Err(ChannelError::Path(_))
    ));
    // After a reset the owner skips what it had reserved, and says so.
    let mut owner = a_publisher(platform, Mode::Public).unwrap();
    say(&mut owner, platform, Form::COMPACT, b"x").unwrap();
    owner.rekey(platform, NEWEST).unwrap();
    let ops = drain(&mut owner, platform).unwrap();
    assert_eq!(
        party.hear_all(&ops).last(),
        Some(&Ok(Heard::Announced { channel, lost }))
    );
    let message = say(&mut owner, platform, Form::COMPACT, b"y").unwrap();
    assert_eq!(party.read(&message), Ok(b"y".to_vec()));
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = a_publisher(platform, Mode::Restricted).unwrap();
    drain(&mut owner, platform).unwrap();
    let (mut a, mut b) = (Party::new(1), Party::new(2));
    let key = a.ask(Mode::Restricted);
    b.ask(Mode::Restricted);
    owner.grant(platform, a.me, &device(a.me), &key).unwrap();
    let ops = drain(&mut owner, platform).unwrap();
    let Op::Grant {
        number,
        epoch,
        index,
        sealed,
        ..
    } = parse(&ops[0])
    else {
        panic!()
    };
    // For another reader; and with another side key.
    let mut bytes = [0; 320];
    let mut w = Writer::new(&mut bytes);
    let other = Op::Grant {
        number,
        epoch,
        index,
        to: b.me,
        sealed,
    };
    other.write(&mut w).unwrap();
    let before = b.platform.store.clone();
    assert_eq!(b.hear(w.written()), Err(ChannelError::SideKey));
    assert_eq!(b.platform.store, before);
    let mut wrong = Party::new(1);
    let mut out = [0; 64];
    let side = SideKey([9; 32]);
    wrong
        .subscriber
        .subscribe(&mut wrong.platform, &source(), Some(&side), &mut out)
        .unwrap();
    assert_eq!(wrong.hear(&ops[0]), Err(ChannelError::SideKey));
    // A path before its grant.
    assert_eq!(a.hear(&ops[1]), Err(ChannelError::Stale));
    a.hear(&ops[0]).unwrap();
    let mut bent = ops[1].clone();
    *bent.last_mut().unwrap() ^= 1;
    assert_eq!(a.hear(&bent), Err(ChannelError::Forged));
    assert_eq!(a.hear(&ops[1]), Ok(Heard::Seated { channel: 0 }));
    // A message whose store fails is not read, and can be read again.
    let message = say(&mut owner, platform, Form::COMPACT, b"once").unwrap();
    let next = say(&mut owner, platform, Form::COMPACT, b"next").unwrap();
    a.platform.fail_put = true;
    assert_eq!(a.read(&message), Err(ChannelError::Platform));
    a.platform.fail_get = true;
    assert_eq!(a.read(&message), Err(ChannelError::Platform));
    a.platform.fail_put = false;
    assert_eq!(a.read(&message), Err(ChannelError::Platform));
    a.platform.fail_get = false;
    assert_eq!(a.read(&next), Ok(b"next".to_vec()));
    assert_eq!(a.read(&message), Ok(b"once".to_vec()));
    // A statement off the ledger that another key signed.
    owner.revoke(platform, NEWEST, a.me).unwrap();
    let op = drain(&mut owner, platform).unwrap().pop().unwrap();
    for (seed, signed) in [([2; 32], false), ([1; 32], true)] {
        let mut scratch = [0; 600];
        let message = statement::to_be_signed(&HERE, &Id([7; 32]), &op, &mut scratch).unwrap();
        let by = SecretKey::from_seed(&seed).unwrap();
        let statement = [&op[..], &by.sign(message).0].concat();
        let (platform, me) = (&mut a.platform, a.me);
        let heard =
            a.subscriber
                .hear_statement(platform, &mut Software, me, OWNER, &statement, &mut []);
        assert_eq!(heard.is_ok(), signed, "{heard:?}");
    }
    // Too many of everything.
    for me in 10..13 {
        let mut party = Party::new(me);
        let key = party.ask(Mode::Restricted);
        owner
            .grant(platform, party.me, &device(party.me), &key)
            .unwrap();
        drain(&mut owner, platform).unwrap();
    }
    let full = owner.grant(platform, MemberIndex(20), &device(MemberIndex(20)), &key);
    assert_eq!(full, Err(ChannelError::SlotsFull));
    owner.renew(platform, NEWEST).unwrap();
    assert_eq!(owner.readers().count(), 0);
    owner
        .grant(platform, MemberIndex(20), &device(MemberIndex(20)), &key)
        .unwrap();
    assert_eq!(owner.taken(platform), Err(ChannelError::Order));
    // A key of small order is none; what is due after it goes on.
    drain(&mut owner, platform).unwrap();
    owner
        .grant(
            platform,
            MemberIndex(21),
            &device(MemberIndex(21)),
            &[0; 32],
        )
        .unwrap();
    assert_eq!(drain(&mut owner, platform), Err(ChannelError::WeakKey));
    assert_eq!(drain(&mut owner, platform), Ok(vec![]));
    // Stores that do not fit.
    let found = Publisher::open(
        platform,
        NEWEST,
        publisher::Config {
            depth: 1,
            ..publisher_config(Mode::Restricted)
        },
        side_of(Mode::Restricted),
        publisher::Memory {
            leaves: &mut [],
            members: leak(MemberIndex(0), 4),
            buffer: leak(0, publisher::stored_len(2)),
        },
    );
    assert_eq!(found.err(), Some(ChannelError::Slot));
    platform.store.insert(KEY + 1, b"damaged".to_vec());
    let found = a_publisher(platform, Mode::Restricted).err();
    assert!(matches!(found, Some(ChannelError::Wire(_))));
    a.platform.store.insert(KEY + 2, b"damaged".to_vec());
    let found = a_subscriber(&mut a.platform, a.me).err();
    assert!(matches!(found, Some(ChannelError::Wire(_))));
}

/// What happens in one life of owner and two readers: each step is tried until it succeeds, the power going before write `cut` of the owner's (or reader 1's).
fn live(cut: Option<u32>, of_owner: bool) -> u32 {
    let mut platform = MemoryPlatform::default();
    let (mut a, mut b) = (Party::new(1), Party::new(2));
    match of_owner {
        true => platform.cut_at = cut,
        false => a.platform.cut_at = cut,
    }
    let mut owner = None;
    let mut outbox: Vec<Vec<u8>> = Vec::new();
    let mut heard = 0;
    // The steps: (what, done).
    let mut published: Vec<(Vec<u8>, u8)> = Vec::new();
    let (mut read_a, mut read_b) = (BTreeSet::new(), BTreeSet::new());
    let mut step = 0;
    let mut revoked_at = usize::MAX;
    let mut tries = 0;
    let mut cuts = 0_u32;
    while step < 30 {
        tries += 1;
        assert!(
            tries < 400,
            "cut {cut:?} of owner {of_owner} in step {step}"
        );
        if platform.dead {
            (platform.dead, platform.cut_at) = (false, None);
            owner = None;
            cuts += 1;
        }
        if a.platform.dead {
            (a.platform.dead, a.platform.cut_at) = (false, None);
            a.restart();
            cuts += 1;
        }
        if owner.is_none() {
            owner = a_publisher(&mut platform, Mode::Private).ok();
            continue;
        }
        let publisher = owner.as_mut().unwrap();
        // What is due goes into the outbox, which is durable.
        let mut out = [0; 320];
        match publisher.next_op(&mut platform, NEWEST, &mut out) {
            // What comes out once the power is gone never left.
            _ if platform.dead => continue,
            Ok(Some(len)) => {
                outbox.push(out[..len].to_vec());
                let _ = publisher.taken(&mut platform);
                continue;
            }
            Ok(None) => {}
            Err(_) => continue,
        }
        // The ledger brings it to both, in order; what fails is told again by the application (which waits for its grant), so a reader that missed it asks again.
        while heard < outbox.len() {
            let _ = a.hear(&outbox[heard]);
            if a.platform.dead {
                break;
            }
            let _ = b.hear(&outbox[heard]);
            heard += 1;
        }
        if a.platform.dead {
            continue;
        }
        for (n, (message, text)) in published.iter().enumerate() {
            if let Ok(body) = a.read(message)
                && !a.platform.dead
            {
                assert_eq!(body, [*text]);
                read_a.insert(n);
            }
            if let Ok(body) = b.read(message) {
                assert_eq!(body, [*text]);
                assert!(
                    n < revoked_at,
                    "cut {cut:?}: message {n} was read by who was revoked"
                );
                read_b.insert(n);
            }
        }
        let done = match step {
            // Until it holds the channel and its seat.
            2 | 3 => {
                let party = if step == 2 { &mut a } else { &mut b };
                let seated = party.platform.store.contains_key(&(KEY + 1))
                    && party.subscriber.next(0).is_ok_and(|n| n.is_some());
                if !seated {
                    let mut ask = [0; 64];
                    let asked =
                        party
                            .subscriber
                            .subscribe(&mut party.platform, &source(), None, &mut ask);
                    if let Ok((_, len)) = asked
                        && let Op::Subscribe { key, .. } = parse(&ask[..len])
                    {
                        let _ = publisher.grant(&mut platform, party.me, &device(party.me), key);
                    }
                }
                seated
            }
            15 => {
                if revoked_at == usize::MAX {
                    revoked_at = published.len();
                }
                match publisher.revoke(&mut platform, NEWEST, b.me) {
                    Ok(()) | Err(ChannelError::Slot) => true,
                    Err(_) => false,
                }
            }
            _ => match say(publisher, &mut platform, Form::COMPACT, &[step]) {
                Ok(message) if !platform.dead => {
                    published.push((message, step));
                    true
                }
                _ => false,
            },
        };
        let done = done && !platform.dead;
        step += u8::from(done);
    }
    // Everything twice more, for what came while somebody was down.
    for _ in 0..2 {
        if a.platform.dead {
            (a.platform.dead, a.platform.cut_at) = (false, None);
            a.restart();
            cuts += 1;
        }
        for (n, (message, _)) in published.iter().enumerate() {
            if a.read(message).is_ok() && !a.platform.dead {
                read_a.insert(n);
            }
        }
    }
    // Messages 0 and 1 were before the grants.
    let all: BTreeSet<_> = (2..published.len()).collect();
    assert_eq!(read_a, all, "cut {cut:?} of owner {of_owner}");
    assert_eq!(
        read_b,
        (2..revoked_at).collect(),
        "cut {cut:?} of owner {of_owner}"
    );
    assert_eq!(cuts, u32::from(cut.is_some()));
    match of_owner {
        true => platform.writes,
        false => a.platform.writes,
    }
}

#[test]
fn whenever_the_power_goes_who_stays_reads_on_and_who_is_revoked_does_not() {
    for of_owner in [true, false] {
        let writes = live(None, of_owner);
        assert!(writes > 12, "{writes}");
        for cut in 1..=writes {
            live(Some(cut), of_owner);
        }
        println!("{writes} cuts");
    }
}

#[test]
fn a_small_room_is_shared() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = a_publisher(platform, Mode::Private).unwrap();
    drain(&mut owner, platform).unwrap();
    let mut party = Party::new(1);
    let key = party.ask(Mode::Private);
    owner
        .grant(platform, party.me, &device(party.me), &key)
        .unwrap();
    let ops = drain(&mut owner, platform).unwrap();
    party.hear_all(&ops);
    let mut all = Vec::new();
    while all.len() < 40 {
        match say(&mut owner, platform, Form::COMPACT, &[all.len() as u8]) {
            Ok(message) => all.push(message),
            Err(_) => drop(drain(&mut owner, platform).unwrap()),
        }
    }
    // 16 places for skipped ones: of 39 the newest 16.
    assert_eq!(party.read(&all[39]), Ok(vec![39]));
    for (n, message) in all.iter().enumerate().take(39) {
        assert_eq!(party.read(message).is_ok(), n >= 23, "{n}");
    }
}
