//! Lines over sockets and pseudo-terminals: frames, noise, ends that go and come back, and one that is slower than what it is told.

use super::*;
use tokio::io::{DuplexStream, duplex};

const LIMIT: Duration = Duration::from_secs(20);

fn encoded(frame: &[u8]) -> Vec<u8> {
    let mut line = [0; MAX_ENCODED];
    let len = encode(frame, &mut line).unwrap();
    line[..len].to_vec()
}

/// The next frame of a line, as the loop sees it.
async fn next(line: &Line, wake: &Notify) -> Vec<u8> {
    timeout(LIMIT, async {
        loop {
            if let Some(frame) = line.next() {
                return frame;
            }
            let _ = timeout(Duration::from_millis(50), wake.notified()).await;
        }
    })
    .await
    .expect("a frame")
}

/// The next frame at the other end.
async fn heard(end: &mut (impl AsyncRead + Unpin), decoder: &mut Decoder<'_>) -> Vec<u8> {
    let mut byte = [0];
    timeout(LIMIT, async {
        loop {
            end.read_exact(&mut byte).await.unwrap();
            if let (_, Some(frame)) = decoder.take(&byte) {
                return frame.to_vec();
            }
        }
    })
    .await
    .expect("a frame")
}

async fn up(line: &Line, opened: u64) {
    timeout(LIMIT, async {
        while !(line.counts().up && line.counts().opened >= opened) {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the line comes up");
}

fn line_of(baud: u32) -> Arc<Shared> {
    Arc::new(Shared {
        state: Mutex::default(),
        send: Notify::new(),
        room: Notify::new(),
        wake: Arc::new(Notify::new()),
        baud,
        flow: Flow::None,
        behind: None,
    })
}

/// A line of this speed, and its other end.
fn piped(baud: u32) -> (Line, DuplexStream) {
    let shared = line_of(baud);
    let (near, far) = duplex(64);
    let task = shared.clone();
    tokio::spawn(async move { carry(near, &Port::Tty("pipe".into()), &task).await });
    (Line(shared), far)
}

#[tokio::test]
async fn frames_go_both_ways_over_a_socket_that_goes_and_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let wake = Arc::new(Notify::new());
    let line = Line::start(
        Port::Tcp(address.to_string()),
        1_000_000,
        Flow::None,
        None,
        wake.clone(),
    )
    .unwrap();
    let mut room = [0; MAX_FRAME + CRC];
    let mut decoder = Decoder::new(&mut room);
    line.send(b"nobody is there yet");
    assert_eq!(line.counts().unsaid, 1);
    for round in 1..4_u8 {
        let (mut end, _) = listener.accept().await.unwrap();
        up(&line, round.into()).await;
        decoder.reset();
        line.send(&[round; 300]);
        assert_eq!(heard(&mut end, &mut decoder).await, [round; 300]);
        // Half a frame of before the end went, and noise, do not harm what follows.
        let mut bytes = encoded(&[9; 80]);
        bytes[40] ^= 4;
        bytes.extend(encoded(&[round; 1400]));
        bytes.extend(&encoded(b"never whole")[..6]);
        end.write_all(&bytes).await.unwrap();
        assert_eq!(next(&line, &wake).await, [round; 1400]);
    }
    let counts = line.counts();
    assert_eq!(
        (counts.opened, counts.frames_in, counts.frames_out),
        (3, 3, 3)
    );
    assert_eq!(counts.noise.corrupt, 3);
}

#[tokio::test]
async fn who_connects_last_is_heard() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let wake = Arc::new(Notify::new());
    let line = Line::start(
        Port::TcpListen(address.to_string()),
        115_200,
        Flow::None,
        None,
        wake.clone(),
    )
    .unwrap();
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(&encoded(b"first")).await.unwrap();
    assert_eq!(next(&line, &wake).await, b"first");
    // It was reset and left its connection behind.
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(&encoded(b"second")).await.unwrap();
    assert_eq!(next(&line, &wake).await, b"second");
    assert_eq!(
        timeout(LIMIT, first.read(&mut [0; 9]))
            .await
            .unwrap()
            .unwrap_or(0),
        0
    );
    drop(second);
    timeout(LIMIT, async {
        while line.counts().up {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    let taken = Line::start(
        Port::TcpListen(address.to_string()),
        115_200,
        Flow::None,
        None,
        wake,
    );
    assert!(taken.is_err(), "two lines on one port");
}

#[tokio::test]
async fn a_tty_is_raw() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    let wake = Arc::new(Notify::new());
    // It is not plugged in yet.
    let line = Line::start(
        Port::Tty(path.clone()),
        115_200,
        Flow::None,
        None,
        wake.clone(),
    )
    .unwrap();
    let before = ptys();
    let (mut end, _tty) = SerialPort::pair().unwrap();
    let file = ptys().into_iter().find(|file| !before.contains(file));
    sleep(Duration::from_millis(50)).await;
    std::os::unix::fs::symlink(file.unwrap(), &path).unwrap();
    up(&line, 1).await;
    // Every byte that a terminal would make something of.
    let frame: Vec<u8> = (0..=255).collect();
    end.write_all(&encoded(&frame)).await.unwrap();
    assert_eq!(next(&line, &wake).await, frame);
    let mut room = [0; MAX_FRAME + CRC];
    let mut decoder = Decoder::new(&mut room);
    line.send(&frame);
    assert_eq!(heard(&mut end, &mut decoder).await, frame);
    // Nothing is echoed.
    assert_eq!(
        (line.counts().frames_in, line.counts().noise.corrupt),
        (1, 0)
    );
}

/// A pseudo-terminal has no wires; that the system is told to use them is all that can be seen here.
#[tokio::test]
async fn a_tty_is_told_who_holds_back() {
    let before = ptys();
    let _pair = SerialPort::pair().unwrap();
    let file = ptys().into_iter().find(|file| !before.contains(file));
    let file = file.unwrap();
    // The other way round last: what a line says stays with the tty until somebody says something else.
    for (flow, set) in [(Flow::RtsCts, true), (Flow::None, false)] {
        let tty = open(&file, 115_200, flow).unwrap();
        let flags = tty.get_configuration().unwrap().as_termios().c_cflag;
        assert_eq!(flags & libc::CRTSCTS != 0, set, "{flow:?}");
        assert!(flags & libc::CLOCAL != 0);
    }
}

/// Pseudo-terminals that this process has open.
fn ptys() -> Vec<PathBuf> {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let files = open.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
    files.filter(|file| file.starts_with("/dev/pts/")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_takes_what_it_carries_and_the_oldest_falls_out() {
    // 9,600 baud are 960 bytes a second; it is told 100 frames of 200 bytes at once.
    let (line, mut far) = piped(9_600);
    up(&line, 1).await;
    let len = encoded_len(200) as u64;
    for n in 0..100_u8 {
        line.send(&[n; 200]);
    }
    let kept = WAIT_BYTES as u64 / len;
    assert_eq!(line.counts().dropped, 100 - kept);
    let mut room = [0; MAX_FRAME + CRC];
    let mut decoder = Decoder::new(&mut room);
    let began = Instant::now();
    for n in 100 - kept..100 {
        assert_eq!(heard(&mut far, &mut decoder).await, [n as u8; 200]);
    }
    let carried = (kept - 1) * len * 10 * 1_000 / 9_600;
    let took = began.elapsed().as_millis() as u64;
    assert!(
        (carried - 40..carried + 60).contains(&took),
        "{took} for {carried}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_holds_up_its_own_line_only() {
    let (line, far) = piped(115_200);
    let (other, mut end) = piped(115_200);
    up(&line, 1).await;
    up(&other, 1).await;
    for n in 0..1_000_u32 {
        line.send(&[1; 1400]);
        if n % 50 == 0 {
            other.send(&n.to_be_bytes());
        }
    }
    let mut room = [0; MAX_FRAME + CRC];
    let mut decoder = Decoder::new(&mut room);
    for n in 0..20_u32 {
        assert_eq!(heard(&mut end, &mut decoder).await, (n * 50).to_be_bytes());
    }
    let counts = line.counts();
    assert!(counts.dropped > 980 && counts.frames_out == 0, "{counts:?}");
    assert!(line.0.state().bytes <= 23_040);
    drop(far);
}

#[tokio::test]
async fn a_flood_is_not_read_past_what_the_loop_takes() {
    let (line, far) = piped(1_000_000);
    let flood = tokio::spawn(async move {
        let mut far = far;
        let frames: Vec<u8> = (0..1_000_u32)
            .flat_map(|n| encoded(&n.to_be_bytes()))
            .collect();
        far.write_all(&frames).await.unwrap();
    });
    sleep(Duration::from_millis(200)).await;
    assert!(line.counts().frames_in <= CAME as u64 + 10);
    for n in 0..1_000_u32 {
        assert_eq!(next(&line, &line.0.wake).await, n.to_be_bytes());
    }
    flood.await.unwrap();
    assert_eq!(line.counts().frames_in, 1_000);
}

#[tokio::test]
async fn a_line_leads_to_neighbours_behind_the_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = Port::Tcp(listener.local_addr().unwrap().to_string());
    let bound = || async { UdpSocket::bind("127.0.0.1:0").await.unwrap() };
    let (first, second, stranger) = (bound().await, bound().await, bound().await);
    let neighbours = [&first, &second].map(|s| s.local_addr().unwrap());
    let behind = Behind::bind("127.0.0.1:0".parse().unwrap(), neighbours.to_vec()).unwrap();
    let hub = behind.socket.local_addr().unwrap();
    let wake = Arc::new(Notify::new());
    let line = Line::start(port, 1_000_000, Flow::None, Some(behind), wake.clone()).unwrap();
    let (mut end, _) = listener.accept().await.unwrap();
    up(&line, 1).await;

    // From the device: to the second, to itself, to nobody, and a name whose frame came damaged.
    let mut bent = encoded(b"bent on its way");
    bent[5] ^= 1;
    for bytes in [
        &encoded(&[2])[..],
        &encoded(b"to the second"),
        &encoded(b"to the gateway"),
        &encoded(&[3]),
        &encoded(b"to nobody"),
        &encoded(&[1]),
        &bent,
    ] {
        end.write_all(bytes).await.unwrap();
    }
    end.write_all(&encoded(b"to the gateway again"))
        .await
        .unwrap();
    let mut buffer = [0; 64];
    let (len, from) = timeout(LIMIT, second.recv_from(&mut buffer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((&buffer[..len], from), (&b"to the second"[..], hub));
    assert_eq!(next(&line, &wake).await, b"to the gateway");
    assert_eq!(next(&line, &wake).await, b"to the gateway again");

    // To the device: named, unless it is the gateway's own; a stranger is not heard.
    let mut room = [0; MAX_FRAME + CRC];
    let mut decoder = Decoder::new(&mut room);
    stranger.send_to(b"let me in", hub).await.unwrap();
    first.send_to(b"from the first", hub).await.unwrap();
    assert_eq!(heard(&mut end, &mut decoder).await, [1]);
    assert_eq!(heard(&mut end, &mut decoder).await, b"from the first");
    line.send(b"from the gateway");
    assert_eq!(heard(&mut end, &mut decoder).await, b"from the gateway");
    let counts = line.counts();
    assert_eq!(
        (counts.passed_out, counts.passed_in, counts.not_passed),
        (1, 1, 2)
    );
    assert!(
        first.try_recv_from(&mut buffer).is_err(),
        "what was bent reached somebody"
    );
}
