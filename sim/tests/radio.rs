//! Neighbourhoods on radios: the real link layer between real nodes, in packets that keep a radio busy and get lost.

mod common;

use common::{deep, simulate};
use iotedge_sim::Scenario;
use iotedge_sim::radio::Radio;
use iotedge_sim::scenario::Reboot;

fn on(radio: Radio, nodes: u16, hourly: u32, minutes: u64) -> Scenario {
    let mut s = Scenario::large(3, nodes, hourly).on(radio);
    s.duration = minutes * 60_000;
    s
}

/// Fragments are lost, a bit is turned over now and then, devices lose power in the midst of a frame: what goes wrong on the way is asked for again, and
/// everything ends up the same everywhere, on any number of threads.
#[test]
fn lost_packets_are_losses_like_any_other() {
    deep(|| {
        let mut s = on(Radio::Ieee802154, 9, 120, 12);
        // All four tries of a packet: a thirtieth.
        s.link.loss = 430_000;
        s.link.corrupt = 2_000;
        for (node, at) in [(3, 200_000), (5, 350_000)] {
            s.reboots.push(Reboot {
                node,
                at,
                down: 4_000,
                lost: node == 5,
            });
        }
        let [one, two, three] = [1, 2, 3].map(|threads| simulate(&s, threads, Vec::new()));
        assert_eq!((one.trace, one.trace), (two.trace, three.trace));
        assert_eq!(one.link(), two.link());
        assert!(one.sound(), "{one}");
        let link = one.link().expect("a link layer");
        assert!(one.sent > 100 && one.headers.len() > 1, "{one}");
        assert!(2 * link.compressed > link.frames, "{one}");
        assert!(
            link.in_one < link.frames && link.packets > link.frames,
            "{one}"
        );
        // Each of them happened, or nothing was tried.
        assert!(link.repairs > 0 && link.out_of_step > 0, "{one}");
        assert!(one.frames_corrupted > 0 && one.frames_lost > 0, "{one}");
    });
}

/// 1 % for devices and 10 % for the gateway, over the whole run and with a link layer that has always something to send.
#[test]
fn nobody_sends_more_than_the_duty_cycle_allows() {
    deep(|| {
        let s = on(Radio::Lora222, 12, 4, 60);
        let report = simulate(&s, 1, Vec::new());
        let whole = (s.duration + s.quiet) * 1_000;
        let (longest, _) = Radio::Lora222.packet(222);
        for (n, host) in report.hosts.iter().take(12).enumerate() {
            let share = if n == 0 { 10 } else { 100 };
            assert!(host.air <= whole / share + longest, "{n}: {}", host.air);
        }
        // It is not that nobody had anything to say.
        assert!(report.hosts[0].air > whole / 50, "{report}");
        let link = report.link().expect("a link layer");
        let gateway = report.hosts[0].link.expect("a link layer");
        assert_eq!(gateway.repairs_out, 0, "a request would be a downlink");
        assert!(link.compressed > 0, "{report}");
    });
}

/// What carries every frame whole has no link layer.
#[test]
fn ethernet_and_wifi_carry_frames_whole() {
    deep(|| {
        for radio in [Radio::Ethernet, Radio::Wifi] {
            let report = simulate(&on(radio, 5, 240, 3), 1, Vec::new());
            assert!(report.sound() && report.sent > 20, "{report}");
            assert_eq!(report.link(), None);
            assert!(report.hosts.iter().all(|h| h.link.is_none()));
        }
    });
}
