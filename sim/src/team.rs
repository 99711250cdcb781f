//! Threads that share out the hosts of one step.
//!
//! Whoever is free takes the next host of the list, so one busy host holds nobody else up. A ticket names step and place in one word: a thread that
//! overslept a step cannot take anything of the next one by mistake, since its exchange fails. Invariant: when `run` returns,
//! every host of the list was run exactly once and no thread holds one.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A node's deepest call wants more stack than a thread has in an unoptimised build.
const STACK: usize = 16 << 20;

/// Turns of waiting before the processor is offered to others.
const SPINS: u32 = 2_000;

/// Bits of a ticket that name the place.
const PLACE: u32 = 17;

/// A place beyond every list.
const CLOSED: u64 = (1 << PLACE) - 1;

/// The lock of a host. A thread that panicked has ended the run already.
pub fn locked<T>(host: &Mutex<T>) -> MutexGuard<'_, T> {
    host.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The threads of one run.
pub struct Team<'a, T> {
    hosts: &'a [Mutex<T>],
    work: &'a (dyn Fn(&mut T, u64) + Sync),
    threads: usize,
    list: Vec<AtomicU16>,
    len: AtomicUsize,
    until: AtomicU64,
    ticket: AtomicU64,
    left: AtomicUsize,
    over: AtomicBool,
    failed: AtomicBool,
}

impl<'a, T: Send> Team<'a, T> {
    /// Runs `body` with a team of so many threads, the caller's own included.
    ///
    /// # Panics
    /// Where a thread cannot be started, or did panic.
    pub fn with(
        threads: usize,
        hosts: &'a [Mutex<T>],
        work: &'a (dyn Fn(&mut T, u64) + Sync),
        body: impl FnOnce(&Self),
    ) {
        let team = Self {
            hosts,
            work,
            threads,
            list: hosts.iter().map(|_| AtomicU16::new(0)).collect(),
            len: AtomicUsize::new(0),
            until: AtomicU64::new(0),
            ticket: AtomicU64::new(0),
            left: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                std::thread::Builder::new()
                    .stack_size(STACK)
                    .spawn_scoped(scope, || team.help())
                    .expect("a thread");
            }
            let end = End(&team.over);
            body(&team);
            drop(end);
        });
    }

    /// Runs these hosts up to `until`.
    ///
    /// # Panics
    /// Where another thread did.
    pub fn run(&self, active: &[u16], until: u64) {
        if self.threads < 2 || active.len() < 2 {
            for &n in active {
                (self.work)(&mut locked(&self.hosts[usize::from(n)]), until);
            }
            return;
        }
        // Closed first: who sees the new length sees that the old ticket is over, too.
        let step = (self.ticket.load(Ordering::Relaxed) >> PLACE) + 1;
        self.ticket.store(step << PLACE | CLOSED, Ordering::Release);
        for (place, n) in self.list.iter().zip(active) {
            place.store(*n, Ordering::Relaxed);
        }
        self.until.store(until, Ordering::Relaxed);
        self.left.store(active.len(), Ordering::Relaxed);
        self.len.store(active.len(), Ordering::Release);
        self.ticket.store(step << PLACE, Ordering::Release);
        while self.take_one() {}
        let mut turns = 0;
        while self.left.load(Ordering::Acquire) > 0 {
            assert!(!self.failed.load(Ordering::Relaxed), "a thread panicked");
            wait(&mut turns);
        }
    }

    /// Takes a host off the list and runs it.
    fn take_one(&self) -> bool {
        loop {
            let ticket = self.ticket.load(Ordering::Acquire);
            let place = (ticket & CLOSED) as usize;
            if place >= self.len.load(Ordering::Acquire) {
                return false;
            }
            let Some(n) = self.list.get(place).map(|n| n.load(Ordering::Relaxed)) else {
                return false;
            };
            let until = self.until.load(Ordering::Relaxed);
            // What was read belongs to this step only if the ticket still stands.
            let mine = self.ticket.compare_exchange(
                ticket,
                ticket + 1,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            if mine.is_ok() {
                (self.work)(&mut locked(&self.hosts[usize::from(n)]), until);
                self.left.fetch_sub(1, Ordering::Release);
                return true;
            }
        }
    }

    fn help(&self) {
        let failed = Failed(&self.failed);
        let mut turns = 0;
        while !self.over.load(Ordering::Relaxed) {
            if self.take_one() {
                turns = 0;
            } else {
                wait(&mut turns);
            }
        }
        drop(failed);
    }
}

fn wait(turns: &mut u32) {
    if *turns < SPINS {
        *turns += 1;
        core::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Sends the helpers home, also where the body panics.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Failed<'a>(&'a AtomicBool);

impl Drop for Failed<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_of_a_step_is_run_once() {
        for threads in [1, 2, 3] {
            let hosts: Vec<Mutex<u64>> = (0..50).map(|_| Mutex::new(0)).collect();
            let work = |host: &mut u64, until: u64| {
                assert_eq!(*host + 1, until);
                *host = until;
            };
            let all: Vec<u16> = (0..50).collect();
            Team::with(threads, &hosts, &work, |team| {
                for until in 1..=200 {
                    team.run(&all, until);
                    assert!(hosts.iter().all(|h| *locked(h) == until));
                }
                team.run(&all[..1], 201);
            });
            assert_eq!(*locked(&hosts[0]), 201);
            assert_eq!(*locked(&hosts[1]), 200);
        }
    }
}
