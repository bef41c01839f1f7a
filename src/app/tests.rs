//! Where adapters and metrics must agree, and neither may import the other; and what a hang does.

mod hang;

use crate::api::{Endpoint, ErrorCode};
use crate::metrics::health::{ENDPOINTS, ERRORS, REASONS};
use crate::sweep::Reason;

#[test]
fn the_labels_that_stand_at_0_are_those_that_the_adapters_give() {
    assert_eq!(Endpoint::ALL.map(Endpoint::label), ENDPOINTS);
    assert_eq!(Reason::ALL.map(Reason::label), REASONS);
    for error in ERRORS {
        assert_eq!(ErrorCode::from_word(error).label(), error, "`api` does not know it");
    }
}
