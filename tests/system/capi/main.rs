//! The C library, as a C program has it: header, symbols, and programs run against a real broker.
//!
//! Owns building programs with the system's compilers; never calls the library from Rust.

mod examples;
mod header;
mod programs;
