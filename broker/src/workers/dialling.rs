//! Connecting to a device, on a thread that lives as long as that takes.
//!
//! Owns how a connection is made and kept from being half open; never says anything over it.

use crate::source::hl2ss::Host;
use crate::stream::{Mailbox, Report};
use rustix::net::sockopt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

/// How long connecting may take, all addresses of a name together, and looking it up.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// A device that sends nothing is asked after this time whether it is still there, so often, so many times.
const IDLE: Duration = Duration::from_secs(5);
const PROBE_EVERY: Duration = Duration::from_secs(2);
const PROBES: u32 = 3;
/// One that takes nothing in for so long is gone.
const UNACKNOWLEDGED_MS: u32 = 10_000;

/// Connects, and reports to the mailbox what came of it.
pub(super) fn begin(host: Host, port: u16, dial: u64, mailbox: Mailbox) -> Result<(), String> {
    let thread = thread::Builder::new().name(format!("dial-{port}"));
    let connecting = move || {
        let outcome = connect(&host, port);
        mailbox.post(Report::Dialled { dial, outcome });
    };
    match thread.spawn(connecting) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "no thread to connect on: {error} (raise TasksMax= of the service)"
        )),
    }
}

fn connect(host: &Host, port: u16) -> Result<OwnedFd, String> {
    let end = Instant::now() + PATIENCE;
    let found = (host.as_str(), port).to_socket_addrs().map_err(|error| {
        format!("{host} is not found ({error}): is it its name on this network? An address as in 192.168.1.80 does too")
    })?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let mut last = io::Error::from(ErrorKind::NotFound);
    for (place, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
        // The first one must not take the time of all.
        let share = left / others;
        if share.is_zero() {
            last = ErrorKind::TimedOut.into();
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return set_up(stream).map_err(|error| sentence(host, port, &error)),
            Err(error) => last = error,
        }
    }
    Err(sentence(host, port, &last))
}

fn set_up(stream: TcpStream) -> io::Result<OwnedFd> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, IDLE)?;
    sockopt::set_tcp_keepintvl(&stream, PROBE_EVERY)?;
    sockopt::set_tcp_keepcnt(&stream, PROBES)?;
    sockopt::set_tcp_user_timeout(&stream, UNACKNOWLEDGED_MS)?;
    Ok(stream.into())
}

fn sentence(host: &Host, port: u16, error: &io::Error) -> String {
    let place = format!("{host} cannot be reached at port {port}");
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            format!("{place}, it refuses: is the hl2ss application running on the headset?")
        }
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            format!(
                "{place}, it does not answer: is the headset awake, and on this network? Where systemd runs the \
                 broker, IPAddressAllow= in streamemd.service.d/50-hololens.conf must name its address, if that is \
                 not a private one"
            )
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            format!("{place} ({error}): is the headset awake, and on this network?")
        }
        _ => format!("{place}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn host(text: &str) -> Host {
        Host::new(text).unwrap()
    }

    #[test]
    fn a_connection_finds_out_that_the_other_end_is_gone() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = TcpStream::from(connect(&host("127.0.0.1"), port).unwrap());
        assert!(stream.nodelay().unwrap());
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), IDLE);
        assert_eq!(
            sockopt::tcp_user_timeout(&stream).unwrap(),
            UNACKNOWLEDGED_MS
        );
    }

    #[test]
    fn what_is_not_there_is_said_with_what_to_do() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let why = connect(&host("127.0.0.1"), port).unwrap_err();
        assert!(
            why.contains(&format!("127.0.0.1 cannot be reached at port {port}"))
                && why.contains("application running"),
            "{why}"
        );
        let why = connect(&host("no-such-headset.invalid"), 3810).unwrap_err();
        assert!(why.contains("is not found"), "{why}");
        let timeout = sentence(&host("h"), 3810, &ErrorKind::TimedOut.into());
        assert!(
            timeout.contains("awake") && timeout.contains("IPAddressAllow="),
            "{timeout}"
        );
    }
}
