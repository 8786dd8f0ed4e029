//! Landlock: no file, no port, and nobody outside to signal or to call.
//!
//! Owns the one rule set, which allows nothing; what a kernel's interface does not know yet is left to other walls.

use crate::{Wall, Walls};
use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetError, Scope,
};

/// The newest one there is a name for; of an older kernel all it has is taken.
const NEWEST: ABI = ABI::V9;

/// Forbids all that the kernel can be asked to forbid.
pub fn forbid(walls: &mut Walls) {
    match restricted().map(|status| status.landlock) {
        Ok(LandlockStatus::Available { effective_abi, .. }) => {
            walls.stands(Wall::Landlock(effective_abi as i32));
        }
        Ok(LandlockStatus::NotEnabled) => walls.lacks(
            "landlock",
            "it is not enabled; add landlock to the kernel's parameter lsm=",
        ),
        Ok(_) => walls.lacks("landlock", "this kernel has none; it comes with 5.13"),
        Err(error) => walls.lacks("landlock", error.to_string()),
    }
}

fn restricted() -> Result<RestrictionStatus, RulesetError> {
    Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .restrict_self()
}
