//! A configuration file with anything in it.
//!
//! Owns nothing; a mistake must be told in a sentence that names the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;
use streamemd::config::Config;

fuzz_target!(|text: &str| {
    if let Err(error) = Config::from_text(Path::new("fuzzed.toml"), text) {
        let sentence = error.to_string();
        assert!(sentence.contains("fuzzed.toml"), "{sentence}");
    }
});
