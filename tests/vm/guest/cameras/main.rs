//! The kernel's own test driver, vivid, through `streamem-v4l2`: asked, streaming, changed and unplugged.
//!
//! Owns what a real driver answers; never depends on how fast it is.

mod asking;
mod changing;
mod going;
mod importing;
mod streaming;
mod udmabuf;
mod vivid;
