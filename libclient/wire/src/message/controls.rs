//! What is said about the controls of a camera.
//!
//! Owns the types; never decides which value is possible.

use crate::name::StreamName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Parameters of `Controls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// Whose camera.
    pub stream: StreamName,
    /// What to set first, by name: a number, `true` or `false`, or a word of its menu.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
}

/// The reply to `Controls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlList {
    /// All there are, as they are now.
    pub controls: Vec<Control>,
}

/// Something that can be set on a camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// What it is called: `exposure_time_absolute`.
    pub name: String,
    /// The same for people.
    pub title: String,
    /// `integer`, `boolean`, `menu`, `bitmask` or `button`.
    pub kind: String,
    /// What it is set to; none where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// The smallest value.
    pub min: i64,
    /// The largest value.
    pub max: i64,
    /// From one value to the next.
    pub step: i64,
    /// The value after the camera was plugged in.
    pub default: i64,
    /// The words its values have.
    pub menu: Vec<MenuItem>,
    /// It can only be looked at.
    pub read_only: bool,
    /// Another control makes it do nothing.
    pub inactive: bool,
}

/// A value that has a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuItem {
    /// The value.
    pub value: i64,
    /// Its word.
    pub name: String,
}
