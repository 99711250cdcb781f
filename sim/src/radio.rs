//! Named links: how long a frame keeps a radio busy, in how many fragments, and what that costs.
//!
//! A sender's radio sends one fragment at a time and rests where a duty cycle asks for it; what would wait too long is dropped. The figures are those
//! of the standards and data sheets named at each; nothing here is measured on hardware. `fragments` is the one place that knows how a
//! frame is cut up.

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
    /// IEEE 802.15.4 O-QPSK at 250 kbit/s: MPDUs of 127 bytes, acknowledged, up to three more tries; RFC 4944 fragments.
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

    /// Bytes of a frame that one fragment carries.
    #[must_use]
    pub const fn payload(self) -> usize {
        match self {
            Self::Ethernet | Self::Wifi => 1_500,
            // Mesh Protocol 1.1, 3.5.2.2: a segmented access message carries 12 bytes per segment.
            Self::BleMesh => 12,
            // 127 less 9 MHR (short addresses, one PAN) less 2 FCS less 5 (RFC 4944, 5.3).
            Self::Ieee802154 => 111,
            // RP002-1.0.4, 2.4.6, less one byte that says which fragment it is.
            Self::Lora222 => 221,
            Self::Lora51 => 50,
        }
    }

    /// How many fragments a frame of so many bytes takes.
    #[must_use]
    pub const fn fragments(self, len: usize) -> usize {
        match len.div_ceil(self.payload()) {
            0 => 1,
            n => n,
        }
    }

    /// How long a fragment with so many bytes of a frame keeps the radio, in us, and the bytes that are on air for it.
    #[must_use]
    pub const fn fragment(self, len: usize) -> (u64, u64) {
        let bytes = len as u64;
        match self {
            // IEEE 802.3: preamble 8, header 14, FCS 4, gap 12; 80 ns a byte.
            Self::Ethernet => ((bytes + 38) * 80 / 1_000 + 1, bytes + 38),
            // IEEE 802.11: DIFS 34, mean backoff 67, preamble 20, SIFS 16, ACK 28 us; 36 bytes of MAC and LLC.
            Self::Wifi => (165 + (bytes + 36) * 8 / 20, bytes + 36),
            // Core 5.4 vol 6 B 2.1 and Mesh 3.4.4: preamble 1, address 4, header 2, AdvA 6, AD 2, network PDU 29 at most, CRC 3; 8 us a
            // byte, three channels, 20 ms between segments.
            Self::BleMesh => {
                let on_air = 3 * (1 + 4 + 2 + 6 + 2 + 17 + bytes + 3);
                (20_000 + on_air * 8, on_air)
            }
            // IEEE 802.15.4-2020, 12: SHR and PHR 6 bytes, 32 us a byte; 6.2.5: mean first backoff 3.5 x 320 us, CCA 128 us; turnaround 192 us, ACK 352 us, LIFS 640 us.
            Self::Ieee802154 => {
                let on_air = 6 + 16 + bytes;
                (on_air * 32 + 1_120 + 128 + 192 + 352 + 640, on_air + 11)
            }
            // 13 bytes of LoRaWAN (MHDR, FHDR, FPort, MIC) and one of ours.
            Self::Lora222 => (lora(7, bytes + 14), bytes + 14),
            Self::Lora51 => (lora(12, bytes + 14), bytes + 14),
        }
    }

    /// How long a whole frame keeps the radio, in us, and its bytes on air, if nothing is lost.
    #[must_use]
    pub const fn frame(self, len: usize) -> (u64, u64) {
        let (whole, last) = (len / self.payload(), len % self.payload());
        let (time, bytes) = self.fragment(self.payload());
        let (end, tail) = if last > 0 || whole == 0 {
            self.fragment(last)
        } else {
            (0, 0)
        };
        (time * whole as u64 + end, bytes * whole as u64 + tail)
    }

    /// More tries for a fragment that was not acknowledged.
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
    fn a_frame_is_cut_into_what_fits() {
        for (_, radio) in Radio::ALL {
            for len in [0, 1, 49, 50, 51, 111, 112, 160, 221, 222, 1024] {
                let (time, bytes) = radio.frame(len);
                let most = radio.fragment(radio.payload());
                let n = radio.fragments(len) as u64;
                assert!(bytes > len as u64 && bytes <= n * most.1, "{radio:?} {len}");
                assert!(
                    time <= n * most.0 && time > (n - 1) * most.0,
                    "{radio:?} {len}"
                );
            }
        }
        assert_eq!(Radio::Lora51.fragments(160), 4);
        assert_eq!(Radio::Lora222.fragments(160), 1);
        assert_eq!(Radio::Ieee802154.fragments(160), 2);
        assert_eq!(Radio::BleMesh.fragments(160), 14);
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
