//! Ten thousand metered sales under faults: value is conserved at every header, and nobody loses more than a unit.

use iotedge_sim::actors::{Actor, Auditor, Dealer};
use iotedge_sim::scenario::{LinkModel, Outage, Partition, Reboot};
use iotedge_sim::{Options, Report, Scenario, run_with};

fn sales(seed: u64) -> Report {
    let mut s = Scenario::small(seed, 10);
    s.trade = 0;
    s.rate = 30;
    s.duration = 90_000;
    s.link = LinkModel {
        loss: 30_000,
        duplicate: 20_000,
        ..LinkModel::CALM
    };
    for node in 1..6 {
        let at = 9_000 * u64::from(node) + 1_000 * (seed % 7);
        s.reboots.push(Reboot {
            node,
            at,
            down: 700,
            lost: false,
        });
    }
    s.partitions.push(Partition {
        from: 30_000,
        to: 36_000,
        share: 20,
    });
    s.outages.push(Outage {
        from: 50_000,
        to: 53_000,
    });
    let dealers = (1..s.nodes).map(|me| {
        let partners = (1..s.nodes).filter(|other| *other != me).collect();
        (me, Box::new(Dealer::new(1_000, partners)) as Box<dyn Actor>)
    });
    let auditor = Box::new(Auditor::new(s.nodes)) as Box<dyn Actor>;
    let options = Options {
        actors: dealers.chain([(0, auditor)]).collect(),
        ..Options::default()
    };
    run_with(&s, options).unwrap_or_else(|e| panic!("seed {seed}: {e}"))
}

#[test]
fn value_is_conserved_in_ten_thousand_sales() {
    let workers: Vec<_> = [1, 2]
        .map(|half| {
            std::thread::Builder::new()
                .stack_size(16 << 20)
                .spawn(move || (0..10).map(|n| sales(2 * n + half)).collect::<Vec<_>>())
                .expect("a thread")
        })
        .into();
    let mut counted = std::collections::BTreeMap::new();
    for report in workers
        .into_iter()
        .flat_map(|w| w.join().expect("no panic"))
    {
        assert!(report.sound(), "{report}");
        for (what, n) in &report.counted {
            *counted.entry(*what).or_insert(0) += n;
        }
        // Every header was looked at, and not one of them left out.
        let audited = report.counted["headers audited"];
        assert_eq!(audited, report.headers.len() as u64, "{report}");
    }
    println!("{counted:#?}");
    assert!(counted["sales ended"] >= 10_000, "{counted:#?}");
    // Each way of ending happened often.
    for what in [
        "locks that ran out",
        "payees that vanished",
        "payers that vanished",
        "ticks lost in a power cut",
    ] {
        assert!(counted[what] > 500, "{counted:#?}");
    }
}
