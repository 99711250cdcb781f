//! A device too small for a window behind a cluster of four nodes, through the C functions alone: the head hands over, and one that keeps
//! what it should pass on is found out.

mod common;

use common::*;
use iotedge::cluster::*;
use iotedge::leaf::*;
use iotedge::node::*;
use iotedge::status::*;

const NODES: usize = 4;
const LEASE: u32 = 1_600;

fn cluster(net: &Network) {
    for (n, node) in net.nodes.iter().enumerate() {
        // SAFETY: integers and pointers; all live through the call.
        unsafe {
            let secret = [7; 32];
            let mut config: iotedge_cluster_config_t = core::mem::zeroed();
            config.size = size_of::<iotedge_cluster_config_t>() as u32;
            config.secret = secret.as_ptr();
            config.label = b"hall 3".as_ptr();
            config.label_len = 6;
            config.lease = LEASE;
            config.score = match n {
                0 => IOTEDGE_CLUSTER_FOLLOWS,
                n => n as u32 * 10,
            };
            assert_eq!(iotedge_cluster_join(*node, &raw const config), IOTEDGE_OK);
        }
    }
}

/// Whom all living nodes hold for the head.
fn head(net: &Network) -> u32 {
    let mut all = Vec::new();
    for (n, node) in net.nodes.iter().enumerate() {
        let (mut member, mut term) = (0, 0);
        // SAFETY: a live node.
        let status =
            unsafe { iotedge_cluster_head(*node, net.now, &raw mut member, &raw mut term) };
        if !net.dead.contains(&(n as u32)) {
            assert_eq!(status, IOTEDGE_OK, "node {n}");
            all.push(member);
        }
    }
    assert!(all.iter().all(|m| *m == all[0]), "{all:?}");
    all[0]
}

fn say(net: &mut Network, body: &[u8]) -> u32 {
    let mut ticket = 0;
    // SAFETY: a live leaf and a body of this length.
    let status = unsafe {
        iotedge_leaf_submit_data(
            net.leaf,
            net.now,
            body.as_ptr(),
            body.len(),
            &raw mut ticket,
        )
    };
    assert_eq!(status, IOTEDGE_OK);
    ticket
}

fn traffic(net: &mut Network, rounds: usize) {
    for round in 0..rounds {
        net.run(400);
        for n in 0..NODES {
            if !net.dead.contains(&(n as u32)) {
                net.submit(n, &[round as u8, n as u8]);
            }
        }
    }
}

/// The transaction of a ticket, once q nodes besides the head approve it.
fn witnessed(net: &Network, ticket: u32) -> [u8; 32] {
    let sent = net.find(NODES, IOTEDGE_EVENT_SENT, |e| e.ticket == ticket);
    let id = sent.expect("sent").id;
    let grade = |e: &iotedge_event_t| e.id == id && e.code == IOTEDGE_GRADE_WITNESSED;
    assert!(
        net.find(NODES, IOTEDGE_EVENT_HELD, |e| e.id == id)
            .is_some()
    );
    assert!(net.find(NODES, IOTEDGE_EVENT_GRADED, grade).is_some());
    id
}

fn suspects(net: &Network) -> Vec<u32> {
    let all = net.events[NODES].iter();
    all.filter(|e| e.kind == IOTEDGE_EVENT_HEAD_SUSPECTED)
        .map(|e| e.code)
        .collect()
}

#[test]
fn a_leaf_speaks_through_its_head_and_outlives_it() {
    let mut net = Network::with_leaf(NODES as u8);
    cluster(&net);
    net.run(3_000 + 3 * u64::from(LEASE));
    assert_eq!(head(&net), 3);
    let status = net.leaf_status();
    assert_eq!(
        (status.phase, status.member),
        (IOTEDGE_PHASE_ACTIVE, NODES as u32)
    );
    assert_eq!((status.credits, status.debits_known), (10_000, 1));
    assert_eq!(status.neighbourhood, net.neighbourhood.0);

    let first = say(&mut net, b"first words");
    traffic(&mut net, 8);
    let id = witnessed(&net, first);
    assert_eq!(net.leaf_status().head, 3);
    assert!(suspects(&net).is_empty());
    for n in 0..NODES {
        let came = net.find(n, IOTEDGE_EVENT_DATA, |e| e.id == id);
        assert_eq!(came.expect("everybody has it").member, NODES as u32);
    }
    // The head keeps what it is to pass on, and answers all else.
    net.censor = Some(3);
    let mut paid = 0;
    // SAFETY: a live leaf.
    let status = unsafe { iotedge_leaf_submit_transfer(net.leaf, net.now, 1, 250, &raw mut paid) };
    assert_eq!(status, IOTEDGE_OK);
    traffic(&mut net, 16);
    witnessed(&net, paid);
    assert_eq!(net.leaf_status().debits, 250);
    assert_eq!(suspects(&net), [3]);

    // The one that it went over to dies; the cluster has another head in less than a lease, and the leaf another to ask.
    net.censor = None;
    let next = net.leaf_status().head;
    assert_ne!(next, 3);
    net.dead.push(next);
    let after = say(&mut net, b"after the death");
    traffic(&mut net, 16);
    witnessed(&net, after);
    assert!(suspects(&net).contains(&next), "{:?}", suspects(&net));
    assert_ne!(head(&net), next);

    // A reset: memory gone, store there.
    let number = net.leaf_status().number;
    // SAFETY: a live leaf.
    assert_eq!(unsafe { iotedge_leaf_deinit(net.leaf) }, IOTEDGE_OK);
    assert!(net.memory[NODES].iter().all(|word| *word == 0));
    net.boot_leaf();
    let again = say(&mut net, b"after the reset");
    traffic(&mut net, 16);
    witnessed(&net, again);
    assert_eq!(net.leaf_status().number, number + 1);
    assert!((0..NODES).all(|n| net.find(n, IOTEDGE_EVENT_EQUIVOCATION, |_| true).is_none()));
}
