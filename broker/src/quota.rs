//! What each user has of the broker, and how much they may have.
//!
//! Owns the accounts; a charge is given back when it is dropped, so nothing can be forgotten.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use streamem_wire::message::{Account, Quota};
use streamem_wire::{Reason, Refusal};

/// All accounts.
#[derive(Debug)]
pub struct Accounts {
    limit: Quota,
    used: Rc<RefCell<BTreeMap<u32, Quota>>>,
}

/// Something a user has, until this is dropped.
#[derive(Debug)]
pub struct Charge {
    uid: u32,
    amount: Quota,
    used: Rc<RefCell<BTreeMap<u32, Quota>>>,
}

type Kind = (&'static str, fn(&mut Quota) -> &mut u64);

const KINDS: [Kind; 5] = [
    ("sessions", |quota| &mut quota.sessions),
    ("subscriptions", |quota| &mut quota.subscriptions),
    ("leases", |quota| &mut quota.leases),
    ("descriptors", |quota| &mut quota.descriptors),
    ("bytes", |quota| &mut quota.bytes),
];

impl Accounts {
    /// Nobody has anything yet.
    #[must_use]
    pub fn new(limit: Quota) -> Accounts {
        Accounts {
            limit,
            used: Rc::default(),
        }
    }

    /// From now on this much may be had. What is had already stays.
    pub fn set_limit(&mut self, limit: Quota) {
        self.limit = limit;
    }

    /// Charges a user, unless that would be too much.
    pub fn charge(&self, uid: u32, amount: Quota) -> Result<Charge, Refusal> {
        let mut accounts = self.used.borrow_mut();
        let mut after = accounts.get(&uid).copied().unwrap_or_default();
        let (mut limit, mut more) = (self.limit, amount);
        for (name, of) in KINDS {
            let (has, limit, more) = (of(&mut after), *of(&mut limit), *of(&mut more));
            *has = has.saturating_add(more);
            if more > 0 && *has > limit {
                let message = format!(
                    "user {uid} may have {limit} {name} and would have {has}: end what is no longer needed \
                     (`streamem top` shows who holds what), or raise `{name}` under [quota] in the configuration"
                );
                return Err(Refusal::new(Reason::QuotaExceeded, name, message));
            }
        }
        accounts.insert(uid, after);
        Ok(Charge {
            uid,
            amount,
            used: Rc::clone(&self.used),
        })
    }

    /// A charge of nothing, for what is the broker's own.
    #[must_use]
    pub fn nothing(&self) -> Charge {
        Charge {
            uid: rustix::process::geteuid().as_raw(),
            amount: Quota::default(),
            used: Rc::clone(&self.used),
        }
    }

    /// The accounts of `uid`, or all.
    #[must_use]
    pub fn describe(&self, uid: Option<u32>) -> Vec<Account> {
        let accounts = self.used.borrow();
        accounts
            .iter()
            .filter(|(of, _)| uid.is_none_or(|uid| **of == uid))
            .map(|(of, used)| Account {
                uid: *of,
                used: *used,
                limit: self.limit,
            })
            .collect()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut accounts = self.used.borrow_mut();
        if let Some(account) = accounts.get_mut(&self.uid) {
            for (_, of) in KINDS {
                let has = of(account);
                *has = has.saturating_sub(*of(&mut self.amount));
            }
            if *account == Quota::default() {
                accounts.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_can_be_had_again() {
        let accounts = Accounts::new(Quota {
            sessions: 1,
            ..Quota::default()
        });
        let one = Quota {
            sessions: 1,
            ..Quota::default()
        };
        let first = accounts.charge(5, one).unwrap();
        let refused = accounts.charge(5, one).unwrap_err();
        assert_eq!(
            (refused.reason, refused.subject.as_str()),
            (Reason::QuotaExceeded, "sessions")
        );
        let _other_user = accounts.charge(6, one).unwrap();
        drop(first);
        accounts.charge(5, one).unwrap();
    }

    #[test]
    fn a_refused_charge_leaves_the_account_as_it_was() {
        let accounts = Accounts::new(Quota {
            sessions: 9,
            bytes: 10,
            ..Quota::default()
        });
        let _held = accounts
            .charge(
                1,
                Quota {
                    sessions: 2,
                    ..Quota::default()
                },
            )
            .unwrap();
        accounts
            .charge(
                1,
                Quota {
                    sessions: 1,
                    bytes: 11,
                    ..Quota::default()
                },
            )
            .unwrap_err();
        assert_eq!(accounts.describe(Some(1))[0].used.sessions, 2);
    }
}
