//! The C library: the same client behind functions a C program can call.
//!
//! Owns what crosses the border to C: handles, structs that may grow, and errors as numbers. Never
//! knows how a frame is read, and never lets a panic or a bad handle through. What is documented on
//! these functions is the documentation in `streamem.h`, which is made of them.

mod failure;
mod frame;
mod handle;
mod layout;
mod memory;
mod options;
mod publisher;
mod publishing;
mod streams;
mod subscription;
