//! A choice among many that a seed repeats.

use std::collections::BTreeMap;

use crate::digest;

/// `count` entries, chosen by the seed: another seed is another choice, the same seed the same.
pub(crate) fn ranked(
    all: BTreeMap<String, String>,
    seed: u64,
    count: usize,
) -> BTreeMap<String, String> {
    let mut entries: Vec<_> = all.into_iter().collect();
    // By digest of the change, not of the name: a line moved elsewhere keeps the choice.
    entries
        .sort_by_cached_key(|(name, key)| (digest::text(&format!("{seed}:{key}")), name.clone()));
    entries.into_iter().take(count).collect()
}

/// The text as a regular expression that matches it alone.
pub(crate) fn escape(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if !letter.is_alphanumeric() && !" _/:'\"<>=,!%;@".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> BTreeMap<String, String> {
        (0..100).map(|number| (format!("name {number}"), format!("key {number}"))).collect()
    }

    #[test]
    fn a_seed_repeats_its_choice_and_another_makes_another() {
        assert_eq!(ranked(all(), 1, 10), ranked(all(), 1, 10));
        assert_ne!(ranked(all(), 1, 10), ranked(all(), 2, 10));
        assert_eq!(ranked(all(), 1, 10).len(), 10);
    }

    #[test]
    fn a_smaller_choice_is_part_of_a_larger_one() {
        let larger = ranked(all(), 1, 20);
        assert_eq!(
            ranked(all(), 1, 10).keys().filter(|name| larger.contains_key(*name)).count(),
            10
        );
    }

    #[test]
    fn signs_with_a_meaning_are_escaped() {
        let name = "core/authn/src/cache.rs:63:56: replace || with && in f -> Option<&str>";
        let expected =
            r"core/authn/src/cache\.rs:63:56: replace \|\| with \&\& in f \-> Option<\&str>";
        assert_eq!(escape(name), expected);
    }
}
