//! Rows and pages told apart by fingerprints.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Page;

/// A fingerprint of a page, to notice one that is shown again.
pub(super) fn fingerprint(page: &Page) -> u64 {
    hash(&prints(page))
}

/// Fingerprints of the rows of a page, of those that are no calls last.
pub fn prints(page: &Page) -> Vec<u64> {
    let calls = page.calls.iter().map(|call| hash(&call.key));
    let lost = page.defects.iter().filter(|defect| defect.is_no_call());
    calls.chain(lost.map(|defect| defect.row_hash)).collect()
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
