//! Why the broker refuses a call, by name and with a sentence a person can act on.
//!
//! Owns the names of the errors on the wire; never closes a session: a refusal leaves it as it was.

use crate::varlink::Reply;
use serde_json::Value;
use std::fmt;

macro_rules! refusals {
    ($($variant:ident $name:literal $doc:literal),* $(,)?) => {
        /// The kinds of refusal there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason {
            $(#[doc = $doc] $variant,)*
            /// A name this version does not know.
            Unknown,
        }

        impl Reason {
            /// The name on the wire.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Reason::$variant => $name,)*
                    Reason::Unknown => "io.streamem.Unknown",
                }
            }

            fn named(name: &str) -> Reason {
                match name {
                    $($name => Reason::$variant,)*
                    _ => Reason::Unknown,
                }
            }
        }
    };
}

refusals! {
    NoSuchStream "io.streamem.NoSuchStream" "There is no stream of that name, or none this user may see.",
    StreamExists "io.streamem.StreamExists" "A stream of that name is there already.",
    NoSuchSubscription "io.streamem.NoSuchSubscription" "This session has no such subscription.",
    NotPermitted "io.streamem.NotPermitted" "The configuration does not allow it to this user.",
    QuotaExceeded "io.streamem.QuotaExceeded" "The user has as much as the configuration allows.",
    PoolFull "io.streamem.PoolFull" "One more reader would break the promise made to the others.",
    BadSource "io.streamem.BadSource" "The source cannot be what was asked for.",
    NoSuchPublication "io.streamem.NoSuchPublication" "This session has no such publication.",
    BadLayout "io.streamem.BadLayout" "The frames cannot lie as was asked for.",
    BadMemory "io.streamem.BadMemory" "The memory of a publication is not what it must be.",
    NoDmaBuf "io.streamem.NoDmaBuf" "No device can import the memory this stream's frames lie in.",
    OutOfResources "io.streamem.OutOfResources" "The system would not give what was needed.",
    InvalidParameter "org.varlink.service.InvalidParameter" "A parameter is missing, of the wrong type or out of range.",
    MethodNotFound "org.varlink.service.MethodNotFound" "There is no such method.",
    MethodNotImplemented "org.varlink.service.MethodNotImplemented" "The method cannot be called like this.",
    InterfaceNotFound "org.varlink.service.InterfaceNotFound" "There is no such interface.",
    ExpectedMore "org.varlink.service.ExpectedMore" "The method has several replies and must be called with `more`.",
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of refusal.
    pub reason: Reason,
    /// What it is about: a stream, a parameter, a quota.
    pub subject: String,
    /// A sentence with the cause and the next step.
    pub message: String,
}

impl Refusal {
    /// A refusal about `subject`.
    pub fn new(reason: Reason, subject: impl Into<String>, message: impl Into<String>) -> Refusal {
        Refusal {
            reason,
            subject: subject.into(),
            message: message.into(),
        }
    }

    fn subject_key(&self) -> &'static str {
        match self.reason {
            Reason::InvalidParameter => "parameter",
            Reason::MethodNotFound | Reason::MethodNotImplemented => "method",
            Reason::InterfaceNotFound => "interface",
            _ => "subject",
        }
    }

    /// The refusal as a reply.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let mut reply = Reply {
            error: Some(self.reason.name().to_owned()),
            ..Reply::default()
        };
        let texts = [
            (self.subject_key(), &self.subject),
            ("message", &self.message),
        ];
        for (key, text) in texts {
            reply
                .parameters
                .insert(key.to_owned(), Value::String(text.clone()));
        }
        reply
    }

    /// The refusal a reply carries, if it carries one.
    #[must_use]
    pub fn of(reply: &Reply) -> Option<Refusal> {
        let name = reply.error.as_deref()?;
        let mut refusal = Refusal::new(Reason::named(name), "", "");
        let text = |key: &str| reply.parameters.get(key).and_then(Value::as_str);
        refusal.subject = text(refusal.subject_key()).unwrap_or_default().to_owned();
        refusal.message = text("message").unwrap_or(name).to_owned();
        Some(refusal)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
