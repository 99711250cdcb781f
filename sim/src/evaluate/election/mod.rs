//! Elections under attack: Edgence's, as it is written, and ours (docs/decisions/0042, 0046).

mod chance;
mod paper;

use super::number::{at, human, percent, rounded};
use super::{Claim, Mode, Page, Section};
use crate::rng::Rng;
use chance::{distance, hypergeometric};
use iotedge_core::Id;
use iotedge_core::crypto::vrf::{Output, SecretKey};
use iotedge_core::posp::election::{Election, Race, Seed};
use paper::{Signer, elected};
use serde_json::{Value, json};

/// See [`super::SECTIONS`].
pub const SECTION: Section = Section {
    name: "election",
    title: "Elections: two colluders of 21, and a third of all collateral",
    run: results,
    claims,
    page,
};

/// Candidates of the small election; the first two, or the first seven, collude and show last.
const CANDIDATES: usize = 21;
const PAIR: usize = 2;
const THIRD: usize = 7;
/// How many serve in it.
const SERVE: usize = 7;
/// Signatures that a colluder makes at most.
const TRIES: u64 = 400;

/// Units of collateral in the great election, and those of the colluders.
const UNITS: u32 = 999;
const COLLUDERS: u32 = 333;
const SEATS: [u8; 2] = [21, 64];

/// How the units are spread over candidates: colluders, then honest ones.
const SPREADS: [(&str, u32, u32); 3] = [
    ("a unit each", COLLUDERS, UNITS - COLLUDERS),
    (
        "all of the colluders' in one hand, the others' a unit each",
        1,
        UNITS - COLLUDERS,
    ),
    (
        "the colluders' a unit each, the others' in three hands",
        COLLUDERS,
        3,
    ),
];

fn seed(rng: &mut Rng) -> [u8; 32] {
    let mut out = [0; 32];
    for chunk in out.chunks_exact_mut(8) {
        for (to, from) in chunk.iter_mut().zip(rng.draw().to_be_bytes()) {
            *to = from;
        }
    }
    out
}

/// The scheme as it is written, against a pair that signs again, and against those who keep signatures back.
fn paper(trials: u64) -> Value {
    let mut rng = Rng::stream(46, "paper", 0);
    let signers: Vec<Signer> = (0..CANDIDATES)
        .map(|_| Signer::new(seed(&mut rng)))
        .collect();
    let colluder = |place: &usize| *place < PAIR;
    let (mut honest, mut lead, mut both) = (0_u64, Vec::new(), Vec::new());
    let (mut kept_lead, mut third_honest, mut third_kept) = (0_u64, 0_u64, 0_u64);
    let (mut wins, mut accepted) = (0_u64, 0_u64);
    for _ in 0..trials {
        let hash = seed(&mut rng);
        let mut shown: Vec<Option<_>> = signers.iter().map(|s| Some(s.sign(&hash))).collect();
        let serve = elected(&shown);
        honest += u64::from(serve.first().is_some_and(colluder));
        let seats = |serve: &[usize]| serve.iter().take(SERVE).filter(|p| **p < THIRD).count();
        // More than half of those who serve.
        third_honest += u64::from(seats(&serve) * 2 > SERVE);
        // Keeping back: every choice of who of the last shows.
        let first = shown.clone();
        let choices = |last: usize, wins: &dyn Fn(&[usize]) -> bool| {
            (0..1_u32 << last).any(|kept| {
                let mut shown = first.clone();
                for (place, signature) in shown.iter_mut().take(last).enumerate() {
                    if kept >> place & 1 == 1 {
                        *signature = None;
                    }
                }
                wins(&elected(&shown))
            })
        };
        kept_lead += u64::from(choices(PAIR, &|serve| serve.first().is_some_and(colluder)));
        third_kept += u64::from(choices(THIRD, &|serve| seats(serve) * 2 > SERVE));
        // Signing again: the first of the pair, until the lead is theirs, and until both serve.
        let (mut leads, mut serves) = (None, None);
        for attempt in 0..TRIES {
            let signature = match attempt {
                0 => signers[0].sign(&hash),
                more => signers[0].again(&hash, more),
            };
            shown[0] = Some(signature);
            let serve = elected(&shown);
            let won = (leads.is_none() && serve.first().is_some_and(colluder))
                || (serves.is_none()
                    && serve.iter().take(SERVE).filter(|p| colluder(p)).count() == PAIR);
            if won {
                wins += 1;
                accepted += u64::from(signers[0].accepted(&hash, &signature));
            }
            if leads.is_none() && serve.first().is_some_and(colluder) {
                leads = Some(attempt + 1);
            }
            if serves.is_none() && serve.iter().take(SERVE).filter(|p| colluder(p)).count() == PAIR
            {
                serves = Some(attempt + 1);
            }
            if leads.is_some() && serves.is_some() {
                break;
            }
        }
        lead.push(leads.unwrap_or(TRIES));
        both.push(serves.unwrap_or(TRIES));
    }
    let tries = |mut all: Vec<u64>| {
        all.sort_unstable();
        let within = |n: u64| all.iter().filter(|t| **t <= n).count();
        json!({
            "mean": rounded(all.iter().sum::<u64>() as f64 / all.len().max(1) as f64, 2),
            "median": all.get(all.len() / 2),
            "within_25": within(25),
            "within_100": within(100),
            "most": all.last(),
        })
    };
    json!({
        "trials": trials, "lead_honest": honest, "lead_resigned": tries(lead), "both_resigned": tries(both),
        "lead_kept_back": kept_lead, "third_honest": third_honest, "third_kept_back": third_kept, "wins": wins, "wins_accepted": accepted,
    })
}

/// Seats that go to who stands in front of `colluders`, and whether the first one does.
fn seats_of(race: &Race<64>, colluders: &[[u8; 32]]) -> (usize, bool) {
    let theirs = |key: &[u8; 32]| colluders.contains(key);
    let seats = race.seats();
    (
        seats.iter().filter(|s| theirs(&s.key)).count(),
        seats.first().is_some_and(|s| theirs(&s.key)),
    )
}

/// Ours against the last seven of 21 who may each keep their proof back: seats and lead that any choice gains over showing all.
fn withheld(outputs: &[([u8; 32], Output)]) -> (bool, bool) {
    let colluders: Vec<[u8; 32]> = outputs.iter().take(THIRD).map(|(key, _)| *key).collect();
    let run = |kept: u32| {
        let mut race: Race<64> = Race::new(SERVE as u8).expect("seats in range");
        for (place, (key, output)) in outputs.iter().enumerate() {
            if place >= THIRD || kept >> place & 1 == 0 {
                race.enter(key, 1, output);
            }
        }
        seats_of(&race, &colluders)
    };
    let (seats, lead) = run(0);
    let choices = 1..1_u32 << THIRD;
    let best: Vec<(usize, bool)> = choices.map(run).collect();
    (
        best.iter().any(|(gained, _)| *gained > seats),
        best.iter().any(|(_, first)| *first && !lead),
    )
}

fn ours(trials: u64, real: u64) -> Value {
    let mut rng = Rng::stream(46, "ours", 0);
    let (mut seats, mut lead) = (0_u64, 0_u64);
    let mut count = |outputs: &[([u8; 32], Output)]| {
        let (more, first) = withheld(outputs);
        seats += u64::from(more);
        lead += u64::from(first);
    };
    for _ in 0..trials {
        let drawn: Vec<([u8; 32], Output)> = (0..CANDIDATES).map(|_| drawn(&mut rng)).collect();
        count(&drawn);
    }
    // The same through the random function itself, each proof checked as a device checks it.
    let keys: Vec<([u8; 32], SecretKey)> = (0..CANDIDATES)
        .map(|_| {
            let function = SecretKey::from_seed(&seed(&mut rng)).expect("a seed");
            (seed(&mut rng), function)
        })
        .collect();
    let mut refused = 0_u64;
    for term in 0..real {
        let election = Election {
            chain: Id([7; 32]),
            term: term as u32,
            seats: SERVE as u8,
            seed: Seed(seed(&mut rng)),
        };
        let outputs: Vec<([u8; 32], Output)> = keys
            .iter()
            .filter_map(|(key, function)| {
                let mut buffer = [0; iotedge_core::posp::election::MAX_ALPHA];
                let alpha = election.alpha(key, &mut buffer).ok()?;
                let proof = election.prove(key, function).ok()?;
                let output = function.public_key().verify(alpha, &proof).ok()?;
                Some((*key, output))
            })
            .collect();
        refused += (CANDIDATES - outputs.len()) as u64;
        count(&outputs);
    }
    json!({
        "drawn": trials, "real": real, "proofs_refused": refused, "choices": (1 << THIRD) - 1, "gained_seats": seats, "gained_lead": lead,
    })
}

/// A key and an output as the random function would give them: what it cannot be told from.
fn drawn(rng: &mut Rng) -> ([u8; 32], Output) {
    let key = seed(rng);
    let mut output = [0; 64];
    let (first, second) = (seed(rng), seed(rng));
    for (to, from) in output.iter_mut().zip(first.iter().chain(&second)) {
        *to = *from;
    }
    (key, Output(output))
}

/// How many seats a third of all units wins, over many elections: for each number of seats a histogram.
fn share(runs: u64, (name, colluders, honest): (&str, u32, u32), stream: u64) -> Value {
    let mut rng = Rng::stream(46, "share", stream);
    let mut histograms = SEATS.map(|seats| vec![0_u64; usize::from(seats) + 1]);
    for _ in 0..runs {
        let mut race: Race<64> = Race::new(64).expect("seats in range");
        let mut theirs = Vec::new();
        for (count, units, colluding) in [
            (colluders, COLLUDERS, true),
            (honest, UNITS - COLLUDERS, false),
        ] {
            for _ in 0..count {
                let (mut key, output) = drawn(&mut rng);
                // Whose it is, so that it need not be searched for.
                key[0] = u8::from(colluding);
                race.enter(&key, u64::from(units / count), &output);
            }
        }
        theirs.extend(race.seats().iter().map(|seat| seat.key[0] == 1));
        // Seats are in the order of their tickets: the first 21 of 64 are those of an election of 21.
        for (histogram, seats) in histograms.iter_mut().zip(SEATS) {
            let won = (theirs.iter().take(seats.into())).filter(|t| **t).count();
            histogram[won] += 1;
        }
    }
    let sized: Vec<Value> = SEATS
        .iter()
        .zip(&histograms)
        .map(|(seats, histogram)| {
            let chances = hypergeometric(UNITS, COLLUDERS, u32::from(*seats));
            let above = |num: usize, of: usize| {
                let from = num * usize::from(*seats) / of + 1;
                let seen: u64 = histogram.iter().skip(from).sum();
                let exact: f64 = chances.iter().skip(from).sum();
                (seen, exact)
            };
            let (third, half, two) = (above(1, 3), above(1, 2), above(2, 3));
            json!({
                "seats": seats, "histogram": histogram, "distance": rounded(distance(histogram, &chances), 5),
                "above_third": third.0, "above_third_exact": rounded(third.1, 6),
                "above_half": half.0, "above_half_exact": rounded(half.1, 9),
                "above_two_thirds": two.0, "above_two_thirds_exact": format!("{:.1e}", two.1),
                "most": histogram.iter().rposition(|n| *n > 0),
            })
        })
        .collect();
    json!({"spread": name, "runs": runs, "seats": sized})
}

fn results(mode: Mode) -> Value {
    let (trials, drawn, real, runs) = match mode {
        Mode::Short => (60, 200, 4, 100),
        Mode::Full => (4_000, 20_000, 200, 20_000),
    };
    let shares: Vec<Value> = SPREADS
        .into_iter()
        .zip(0..)
        .map(|(spread, stream)| share(runs, spread, stream))
        .collect();
    json!({"paper": paper(trials), "ours": ours(drawn, real), "shares": shares})
}

/// Every histogram: spread, runs, and the results for one number of seats.
fn histograms(results: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let shares = results["shares"].as_array().map_or(&[][..], Vec::as_slice);
    shares.iter().flat_map(|share| {
        let seats = share["seats"].as_array().map_or(&[][..], Vec::as_slice);
        seats.iter().map(move |seats| (share, seats))
    })
}

fn claims(results: &Value, mode: Mode) -> Vec<Claim> {
    let of = |pointer: &str| at(results, pointer);
    let trials = of("/paper/trials");
    let within = of("/paper/lead_resigned/within_25") / trials;
    let fair = of("/paper/lead_honest") / trials;
    let kept = of("/paper/lead_kept_back") / trials;
    let gained = of("/ours/gained_seats") + of("/ours/gained_lead") + of("/ours/proofs_refused");
    // The 99.9 % point of Kolmogorov's distribution, which is an upper bound for whole numbers.
    let furthest = histograms(results)
        .map(|(share, seats)| at(seats, "/distance") * at(share, "/runs").sqrt())
        .fold(0.0, f64::max);
    let mut all = vec![
        Claim::new(
            "As Edgence writes it, two colluders of 21 have the lead in nine of ten terms after at most 25 signatures of one of them, against less than one of six by chance.",
            format!(
                "{} within 25, mean {}; {} by chance",
                percent(within),
                human(of("/paper/lead_resigned/mean")),
                percent(fair)
            ),
            within > 0.85 && fair < 0.17 && of("/paper/wins") == of("/paper/wins_accepted"),
        ),
        Claim::new(
            "There, keeping signatures back is alone enough to raise their chance of it by more than half.",
            format!("{} against {}", percent(kept), percent(fair)),
            kept > 1.5 * fair,
        ),
        Claim::new(
            "In ours no choice of proofs to keep back gains a seat, or the lead, for seven of 21.",
            format!(
                "{} of {} elections, 127 choices each",
                human(gained),
                human(of("/ours/drawn") + of("/ours/real"))
            ),
            gained == 0.0,
        ),
        Claim::new(
            "A third of all units wins seats as drawing without replacement has it, however units are spread.",
            format!(
                "greatest distance {} of 1.95 / sqrt(runs)",
                human(rounded(furthest / 1.95, 2))
            ),
            furthest <= 1.95,
        ),
    ];
    if mode == Mode::Full {
        let of_64 = || histograms(results).filter(|(_, seats)| at(seats, "/seats") == 64.0);
        let sum = |key: &str| of_64().map(|(_, seats)| at(seats, key)).sum::<f64>();
        all.push(Claim::new(
            "With 64 seats a third of all units never had two thirds of them, and more than half in fewer than one of 500 elections.",
            format!("{} and {} of {}", human(sum("/above_two_thirds")), human(sum("/above_half")), human(3.0 * of("/shares/0/runs"))),
            sum("/above_two_thirds") == 0.0 && sum("/above_half") * 500.0 < 3.0 * of("/shares/0/runs"),
        ));
    }
    all
}

fn page(results: &Value, page: &mut Page) {
    let of = |pointer: &str| at(results, pointer);
    let share = |pointer: &str| percent(of(pointer) / of("/paper/trials"));
    page.text(
        "Edgence's election as it is written: each of 21 candidates signs a definite hash, the signatures are merged, and the merged value says who serves (`sim/src/evaluate/election/paper.rs` says what was \
         assumed where it is silent). The colluders show theirs last. *Signing again* is real: Ed25519 with other nonces, and each signature that wins was accepted by the verifier of all devices.",
    );
    page.table(
        &["Edgence's election", "terms"],
        &[
            vec![
                "two of 21 lead by chance".into(),
                share("/paper/lead_honest"),
            ],
            vec![
                "… by keeping back signatures (4 choices)".into(),
                share("/paper/lead_kept_back"),
            ],
            vec![
                "… by signing again, 25 times at most".into(),
                share("/paper/lead_resigned/within_25"),
            ],
            vec![
                "… 100 times at most".into(),
                share("/paper/lead_resigned/within_100"),
            ],
            vec![
                "both serve, of 7: 25 times at most".into(),
                share("/paper/both_resigned/within_25"),
            ],
            vec![
                "seven of 21 are most of 7 by chance".into(),
                share("/paper/third_honest"),
            ],
            vec![
                "… by keeping back signatures (128 choices)".into(),
                share("/paper/third_kept_back"),
            ],
        ],
    );
    page.text(format!(
        "Signatures until the lead is theirs: mean {}, median {}, most {}; until both serve: mean {}, median {}, most {}. {} terms.",
        human(of("/paper/lead_resigned/mean")),
        human(of("/paper/lead_resigned/median")),
        human(of("/paper/lead_resigned/most")),
        human(of("/paper/both_resigned/mean")),
        human(of("/paper/both_resigned/median")),
        human(of("/paper/both_resigned/most")),
        human(of("/paper/trials")),
    ));
    page.text(format!(
        "Ours: an output is the only one that its key has (RFC 9381), so there is nothing to sign again. Keeping proofs back: all 127 choices of seven of 21 colluders, in {} elections with outputs drawn at random \
         and {} with the random function itself, whose proofs were verified; seats gained: {}, leads gained: {}.",
        human(of("/ours/drawn")),
        human(of("/ours/real")),
        human(of("/ours/gained_seats")),
        human(of("/ours/gained_lead")),
    ));
    page.heading("A third of all collateral");
    page.text(
        "Seats of colluders with 333 of 999 units, through the core's own tickets. *Exact* is the hypergeometric distribution; the bound of decision 0042 (Hoeffding) for two thirds of 64 seats is 7e-7. Above two thirds they finalise alone; above a third they can stall, which half of all terms \
         would allow: a set wants honest members beyond that.",
    );
    let rows: Vec<Vec<String>> = histograms(results)
        .map(|(share, seats)| {
            let runs = at(share, "/runs");
            vec![
                share["spread"].as_str().unwrap_or("?").into(),
                human(at(seats, "/seats")),
                human(runs),
                percent(at(seats, "/above_third") / runs),
                percent(at(seats, "/above_third_exact")),
                human(at(seats, "/above_half")),
                human(rounded(at(seats, "/above_half_exact") * runs, 2)),
                human(at(seats, "/above_two_thirds")),
                seats["above_two_thirds_exact"]
                    .as_str()
                    .unwrap_or("?")
                    .into(),
                human(at(seats, "/most")),
            ]
        })
        .collect();
    page.table(
        &[
            "units",
            "seats",
            "elections",
            "above 1/3",
            "exact",
            "above 1/2, times",
            "expected",
            "above 2/3, times",
            "exact chance",
            "most seats",
        ],
        &rows,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_results_bear_the_claims_out_and_a_gained_seat_would_not() {
        let mut results = json!({"paper": paper(60), "ours": ours(20, 1), "shares": []});
        let claims_of = |results: &Value| claims(results, Mode::Short);
        assert!(claims_of(&results).iter().all(|c| c.holds), "{results:#}");
        results["ours"]["gained_seats"] = json!(1);
        assert!(claims_of(&results).iter().any(|c| !c.holds));
    }
}
