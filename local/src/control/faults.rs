//! The active fault rules.

use super::rule::{FaultRule, RuleError};
use serde::Serialize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The maximum number of rules.
const MAX_RULES: usize = 16_384;
/// The maximum bytes of responses in all rules.
const MAX_HELD: usize = 64 << 20;

/// A rule that was added.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ActiveFault {
    /// Its id, with which it can be deleted.
    pub id: u64,
    /// How many times it has applied.
    pub hits: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: Arc<FaultRule>,
    /// The state of the random number generator.
    #[serde(skip)]
    chances: u64,
}

impl ActiveFault {
    /// Returns a copy with truncated responses, for display.
    pub(crate) fn in_brief(&self) -> ActiveFault {
        let rule =
            if self.rule.held() > 0 { Arc::new(self.rule.in_brief()) } else { self.rule.clone() };
        ActiveFault { rule, ..self.clone() }
    }

    /// Returns whether it has applied as many times as allowed.
    fn is_spent(&self) -> bool {
        self.rule.times.is_some_and(|times| self.hits >= u64::from(times))
    }

    /// Determines at random whether it applies now (SplitMix64).
    fn draw(&mut self) -> bool {
        let Some(probability) = self.rule.probability else { return true };
        self.chances = self.chances.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.chances;
        bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        ((bits >> 11) as f64 / (1u64 << 53) as f64) < probability
    }
}

/// The rules, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// The number of rules, which can be read without the lock.
    count: AtomicUsize,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    newest: u64,
    /// The bytes of responses in all rules.
    held: usize,
    rules: Vec<ActiveFault>,
}

impl Faults {
    pub(super) fn add(
        &self,
        rule: FaultRule,
        operations: &[&str],
    ) -> Result<ActiveFault, RuleError> {
        rule.check(operations)?;
        let mut list = self.lock();
        if list.rules.len() >= MAX_RULES {
            return Err(RuleError::too_many(MAX_RULES));
        }
        let held = list.held + rule.held();
        if held > MAX_HELD {
            return Err(RuleError::too_long(MAX_HELD));
        }
        list.held = held;
        list.newest += 1;
        let chances = rule.seed.unwrap_or_default();
        let fault = ActiveFault { id: list.newest, hits: 0, rule: Arc::new(rule), chances };
        list.rules.push(fault.clone());
        self.count.store(list.rules.len(), Ordering::Release);
        Ok(fault)
    }

    pub(super) fn all(&self) -> Vec<ActiveFault> {
        self.lock().rules.clone()
    }

    /// Deletes a rule. Returns false if no rule has this id.
    pub(super) fn remove(&self, id: u64) -> bool {
        let mut list = self.lock();
        let before = list.rules.len();
        list.rules.retain(|fault| fault.id != id);
        list.held = list.rules.iter().map(|fault| fault.rule.held()).sum();
        self.count.store(list.rules.len(), Ordering::Release);
        list.rules.len() < before
    }

    pub(super) fn clear(&self) {
        let mut list = self.lock();
        (list.rules, list.held) = (Vec::new(), 0);
        self.count.store(0, Ordering::Release);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// Returns the first rule that applies to a request, and counts it as applied.
    pub(super) fn apply(&self, operation: &str, key: &str) -> Option<(u64, Arc<FaultRule>)> {
        let mut list = self.lock();
        let fault = list.rules.iter_mut().find_map(|fault| {
            let applies = fault.rule.applies_to(operation, key) && !fault.is_spent();
            (applies && fault.draw()).then_some(fault)
        })?;
        fault.hits += 1;
        Some((fault.id, fault.rule.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(operation: &str) -> FaultRule {
        FaultRule { status: Some(503), ..FaultRule::new(operation) }
    }

    fn faults(rules: impl IntoIterator<Item = FaultRule>) -> Faults {
        let faults = Faults::default();
        for rule in rules {
            faults.add(rule, &["GetObject", "PutObject"]).expect("a rule");
        }
        faults
    }

    #[test]
    fn the_first_rule_that_is_not_used_up_applies() {
        let faults = faults([FaultRule { times: Some(2), ..rule("GetObject") }, rule("*")]);
        let ids: Vec<_> =
            (0..4).map(|_| faults.apply("GetObject", "a").expect("a rule").0).collect();
        assert_eq!(ids, [1, 1, 2, 2]);
        assert_eq!(faults.apply("PutObject", "a").expect("a rule").0, 2);
        let hits: Vec<_> = faults.all().iter().map(|fault| fault.hits).collect();
        assert_eq!(hits, [2, 3]);
    }

    #[test]
    fn equal_seeds_give_equal_sequences_with_the_expected_probability() {
        let drawn = |seed| {
            let chance = FaultRule { probability: Some(0.25), seed, ..rule("GetObject") };
            let faults = faults([chance]);
            (0..1000).map(|_| faults.apply("GetObject", "a").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(drawn(Some(7)), drawn(Some(7)));
        assert_ne!(drawn(Some(7)), drawn(None));
        let count = drawn(None).iter().filter(|applies| **applies).count();
        assert!((200..300).contains(&count), "{count} of 1000");
    }

    #[test]
    fn ten_thousand_rules_can_be_cleared() {
        let faults = faults(std::iter::repeat_n(rule("GetObject"), 10_000));
        assert!(faults.remove(5_000) && !faults.remove(5_000));
        assert_eq!(faults.all().len(), 9_999);
        faults.clear();
        assert!(faults.is_empty() && faults.all().is_empty());
        assert_eq!(faults.lock().rules.capacity(), 0);
        let next = faults.add(rule("GetObject"), &["GetObject"]).expect("a rule");
        assert_eq!(next.id, 10_001, "ids are never reused");
    }

    #[test]
    fn the_number_of_rules_is_limited() {
        let faults = faults(std::iter::repeat_n(rule("GetObject"), MAX_RULES));
        let refused = faults.add(rule("GetObject"), &["GetObject"]).expect_err("one too many");
        assert!(refused.to_string().contains("16384"), "{refused}");
    }
}
