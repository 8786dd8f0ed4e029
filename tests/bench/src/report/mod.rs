//! What becomes of the figures: a table, JSON, a chart.
//!
//! It owns the presentation and never measures.

pub mod aims;
pub mod chart;
pub mod figures;
pub mod table;
