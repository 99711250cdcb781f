//! Metrics as Prometheus text over plain HTTP on a loopback address.
//!
//! Invariant: a scrape never touches the node. The loop leaves a finished page now and then, the responder hands out the newest
//! one; a slow or silent client costs one connection out of a few and is cut off after two seconds.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// The newest page, shared with the responder.
#[derive(Clone, Default)]
pub struct Page(Arc<Mutex<Arc<str>>>);

impl Page {
    /// Replaces the page.
    pub fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text.into();
    }

    /// The newest page.
    #[must_use]
    pub fn get(&self) -> Arc<str> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Values counted by their size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Histogram {
    counts: [u64; 8],
    count: u64,
    sum: u64,
}

impl Histogram {
    /// Counts a value below the first of `ends` that it does not pass; there are at most eight.
    pub fn add(&mut self, ends: &[u64], value: u64) {
        let place = ends.iter().position(|end| value <= *end);
        if let Some(count) = place.and_then(|place| self.counts.get_mut(place)) {
            *count += 1;
        }
        self.count += 1;
        self.sum += value;
    }
}

/// Writes one page in the exposition format 0.0.4.
#[derive(Default)]
pub struct Exposition(String);

impl Exposition {
    /// A count that only grows.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, help, "counter");
        let _ = writeln!(self.0, "iotedge_{name} {value}");
    }

    /// A value that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, help, "gauge");
        let _ = writeln!(self.0, "iotedge_{name} {value}");
    }

    /// A count of seconds.
    pub fn seconds(&mut self, name: &str, help: &str, value: Duration) {
        self.family(name, help, "counter");
        let _ = writeln!(self.0, "iotedge_{name} {}", value.as_secs_f64());
    }

    /// A histogram with these upper ends.
    pub fn histogram(&mut self, name: &str, help: &str, ends: &[u64], of: &Histogram) {
        self.family(name, help, "histogram");
        let mut sum = 0;
        for (end, count) in ends.iter().zip(&of.counts) {
            sum += count;
            let _ = writeln!(self.0, "iotedge_{name}_bucket{{le=\"{end}\"}} {sum}");
        }
        let _ = writeln!(
            self.0,
            "iotedge_{name}_bucket{{le=\"+Inf\"}} {}\niotedge_{name}_sum {}\niotedge_{name}_count {}",
            of.count, of.sum, of.count
        );
    }

    /// One count for each value of a label. Label values must be plain words: they are names of ours.
    pub fn counters<'n>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'n str, u64)>,
    ) {
        self.family(name, help, "counter");
        self.labelled(name, label, values);
    }

    /// The same for values that go up and down.
    pub fn gauges<'n>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'n str, u64)>,
    ) {
        self.family(name, help, "gauge");
        self.labelled(name, label, values);
    }

    fn labelled<'n>(
        &mut self,
        name: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'n str, u64)>,
    ) {
        for (of, value) in values {
            let _ = writeln!(self.0, "iotedge_{name}{{{label}=\"{of}\"}} {value}");
        }
    }

    /// The page.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }

    fn family(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(
            self.0,
            "# HELP iotedge_{name} {help}\n# TYPE iotedge_{name} {kind}"
        );
    }
}

/// Serves `page` under `/metrics` until the runtime ends. Returns the bound address.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(address: SocketAddr, page: Page) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let permits = Arc::new(Semaphore::new(8));
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                continue;
            };
            let page = page.clone();
            tokio::spawn(async move {
                let _ = tokio::time::timeout(Duration::from_secs(2), answer(stream, &page)).await;
                drop(permit);
            });
        }
    });
    Ok(bound)
}

async fn answer(mut stream: TcpStream, page: &Page) -> std::io::Result<()> {
    let mut request = [0; 2048];
    let mut filled = 0;
    let complete = |bytes: &[u8]| bytes.windows(4).any(|w| w == b"\r\n\r\n");
    while !complete(&request[..filled]) {
        let n = stream.read(&mut request[filled..]).await?;
        filled += n;
        if n == 0 || filled == request.len() {
            break;
        }
    }
    let head = String::from_utf8_lossy(&request[..filled]);
    let mut words = head.split_ascii_whitespace();
    let (status, kind, body) = match (words.next(), words.next()) {
        (Some("GET"), Some("/metrics" | "/")) => (
            "200 OK",
            "text/plain; version=0.0.4; charset=utf-8",
            page.get(),
        ),
        (Some("GET"), _) => (
            "404 Not Found",
            "text/plain",
            "metrics are under /metrics\n".into(),
        ),
        _ => ("405 Method Not Allowed", "text/plain", "only GET\n".into()),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_page_is_served_and_everything_else_is_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let page = Page::default();
        let mut text = Exposition::default();
        text.counters(
            "refused_total",
            "Frames refused.",
            "reason",
            [("Signature", 3), ("Malformed", 0)],
        );
        text.gauge("peers", "Neighbours.", 2);
        page.set(text.finish());
        let address = runtime
            .block_on(serve("127.0.0.1:0".parse().unwrap(), page.clone()))
            .unwrap();
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));

        let answer = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("# TYPE iotedge_refused_total counter\niotedge_refused_total{reason=\"Signature\"} 3\n"), "{answer}");
        assert!(answer.ends_with("iotedge_peers 2\n"), "{answer}");
        assert!(ask(address, "GET /x HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        assert!(ask(address, &"x".repeat(2048)).starts_with("HTTP/1.1 405"));

        page.set("new\n".into());
        assert!(ask(address, "GET / HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nnew\n"));
    }
}
