//! JSON-RPC by HTTP: one call, one answer, within a time.

use crate::Error;
use crate::abi::Revert;
use alloy_primitives::{Address, B256, U256, hex};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most of one answer: logs come in pages, nothing else is large.
const MAX_ANSWER: u64 = 64 << 20;
/// HTTP's status for a rate limit (RFC 6585 section 4); some put it into the answer instead.
const TOO_MANY: u16 = 429;

/// A way to an Ethereum node.
#[derive(Clone, Debug)]
pub struct Rpc {
    agent: ureq::Agent,
    url: String,
    timeout: Duration,
    next: Arc<AtomicU64>,
}

impl Rpc {
    pub fn new(url: &str, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // An address that sends elsewhere is not that of a node, and a transaction is not for whoever answers.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        Self {
            agent: config.into(),
            url: url.into(),
            timeout,
            next: Arc::default(),
        }
    }

    /// Scheme and host: behind it there may be a key.
    pub fn origin(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        format!("{scheme}://{host}")
    }

    /// One call. Null is an answer.
    ///
    /// # Errors
    /// Those of the endpoint, [`Error::Revert`] where the contract refuses, [`Error::Refused`] where the node does.
    pub fn call(&self, method: &'static str, params: Value) -> Result<Value, Error> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let mut response = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .send(request.to_string())
            .map_err(|e| self.broken(&e))?;
        let status = response.status();
        // Whatever its body says, by a node or by what stands before it.
        if status.as_u16() == TOO_MANY {
            return Err(self.limited());
        }
        let text = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_string()
            .map_err(|e| match e {
                // Less can be asked for.
                ureq::Error::BodyExceedsLimit(_) => Error::Refused {
                    method,
                    code: 0,
                    message: format!("its answer has more than {MAX_ANSWER} bytes"),
                },
                e => self.broken(&e),
            })?;
        // Nodes answer some refusals with a status other than 200, and a body that says more.
        let answer = serde_json::from_str::<Value>(&text)
            .map_err(|_| self.foreign(format!("status {}, no JSON", status.as_u16())))?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            if is_limit(error) {
                return Err(self.limited());
            }
            return Err(refused(method, error));
        }
        match answer.get("result") {
            Some(result) if answer["id"] == id => Ok(result.clone()),
            _ => Err(self.foreign(format!(
                "status {}, neither result nor error",
                status.as_u16()
            ))),
        }
    }

    /// A call whose answer is a number.
    pub fn number(&self, method: &'static str, params: Value) -> Result<u64, Error> {
        uint(&self.call(method, params)?).ok_or(Error::Form { what: method })
    }

    fn foreign(&self, why: String) -> Error {
        Error::NotJsonRpc {
            url: self.origin(),
            why,
        }
    }

    fn broken(&self, error: &ureq::Error) -> Error {
        match error {
            ureq::Error::Timeout(_) => self.late(),
            ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::TimedOut => self.late(),
            ureq::Error::Http(_) | ureq::Error::Protocol(_) => self.foreign(error.to_string()),
            _ => Error::Down {
                url: self.origin(),
                why: error.to_string(),
            },
        }
    }

    fn limited(&self) -> Error {
        Error::Limited { url: self.origin() }
    }

    fn late(&self) -> Error {
        Error::Timeout {
            url: self.origin(),
            after: self.timeout,
        }
    }
}

/// Whether an error is about how often was asked. By words: the code that most have for it, -32005, stands for too many logs as well, which a smaller page mends.
fn is_limit(error: &Value) -> bool {
    let message = error["message"].as_str().unwrap_or_default().to_lowercase();
    error["code"] == TOO_MANY
        || [
            "too many requests",
            "rate limit",
            "rate exceeded",
            "request limit",
        ]
        .iter()
        .any(|words| message.contains(words))
}

fn refused(method: &'static str, error: &Value) -> Error {
    let code = error["code"].as_i64().unwrap_or(0);
    let message = error["message"].as_str().unwrap_or("no message").to_owned();
    // Nodes differ in where they put what the contract said.
    let data = &error["data"];
    let said = data
        .as_str()
        .or_else(|| data["data"].as_str())
        .and_then(bytes_of);
    match said {
        Some(said) if code == 3 || message.contains("revert") => {
            Error::Revert(Revert::decode(&said))
        }
        _ if code == 3 || message.contains("execution reverted") => {
            Error::Revert(Revert::decode(&[]))
        }
        _ => Error::Refused {
            method,
            code,
            message,
        },
    }
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("0x")?).ok()
}

/// A quantity of 64 bits.
pub fn uint(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// A quantity of 256 bits.
pub fn wide(value: &Value) -> Option<U256> {
    U256::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// Bytes.
pub fn bytes(value: &Value) -> Option<Vec<u8>> {
    bytes_of(value.as_str()?)
}

/// 32 bytes.
pub fn word(value: &Value) -> Option<B256> {
    value.as_str()?.parse().ok()
}

/// An address.
pub fn address(value: &Value) -> Option<Address> {
    value.as_str()?.parse().ok()
}

/// As a quantity is written.
pub fn quantity(number: impl std::fmt::LowerHex) -> Value {
    Value::String(format!("{number:#x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_address_is_not_told() {
        for url in [
            "https://me:pw@node.example/v3/SECRET?key=SECRET",
            "https://node.example",
        ] {
            let rpc = Rpc::new(url, Duration::from_secs(1));
            assert_eq!(rpc.origin(), "https://node.example");
        }
    }

    #[test]
    fn a_rate_limit_is_no_refusal_of_what_was_asked() {
        for error in [
            json!({"code": 429, "message": "slow down"}),
            json!({"code": -32005, "message": "project ID request rate exceeded"}),
            json!({"code": -32007, "message": "15/second request limit reached"}),
            json!({"code": -32000, "message": "Too Many Requests"}),
        ] {
            assert!(is_limit(&error), "{error}");
        }
        for error in [
            json!({"code": -32005, "message": "query returned more than 10000 results"}),
            json!({"code": -32602, "message": "block range is limited to 500"}),
            json!({"code": -32003, "message": "exceeds block gas limit"}),
        ] {
            assert!(!is_limit(&error), "{error}");
        }
    }

    /// One answer to one call, whatever it asks.
    fn answered(head: &'static str, body: Vec<u8>) -> Error {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            // All of the request: what is unread when the stream is closed takes the answer with it.
            let (mut request, mut piece) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"}") {
                let read = stream.read(&mut piece).unwrap();
                request.extend_from_slice(&piece[..read]);
            }
            let length = body.len();
            let head =
                format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            // Who has read enough goes away.
            let _ = stream.write_all(&body);
        });
        let rpc = Rpc::new(&url, Duration::from_secs(20));
        let error = rpc.call("eth_getLogs", json!([])).unwrap_err();
        server.join().unwrap();
        error
    }

    #[test]
    fn status_429_is_a_rate_limit_whatever_the_body() {
        for body in ["<html>slow down</html>", r#"{"error":{"code":-32005}}"#] {
            let error = answered("429 Too Many Requests", body.into());
            assert!(matches!(error, Error::Limited { .. }), "{error}");
            assert!(error.passes());
        }
    }

    #[test]
    fn an_answer_that_is_too_long_can_be_asked_for_in_parts() {
        let length = usize::try_from(MAX_ANSWER).unwrap() + 1;
        let error = answered("200 OK", vec![b' '; length]);
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }

    #[test]
    fn a_refusal_of_the_contract_is_not_one_of_the_node() {
        let node = json!({"code": -32000, "message": "insufficient funds"});
        assert!(matches!(
            refused("eth_call", &node),
            Error::Refused { code: -32000, .. }
        ));
        for error in [
            json!({"code": 3, "message": "execution reverted", "data": "0x22"}),
            json!({"code": -32000, "message": "VM: revert", "data": {"data": "0x22"}}),
            json!({"code": -32000, "message": "execution reverted"}),
        ] {
            assert!(
                matches!(refused("eth_call", &error), Error::Revert(_)),
                "{error}"
            );
        }
    }
}
