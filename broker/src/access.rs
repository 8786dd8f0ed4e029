//! Who may do what: rights, the users and groups that have them, and the peer that asks.
//!
//! Owns the rule; never looks up who a peer is, and never changes while the broker runs but by a
//! reload of the configuration.

use crate::source::uri::hint;
use std::str::FromStr;

/// What one may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Know that the stream is there.
    See,
    /// Get its frames to the CPU.
    Read,
    /// Get memory that devices can import, beside the right to read.
    Import,
    /// Fill its slots.
    Publish,
    /// Add and remove streams, and see everybody's sessions.
    Admin,
}

impl Right {
    /// All rights.
    pub const ALL: [Right; 5] = [
        Right::See,
        Right::Read,
        Right::Import,
        Right::Publish,
        Right::Admin,
    ];

    /// The name used in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Right::See => "see",
            Right::Read => "read",
            Right::Import => "import",
            Right::Publish => "publish",
            Right::Admin => "admin",
        }
    }

    /// What one must have to be given a stream's memory, in the order it is asked for.
    #[must_use]
    pub fn to_be_given(is_for_devices: bool) -> &'static [Right] {
        if is_for_devices {
            &[Right::Read, Right::Import]
        } else {
            &[Right::Read]
        }
    }
}

/// The process at the other end of a session, as the kernel vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
    /// Its number.
    pub pid: u32,
}

/// To whom a right is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever can connect.
    Everyone,
    /// One user.
    User(u32),
    /// The members of a group.
    Group(u32),
}

impl Principal {
    fn is(self, peer: &Peer) -> bool {
        match self {
            Principal::Everyone => true,
            Principal::User(uid) => peer.uid == uid,
            Principal::Group(gid) => peer.gid == gid || peer.groups.contains(&gid),
        }
    }
}

/// Why a text names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPrincipal {
    /// Not one of the three ways to write it.
    #[error("{text:?} names nobody: {hint}; write \"everyone\", \"user:NAME\" or \"group:NAME\"")]
    Unclear {
        /// What was written.
        text: String,
        /// What was meant.
        hint: String,
    },
    /// No such user on this machine.
    #[error(
        "there is no user {0:?} on this machine; create it, or write its number as in user:1000"
    )]
    NoSuchUser(String),
    /// No such group on this machine.
    #[error(
        "there is no group {0:?} on this machine; create it, or write its number as in group:44"
    )]
    NoSuchGroup(String),
}

/// The number a name stands for. The highest means "nobody" to the kernel and is no number.
fn number(name: &str, look_up: impl FnOnce(&str) -> Option<u32>) -> Option<u32> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits {
        name.parse().ok()
    } else if name.is_empty() || name.contains('\0') {
        None
    } else {
        look_up(name)
    };
    number.filter(|number| *number != u32::MAX)
}

impl FromStr for Principal {
    type Err = BadPrincipal;

    fn from_str(text: &str) -> Result<Principal, BadPrincipal> {
        let user = |name: &str| uzers::get_user_by_name(name).map(|user| user.uid());
        let group = |name: &str| uzers::get_group_by_name(name).map(|group| group.gid());
        let unclear = |word| BadPrincipal::Unclear {
            text: text.chars().take(80).collect(),
            hint: hint(word, &["everyone", "user", "group"]),
        };
        match text.split_once(':') {
            None if text == "everyone" => Ok(Principal::Everyone),
            None => Err(unclear(text)),
            Some(("user", name)) => number(name, user)
                .map(Principal::User)
                .ok_or_else(|| BadPrincipal::NoSuchUser(name.to_owned())),
            Some(("group", name)) => number(name, group)
                .map(Principal::Group)
                .ok_or_else(|| BadPrincipal::NoSuchGroup(name.to_owned())),
            Some((word, _)) => Err(unclear(word)),
        }
    }
}

/// Who has which right. Root and the user the broker runs as have all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    owner: u32,
    principals: [Vec<Principal>; Right::ALL.len()],
}

impl Default for Access {
    /// Everyone may see and read; nobody else may do more. Who has memory for devices can often write
    /// to it, so that being given some is more than reading.
    fn default() -> Access {
        Access {
            owner: rustix::process::geteuid().as_raw(),
            principals: Right::ALL.map(|right| match right {
                Right::See | Right::Read => vec![Principal::Everyone],
                Right::Import | Right::Publish | Right::Admin => Vec::new(),
            }),
        }
    }
}

impl Access {
    /// Whether the peer has the right. Who may read may see.
    #[must_use]
    pub fn allows(&self, right: Right, peer: &Peer) -> bool {
        let listed = |right| self.principals(right).iter().any(|named| named.is(peer));
        peer.uid == 0
            || peer.uid == self.owner
            || listed(right)
            || right == Right::See && listed(Right::Read)
    }

    /// Who has the right.
    #[must_use]
    pub fn principals(&self, right: Right) -> &[Principal] {
        &self.principals[right as usize]
    }

    /// Gives the right to these and to nobody else.
    pub fn give(&mut self, right: Right, principals: Vec<Principal>) {
        self.principals[right as usize] = principals;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn peer(uid: u32, gid: u32, groups: &[u32]) -> Peer {
        Peer {
            uid,
            gid,
            groups: groups.to_vec(),
            pid: 1,
        }
    }

    fn owned_by(owner: u32) -> Access {
        Access {
            owner,
            ..Access::default()
        }
    }

    #[test]
    fn by_default_everyone_reads_and_nobody_does_more() {
        let (access, anybody) = (owned_by(70), peer(1000, 1000, &[]));
        let allowed = Right::ALL.map(|right| access.allows(right, &anybody));
        assert_eq!(allowed, [true, true, false, false, false]);
    }

    #[test]
    fn root_and_the_broker_itself_have_every_right() {
        let mut access = owned_by(70);
        for right in Right::ALL {
            access.give(right, Vec::new());
        }
        for (uid, all) in [(0, true), (70, true), (71, false)] {
            for right in Right::ALL {
                assert_eq!(
                    access.allows(right, &peer(uid, 9, &[])),
                    all,
                    "{uid} {right:?}"
                );
            }
        }
    }

    #[test]
    fn a_right_goes_to_users_and_to_members_of_groups() {
        let mut access = owned_by(70);
        access.give(
            Right::Import,
            vec![Principal::User(5), Principal::Group(44)],
        );
        let may = |peer: Peer| access.allows(Right::Import, &peer);
        assert!(may(peer(5, 5, &[])));
        assert!(may(peer(6, 44, &[])));
        assert!(may(peer(6, 6, &[1, 44])));
        assert!(!may(peer(44, 6, &[5])));
    }

    #[test]
    fn memory_for_devices_is_for_those_who_may_read_and_import() {
        let mut access = owned_by(70);
        let may = |access: &Access, user, is_for_devices| {
            let mut rights = Right::to_be_given(is_for_devices).iter();
            let peer = peer(user, 1, &[]);
            rights.all(|right| access.allows(*right, &peer))
        };
        assert!(may(&access, 5, false) && !may(&access, 5, true));
        access.give(Right::Read, vec![Principal::User(5), Principal::User(6)]);
        assert!(may(&access, 5, false) && !may(&access, 7, false));
        access.give(Right::Import, vec![Principal::User(6), Principal::User(7)]);
        assert!(may(&access, 5, false) && !may(&access, 5, true));
        assert!(may(&access, 6, false) && may(&access, 6, true));
        assert!(!may(&access, 7, false) && !may(&access, 7, true));
    }

    #[test]
    fn who_may_read_may_see_but_not_the_other_way_round() {
        let mut access = owned_by(70);
        access.give(Right::See, vec![Principal::User(5)]);
        access.give(Right::Read, vec![Principal::User(6)]);
        assert!(access.allows(Right::See, &peer(6, 1, &[])));
        assert!(access.allows(Right::See, &peer(5, 1, &[])));
        assert!(!access.allows(Right::Read, &peer(5, 1, &[])));
        assert!(!access.allows(Right::See, &peer(7, 1, &[])));
    }

    #[test]
    fn names_and_numbers_are_understood() {
        assert_eq!("everyone".parse(), Ok(Principal::Everyone));
        assert_eq!("user:root".parse(), Ok(Principal::User(0)));
        assert_eq!("group:root".parse(), Ok(Principal::Group(0)));
        assert_eq!("user:1000".parse(), Ok(Principal::User(1000)));
        assert_eq!("group:44".parse(), Ok(Principal::Group(44)));
    }

    #[test]
    fn who_does_not_exist_is_refused() {
        let refused = |text: &str| text.parse::<Principal>().unwrap_err().to_string();
        assert!(refused("user:no-such-user").starts_with("there is no user \"no-such-user\""));
        assert!(refused("group:no-such-group").starts_with("there is no group"));
        assert!(refused("evryone").contains("did you mean \"everyone\"?"));
        assert!(refused("usr:root").contains("did you mean \"user\"?"));
        for nobody in [
            "user:",
            "user:4294967295",
            "user:99999999999",
            "user:-1",
            "user:a\0b",
        ] {
            assert!(
                refused(nobody).starts_with("there is no user"),
                "{nobody:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(user:|group:)?.*") {
            let _ = text.parse::<Principal>();
        }
    }
}
