//! What goes wrong, and how often: in thousandths of the answers, of the rows in them, or of the
//! calls.

use super::Options;
use super::named::named;
use super::rng::Rng;

named! {
    /// Something that goes wrong now and then.
    Fault {
        Error "error" "of the answers: 500, 502 or 503 with the API's error as JSON"
        Gateway "gateway" "of the answers: 502 or 504 with a page of HTML"
        Throttled "throttled" "of the answers: 429 for a second, as if others used up the limit"
        Garbage "garbage" "of the answers: 200 with bytes that are no JSON"
        Truncated "truncated" "of the answers: the body is cut and the connection closed"
        Closed "closed" "of the answers: the connection is closed without an answer"
        Hang "hang" "of the answers: the connection stays open and nothing comes"
        Slow "slow" "of the answers: it takes three seconds longer"
        BadRow "bad-row" "of the rows in an answer: it cannot be read in this one"
        MissingRow "missing-row" "of the rows in an answer: it is left out of this one"
        LateRow "late-row" "of the calls: the row appears up to half a minute late"
        Vanishing "vanishing" "of the calls: the row vanishes some minutes after its last change"
        Raised "raised" "of the answered calls: totals rise 30 to 40 s after the end"
        Lowered "lowered" "of the answered calls: totals fall 30 to 40 s after the end"
        NewWords "new-words" "of the calls: a word in the row that no document knows"
    }
}

/// The latest that a row of [`Fault::LateRow`] appears, in milliseconds.
pub(super) const LATE_MAX_MS: u32 = 30_000;

/// Faults that an answer can have as a whole. Their shares add up.
const OF_ANSWERS: [Fault; 8] = [
    Fault::Error,
    Fault::Gateway,
    Fault::Throttled,
    Fault::Garbage,
    Fault::Truncated,
    Fault::Closed,
    Fault::Hang,
    Fault::Slow,
];

/// What is wrong with an answer as a whole, if anything is.
pub(super) fn of_answer(options: &Options, rng: &mut Rng) -> Option<Fault> {
    let mut left = rng.below(1000);
    OF_ANSWERS.into_iter().find(|&fault| {
        let share = options.share(fault);
        let is_drawn = left < share;
        left = left.saturating_sub(share);
        is_drawn
    })
}
