//! Failures in the words all drivers share.
//!
//! Owns which cause has which word; never hides the sentence.

use serde_json::{Value, json};
use streamem::{BadPage, Error, Fault, Reason};

/// A failure of a command.
#[derive(Debug)]
pub struct Failure {
    word: &'static str,
    says: String,
}

impl Failure {
    /// Of the test itself.
    pub fn test(says: impl Into<String>) -> Failure {
        let says = says.into();
        Failure { word: "test", says }
    }

    /// What is used was given back.
    pub fn released() -> Failure {
        Failure {
            word: "released",
            says: "it does not compile".to_owned(),
        }
    }

    /// As an answer.
    pub fn told(&self) -> Value {
        json!({"error": self.word, "says": self.says})
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let word = match &error {
            Error::BadName(_) | Error::TooLong { .. } => "bad-argument",
            Error::NoBroker { .. } => "no-broker",
            Error::NoAnswer { .. } => "no-answer",
            Error::HungUp { .. } => "hung-up",
            Error::Refused(refusal) => refused(refusal.reason),
            Error::StreamEnded { .. } => "ended",
            Error::StreamAbsent { .. } => "timeout",
            Error::LeasesExhausted { .. } => "too-many-held",
            Error::Rejected(_) => "rejected",
            Error::SideData { .. } => "too-much-side-data",
            Error::PublicationEnded { .. } => "publication-ended",
            Error::DescriptorsLost { .. } => "descriptors-lost",
            Error::Protocol(Fault::Page {
                cause: BadPage::Version(_),
                ..
            }) => "other-version",
            Error::Protocol(_) => "protocol",
            Error::System { .. } => "system",
        };
        let says = error.to_string();
        Failure { word, says }
    }
}

fn refused(reason: Reason) -> &'static str {
    match reason {
        Reason::NoSuchStream => "no-such-stream",
        Reason::StreamExists => "exists",
        Reason::NotPermitted => "not-permitted",
        Reason::QuotaExceeded => "quota",
        Reason::PoolFull => "pool-full",
        Reason::BadLayout => "bad-layout",
        Reason::InvalidParameter | Reason::BadSource => "bad-argument",
        _ => "refused",
    }
}
