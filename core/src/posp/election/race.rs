//! Tickets and seats: which units of collateral are drawn, in integers alone.
//!
//! Invariant: every machine finds the same seats, in the same order. Each unit has a waiting time of an exponential distribution, and the lowest win; so any two units have the same chance,
//! however they are spread over candidates: to split a collateral, or to put two together, gains nothing. The least of w such times has the mean 1 / w, the step to the next 1 / (w - 1),
//! and so on (Rényi, *On the theory of order statistics*, 1953): with that, a candidate of many units needs no more draws than there are seats.

use crate::crypto::Sha256;
use crate::crypto::vrf::Output;
use heapless::Vec;

const DOMAIN: &str = "iotedge/ticket/1";
/// Bits behind the point of a logarithm.
const BITS: u32 = 48;

/// A unit of collateral that was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// How long its ticket waited, in units of 2^-112: the lower, the earlier.
    pub score: u128,
    /// The candidate's Ed25519 key.
    pub key: [u8; 32],
    /// The first half of its output, to merge.
    pub output: [u8; 32],
}

impl Seat {
    /// The lower score; of equal ones the lower key.
    fn is_before(&self, other: &Self) -> bool {
        (self.score, &self.key) < (other.score, &other.key)
    }
}

/// The lowest tickets so far, of which there is room for `K`.
#[derive(Clone, Debug)]
pub struct Race<const K: usize> {
    seats: Vec<Seat, K>,
    /// So many are wanted, at most `K`.
    wanted: usize,
}

impl<const K: usize> Race<K> {
    /// An empty one. `None` without a seat, or for more than there is room for.
    #[must_use]
    pub const fn new(seats: u8) -> Option<Self> {
        let wanted = seats as usize;
        if wanted == 0 || wanted > K {
            return None;
        }
        let seats = Vec::new();
        Some(Self { seats, wanted })
    }

    /// Draws the tickets of a candidate with `units` of collateral, the lowest first, as long as they win a seat.
    pub fn enter(&mut self, key: &[u8; 32], units: u64, output: &Output) {
        let Some(half) = output.0.first_chunk() else {
            return;
        };
        let (mut score, mut left) = (0_u128, units);
        for number in 0..MAX_TICKETS {
            let waits = u128::from(negative_log2(draw(output, number)));
            // Below 2^118, and so 64 of them below 2^124.
            let Some(step) = (waits << 64).checked_div(u128::from(left)) else {
                return;
            };
            score = score.saturating_add(step);
            let seat = Seat {
                score,
                key: *key,
                output: *half,
            };
            if !self.take(seat) {
                return;
            }
            left = left.saturating_sub(1);
        }
    }

    /// Whether it has a seat, for now.
    fn take(&mut self, seat: Seat) -> bool {
        let full = self.seats.len() >= self.wanted;
        if full && self.seats.last().is_none_or(|last| !seat.is_before(last)) {
            return false;
        }
        let mut carried = seat;
        for place in &mut self.seats {
            if carried.is_before(place) {
                core::mem::swap(place, &mut carried);
            }
        }
        // What is carried in the end has lost its seat, or there is room for it.
        full || self.seats.push(carried).is_ok()
    }

    /// The seats, the lowest score first.
    #[must_use]
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }
}

/// As many as there are seats at most.
const MAX_TICKETS: u8 = super::MAX_SEATS;

/// 64 bits of chance for ticket `number` of a candidate, from 0.
fn draw(output: &Output, number: u8) -> u64 {
    let mut hash = Sha256::new();
    hash.update(DOMAIN.as_bytes());
    hash.update(&output.0);
    hash.update(&[number]);
    hash.finish()
        .first_chunk()
        .map_or(0, |first| u64::from_be_bytes(*first))
}

/// -log2((draw + 1) / 2^64) in units of 2^-48: from 64 for 0 down to 0. Bit by bit: the square of a number between 1 and 2 is above 2 where the next bit of its logarithm is 1.
/// What is cut off makes the result too high by less than 2^-47. Which base the logarithm has makes no difference to who wins.
#[must_use]
pub const fn negative_log2(draw: u64) -> u64 {
    // draw + 1 is 2^64 there, which has no place in 64 bits, and whose result is 0.
    let Some(number) = draw.checked_add(1) else {
        return 0;
    };
    let zeros = number.leading_zeros();
    let whole = (zeros as u64).wrapping_add(1) << BITS;
    // From 1 to below 2, in units of 2^-63.
    let mut mantissa = number << zeros;
    let (mut fraction, mut bit) = (0_u64, 0);
    while bit < BITS {
        let square = (mantissa as u128).wrapping_mul(mantissa as u128);
        let above = (square >> 127) as u64;
        mantissa = (square >> 63 >> above) as u64;
        fraction = fraction << 1 | above;
        bit = bit.wrapping_add(1);
    }
    whole.wrapping_sub(fraction)
}
