//! What a kernel says when something is wrong with it.
//!
//! Owns the words; a message of the kernel that has one fails the boot.

const WORDS: [&str; 9] = [
    "BUG:",
    "WARNING:",
    "Oops:",
    "general protection fault",
    "Kernel panic",
    "refcount_t:",
    "kernel stack overflow",
    "unregister_netdevice: waiting",
    "blocked for more than",
];

/// Whether a message of the kernel is a complaint.
#[must_use]
pub fn is_one(message: &str) -> bool {
    WORDS.iter().any(|word| message.contains(word))
}

/// Whether a line on the console is a message of the kernel (`[    1.234567] …`) and a complaint.
#[must_use]
pub fn is_on_console(line: &str) -> bool {
    let stamp = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    stamp.is_some_and(|(time, message)| time.trim().parse::<f64>().is_ok() && is_one(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_told_from_the_tests() {
        assert!(is_on_console(
            "[    2.345678] Kernel panic - not syncing: Attempted to kill init!"
        ));
        assert!(!is_on_console("[    2.345678] vivid: initialised"));
        assert!(!is_on_console("test WARNING: is only printed"));
    }
}
