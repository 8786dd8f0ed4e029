//! Cameras that have a V4L2 driver.
//!
//! Owns finding them and agreeing with their drivers on what frames are; never fills a slot.

mod camera;
pub mod controls;
mod identity;
mod layout;
mod offer;
mod plugged;
mod signal;
mod wish;

pub use camera::{Camera, CameraError};
pub use identity::{Node, Places, nodes};
pub use plugged::Plugged;
pub use wish::{Fill, SCHEME, Which, Wish};
