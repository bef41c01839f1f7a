//! How an API may differ that keeps to its documents: every switch in the way rows are listed and
//! answers are given acts here.

use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};

use super::attachments::Attachments;
use super::filter::{Filter, Times};
use super::named::named;
use super::outline::Outline;
use super::query::Query;
use super::refusal::Refusal;
use super::{Options, date, reply};
use crate::call::Timestamp;

named! {
    /// A way in which the API may differ from its documents, or from what they leave open.
    Quirk {
        PageFromZero "page-from-zero" "pages are numbered from 0"
        PageIgnored "page-ignored" "each page is the first one"
        PerPageIgnored "per-page-ignored" "each page has as many rows as without `perPage`"
        PerPageRejected "per-page-rejected" "a `perPage` above the largest is refused with 400"
        TotalOfAll "total-of-all" "totals in `meta` count the rows that a filter leaves out, too"
        TimeFiltersIgnored "time-filters-ignored" "`startedAt` and `endedAt` do not filter"
        TimeFiltersExact "time-filters-exact" "`startedAt` and `endedAt` ask for this very second"
        TimeFiltersKeep "time-filters-keep" "`startedAt` and `endedAt` keep rows without the field"
        UnrecordedFilter "unrecorded-filter" "`hasRecording=false` shows unrecorded calls alone"
        GetCallArray "get-call-array" "Get Call answers with an array of one"
        GetCallEmpty "get-call-empty" "Get Call answers with an empty array"
        PeopleAsObjects "people-as-objects" "`initiator` and `receiver` are objects"
        PeopleAbsent "people-absent" "`initiator` and `receiver` are missing"
        MinutesByPerson "minutes-by-person" "a call's minutes are the sum of its participants'"
        ParticipantsAll "participants-all" "`totalParticipants` counts all entries"
        RecordingsHidden "recordings-hidden" "`hasRecording` is true and `recordings` is missing"
        RecordingsOdd "recordings-odd" "a recording lasts seconds, and its times are text"
        TranscribedUnsaid "transcribed-unsaid" "`transcriptions` without `hasTranscription`"
        TranscriptionsHidden "transcriptions-hidden" "`hasTranscription` without `transcriptions`"
        MeetingsShareIds "meetings-share-ids" "meetings of the same name have one session id"
        MidAbsent "mid-absent" "no row has a `mid`"
        RingEndsCancelled "ring-ends-cancelled" "what rings out ends as `cancelled`"
        NumbersAsText "numbers-as-text" "all numbers are text"
        WordsInCapitals "words-in-capitals" "status, type, mode and receiver type in capitals"
        ErrorsBare "errors-bare" "an error has a status and no body"
        ErrorsAsHtml "errors-as-html" "an error is a page of HTML"
        ErrorsWith200 "errors-with-200" "an error is JSON with the status 200"
        RetryAfterDate "retry-after-date" "`Retry-After` is a date"
        RetryAfterAbsent "retry-after-absent" "429 without `Retry-After`"
    }
}

/// The order of `GET /calls`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By `initiatedAt`, as in the examples of the API's documents.
    #[default]
    NewestFirst,
    /// New rows come last.
    OldestFirst,
    /// By `startedAt`, where there is one: an answer moves a call up.
    StartedFirst,
    /// By the last change: an end moves a call up.
    ChangedFirst,
}

impl Order {
    /// The position, counted from the lowest of `total` rows, of the `nth` row of the list.
    pub(super) fn position(self, nth: usize, total: usize) -> usize {
        match self {
            Self::OldestFirst => nth,
            Self::NewestFirst | Self::StartedFirst | Self::ChangedFirst => total - 1 - nth,
        }
    }

    /// By what a call ranks at second `at`, where it is not `initiatedAt`.
    pub(super) fn rank(self, options: &Options, outline: &Outline, at: i64) -> Option<i64> {
        let started_at = outline.started_at().filter(|&started_at| started_at <= at);
        match self {
            Self::NewestFirst | Self::OldestFirst => None,
            Self::StartedFirst => Some(started_at.unwrap_or(outline.initiated_at)),
            Self::ChangedFirst => {
                let late = Attachments::of(options, outline);
                let changes = late.appearances().chain(outline.final_at()).chain(started_at);
                Some(changes.filter(|&change| change <= at).fold(outline.initiated_at, i64::max))
            }
        }
    }
}

/// What a list says about its pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pagination {
    /// As in the API's documents.
    #[default]
    Full,
    /// `total_pages` is only this page or the next one.
    NextOnly,
    /// There is no `meta` at all.
    Absent,
}

/// What a list shows past its last page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PastEnd {
    /// No rows.
    #[default]
    Empty,
    /// The last page again.
    LastPage,
    /// An error, 404.
    Error,
}

/// Which headers tell of the rate limit; the documents have two spellings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimitHeaders {
    /// `X-Rate-Limit`, on all answers.
    #[default]
    Dashed,
    /// `X-Rate-Limit`, on 429 only.
    DashedOnRefusal,
    /// `X-RateLimit-Limit`, on all answers.
    Joined,
    /// `X-RateLimit-Limit`, on 429 only.
    JoinedOnRefusal,
    /// None at all, and no `Retry-After`.
    Absent,
}

impl RateLimitHeaders {
    /// The names of limit, remaining and reset, for an answer that is admitted or refused.
    pub(super) fn names(self, admitted: bool) -> Option<[&'static str; 3]> {
        const DASHED: [&str; 3] = ["x-rate-limit", "x-rate-limit-remaining", "x-rate-limit-reset"];
        const JOINED: [&str; 3] =
            ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
        match self {
            Self::Dashed => Some(DASHED),
            Self::DashedOnRefusal => (!admitted).then_some(DASHED),
            Self::Joined => Some(JOINED),
            Self::JoinedOnRefusal => (!admitted).then_some(JOINED),
            Self::Absent => None,
        }
    }
}

/// The rows on a page when `asked` for.
pub(super) fn per_page(options: &Options, asked: Option<u32>) -> Result<u32, Refusal> {
    let asked = asked.filter(|_| !options.has(Quirk::PerPageIgnored));
    let most = options.per_page_max;
    if options.has(Quirk::PerPageRejected) && asked.is_some_and(|asked| asked > most) {
        return Err(Refusal::bad_request("perPage", format!("must be at most {most}")));
    }
    Ok(asked.unwrap_or(options.per_page_default).min(most).max(1))
}

/// Which page of the list is meant, counted from 1. Where pages are numbered from 1, page 0 is the
/// first one, too.
pub(super) fn page(options: &Options, asked: Option<u32>) -> u32 {
    if options.has(Quirk::PageIgnored) {
        1
    } else if options.has(Quirk::PageFromZero) {
        asked.unwrap_or(0).saturating_add(1)
    } else {
        asked.unwrap_or(1).max(1)
    }
}

/// The filter that is meant.
pub(super) fn filter(
    options: &Options,
    query: &Query,
    on_behalf_of: Option<String>,
) -> Result<Filter, Refusal> {
    let mut filter = Filter {
        call_type: query.word("type"),
        mode: query.word("mode"),
        status: query.word("status"),
        receiver_type: query.word("receiverType"),
        participants_count: query.number("participantsCount", 0)?,
        started_at: query.number("startedAt", 0)?,
        ended_at: query.number("endedAt", 0)?,
        times: Times::Range,
        has_recording: match query.word("hasRecording").as_deref() {
            Some("true") => Some(true),
            Some("false") if options.has(Quirk::UnrecordedFilter) => Some(false),
            Some(_) | None => None,
        },
        uids: query.word("uid").into_iter().chain(on_behalf_of).collect(),
    };
    if options.has(Quirk::TimeFiltersIgnored) {
        (filter.started_at, filter.ended_at) = (None, None);
    }
    if filter.started_at.or(filter.ended_at).is_some() {
        if options.has(Quirk::TimeFiltersExact) {
            filter.times = Times::Exact;
        } else if options.has(Quirk::TimeFiltersKeep) {
            filter.times = Times::RangeOrNone;
        }
    }
    Ok(filter)
}

/// `Retry-After`, until `reset_at`, in `after_s`.
pub(super) fn retry_after(
    options: &Options,
    after_s: i64,
    reset_at: Timestamp,
) -> Option<HeaderValue> {
    if options.has(Quirk::RetryAfterAbsent) {
        None
    } else if options.has(Quirk::RetryAfterDate) {
        HeaderValue::try_from(date::imf_fixdate(reset_at.0)).ok()
    } else {
        Some(after_s.into())
    }
}

/// The answer that says so.
pub(super) fn refuse(options: &Options, refusal: &Refusal) -> Response<Bytes> {
    let status = refusal.status();
    if options.has(Quirk::ErrorsBare) {
        reply::response(status, None, "")
    } else if options.has(Quirk::ErrorsAsHtml) {
        reply::html_response(status)
    } else if options.has(Quirk::ErrorsWith200) {
        reply::json_response(StatusCode::OK, refusal.body().to_string())
    } else {
        reply::json_response(status, refusal.body().to_string())
    }
}
