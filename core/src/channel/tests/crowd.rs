//! One owner and 200 readers in two sub-channels: a fifth of all messages is lost and comes again, readers come, are revoked and come back, and half of them are cut off for a while. Every
//! reader ends with the whole stream from each grant to its revoke, and nobody with a byte more.

use super::*;
use crate::channel::publisher::{self, Publisher};
use crate::channel::reader::stored::stored_len;
use crate::channel::subscriber::{self, Source, Subscriber, Subscription};
use crate::store::simulated::Dice;

const OWNER: MemberIndex = MemberIndex(1_000);
const READERS: usize = 200;
const MESSAGES: usize = 90;
const DEPTH: u8 = 7;

fn number(of: usize) -> ChannelNumber {
    let sub = if of < READERS / 2 { 1 } else { 2 };
    ChannelNumber { main: 3, sub }
}

fn device(of: usize) -> Id {
    Id(crate::crypto::sha256(&[&[of as u8, 1]]))
}

struct Owned {
    publisher: Publisher<'static>,
    /// What the ledger carries, in order; and what goes past it.
    said: Vec<Vec<u8>>,
    messages: Vec<(usize, Vec<u8>)>,
}

impl Owned {
    fn new(platform: &mut MemoryPlatform, sub: usize) -> Self {
        let config = publisher::Config {
            neighbourhood: HERE,
            device: Id([7; 32]),
            number: number(sub * READERS / 2),
            mode: Mode::Private,
            key: 0x100 + 2 * sub as u16,
            ahead: 16,
            depth: DEPTH,
        };
        let memory = publisher::Memory {
            leaves: leak(Id::ZERO, 16),
            members: leak(MemberIndex(0), publisher::readers(DEPTH)),
            buffer: leak(0, publisher::stored_len(DEPTH)),
        };
        let publisher = Publisher::open(platform, NEWEST, config, None, memory).unwrap();
        Self {
            publisher,
            said: Vec::new(),
            messages: Vec::new(),
        }
    }

    fn drain(&mut self, platform: &mut MemoryPlatform) {
        let mut out = [0; 320];
        while let Some(len) = self.publisher.next_op(platform, NEWEST, &mut out).unwrap() {
            self.said.push(out[..len].to_vec());
            self.publisher.taken(platform).unwrap();
        }
    }
}

struct Listener {
    platform: MemoryPlatform,
    subscriber: Subscriber<'static>,
    /// How much of the ledger it has heard.
    heard: usize,
    /// Messages that did not come, or could not be read yet.
    missing: Vec<usize>,
    granted: bool,
    /// What it must end with, and what it has.
    due: BTreeSet<usize>,
    read: BTreeSet<usize>,
}

impl Listener {
    fn new(of: usize) -> Self {
        let mut platform = MemoryPlatform {
            seed: of as u64,
            ..MemoryPlatform::default()
        };
        let memory = subscriber::Memory {
            channels: Vec::leak((0..1).map(|_| Subscription::default()).collect()),
            skipped: leak(Skipped::default(), 64),
            recent: leak(Recent::default(), 4),
            buffer: leak(0, stored_len(64)),
            every: 8,
        };
        let subscriber = Subscriber::open(&mut platform, HERE, device(of), 0x200, memory).unwrap();
        Self {
            platform,
            subscriber,
            heard: 0,
            missing: Vec::new(),
            granted: false,
            due: BTreeSet::new(),
            read: BTreeSet::new(),
        }
    }

    fn ask(&mut self, of: usize) -> [u8; 32] {
        let source = Source {
            owner: OWNER,
            device: Id([7; 32]),
            key: signer().public_key(),
            number: number(of),
        };
        let mut out = [0; 64];
        let asked = self
            .subscriber
            .subscribe(&mut self.platform, &source, None, &mut out);
        let (_, len) = asked.unwrap();
        let mut r = crate::wire::Reader::new(&out[..len]);
        match Op::read(&mut r).unwrap() {
            Op::Subscribe { key, .. } => *key,
            other => panic!("{other:?}"),
        }
    }

    /// The ledger up to now, then the messages that are there; a fifth of these is lost this time.
    fn listen(&mut self, of: usize, owned: &Owned, dice: &mut Dice, loses: bool) {
        let me = MemberIndex(of as u16);
        for op in &owned.said[self.heard..] {
            let mut r = crate::wire::Reader::new(op);
            let op = Op::read(&mut r).unwrap();
            let platform = &mut self.platform;
            let heard = self.subscriber.hear(platform, me, OWNER, &op, &mut []);
            assert!(heard.is_ok(), "reader {of}: {heard:?}");
        }
        self.heard = owned.said.len();
        let lost = |dice: &mut Dice| loses && dice.below(5) == 0;
        let now: Vec<_> = self.missing.iter().map(|at| (*at, lost(dice))).collect();
        self.read_all(owned, |at| now.iter().any(|(one, lost)| one == at && !lost));
    }

    fn read_all(&mut self, owned: &Owned, there: impl Fn(&usize) -> bool) {
        let (subscriber, platform) = (&mut self.subscriber, &mut self.platform);
        let read = &mut self.read;
        self.missing.retain(|at| {
            if !there(at) {
                return true;
            }
            let (n, message) = &owned.messages[*at];
            let mut out = [0; 64];
            match subscriber.read(platform, &mut Software, message, &mut out) {
                Ok((_, opened)) => {
                    assert_eq!(out[..opened.len], n.to_be_bytes());
                    assert!(read.insert(*n), "twice");
                    false
                }
                Err(error) => {
                    assert_eq!(error, ChannelError::Unknown);
                    true
                }
            }
        });
    }
}

/// Half of them hear nothing for a while: less than the window, since what is older is wiped.
fn cut_off(n: usize, of: usize) -> bool {
    (30..70).contains(&n) && of.is_multiple_of(2)
}

#[test]
fn two_hundred_readers_each_end_with_what_they_were_granted() {
    let platform = &mut MemoryPlatform::default();
    let dice = &mut Dice(11);
    let mut owned = [Owned::new(platform, 0), Owned::new(platform, 1)];
    let mut crowd: Vec<_> = (0..READERS).map(Listener::new).collect();
    let of = |n: usize| usize::from(n >= READERS / 2);
    let (mut revokes, mut grants) = (0, 0);
    for n in 0..MESSAGES {
        // At first most of them, then now and then one comes and one goes.
        let changes = if n == 0 { 300 } else { dice.below(4) };
        for _ in 0..changes {
            let one = dice.below(READERS as u64) as usize;
            let owner = &mut owned[of(one)];
            owner.drain(platform);
            let member = MemberIndex(one as u16);
            // Who is cut off can be revoked, and not ask.
            if !crowd[one].granted && cut_off(n, one) {
                continue;
            }
            if !crowd[one].granted {
                let key = crowd[one].ask(one);
                match owner.publisher.grant(platform, member, &device(one), &key) {
                    Ok(()) => crowd[one].granted = true,
                    // The places of who was revoked are not given again.
                    Err(error) => assert_eq!(error, ChannelError::SlotsFull),
                }
                grants += 1;
            } else if n > 0 {
                owner.publisher.revoke(platform, NEWEST, member).unwrap();
                crowd[one].granted = false;
                revokes += 1;
            }
        }
        for owner in &mut owned {
            owner.drain(platform);
            let mut out = [0; 64];
            let text = n.to_be_bytes();
            let done = owner
                .publisher
                .publish(platform, NEWEST, Form::COMPACT, &text, &mut out)
                .unwrap();
            owner.messages.push((n, out[..done.len].to_vec()));
        }
        for (at, one) in crowd.iter_mut().enumerate() {
            one.missing.push(n);
            if one.granted {
                one.due.insert(n);
            }
            if !cut_off(n, at) {
                one.listen(at, &owned[of(at)], dice, true);
            }
        }
    }
    for (at, one) in crowd.iter_mut().enumerate() {
        for _ in 0..2 {
            one.listen(at, &owned[of(at)], dice, false);
        }
        assert_eq!(one.read, one.due, "reader {at}");
    }
    let read: usize = crowd.iter().map(|one| one.read.len()).sum();
    println!("{grants} grants, {revokes} revokes, {read} messages read");
    assert!(grants > 150 && revokes > 20 && read > 5_000);
}
