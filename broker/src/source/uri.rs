//! The URI that names a source: a scheme, a kind, and parameters which are checked by name.
//!
//! Owns the syntax and the errors; never opens anything.

use std::fmt;
use std::str::FromStr;
use streamem_wire::{BadLayout, BadWish};

mod parameters;

pub use parameters::Parameters;
pub(crate) use parameters::not_possible;

/// The schemes there are sources for.
pub const SCHEMES: &[&str] = &["decode", "hl2ss", "pattern", "publish", "v4l2"];
/// The scheme that has no kinds.
const WITHOUT_KIND: &str = "publish";
/// Longest URI.
pub const URI_BYTES_MAX: usize = 4096;

/// Names a source: `pattern://bars?size=1920x1080&rate=60`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceUri {
    scheme: String,
    kind: String,
    parameters: Vec<(String, String)>,
    text: String,
}

/// Why there is no such source.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadSource {
    /// Not a URI.
    #[error(
        "{text:?} names no source: {why}; write for example pattern://bars?size=1280x720&rate=30"
    )]
    Malformed {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No source has this scheme.
    #[error("there are no sources {scheme}://…: {hint}")]
    Scheme {
        /// What was written.
        scheme: String,
        /// What was meant.
        hint: String,
    },
    /// The scheme has no such kind.
    #[error("there is no {scheme}://{kind}: {hint}")]
    Kind {
        /// Of which scheme.
        scheme: String,
        /// What was written.
        kind: String,
        /// What was meant.
        hint: String,
    },
    /// The kind has no such parameter.
    #[error("{source_kind} has no parameter {parameter:?}: {hint}")]
    Parameter {
        /// Scheme and kind.
        source_kind: String,
        /// What was written.
        parameter: String,
        /// What was meant.
        hint: String,
    },
    /// A parameter was given twice.
    #[error("the parameter {0:?} is given twice; keep one of them")]
    Repeated(String),
    /// A parameter cannot have this value.
    #[error("{parameter}={value} is not possible: {possible}")]
    Value {
        /// Which parameter.
        parameter: String,
        /// What was written.
        value: String,
        /// What could be.
        possible: String,
    },
    /// The stream it is to be made of cannot be that.
    #[error("nothing can be decoded from stream {parent:?}: {why}")]
    Parent {
        /// Which.
        parent: String,
        /// What speaks against it.
        why: String,
    },
    /// The device would not take it.
    #[error("{source_kind} cannot be asked for: {why}")]
    Refused {
        /// Scheme and kind.
        source_kind: String,
        /// What the device would take.
        why: streamem_hl2ss::Refused,
    },
    /// Another stream asks the same of a device in another way.
    #[error(
        "{host} sends its {what} once, and stream {other:?} asks for it otherwise: give both the same parameters, \
         but for format and calibration"
    )]
    Beside {
        /// The device.
        host: String,
        /// What is asked for.
        what: String,
        /// The other stream.
        other: String,
    },
    /// The parameters together make no layout.
    #[error("{source_kind} cannot have such frames: {why}")]
    Wish {
        /// Scheme and kind.
        source_kind: String,
        /// What is wrong with them.
        why: BadWish,
    },
    /// The parameters together make no frame.
    #[error("{source_kind} cannot have such frames: {why}")]
    Layout {
        /// Scheme and kind.
        source_kind: String,
        /// What is wrong with them.
        why: BadLayout,
    },
}

impl BadSource {
    /// The part of the URI that is wrong, as far as it can be told.
    #[must_use]
    pub fn offending(&self) -> String {
        match self {
            BadSource::Malformed { text, .. } => text.clone(),
            BadSource::Scheme { scheme, .. } => scheme.clone(),
            BadSource::Parent { parent, .. } => parent.clone(),
            BadSource::Kind { kind, .. } => kind.clone(),
            BadSource::Parameter { parameter, .. } => format!("{parameter}="),
            BadSource::Repeated(parameter) => format!("{parameter}="),
            BadSource::Value {
                parameter, value, ..
            } => format!("{parameter}={value}"),
            BadSource::Layout { source_kind, .. }
            | BadSource::Wish { source_kind, .. }
            | BadSource::Refused { source_kind, .. } => source_kind.clone(),
            BadSource::Beside { host, .. } => host.clone(),
        }
    }
}

/// The known word nearest to a misspelt one, if any is near.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word: String = word.chars().take(64).collect::<String>().to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, known);
    let near = known.iter().min_by_key(|known| distance(known))?;
    (distance(near) <= (near.len() / 2).max(1)).then_some(near)
}

/// What to write instead of an unknown word: the nearest known one, or all of them.
pub(crate) fn hint(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("there is {}", known.join(", ")),
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let (digits, tail) = tail.split_first_chunk::<2>()?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(digits[0])? << 4 | digit(digits[1])?).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.chars().any(char::is_control))
}

impl FromStr for SourceUri {
    type Err = BadSource;

    fn from_str(text: &str) -> Result<SourceUri, BadSource> {
        let malformed = |why| BadSource::Malformed {
            text: text.chars().take(80).collect(),
            why,
        };
        if text.len() > URI_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let legal = |character: char| !character.is_whitespace() && !character.is_control();
        if !text.chars().all(legal) {
            return Err(malformed("it contains a space or a control character"));
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| malformed("there is no \"://\" in it"))?;
        if !SCHEMES.contains(&scheme) {
            return Err(BadSource::Scheme {
                scheme: scheme.to_owned(),
                hint: hint(scheme, SCHEMES),
            });
        }
        let (kind, query) = rest.split_once('?').unwrap_or((rest, ""));
        let decoded = |part| decoded(part).ok_or_else(|| malformed("a %-escape is broken"));
        let kind = decoded(kind)?;
        if kind.is_empty() && scheme != WITHOUT_KIND {
            return Err(malformed("nothing follows the \"://\""));
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| malformed("a parameter has no \"=\""))?;
            let (name, value) = (decoded(name)?, decoded(value)?);
            if parameters.iter().any(|(earlier, _)| *earlier == name) {
                return Err(BadSource::Repeated(name));
            }
            parameters.push((name, value));
        }
        Ok(SourceUri {
            scheme: scheme.to_owned(),
            kind,
            parameters,
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for SourceUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl SourceUri {
    /// A URI without parameters.
    pub(super) fn bare(scheme: &str, kind: &str) -> SourceUri {
        SourceUri {
            scheme: scheme.to_owned(),
            kind: kind.to_owned(),
            parameters: Vec::new(),
            text: format!("{scheme}://{kind}"),
        }
    }

    /// What is before `://`: which sort of source.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What follows: which pattern, which device.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and kind without the parameters.
    #[must_use]
    pub fn without_parameters(&self) -> String {
        format!("{}://{}", self.scheme, self.kind)
    }

    /// The error for a kind that the scheme does not have.
    #[must_use]
    pub fn no_such_kind(&self, known: &[&str]) -> BadSource {
        BadSource::Kind {
            scheme: self.scheme.clone(),
            kind: self.kind.clone(),
            hint: hint(&self.kind, known),
        }
    }

    /// The error for parameters that together make no frame.
    #[must_use]
    pub fn no_such_layout(&self, why: BadLayout) -> BadSource {
        BadSource::Layout {
            source_kind: self.without_parameters(),
            why,
        }
    }

    /// The parameters, once it is certain that there are none but the `known`.
    pub fn parameters(&self, known: &[&str]) -> Result<Parameters<'_>, BadSource> {
        let unknown = self
            .parameters
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()));
        match unknown {
            None => Ok(Parameters::new(&self.parameters)),
            Some((name, _)) => Err(BadSource::Parameter {
                source_kind: self.without_parameters(),
                parameter: name.clone(),
                hint: hint(name, known),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uri(text: &str) -> SourceUri {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> String {
        text.parse::<SourceUri>().unwrap_err().to_string()
    }

    #[test]
    fn a_uri_is_taken_apart_and_shown_as_written() {
        let bars = uri("pattern://bars?size=640x480&rate=59.94");
        assert_eq!((bars.scheme(), bars.kind()), ("pattern", "bars"));
        let parameters = bars.parameters(&["size", "rate"]).unwrap();
        assert_eq!(parameters.size((1, 1)).unwrap(), (640, 480));
        assert_eq!(
            parameters.number("rate", 30.0, 1.0..=100.0, None).unwrap(),
            59.94
        );
        assert_eq!(bars.to_string(), "pattern://bars?size=640x480&rate=59.94");
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(uri("pattern://a%20b%2fc").kind(), "a b/c");
        for broken in [
            "pattern://a%2",
            "pattern://a%zz",
            "pattern://%ff",
            "pattern://a?b=%00",
        ] {
            assert!(refused(broken).contains("%-escape"), "{broken}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(refused("bars").contains("no \"://\""));
        assert!(refused("pattern://").contains("nothing follows"));
        assert!(refused("pattern://bars?rate").contains("no \"=\""));
        assert!(refused("pattern://bars?a b=1").contains("space"));
        assert!(refused("pattern://bars?a=1&a=2").contains("twice"));
        assert!(refused("patern://bars").contains("did you mean \"pattern\"?"));
        assert!(refused(&format!("pattern://{}", "x".repeat(5000))).contains("too long"));
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_the_nearest() {
        let misspelt = uri("pattern://bars?siez=1x1");
        let error = misspelt
            .parameters(&["size", "rate"])
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "pattern://bars has no parameter \"siez\": did you mean \"size\"?"
        );
        let foreign = uri("pattern://bars?temperature=1");
        let error = foreign
            .parameters(&["size", "rate"])
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("there is size, rate"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".*") {
            let _ = text.parse::<SourceUri>();
        }

        #[test]
        fn any_text_after_the_scheme_is_survived_and_kept(text in "pattern://[a-z%0-9]{0,9}[?&=%a-f0-9x]{0,30}") {
            if let Ok(uri) = text.parse::<SourceUri>() {
                prop_assert_eq!(uri.to_string(), text);
                let _ = uri.parameters(&["a", "b"]).map(|taken| taken.whole("a", 1, 1..=2));
            }
        }
    }
}
