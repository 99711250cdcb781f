//! Four devices through the C functions alone, in one process: they join, trade, sign with an element, and are reset.

mod common;

use common::*;
use iotedge::node::*;
use iotedge::reading::IOTEDGE_MAX_BODY;
use iotedge::sale::*;
use iotedge::status::*;
use iotedge::verify::*;

#[test]
fn devices_trade_through_the_c_functions() {
    let mut net = Network::new(4);
    net.run(3_000);
    for n in 0..4 {
        let status = net.status(n);
        assert_eq!(
            (status.phase, status.member),
            (IOTEDGE_PHASE_ACTIVE, n as u32)
        );
        assert_eq!(
            (status.neighbourhood, status.credits),
            (net.neighbourhood.0, 10_000)
        );
    }

    // A reading of device 1, and one of device 3, whose element fails once and lies once.
    let ticket = net.submit(1, b"one reading");
    let slow = net.submit(3, b"from an element");
    let mut paid = 0;
    // SAFETY: a live node.
    let status =
        unsafe { iotedge_node_submit_transfer(net.nodes[2], net.now, 0, 1, 250, &raw mut paid) };
    assert_eq!(status, IOTEDGE_OK);
    for round in 0..12u8 {
        net.run(400);
        for n in 0..4 {
            net.submit(n, &[round, n as u8]);
        }
    }
    net.run(3_000);
    assert!(net.element >= 3);
    // The engines were asked for every signature; the one that fails cost nothing but time.
    let [none, fails, good] = [0, 1, 2].map(|n| (net.devices[n].asked, net.devices[n].told));
    assert_eq!(none, (0, 0));
    assert!(good.0 > 14 + 48 && good.1 == 0, "{good:?}");
    assert!(fails.1 > 48 && fails.0 == fails.1 + 14, "{fails:?}");
    let id = net
        .find(1, IOTEDGE_EVENT_SENT, |e| e.ticket == ticket)
        .unwrap()
        .id;
    let element = net
        .find(3, IOTEDGE_EVENT_SENT, |e| e.ticket == slow)
        .unwrap()
        .id;
    for n in [0, 2, 3] {
        let came = net.find(n, IOTEDGE_EVENT_DATA, |e| e.id == id).unwrap();
        assert_eq!((came.member, came.code), (1, 0));
        let (mut body, mut len) = ([0; IOTEDGE_MAX_BODY], 0);
        // SAFETY: a live node and buffers of the sizes that are said.
        let status = unsafe {
            iotedge_node_body(
                net.nodes[n],
                id.as_ptr(),
                body.as_mut_ptr(),
                body.len(),
                &raw mut len,
            )
        };
        assert_eq!((status, &body[..len]), (IOTEDGE_OK, &b"one reading"[..]));
    }
    assert!(
        net.find(0, IOTEDGE_EVENT_DATA, |e| e.id == element && e.member == 3)
            .is_some()
    );
    let received = net
        .find(1, IOTEDGE_EVENT_RECEIVED, |e| e.member == 2)
        .unwrap();
    assert_eq!((received.amount, received.code), (250, 0));
    assert!(
        net.find(1, IOTEDGE_EVENT_GRADED, |e| e.id == id
            && e.code == IOTEDGE_GRADE_QUORUM)
            .is_some()
    );
    assert_eq!(net.status(2).debits, 250);

    // Device 2 sets value aside for device 3, which reads the terms and claims with a tick; device 2 reads what it shows.
    // SAFETY: plain data, all of whose bits may be zero.
    let mut terms: iotedge_terms_t = unsafe { std::mem::zeroed() };
    terms.size = size_of::<iotedge_terms_t>() as u32;
    terms.kind = IOTEDGE_TERMS_TICKS;
    (terms.sale, terms.units, terms.anchor) = (5, 10, [9; 32]);
    let mut locked = 0;
    // SAFETY: a live node and structures of the sizes that are said.
    let status = unsafe {
        let node = net.nodes[2];
        iotedge_node_submit_lock(
            node,
            net.now,
            0,
            3,
            100,
            60_000,
            &raw const terms,
            &raw mut locked,
        )
    };
    assert_eq!(status, IOTEDGE_OK);
    net.run(1_000);
    let told = net
        .find(3, IOTEDGE_EVENT_LOCKED, |e| e.member == 2)
        .copied()
        .unwrap();
    assert_eq!((told.amount, told.code), (100, 0));
    assert!(
        told.time >= net.now - 1_000 && told.time <= net.now,
        "its own time"
    );
    assert_eq!(net.status(3).period, PERIOD);
    let body = |net: &Network, n: usize, id: &[u8; 32]| {
        let (mut body, mut len) = ([0; IOTEDGE_MAX_FRAME], 0);
        // SAFETY: a live node and buffers of the sizes that are said.
        let status = unsafe {
            let (to, room) = (body.as_mut_ptr(), body.len());
            iotedge_node_body(net.nodes[n], id.as_ptr(), to, room, &raw mut len)
        };
        assert_eq!(status, IOTEDGE_OK);
        body[..len].to_vec()
    };
    let bytes = body(&net, 3, &told.id);
    // SAFETY: plain data, all of whose bits may be zero.
    let mut lock: iotedge_lock_t = unsafe { std::mem::zeroed() };
    lock.size = size_of::<iotedge_lock_t>() as u32;
    // SAFETY: bytes and a structure of the sizes that are said.
    let read = unsafe { iotedge_lock_read(bytes.as_ptr(), bytes.len(), &raw mut lock) };
    assert_eq!(read, IOTEDGE_OK);
    assert_eq!(
        (lock.to, lock.amount, lock.term, lock.debits),
        (3, 100, 60_000, 350)
    );
    assert_eq!(
        (lock.terms.sale, lock.terms.units, lock.terms.anchor),
        (5, 10, [9; 32])
    );
    // SAFETY: plain data, all of whose bits may be zero.
    let mut proof: iotedge_proof_t = unsafe { std::mem::zeroed() };
    proof.size = size_of::<iotedge_proof_t>() as u32;
    (proof.kind, proof.index, proof.value) = (IOTEDGE_PROOF_TICK, 4, [8; 32]);
    // SAFETY: a live node and structures of the sizes that are said.
    let status = unsafe {
        let (node, id) = (net.nodes[3], told.id.as_ptr());
        iotedge_node_submit_claim(node, net.now, 0, id, 1, &raw const proof, &raw mut locked)
    };
    assert_eq!(status, IOTEDGE_OK);
    net.run(1_000);
    let claimed = net
        .find(2, IOTEDGE_EVENT_CLAIMED, |e| e.other == told.id)
        .unwrap();
    let bytes = body(&net, 2, &claimed.id);
    // SAFETY: plain data, all of whose bits may be zero.
    let mut claim: iotedge_lock_claim_t = unsafe { std::mem::zeroed() };
    claim.size = size_of::<iotedge_lock_claim_t>() as u32;
    // SAFETY: bytes and a structure of the sizes that are said.
    let read = unsafe { iotedge_lock_claim_read(bytes.as_ptr(), bytes.len(), &raw mut claim) };
    assert_eq!(read, IOTEDGE_OK);
    assert_eq!((claim.last, claim.lock), (1, told.id));
    assert_eq!((claim.proof.index, claim.proof.value), (4, [8; 32]));

    // What one device holds, a stranger can check with nothing but the member's key.
    // SAFETY: a live node and buffers of the sizes that are said.
    unsafe {
        let node = net.nodes[0];
        let (mut raw, mut raw_len) = ([0; IOTEDGE_MAX_FRAME], 0);
        let (mut parents, mut parents_len) = ([0; 32 * IOTEDGE_MAX_PARENTS], 0);
        let (mut grade, mut again) = (0, [0; 32]);
        let mut key = public(0);
        let second = net
            .find(1, IOTEDGE_EVENT_SENT, |e| e.ticket > ticket)
            .unwrap()
            .id;
        assert_eq!(
            iotedge_node_raw(
                node,
                second.as_ptr(),
                raw.as_mut_ptr(),
                raw.len(),
                &raw mut raw_len
            ),
            IOTEDGE_OK
        );
        assert_eq!(
            iotedge_node_parents(
                node,
                second.as_ptr(),
                parents.as_mut_ptr(),
                parents.len(),
                &raw mut parents_len
            ),
            IOTEDGE_OK
        );
        assert_eq!(iotedge_node_member_key(node, 1, &raw mut key), IOTEDGE_OK);
        let verify = |raw: &[u8], parents: &[u8], again: &mut [u8; 32]| {
            iotedge_tx_verify(
                net.neighbourhood.0.as_ptr(),
                &raw const key,
                parents.as_ptr(),
                parents.len() / 32,
                raw.as_ptr(),
                raw.len(),
                again.as_mut_ptr(),
            )
        };
        assert_eq!(
            verify(&raw[..raw_len], &parents[..parents_len], &mut again),
            IOTEDGE_OK
        );
        assert_eq!(again, second);
        parents[8] ^= 1;
        assert_ne!(
            verify(&raw[..raw_len], &parents[..parents_len], &mut again),
            IOTEDGE_OK
        );
        assert_eq!(
            iotedge_node_grade(net.nodes[1], id.as_ptr(), &raw mut grade),
            IOTEDGE_OK
        );
        assert_eq!(grade, IOTEDGE_GRADE_QUORUM);
    }

    // A reset: memory gone, store there. It goes on with its next number, and nobody calls it a cheat.
    let number = net.status(1).number;
    // SAFETY: a live node.
    assert_eq!(unsafe { iotedge_node_deinit(net.nodes[1]) }, IOTEDGE_OK);
    assert!(net.memory[1].iter().all(|word| *word == 0));
    net.boot(1);
    let after = net.submit(1, b"after the reset");
    for _ in 0..10 {
        net.run(400);
        for n in [0, 2, 3] {
            net.submit(n, b"tick");
        }
    }
    net.run(2_000);
    assert!(
        net.find(1, IOTEDGE_EVENT_SENT, |e| e.ticket == after)
            .is_some()
    );
    assert!(net.status(1).number > number);
    assert!((0..4).all(|n| net.find(n, IOTEDGE_EVENT_EQUIVOCATION, |_| true).is_none()));
}

/// 100 an hour to member 1, by transfers and ticks, under the key 150; signed by this one.
fn policy(net: &Network, number: u32, by: u8) -> Vec<u8> {
    // SAFETY: plain data, all of whose bits may be zero.
    let mut said: iotedge_policy_t = unsafe { std::mem::zeroed() };
    said.size = size_of::<iotedge_policy_t>() as u32;
    said.number = number;
    said.uses = IOTEDGE_USE_TRANSFER | IOTEDGE_USE_TICKS;
    (said.total, said.span, said.within) = (250, 3_600_000, 100);
    (said.device, said.payees[0], said.payee_count) = (net.status(3).device, 1, 1);
    let (owner, seed, here) = (public(by), seed(by), net.neighbourhood.0);
    let (mut message, mut message_len) = ([0; IOTEDGE_MAX_POLICY_INPUT], 0);
    let (mut signature, mut out, mut len) = ([0; 64], vec![0; IOTEDGE_MAX_POLICY], 0);
    // SAFETY: structures and buffers of the sizes that are said.
    unsafe {
        let (to, room) = (message.as_mut_ptr(), message.len());
        let made = iotedge_policy_input(
            &raw const owner,
            here.as_ptr(),
            &raw const said,
            to,
            room,
            &raw mut message_len,
        );
        assert_eq!(made, IOTEDGE_OK);
        let signed = iotedge::key::iotedge_sign(
            seed.as_ptr(),
            message.as_ptr(),
            message_len,
            signature.as_mut_ptr(),
        );
        assert_eq!(signed, IOTEDGE_OK);
        let (to, room) = (out.as_mut_ptr(), out.len());
        let put = iotedge_policy_assemble(
            &raw const owner,
            here.as_ptr(),
            &raw const said,
            signature.as_ptr(),
            to,
            room,
            &raw mut len,
        );
        assert_eq!(put, IOTEDGE_OK);
    }
    out.truncate(len);
    out
}

#[test]
fn an_owner_bounds_a_device_whose_key_is_in_an_element() {
    let mut net = Network::new(4);
    net.run(3_000);
    // SAFETY: a live node.
    assert_eq!(unsafe { iotedge_node_deinit(net.nodes[3]) }, IOTEDGE_OK);
    net.owner = Some(150);
    net.boot(3);
    net.run(5_000);
    let pay = |net: &mut Network, to: u32, amount: u64| {
        let (mut ticket, node) = (0, net.nodes[3]);
        // SAFETY: a live node.
        let status =
            unsafe { iotedge_node_submit_transfer(node, net.now, 0, to, amount, &raw mut ticket) };
        for _ in 0..4 {
            net.run(1_000);
        }
        status
    };
    let set = |net: &mut Network, bytes: &[u8]| {
        let (mut number, node) = (0, net.nodes[3]);
        // SAFETY: a live node.
        let status = unsafe {
            iotedge_node_set_policy(node, net.now, bytes.as_ptr(), bytes.len(), &raw mut number)
        };
        (status, number)
    };
    let left = |net: &Network| {
        // SAFETY: plain data, all of whose bits may be zero.
        let mut left: iotedge_allowance_t = unsafe { std::mem::zeroed() };
        left.size = size_of::<iotedge_allowance_t>() as u32;
        // SAFETY: a live node.
        let status = unsafe { iotedge_node_allowance(net.nodes[3], net.now, &raw mut left) };
        assert_eq!(status, IOTEDGE_OK);
        (left.total, left.now, left.ends)
    };
    assert_eq!(pay(&mut net, 1, 1), IOTEDGE_E_POLICY);
    let strangers = policy(&net, 1, 151);
    assert_eq!(set(&mut net, &strangers), (IOTEDGE_E_WRONG_SIGNER, 0));
    let signed = policy(&net, 1, 150);
    assert_eq!(set(&mut net, &signed), (IOTEDGE_OK, 1));
    assert_eq!(left(&net), (250, 100, 0));
    assert_eq!(pay(&mut net, 2, 1), IOTEDGE_E_POLICY);
    assert_eq!(pay(&mut net, 1, 101), IOTEDGE_E_POLICY);
    assert_eq!(pay(&mut net, 1, 70), IOTEDGE_OK);
    assert_eq!(net.status(3).debits, 70);
    assert_eq!(pay(&mut net, 1, 31), IOTEDGE_E_POLICY_WINDOW);
    let (total, now, ends) = left(&net);
    assert_eq!((total, now), (180, 30));
    assert!(ends > net.now && ends <= net.now + 3_600_000);

    // Over a reset the budget is what it was.
    // SAFETY: a live node.
    assert_eq!(unsafe { iotedge_node_deinit(net.nodes[3]) }, IOTEDGE_OK);
    net.boot(3);
    net.run(5_000);
    assert_eq!(left(&net), (180, 30, ends));
    assert_eq!(pay(&mut net, 1, 31), IOTEDGE_E_POLICY_WINDOW);
    assert_eq!(pay(&mut net, 1, 30), IOTEDGE_OK);
    assert_eq!(net.status(3).debits, 100);
    let other = policy(&net, 1, 150);
    assert_eq!(set(&mut net, &other), (IOTEDGE_OK, 1), "the same again");
}
