//! Serial lines: a tty, or a TCP socket as an emulator gives it for one; at the other end of each is one neighbour.
//!
//! Invariant: a line holds up nobody. What waits for it is bounded by what it carries in two seconds, the oldest falls out and is counted,
//! and what cannot be said to a line that is down is not kept: gossip repairs it, as on every lossy path. Each line is a task that
//! opens its port, loses it, and opens it again with growing pauses. Bytes are those of docs/protocol.md section 11. What is for or from a neighbour
//! behind the gateway (section 11.2) is passed on unread.

use iotedge_core::MAX_FRAME;
use iotedge_core::wire::serial::{CRC, Decoder, MAX_ENCODED, SerialCounters, encode, encoded_len};
use serde::Deserialize;
use serial2_tokio::SerialPort;
use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Bits of a byte on the line: start, eight, stop.
const BITS: u64 = 10;
/// What waits for a line is at most what it carries in this time, or this many bytes.
const WAIT: Duration = Duration::from_secs(2);
const WAIT_BYTES: usize = 8 << 10;
/// How far the system's own buffer is filled ahead: less than a timer's coarseness would leave the line idle.
const AHEAD: Duration = Duration::from_millis(20);
/// Frames that came and wait for the loop; past this the line is not read.
const CAME: usize = 64;
/// Pauses between two tries to open a port.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A connection that lasted so long was a good one: the next pause is short again.
const GOOD: Duration = Duration::from_secs(2);
/// What a socket may keep for a reader that stopped: what is kept there is too old to be of use.
const SOCKET_BYTES: usize = 16 << 10;
/// The neighbour that needs no name: the gateway itself.
const GATEWAY: u8 = 0;
/// Speed where the configuration does not say.
pub const BAUD: u32 = 115_200;

/// Who holds whom back on a tty. A socket does it by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// Nobody: three wires.
    #[default]
    None,
    /// Each end by its RTS, which is the other's CTS.
    RtsCts,
}

/// What is behind a line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Port {
    /// A device file.
    Tty(PathBuf),
    /// HOST:PORT, where somebody listens.
    Tcp(String),
    /// HOST:PORT, where the gateway listens; who came last is heard.
    TcpListen(String),
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = |rest: &str| {
            let port = rest.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            match port.and_then(|(_, port)| port.parse::<u16>().ok()) {
                Some(_) => Ok(rest.to_owned()),
                None => Err(format!("{text}: HOST:PORT is expected behind it")),
            }
        };
        if let Some(rest) = text.strip_prefix("tcp:") {
            return address(rest).map(Self::Tcp);
        }
        if let Some(rest) = text.strip_prefix("tcp-listen:") {
            return address(rest).map(Self::TcpListen);
        }
        match text {
            "" => Err("a device file, tcp:HOST:PORT or tcp-listen:HOST:PORT is expected".into()),
            path => Ok(Self::Tty(path.into())),
        }
    }
}

impl TryFrom<String> for Port {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tty(path) => path.display().fmt(f),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::TcpListen(address) => write!(f, "tcp-listen:{address}"),
        }
    }
}

/// What a line counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Whether it is open.
    pub up: bool,
    /// Times that it was opened.
    pub opened: u64,
    pub frames_in: u64,
    pub frames_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Frames for which there was no room.
    pub dropped: u64,
    /// Frames while it was down.
    pub unsaid: u64,
    /// Frames from the line to neighbours behind the gateway, and the other way.
    pub passed_out: u64,
    pub passed_in: u64,
    /// Frames to a neighbour that the line does not lead to, or that the system did not take; datagrams from somebody else.
    pub not_passed: u64,
    /// What came damaged, by kind.
    pub noise: SerialCounters,
}

/// Whom a line leads to beside the gateway, by a socket of its own. They are numbered from 1.
pub struct Behind {
    socket: UdpSocket,
    neighbours: Vec<SocketAddr>,
}

impl Behind {
    /// # Errors
    /// The address cannot be listened on.
    pub fn bind(listen: SocketAddr, neighbours: Vec<SocketAddr>) -> std::io::Result<Self> {
        let socket = std::net::UdpSocket::bind(listen)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: UdpSocket::from_std(socket)?,
            neighbours,
        })
    }

    /// Passes a frame on to neighbour `number`; whether it could.
    fn pass(&self, number: u8, frame: &[u8]) -> bool {
        let place = usize::from(number).checked_sub(1);
        let neighbour = place.and_then(|place| self.neighbours.get(place));
        neighbour.is_some_and(|to| self.socket.try_send_to(frame, *to).is_ok())
    }
}

/// Takes what neighbours behind the gateway send to a line.
async fn hear(shared: Arc<Shared>) {
    let Some(behind) = &shared.behind else {
        return;
    };
    let mut buffer = [0; MAX_FRAME + 1];
    loop {
        let Ok((len, from)) = behind.socket.recv_from(&mut buffer).await else {
            // A neighbour that is not there answers by ICMP: nothing that the line should end for.
            sleep(Duration::from_millis(1)).await;
            continue;
        };
        let place = behind.neighbours.iter().position(|n| *n == from);
        let number = place.and_then(|place| u8::try_from(place + 1).ok());
        match number {
            Some(number) if len <= MAX_FRAME => shared.queue(number, &buffer[..len]),
            _ => shared.state().counts.not_passed += 1,
        }
    }
}

#[derive(Default)]
struct State {
    /// Frames that wait for the line with the number of the neighbour that they are from, and their bytes on it.
    waiting: VecDeque<(u8, Vec<u8>)>,
    bytes: usize,
    /// Frames that wait for the loop.
    came: VecDeque<Vec<u8>>,
    counts: Counts,
}

struct Shared {
    state: Mutex<State>,
    /// There is something to send.
    send: Notify,
    /// There is room for what comes.
    room: Notify,
    /// Something came: the loop wakes.
    wake: Arc<Notify>,
    baud: u32,
    flow: Flow,
    behind: Option<Behind>,
}

/// Bytes of a frame on the line, with the name in front.
fn on_the_line(number: u8, frame: &[u8]) -> usize {
    let name = if number == GATEWAY { 0 } else { encoded_len(1) };
    name + encoded_len(frame.len())
}

impl Shared {
    /// Queues a frame of a neighbour; the oldest fall out where there is no room.
    fn queue(&self, number: u8, frame: &[u8]) {
        let mut state = self.state();
        if !state.counts.up {
            state.counts.unsaid += 1;
            return;
        }
        let len = on_the_line(number, frame);
        while state.bytes + len > self.most_waiting() {
            let Some((number, oldest)) = state.waiting.pop_front() else {
                break;
            };
            state.bytes -= on_the_line(number, &oldest);
            state.counts.dropped += 1;
        }
        state.bytes += len;
        state.waiting.push_back((number, frame.to_vec()));
        self.send.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the line takes for so many bytes.
    fn takes(&self, bytes: usize) -> Duration {
        let bits = BITS.saturating_mul(bytes as u64);
        Duration::from_micros(bits.saturating_mul(1_000_000) / u64::from(self.baud.max(1)))
    }

    fn most_waiting(&self) -> usize {
        let carried = WAIT.as_secs() * u64::from(self.baud) / BITS;
        WAIT_BYTES.max(usize::try_from(carried).unwrap_or(usize::MAX))
    }
}

/// The loop's end of a line.
pub struct Line(Arc<Shared>);

impl Line {
    /// Starts the task that keeps the line open; `wake` is told when frames came.
    ///
    /// # Errors
    /// The address to listen on cannot be used. A port that is not there yet is waited for.
    pub fn start(
        port: Port,
        baud: u32,
        flow: Flow,
        behind: Option<Behind>,
        wake: Arc<Notify>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            send: Notify::new(),
            room: Notify::new(),
            wake,
            baud,
            flow,
            behind,
        });
        tokio::spawn(hear(shared.clone()));
        match port {
            Port::TcpListen(address) => {
                let listener = std::net::TcpListener::bind(&address)?;
                listener.set_nonblocking(true)?;
                let listener = TcpListener::from_std(listener)?;
                tokio::spawn(accept(listener, address, shared.clone()));
            }
            port => {
                tokio::spawn(keep_open(port, shared.clone()));
            }
        }
        Ok(Self(shared))
    }

    /// Queues a frame of the gateway's own.
    pub fn send(&self, frame: &[u8]) {
        self.0.queue(GATEWAY, frame);
    }

    /// The next frame that came.
    pub fn next(&self) -> Option<Vec<u8>> {
        let frame = self.0.state().came.pop_front();
        if frame.is_some() {
            self.0.room.notify_one();
        }
        frame
    }

    /// Whether more came.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.0.state().came.is_empty()
    }

    /// What it counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.state().counts
    }
}

/// Opens the port again and again.
async fn keep_open(port: Port, shared: Arc<Shared>) {
    let mut pause = FIRST_PAUSE;
    let mut said = String::new();
    loop {
        let began = Instant::now();
        let ended = match &port {
            Port::Tty(path) => match open(path, shared.baud, shared.flow) {
                Ok(tty) => {
                    let ended = carry(tty, &port, &shared).await;
                    said.clear();
                    ended
                }
                Err(error) => error,
            },
            Port::Tcp(address) | Port::TcpListen(address) => match connect(address).await {
                Ok(stream) => {
                    let ended = carry(stream, &port, &shared).await;
                    said.clear();
                    ended
                }
                Err(error) => error,
            },
        };
        // Once for each reason, not for each try.
        let why = ended.to_string();
        if why != said {
            tracing::warn!(%port, %why, "a serial line is down");
            said = why;
        }
        if began.elapsed() > GOOD {
            pause = FIRST_PAUSE;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Takes one connection after the other; a new one ends the old, which a device that was reset left behind.
async fn accept(listener: TcpListener, address: String, shared: Arc<Shared>) {
    let port = Port::TcpListen(address);
    let mut stream = None;
    loop {
        let ended = tokio::select! {
            accepted = listener.accept() => {
                match accepted {
                    Ok((accepted, _)) => {
                        shape(&accepted);
                        stream = Some(accepted);
                    }
                    Err(_) => sleep(FIRST_PAUSE).await,
                }
                continue;
            }
            ended = async {
                match stream.take() {
                    Some(stream) => carry(stream, &port, &shared).await,
                    None => std::future::pending().await,
                }
            } => ended,
        };
        tracing::warn!(%port, why = %ended, "a serial line is down");
    }
}

fn open(path: &std::path::Path, baud: u32, flow: Flow) -> std::io::Result<SerialPort> {
    SerialPort::open(path, |mut settings: serial2_tokio::Settings| {
        settings.set_raw();
        settings.set_baud_rate(baud)?;
        settings.set_flow_control(match flow {
            Flow::None => serial2_tokio::FlowControl::None,
            Flow::RtsCts => serial2_tokio::FlowControl::RtsCts,
        });
        // Three wires carry no "carrier detect": without this its absence would hang the line up.
        settings.as_termios_mut().c_cflag |= libc::CLOCAL | libc::CREAD;
        Ok(settings)
    })
}

async fn connect(address: &str) -> std::io::Result<TcpStream> {
    let stream = timeout(LONGEST_PAUSE, TcpStream::connect(address)).await??;
    shape(&stream);
    Ok(stream)
}

/// As little in the system's buffers as may be, and a peer that vanished is noticed.
fn shape(stream: &TcpStream) {
    let socket = socket2::SockRef::from(stream);
    let alive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(15));
    let _ = socket.set_tcp_keepalive(&alive);
    let _ = socket.set_send_buffer_size(SOCKET_BYTES);
    let _ = stream.set_nodelay(true);
}

/// Marks a line as down whichever way its carrying ends.
struct Up<'a>(&'a Shared);

impl Drop for Up<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.counts.up = false;
        state.counts.unsaid += state.waiting.len() as u64;
        state.waiting.clear();
        state.bytes = 0;
    }
}

/// Carries frames both ways until the stream ends; says why.
async fn carry<S: AsyncRead + AsyncWrite>(stream: S, port: &Port, shared: &Shared) -> Error {
    {
        let mut state = shared.state();
        state.counts.up = true;
        state.counts.opened += 1;
    }
    let _up = Up(shared);
    tracing::info!(%port, "a serial line is up");
    let (mut from, mut to) = tokio::io::split(stream);
    let ended: std::io::Result<()> = tokio::select! {
        ended = read(&mut from, shared) => ended,
        ended = write(&mut to, shared) => ended,
    };
    ended
        .err()
        .unwrap_or_else(|| Error::new(ErrorKind::UnexpectedEof, "the other end closed it"))
}

async fn read(from: &mut (impl AsyncRead + Unpin), shared: &Shared) -> std::io::Result<()> {
    let mut room = [0; MAX_FRAME + CRC];
    let mut decoder = Decoder::new(&mut room);
    let before = shared.state().counts.noise;
    let mut buffer = [0; 2048];
    // Whom the next frame is for, and how much was damaged when that was said: a name goes with the frame behind it, or with nothing.
    let mut named = (GATEWAY, 0);
    loop {
        while shared.state().came.len() >= CAME {
            shared.room.notified().await;
        }
        let len = from.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        let mut bytes = &buffer[..len];
        let mut state = shared.state();
        state.counts.bytes_in += len as u64;
        while let (taken, Some(frame)) = decoder.take(bytes) {
            let frame = frame.to_vec();
            bytes = &bytes[taken..];
            state.counts.frames_in += 1;
            let damaged = damaged(decoder.counters());
            if let [number] = frame[..] {
                named = (number, damaged);
                continue;
            }
            let (number, before) = std::mem::replace(&mut named, (GATEWAY, damaged));
            if number == GATEWAY || before != damaged {
                state.came.push_back(frame);
            } else if shared
                .behind
                .as_ref()
                .is_some_and(|b| b.pass(number, &frame))
            {
                state.counts.passed_out += 1;
            } else {
                state.counts.not_passed += 1;
            }
        }
        state.counts.noise = sum(before, decoder.counters());
        if !state.came.is_empty() {
            shared.wake.notify_one();
        }
    }
}

/// How many frames came damaged.
fn damaged(counters: SerialCounters) -> u32 {
    let kinds = [
        counters.too_short,
        counters.cut,
        counters.too_long,
        counters.corrupt,
    ];
    kinds.into_iter().fold(0, u32::wrapping_add)
}

/// Counters of all connections so far.
fn sum(a: SerialCounters, b: SerialCounters) -> SerialCounters {
    SerialCounters {
        frames: a.frames.wrapping_add(b.frames),
        empty: a.empty.wrapping_add(b.empty),
        too_short: a.too_short.wrapping_add(b.too_short),
        cut: a.cut.wrapping_add(b.cut),
        too_long: a.too_long.wrapping_add(b.too_long),
        corrupt: a.corrupt.wrapping_add(b.corrupt),
    }
}

async fn write(to: &mut (impl AsyncWrite + Unpin), shared: &Shared) -> std::io::Result<()> {
    let mut line = [0; 16 + MAX_ENCODED];
    let mut free = Instant::now();
    loop {
        // The queue, not the system's buffer, is where frames wait and grow old.
        sleep_until(free.checked_sub(AHEAD).unwrap_or(free)).await;
        let next = {
            let mut state = shared.state();
            let next = state.waiting.pop_front();
            state.bytes -= next.as_ref().map_or(0, |(n, f)| on_the_line(*n, f));
            next
        };
        let Some((number, frame)) = next else {
            shared.send.notified().await;
            continue;
        };
        let mut len = 0;
        if number != GATEWAY {
            len = encode(&[number], &mut line).unwrap_or(0);
        }
        // Empty or too long: nothing that the loop sends.
        let Some(rest) = encode(&frame, &mut line[len..]) else {
            continue;
        };
        len += rest;
        to.write_all(&line[..len]).await?;
        to.flush().await?;
        free = free.max(Instant::now()) + shared.takes(len);
        let mut state = shared.state();
        state.counts.frames_out += 1;
        state.counts.passed_in += u64::from(number != GATEWAY);
        state.counts.bytes_out += len as u64;
    }
}

#[cfg(test)]
mod tests;
