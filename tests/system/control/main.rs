//! The control plane: calls, streams that come and go, access, quotas, configuration.
//!
//! Owns tests of what is said on the socket; never looks into memory (see `invariants`).

mod access;
mod calls;
mod check;
mod formats;
mod huge_pages;
mod monitoring;
mod namespaces;
mod pretouch;
mod quota;
mod reload;
mod specification;
mod watching;

/// An answer of `test-consumer call=…`.
fn assert_answer(answer: &serde_json::Value, error: Option<&str>) {
    let said = answer["error"]
        .as_str()
        .and_then(|name| name.rsplit('.').next());
    assert_eq!(said, error, "{answer}");
}
