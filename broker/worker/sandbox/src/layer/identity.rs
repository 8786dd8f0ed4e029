//! Who the process is: nobody, with no privileges.
//!
//! Owns dropping user, groups and capabilities; never takes on another user than nobody.

use crate::{SandboxError, Wall, Walls};
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

/// The user and the group no file belongs to.
const NOBODY: u32 = 65534;

/// Becomes nobody, where it is root. Another user cannot, and stays who it is.
///
/// # Errors
/// It is root and cannot be another.
pub fn nobody(walls: &mut Walls) -> Result<(), SandboxError> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    set_thread_groups(&[]).map_err(SandboxError::refused("to leave root's groups", "setgroups"))?;
    set_thread_res_gid(group, group, group)
        .map_err(SandboxError::refused("to leave root's group", "setresgid"))?;
    set_thread_res_uid(user, user, user)
        .map_err(SandboxError::refused("to be no longer root", "setresuid"))?;
    walls.stands(Wall::Nobody);
    Ok(())
}

/// Drops every capability, and the ways to get one.
///
/// # Errors
/// Some are left.
pub fn no_privileges(walls: &mut Walls) -> Result<(), SandboxError> {
    set_no_new_privs(true).map_err(SandboxError::refused(
        "to gain no privileges",
        "prctl(PR_SET_NO_NEW_PRIVS)",
    ))?;
    for capability in CapabilitySet::all().iter() {
        // Takes a capability itself, and is about programs that will be executed, of which there are none.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    // A service that has none is often refused to drop them too.
    if held()? != none {
        set_capabilities(None, none)
            .map_err(SandboxError::refused("to drop capabilities", "capset"))?;
    }
    let left = held()?;
    if left != none {
        return Err(SandboxError::Privileged(format!("{left:?}")));
    }
    walls.stands(Wall::NoPrivileges);
    Ok(())
}

fn held() -> Result<CapabilitySets, SandboxError> {
    capabilities(None).map_err(SandboxError::refused("to look at capabilities", "capget"))
}
