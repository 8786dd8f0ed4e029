//! Varlink's envelope: calls and replies as JSON objects, each ended by a NUL byte.
//!
//! Owns cutting a byte stream into messages and the two envelope types; never does I/O, never looks
//! into parameters.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest call the broker reads.
pub const CALL_BYTES_MAX: usize = 64 * 1024;
/// Longest reply a client reads.
pub const REPLY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A method call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Fully qualified name.
    pub method: String,
    /// Arguments.
    #[serde(
        default,
        deserialize_with = "null_is_absent",
        skip_serializing_if = "Map::is_empty"
    )]
    pub parameters: Map<String, Value>,
    /// The caller wants several replies.
    #[serde(
        default,
        deserialize_with = "null_is_absent",
        skip_serializing_if = "is_false"
    )]
    pub more: bool,
    /// The caller wants no reply.
    #[serde(
        default,
        deserialize_with = "null_is_absent",
        skip_serializing_if = "is_false"
    )]
    pub oneway: bool,
    /// The caller wants to speak another protocol afterwards.
    #[serde(
        default,
        deserialize_with = "null_is_absent",
        skip_serializing_if = "is_false"
    )]
    pub upgrade: bool,
}

/// A reply to a call, or an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Results, or the error's details.
    #[serde(default, deserialize_with = "null_is_absent")]
    pub parameters: Map<String, Value>,
    /// More replies follow.
    #[serde(
        default,
        deserialize_with = "null_is_absent",
        skip_serializing_if = "is_false"
    )]
    pub continues: bool,
    /// Fully qualified name of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

fn null_is_absent<'de, D, T>(field: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(field)?.unwrap_or_default())
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for this signature"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Why what came in is no message.
#[derive(Debug, thiserror::Error)]
pub enum BadMessage {
    /// No NUL within the limit.
    #[error("a message is longer than {0} bytes")]
    TooLong(usize),
    /// Not JSON, or not the envelope.
    #[error("a message is not what varlink asks for: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Cuts a stream of bytes into messages.
#[derive(Debug)]
pub struct Inbox {
    bytes: Vec<u8>,
    searched: usize,
    bytes_max: usize,
}

impl Inbox {
    /// An inbox for messages of at most `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Inbox {
        Inbox {
            bytes: Vec::new(),
            searched: 0,
            bytes_max,
        }
    }

    /// Takes in what the socket gave.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether nothing is left over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next whole message; `None` until more bytes have come.
    pub fn take<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>, BadMessage> {
        let Some(end) = self.bytes[self.searched..]
            .iter()
            .position(|byte| *byte == 0)
        else {
            self.searched = self.bytes.len();
            if self.searched > self.bytes_max {
                return Err(BadMessage::TooLong(self.bytes_max));
            }
            return Ok(None);
        };
        let end = self.searched + end;
        if end > self.bytes_max {
            return Err(BadMessage::TooLong(self.bytes_max));
        }
        let message = serde_json::from_slice(&self.bytes[..end]);
        self.bytes.drain(..=end);
        self.searched = 0;
        Ok(Some(message?))
    }
}

/// A message as it goes over the socket.
#[must_use]
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(message).unwrap_or_else(|_| b"{}".to_vec());
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_may_come_byte_by_byte() {
        let call = Call {
            method: "io.streamem.Ping".into(),
            ..Call::default()
        };
        let mut inbox = Inbox::new(CALL_BYTES_MAX);
        let bytes = encode(&call);
        let (last, first) = bytes.split_last().unwrap();
        for byte in first {
            inbox.push(&[*byte]);
            assert!(inbox.take::<Call>().unwrap().is_none());
        }
        inbox.push(&[*last]);
        assert_eq!(inbox.take::<Call>().unwrap(), Some(call));
        assert!(inbox.is_empty());
    }

    #[test]
    fn null_and_absent_are_the_same() {
        let mut inbox = Inbox::new(100);
        inbox.push(b"{\"method\":\"a\",\"parameters\":null,\"more\":null}\0");
        let call = inbox.take::<Call>().unwrap().unwrap();
        assert!(call.parameters.is_empty() && !call.more);
    }

    #[test]
    fn two_messages_in_one_read_are_two() {
        let mut inbox = Inbox::new(100);
        inbox.push(b"{\"method\":\"a\"}\0{\"method\":\"b\"}\0{");
        assert_eq!(inbox.take::<Call>().unwrap().unwrap().method, "a");
        assert_eq!(inbox.take::<Call>().unwrap().unwrap().method, "b");
        assert!(inbox.take::<Call>().unwrap().is_none());
    }

    #[test]
    fn a_message_without_end_is_refused() {
        let mut inbox = Inbox::new(10);
        inbox.push(&[b'x'; 11]);
        assert!(matches!(inbox.take::<Call>(), Err(BadMessage::TooLong(10))));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_survived(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)
        ) {
            let mut inbox = Inbox::new(64);
            for piece in &pieces {
                inbox.push(piece);
                while let Ok(Some(_)) = inbox.take::<Call>() {}
            }
        }

        #[test]
        fn calls_come_back_as_they_went(method in "[a-z.]{1,20}", more: bool, text in ".*") {
            let mut call = Call { method, more, ..Call::default() };
            call.parameters.insert("text".into(), Value::String(text));
            let mut inbox = Inbox::new(CALL_BYTES_MAX);
            inbox.push(&encode(&call));
            prop_assert_eq!(inbox.take::<Call>().unwrap(), Some(call));
        }
    }
}
