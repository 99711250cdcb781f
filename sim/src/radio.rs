//! Named radios: what one carries at once, how long that keeps it busy, and what it costs.
//!
//! Ethernet and Wi-Fi carry every frame whole. On the others the link layer of the core (`iotedge_core::link`) cuts frames into packets of
//! at most [`Radio::mtu`] bytes; [`Radio::packet`] says what such a packet is on air. A radio sends one thing at a time and rests where a duty cycle
//! asks for it. The figures are those of the standards and data sheets named at each; nothing here is measured on hardware.

use iotedge_core::link::{LinkConfig, Repair};
use iotedge_core::{MAX_FRAME, Millis};
use std::str::FromStr;

/// A kind of link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Radio {
    /// 100BASE-TX, IEEE 802.3: 38 bytes around each frame.
    Ethernet,
    /// IEEE 802.11 at 20 Mbit/s with one acknowledgement per frame.
    Wifi,
    /// Bluetooth Mesh 1.1 over advertising on the 1M PHY: segments of 12 bytes, each on three channels, one in 20 ms.
    BleMesh,
    /// IEEE 802.15.4 O-QPSK at 250 kbit/s: MPDUs of 127 bytes, secured, acknowledged, up to three more tries.
    Ieee802154,
    /// LoRaWAN EU868 DR5 (SF7, 125 kHz): 222 bytes, duty cycle 1 % (gateway 10 %).
    Lora222,
    /// LoRaWAN EU868 DR0 (SF12, 125 kHz): 51 bytes, duty cycle 1 % (gateway 10 %).
    Lora51,
}

/// Currents in microamperes at 3.3 V, for an estimate of energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currents {
    /// While sending.
    pub send: u64,
    /// While a frame comes in. Listening in between is not counted: it depends on the wake-up scheme.
    pub receive: u64,
    /// Data sheet.
    pub source: &'static str,
}

impl Radio {
    /// All, with their names on the command line.
    pub const ALL: [(&'static str, Self); 6] = [
        ("ethernet", Self::Ethernet),
        ("wifi", Self::Wifi),
        ("ble-mesh", Self::BleMesh),
        ("802154", Self::Ieee802154),
        ("lora222", Self::Lora222),
        ("lora51", Self::Lora51),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, r)| *r == self)
            .map_or("", |(name, _)| name)
    }

    /// Most bytes of a link packet; `None`: every frame goes whole, and no link layer is between.
    #[must_use]
    pub const fn mtu(self) -> Option<u16> {
        match self {
            Self::Ethernet | Self::Wifi => None,
            // Mesh Protocol 1.1, 3.7.3: an access message of 380 bytes, less an opcode of 3.
            Self::BleMesh => Some(377),
            // 127 less 9 MHR (short addresses, one PAN), 6 security header, 8 MIC, 2 FCS: section 9.6 of docs/protocol.md.
            Self::Ieee802154 => Some(102),
            // RP002-1.0.4, 2.4.6.
            Self::Lora222 => Some(222),
            Self::Lora51 => Some(51),
        }
    }

    /// How the link layer of a device, or of the gateway, is set up on this radio; `None`: it is not there.
    ///
    /// The gap between two fragments is what their sender's radio needs for one and the rest after it. Who waits longer than two of them
    /// asks for what is missing, but not the gateway of a star: its request is a downlink, which is dearer than the frame. A datagram is given up when
    /// its fragments could have come four times.
    #[must_use]
    pub const fn link(self, gateway: bool) -> Option<LinkConfig> {
        let Some(mtu) = self.mtu() else {
            return None;
        };
        let mut config = LinkConfig::new(mtu);
        // In a star a device hears the gateway, and it the devices.
        let gap = self.packet(mtu as usize).0 * (1 + self.rest(!gateway)) / 1_000 + 1;
        let count = (MAX_FRAME as u64 + 5).div_ceil(mtu as u64 - 2);
        let (after, lifetime) = (2 * gap, 4 * count * gap);
        if lifetime > config.lifetime.0 {
            config.lifetime = Millis(lifetime);
        }
        config.repair = match config.repair {
            Some(_) if gateway && self.is_star() => None,
            Some(repair) if after > repair.after.0 => Some(Repair {
                after: Millis(after),
                ..repair
            }),
            as_it_is => as_it_is,
        };
        Some(config)
    }

    /// The transmissions of a packet, or of a whole frame: how long each keeps the radio, in us, and its bytes on air.
    pub fn transmissions(self, len: usize) -> impl Iterator<Item = (u64, u64)> {
        let count = self.segments(len);
        (0..count).map(move |index| self.transmission(len, count, index))
    }

    /// How many transmissions it takes: BLE mesh cuts a packet up once more.
    const fn segments(self, len: usize) -> usize {
        match self {
            // Mesh Protocol 1.1, 3.5.2: up to 15 bytes, opcode 3 and TransMIC 4 with them, go unsegmented.
            Self::BleMesh if len + 7 <= 15 => 1,
            Self::BleMesh => (len + 7).div_ceil(12),
            _ => 1,
        }
    }

    const fn transmission(self, len: usize, count: usize, index: usize) -> (u64, u64) {
        let bytes = len as u64;
        match self {
            // IEEE 802.3: preamble 8, header 14, FCS 4, gap 12; 80 ns a byte.
            Self::Ethernet => ((bytes + 38) * 80 / 1_000 + 1, bytes + 38),
            // IEEE 802.11: DIFS 34, mean backoff 67, preamble 20, SIFS 16, ACK 28 us; 36 bytes of MAC and LLC.
            Self::Wifi => (165 + (bytes + 36) * 8 / 20, bytes + 36),
            // Core 5.4 vol 6 B 2.1 and Mesh 3.4.4: preamble 1, address 4, header 2, AdvA 6, AD 2, network PDU 29 at most (header 9, MIC 4, lower
            // transport header 4 of a segment or 1), CRC 3; 8 us a byte, three channels, 20 ms between segments.
            Self::BleMesh => {
                let pdu = match count {
                    1 => 1 + bytes + 7,
                    _ if index + 1 < count => 4 + 12,
                    _ => 4 + bytes + 7 - 12 * (count as u64 - 1),
                };
                let on_air = 3 * (1 + 4 + 2 + 6 + 2 + 9 + pdu + 4 + 3);
                (20_000 + on_air * 8, on_air)
            }
            // IEEE 802.15.4-2020, 12: SHR and PHR 6 bytes, 32 us a byte; 6.2.5: mean first backoff 3.5 x 320 us, CCA 128 us; turnaround 192 us, ACK 352 us, LIFS 640 us.
            Self::Ieee802154 => {
                let on_air = 6 + 25 + bytes;
                (on_air * 32 + 1_120 + 128 + 192 + 352 + 640, on_air + 11)
            }
            // 13 bytes of LoRaWAN: MHDR, FHDR, FPort, MIC.
            Self::Lora222 => (lora(7, bytes + 13), bytes + 13),
            Self::Lora51 => (lora(12, bytes + 13), bytes + 13),
        }
    }

    /// How long a packet keeps the radio, in us, and its bytes on air, if nothing is lost.
    #[must_use]
    pub const fn packet(self, len: usize) -> (u64, u64) {
        let count = self.segments(len);
        let (mut time, mut bytes, mut index) = (0, 0, 0);
        while index < count {
            let one = self.transmission(len, count, index);
            (time, bytes) = (time + one.0, bytes + one.1);
            index += 1;
        }
        (time, bytes)
    }

    /// How long a whole frame keeps the radio, in us, if nothing is left out of it and nothing is lost: for time-outs.
    #[must_use]
    pub const fn frame(self, len: usize) -> u64 {
        match self.mtu() {
            None => self.packet(len).0,
            Some(mtu) if len < mtu as usize => self.packet(len + 1).0,
            Some(mtu) => {
                let count = (len + 5).div_ceil(mtu as usize - 2);
                self.packet(mtu as usize).0 * count as u64
            }
        }
    }

    /// More tries for a transmission that was not acknowledged.
    #[must_use]
    pub const fn retries(self) -> u32 {
        match self {
            Self::Ieee802154 => 3,
            Self::Wifi => 7,
            _ => 0,
        }
    }

    /// A frame that would wait longer than this for the radio is dropped, in ms.
    #[must_use]
    pub const fn patience(self) -> u64 {
        match self {
            Self::Ethernet | Self::Wifi => 1_000,
            Self::BleMesh | Self::Ieee802154 => 10_000,
            Self::Lora222 => 120_000,
            Self::Lora51 => 600_000,
        }
    }

    /// Rest after each transmission, as a multiple of its length: ETSI EN 300 220 (1 % for devices, 10 % in the gateway's band).
    #[must_use]
    pub const fn rest(self, gateway: bool) -> u64 {
        match self {
            Self::Lora222 | Self::Lora51 if gateway => 9,
            Self::Lora222 | Self::Lora51 => 99,
            _ => 0,
        }
    }

    /// Whether a device hears only the gateway.
    #[must_use]
    pub const fn is_star(self) -> bool {
        matches!(self, Self::Lora222 | Self::Lora51)
    }

    /// Whether devices hear only those in range, and the gateway is hops away.
    #[must_use]
    pub const fn is_mesh(self) -> bool {
        matches!(self, Self::BleMesh | Self::Ieee802154)
    }

    /// What sending and receiving draw.
    #[must_use]
    pub const fn currents(self) -> Currents {
        match self {
            Self::Ethernet => Currents {
                send: 41_000,
                receive: 41_000,
                source: "LAN8742A, 100BASE-TX with traffic",
            },
            Self::Wifi => Currents {
                send: 190_000,
                receive: 100_000,
                source: "ESP32 data sheet, 802.11n at 13 dBm / receive",
            },
            Self::BleMesh | Self::Ieee802154 => Currents {
                send: 6_400,
                receive: 6_600,
                source: "nRF52840 product specification 1.7, 0 dBm with DC/DC / receive",
            },
            Self::Lora222 | Self::Lora51 => Currents {
                send: 45_000,
                receive: 4_600,
                source: "SX1262 data sheet 2.1, 14 dBm with DC/DC / receive",
            },
        }
    }
}

/// Time on air of a LoRa packet of so many PHY bytes, in us: Semtech AN1200.13, SX1276 data sheet 4.1.1.7, at 125 kHz, coding rate 4/5, explicit
/// header, CRC, preamble of 8, low data rate optimisation from SF11 on.
#[must_use]
pub const fn lora(spreading: u64, bytes: u64) -> u64 {
    let symbol = (1_000_000u64 << spreading) / 125_000;
    let slow = if spreading >= 11 { 2 } else { 0 };
    let bits = (8 * bytes + 28 + 16).saturating_sub(4 * spreading);
    let blocks = bits.div_ceil(4 * (spreading - slow));
    (8 + 4) * symbol + symbol / 4 + (8 + 5 * blocks) * symbol
}

impl FromStr for Radio {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
        Self::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, radio)| *radio)
            .ok_or_else(|| format!("{text:?} is none of {}", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that Semtech's calculator gives for these packets.
    #[test]
    fn time_on_air_is_the_published_one() {
        assert_eq!(lora(12, 64), 2_793_472);
        assert_eq!(lora(7, 64), 118_016);
        assert_eq!(lora(7, 10), 41_216 - 5_120 + 5_120);
    }

    #[test]
    fn a_packet_is_longer_on_air_than_in_memory() {
        for (_, radio) in Radio::ALL {
            let mut before = 0;
            for len in 1..=usize::from(radio.mtu().unwrap_or(1_400)) {
                let (time, bytes) = radio.packet(len);
                assert!(bytes > len as u64, "{radio:?} {len}");
                assert!(time >= before, "{radio:?} {len}");
                before = time;
            }
        }
        // A secured MPDU of 127 bytes, 6 before it and an acknowledgement of 11.
        assert_eq!(Radio::Ieee802154.packet(102).1, 6 + 127 + 11);
        assert_eq!(Radio::BleMesh.segments(377), 32);
        assert_eq!(Radio::BleMesh.segments(8), 1);
        // The longest advertising packet on three channels: 47 bytes each, 31 of them data.
        assert_eq!(Radio::BleMesh.packet(8).1, 3 * 47);
    }

    #[test]
    fn every_link_can_be_made_and_waits_for_its_radio() {
        for ((_, radio), gateway) in Radio::ALL.iter().flat_map(|r| [(r, false), (r, true)]) {
            let Some(config) = radio.link(gateway) else {
                assert!(radio.packet(MAX_FRAME).0 < 2_000);
                continue;
            };
            let rest = 1 + radio.rest(!gateway);
            let all = radio.frame(MAX_FRAME) * rest;
            assert!(config.lifetime.0 * 1_000 > 2 * all, "{radio:?}");
            let gap = radio.packet(config.mtu.into()).0 * rest;
            let patient = |r: Repair| r.after.0 * 1_000 > gap;
            assert!(config.repair.is_none_or(patient), "{radio:?}");
            assert_eq!(config.repair.is_none(), gateway && radio.is_star());
        }
    }

    #[test]
    fn names_are_read() {
        for (name, radio) in Radio::ALL {
            assert_eq!(name.parse(), Ok(radio));
            assert_eq!(radio.name(), name);
        }
        assert!("lora".parse::<Radio>().is_err());
    }
}
