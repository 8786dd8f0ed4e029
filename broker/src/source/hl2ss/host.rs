//! Where a device is: an IPv4 address or a name.
//!
//! Owns which texts can be one; never looks one up.

use std::fmt;

/// Longest name DNS has.
const BYTES_MAX: usize = 253;
/// Longest part of one.
const LABEL_BYTES_MAX: usize = 63;

/// An address or a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host(String);

/// Why a text is no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no host: write an address as in 192.168.1.80 or a name as in hololens.local, without a port, since \
     each stream has its own"
)]
pub struct BadHost(String);

impl Host {
    /// The host of this address or name.
    pub fn new(text: &str) -> Result<Host, BadHost> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric();
        let is_label = |label: &str| {
            (1..=LABEL_BYTES_MAX).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| is_letter(byte) || matches!(byte, b'-' | b'_'))
                && label.bytes().next().is_some_and(is_letter)
                && label.bytes().last().is_some_and(is_letter)
        };
        let is_number = text
            .split('.')
            .all(|label| label.bytes().all(|b| b.is_ascii_digit()));
        let is_address = !is_number || text.parse::<std::net::Ipv4Addr>().is_ok();
        if text.len() <= BYTES_MAX && text.split('.').all(is_label) && is_address {
            Ok(Host(text.to_ascii_lowercase()))
        } else {
            Err(BadHost(text.chars().take(80).collect()))
        }
    }

    /// It as it is looked up.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_and_names_are_hosts_and_nothing_else_is() {
        for good in [
            "192.168.1.80",
            "hololens",
            "HoloLens-7.lan",
            "a_b.local",
            "3com",
        ] {
            assert_eq!(Host::new(good).unwrap().as_str(), good.to_ascii_lowercase());
        }
        let long = "a.".repeat(127) + "a";
        for bad in [
            "",
            ".",
            "a..b",
            "a.",
            "-a",
            "a-",
            "1.2.3",
            "1.2.3.256",
            "1.2.3.4:3810",
            "::1",
            "a b",
            "ä",
            "--host",
            &long,
        ] {
            let why = Host::new(bad).unwrap_err().to_string();
            assert!(why.contains("192.168.1.80"), "{bad}: {why}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".*") {
            let _ = Host::new(&text);
        }
    }
}
