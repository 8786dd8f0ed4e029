//! A source's URI, as an administrator or a client may send it.
//!
//! Owns nothing; a source that opens must say how its frames lie, and they must fit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamemd::source::{Source, SourceUri};

fuzz_target!(|text: &str| {
    match text.parse::<SourceUri>() {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(uri) => {
            assert_eq!(
                uri.as_str().parse::<SourceUri>().map_err(|e| e.to_string()),
                Ok(uri.clone())
            );
            match Source::of(&uri).and_then(|source| source.layout()) {
                Ok(layout) => assert!(layout.fits(layout.bytes)),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
});
