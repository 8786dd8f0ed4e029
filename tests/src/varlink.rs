//! A varlink client written from the specification alone, with no help of the client crate.
//!
//! Owns one connection; never repairs anything: what the broker says is handed on as it came.

use rustix::net::RecvFlags;
use serde_json::{Value, json};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use streamem_sys::socket;

/// What the broker said.
#[derive(Debug)]
pub struct Answer {
    /// The error's name, if it is one.
    pub error: Option<String>,
    /// The results, or the error's details.
    pub parameters: Value,
    /// Whether more follows.
    pub continues: bool,
    /// Descriptors that came with it.
    pub fds: Vec<OwnedFd>,
}

impl Answer {
    /// The results.
    ///
    /// # Panics
    ///
    /// When it is an error.
    pub fn ok(self) -> Value {
        assert!(self.error.is_none(), "refused: {self:?}");
        self.parameters
    }

    /// The short name of the error.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn refused(&self) -> &str {
        let error = self.error.as_deref();
        let error = error.unwrap_or_else(|| panic!("was not refused: {self:?}"));
        error.rsplit('.').next().unwrap_or(error)
    }

    /// The descriptor whose place the reply names under `role`.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn fd(&self, role: &str) -> BorrowedFd<'_> {
        let place = self.parameters[role]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok());
        let fd = place.and_then(|place| self.fds.get(place));
        fd.unwrap_or_else(|| panic!("no descriptor {role} in {self:?}"))
            .as_fd()
    }
}

/// A connection.
#[derive(Debug)]
pub struct Wire {
    socket: UnixStream,
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
}

impl Wire {
    /// Connects.
    ///
    /// # Panics
    ///
    /// When nobody listens.
    #[must_use]
    pub fn connect(path: &Path) -> Wire {
        Wire::try_connect(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Connects, if somebody listens.
    ///
    /// # Errors
    ///
    /// As `connect(2)`.
    pub fn try_connect(path: &Path) -> std::io::Result<Wire> {
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        socket.set_write_timeout(Some(Duration::from_secs(20)))?;
        Ok(Wire {
            socket,
            bytes: Vec::new(),
            fds: Vec::new(),
        })
    }

    /// The socket itself.
    #[must_use]
    pub fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// Sends bytes as they are; whether the broker took them.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).is_ok()
    }

    /// Sends a call.
    ///
    /// # Panics
    ///
    /// When the broker has hung up.
    pub fn send(&mut self, call: &Value) {
        let mut bytes = call.to_string().into_bytes();
        bytes.push(0);
        assert!(self.send_bytes(&bytes), "the broker hung up before {call}");
    }

    /// The next reply; `None` when the broker hung up.
    ///
    /// # Panics
    ///
    /// When nothing comes, or no JSON.
    pub fn receive(&mut self) -> Option<Answer> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == 0) {
                let message: Vec<u8> = self.bytes.drain(..=end).collect();
                let reply: Value = serde_json::from_slice(&message[..end]).expect("JSON");
                return Some(Answer {
                    error: reply["error"].as_str().map(str::to_owned),
                    parameters: reply.get("parameters").cloned().unwrap_or(json!({})),
                    continues: reply["continues"].as_bool().unwrap_or(false),
                    fds: std::mem::take(&mut self.fds),
                });
            }
            let mut buffer = vec![0; 1 << 16];
            match socket::receive(&self.socket, &mut buffer, RecvFlags::empty()) {
                Ok(received) if received.bytes == 0 => return None,
                Ok(received) => {
                    assert!(!received.fds_lost, "descriptors were lost");
                    self.bytes.extend_from_slice(&buffer[..received.bytes]);
                    self.fds.extend(received.fds);
                }
                Err(error) => match std::io::Error::from(error).kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => return None,
                    kind => panic!("no reply: {kind}"),
                },
            }
        }
    }

    /// Calls a method of `io.streamem`, or any if the name has dots, and waits for the reply.
    ///
    /// # Panics
    ///
    /// When the broker hangs up.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "so that json!() can be passed"
    )]
    pub fn call(&mut self, method: &str, parameters: Value) -> Answer {
        self.send(&json!({"method": full_name(method), "parameters": parameters}));
        let answer = self.receive();
        answer.unwrap_or_else(|| panic!("the broker hung up instead of answering {method}"))
    }

    /// Calls with `more`, and waits for the first reply.
    ///
    /// # Panics
    ///
    /// When the broker hangs up.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "so that json!() can be passed"
    )]
    pub fn call_more(&mut self, method: &str, parameters: Value) -> Answer {
        self.send(&json!({"method": full_name(method), "parameters": parameters, "more": true}));
        let answer = self.receive();
        answer.unwrap_or_else(|| panic!("the broker hung up instead of answering {method}"))
    }

    /// Subscribes to the newest frames of a stream, with as many leases.
    ///
    /// # Panics
    ///
    /// When the broker refuses.
    pub fn subscribe(&mut self, stream: &str, leases: u32) -> Answer {
        let answer = self.call("Subscribe", json!({"stream": stream, "leases": leases}));
        assert!(answer.error.is_none(), "{answer:?}");
        answer
    }

    /// Whether bytes lie unread in the socket.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        !self.bytes.is_empty() || rustix::io::ioctl_fionread(&self.socket).unwrap_or(0) > 0
    }
}

fn full_name(method: &str) -> String {
    if method.contains('.') {
        method.to_owned()
    } else {
        format!("io.streamem.{method}")
    }
}
