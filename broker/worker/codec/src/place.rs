//! Where a plane lies.
//!
//! Owns two numbers; how they follow from the size of a picture is not known here.

/// Where a plane begins, and how far its rows are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}
