//! Cameras that have a V4L2 driver.
//!
//! Owns finding them and agreeing with their drivers on what frames are; never fills a slot.

mod camera;
mod identity;
mod offer;
mod wish;

pub use camera::{Camera, CameraError};
pub use wish::{Fill, SCHEME, Which, Wish};
