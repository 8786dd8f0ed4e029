//! Cameras of other drivers than the one all else is tested with, each through a whole broker.
//!
//! Owns the parts; `boots` says which of them run with which driver.

mod converter;
mod counted;
mod decoding;
mod exact;
mod hdmi;
mod loopback;
#[path = "../streams/scene.rs"]
#[allow(dead_code, reason = "the knobs of a driver that is not here")]
mod scene;
#[path = "../cameras/udmabuf.rs"]
mod udmabuf;
mod vimc;
