//! What the facts mean: one finding a subject, in plain words.

use super::cost::{budget, cost};
use super::facts::{Answer, Facts, Filter, Stop};
use super::fields::{IGNORED, READ};
use crate::call::{Amount, Call, Outcome, Status};
use crate::sweep::{Page, Refusal};

/// How good a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Ok,
    /// Good to know; nothing to do.
    Note,
    /// The numbers will be less fresh or less certain than they could be.
    Warn,
    /// There will be no numbers.
    Fail,
}

impl Verdict {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One subject, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) subject: &'static str,
    pub(super) verdict: Verdict,
    pub(super) text: String,
    /// What to do about it.
    pub(super) advice: Option<String>,
}

pub(super) fn finding(subject: &'static str, verdict: Verdict, text: impl Into<String>) -> Finding {
    Finding { subject, verdict, text: text.into(), advice: None }
}

impl Finding {
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// How the app is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    /// Requests a minute, until the API states a limit.
    pub(super) rate_limit: u64,
    pub(super) rate_limit_share: f64,
    pub(super) interval_s: f64,
    /// Seconds of the past that are to be read first.
    pub(super) read_back_s: i64,
}

/// Everything that is to be said about an app.
pub(super) fn findings(facts: &Facts, means: Means) -> Vec<Finding> {
    if facts.first.is_err() && facts.stopped == Some(Stop::Time) {
        return vec![unfinished("there was no time to ask anything".to_owned())];
    }
    let mut all = vec![access(facts)];
    if facts.first.is_err() {
        return all;
    }
    all.extend([paging(facts), order(facts)]);
    all.extend(filters(facts));
    all.extend(get(facts));
    all.extend([limit(facts, means), clock(facts), rows(facts)]);
    all.extend(words(facts));
    all.extend(cost(facts, means));
    match &facts.stopped {
        Some(Stop::Refused(refused)) => {
            let text = format!("the API stopped the questions: {}", refused.note);
            all.push(
                finding("unfinished", Verdict::Warn, text).advise("try again in a few minutes"),
            );
        }
        Some(Stop::Time) => {
            let text = format!("there was no time to ask for {}", not_asked(facts).join(", "));
            all.push(unfinished(text));
        }
        None => {}
    }
    all
}

fn unfinished(text: String) -> Finding {
    finding("unfinished", Verdict::Warn, text)
        .advise("give it more time with --time-limit, or raise poll.rate_limit_share")
}

/// What nobody had time to ask for.
fn not_asked(facts: &Facts) -> Vec<&'static str> {
    let mut all = Vec::new();
    all.extend(facts.first_page.is_none().then_some("the first page"));
    all.extend(facts.large.is_none().then_some("larger pages"));
    all.extend(facts.past_end.is_none().then_some("the end of the list"));
    let was_asked = |filter| facts.filters.iter().any(|(asked, _)| *asked == filter);
    all.extend(Filter::ALL.into_iter().filter(|filter| !was_asked(*filter)).map(shown));
    if !facts.calls().is_empty() {
        all.extend(facts.get.is_none().then_some("Get Call"));
    }
    all
}

fn access(facts: &Facts) -> Finding {
    match &facts.first {
        Ok(_) => {
            let mut took = facts.took_ms.clone();
            took.sort_unstable();
            let median = took.get(took.len() / 2).copied().unwrap_or(0);
            finding(
                "access",
                Verdict::Ok,
                format!("the API takes the key, and answers in {median} ms"),
            )
        }
        Err(refused) if refused.refusal == Refusal::Later => {
            finding("access", Verdict::Fail, refused.note.clone())
                .advise("try again in a few minutes: the app's rate limit is used up")
        }
        Err(refused) => finding("access", Verdict::Fail, refused.note.clone()),
    }
}

fn paging(facts: &Facts) -> Finding {
    let n_rows = facts.first.as_ref().map_or(0, Page::n_rows);
    if n_rows == 0 {
        return finding("paging", Verdict::Note, "the list is empty: there are no calls yet");
    }
    let first = match facts.first_page {
        Some(number) => format!("pages are numbered from {number}"),
        None => "the number of the first page is unclear".to_owned(),
    };
    if shows_one_page(facts) {
        let text = "every page shows the same calls";
        return finding("paging", Verdict::Warn, text)
            .advise("calls beyond the first page are not counted: please report it");
    }
    let asked = facts.per_page;
    let cap = match &facts.large {
        Some(Ok(page)) if page.n_rows() > n_rows => {
            format!("a page can hold {} rows or more", page.n_rows())
        }
        Some(Ok(_)) => format!("a page holds {n_rows} rows at most, however many are asked for"),
        Some(Err(refused)) if refused.refusal == Refusal::Rejected => {
            format!("a page of {asked} rows is given, ten times as many are refused")
        }
        Some(Err(_)) | None => format!("a page of {asked} rows is given"),
    };
    let end = match &facts.past_end {
        Some(Ok(page)) if page.n_rows() == 0 => "past the end it is empty",
        Some(Ok(_)) => "past the end it shows a page again",
        Some(Err(refused)) if refused.refusal == Refusal::NotFound => "past the end it answers 404",
        Some(Err(_)) => "past the end it answers with an error",
        None => "past the end it was not asked",
    };
    finding("paging", Verdict::Ok, format!("{first}; {cap}; {end}"))
}

/// Whether the page past the end is the first one again, though the list is longer than a page.
fn shows_one_page(facts: &Facts) -> bool {
    let (Ok(first), Some(Ok(last))) = (&facts.first, &facts.past_end) else { return false };
    let is_longer = matches!(&facts.large, Some(Ok(large)) if large.n_rows() > first.n_rows());
    let is_shown = |again: &&Call| first.calls.iter().any(|call| call.key == again.key);
    let n_again = last.calls.iter().filter(is_shown).count();
    is_longer && last.n_rows() == first.n_rows() && n_again > first.n_rows() / 2
}

fn order(facts: &Facts) -> Finding {
    let order = facts.order;
    let text = match (order.is_known(), order.is_newest_first()) {
        (true, true) => "newest first",
        (true, false) => "oldest first",
        (false, _) if order.slack_s() == 0 => {
            return finding("order", Verdict::Note, "too few calls to tell the order of the list");
        }
        (false, _) => {
            return finding("order", Verdict::Warn, "the list is in no order of `initiatedAt`")
                .advise("calls may be missed or found late: please report it, with --output=json");
        }
    };
    let slack_s = order.slack_s();
    if slack_s > 0 {
        let text =
            format!("{text}, but for rows up to {slack_s} s out of place; that is allowed for");
        return finding("order", Verdict::Note, text);
    }
    finding("order", Verdict::Ok, format!("{text} by `initiatedAt`, without exception"))
}

fn filters(facts: &Facts) -> Option<Finding> {
    if facts.filters.is_empty() || facts.calls().is_empty() {
        return None;
    }
    let of_all: Vec<String> = facts
        .filters
        .iter()
        .map(|(filter, answer)| format!("{} {}", shown(*filter), works(facts, *filter, answer)))
        .collect();
    let text = format!("{}. The exporter relies on none", of_all.join(", "));
    Some(finding("filters", Verdict::Note, text))
}

const fn shown(filter: Filter) -> &'static str {
    match filter {
        Filter::Ended => "status=ended",
        Filter::Ongoing => "status=ongoing",
        Filter::HasRecording => "hasRecording=true",
        Filter::StartedAt => "startedAt",
        Filter::EndedAt => "endedAt",
    }
}

/// What a filter does, in a word or two.
fn works(facts: &Facts, filter: Filter, answer: &Answer) -> &'static str {
    let page = match answer {
        Ok(page) => page,
        Err(refused) if refused.refusal == Refusal::Rejected => return "is refused",
        Err(_) => return "was not answered",
    };
    let (start, end) = (facts.middle(|call| call.started_at), facts.middle(|call| call.ended_at));
    let fits = |call: &&Call| match filter {
        Filter::Ended => call.status == Status::Final(Outcome::Ended),
        Filter::Ongoing => call.status == Status::Ongoing,
        Filter::HasRecording => call.amounts.get(Amount::Recorded) > 0,
        Filter::StartedAt => call.started_at.zip(start).is_some_and(|(at, from)| at >= from),
        Filter::EndedAt => call.ended_at.zip(end).is_some_and(|(at, to)| at <= to),
    };
    let all_fit = page.calls.iter().all(|call| fits(&call));
    let all_fitted_before = facts.calls().iter().all(|call| fits(&call));
    match (all_fit, all_fitted_before) {
        (true, false) if page.calls.is_empty() => "shows nothing",
        (true, false) => "works",
        (true, true) => "cannot be told",
        (false, _) => "is ignored",
    }
}

fn get(facts: &Facts) -> Option<Finding> {
    let (key, answer) = facts.get.as_ref()?;
    Some(match answer {
        Ok(page) if page.calls.iter().any(|call| call.key == *key) => {
            finding("Get Call", Verdict::Ok, "answers with the call that was asked for")
        }
        Ok(page) if page.calls.is_empty() => {
            finding("Get Call", Verdict::Note, "answers with no call; the list will do")
        }
        Ok(_) => finding(
            "Get Call",
            Verdict::Note,
            "answers with another call of the same session id; the list will do",
        ),
        Err(_) => finding("Get Call", Verdict::Note, "does not answer; the list will do"),
    })
}

fn limit(facts: &Facts, means: Means) -> Finding {
    let share = means.rate_limit_share * 100.0;
    let budget = budget(facts, means);
    match (facts.quota.limit, facts.survey.limit_header) {
        (Some(limit), Some(header)) => {
            let left = match facts.quota.remaining {
                Some(left) => format!(", {left} left of them"),
                None => String::new(),
            };
            let text = format!(
                "{limit} requests a minute ({header}){left}; the exporter lets itself use {share:.0} %: {budget:.0}"
            );
            let is_scarce =
                facts.quota.remaining.is_some_and(|left| left.saturating_mul(10) < limit);
            if is_scarce {
                return finding("rate limit", Verdict::Warn, text)
                    .advise("the app uses its limit up by itself: ask CometChat for a higher one");
            }
            finding("rate limit", Verdict::Ok, text)
        }
        _ => {
            let limit = means.rate_limit;
            let text = format!(
                "the API states none; {limit} requests a minute are assumed, of which the exporter uses {share:.0} %: {budget:.0}"
            );
            finding("rate limit", Verdict::Note, text)
                .advise("set poll.rate_limit to the limit of the app's plan")
        }
    }
}

fn clock(facts: &Facts) -> Finding {
    match facts.skew.local_ahead_ms() {
        None => {
            finding("clock", Verdict::Note, "the API sends no Date: the local clock is trusted")
        }
        Some(ms) if ms.abs() < 2_000 => {
            finding("clock", Verdict::Ok, "the local clock and the API's agree")
        }
        Some(ms) => {
            let by = match ms.abs() / 1000 {
                seconds @ 0..120 => format!("{seconds} s"),
                seconds => format!("about {} min", (seconds + 30) / 60),
            };
            let word = if ms > 0 { "ahead of" } else { "behind" };
            let text = format!("the local clock is {by} {word} the API's; that is allowed for");
            finding("clock", Verdict::Note, text)
        }
    }
}

fn rows(facts: &Facts) -> Finding {
    let survey = &facts.survey;
    if survey.n_rows == 0 {
        return finding("rows", Verdict::Note, "no rows were seen");
    }
    let n_bad: usize = facts.first.as_ref().map_or(0, |page| page.defects.len());
    let missing: Vec<&str> =
        READ.into_iter().filter(|name| !survey.fields.contains_key(*name)).collect();
    let known = |name: &str| READ.contains(&name) || IGNORED.contains(&name);
    let new: Vec<&str> =
        survey.fields.keys().map(String::as_str).filter(|name| !known(name)).collect();
    let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(" ") };
    let text = format!(
        "{} rows seen; never seen of the documented fields: {}; not documented: {}",
        survey.n_rows,
        list(&missing),
        list(&new)
    );
    let is_unreadable = facts.calls().is_empty();
    if is_unreadable {
        return finding("rows", Verdict::Fail, format!("{text}; no row could be read as a call"))
            .advise("check base_url: this may be another API; else please report it, with --output=json");
    }
    if n_bad > 0 {
        let text = format!("{text}; {n_bad} on the first page with something unreadable");
        return finding("rows", Verdict::Warn, text).advise(
            "cometchat_records_invalid_total counts them: please report it, with --output=json",
        );
    }
    finding("rows", Verdict::Ok, text)
}

fn words(facts: &Facts) -> Option<Finding> {
    let words = &facts.survey.words;
    if words.is_empty() {
        return None;
    }
    let of = |field: &str| {
        let of_field = words.iter().filter(|((name, _), _)| *name == field);
        let shown: Vec<String> = of_field.map(|((_, word), n)| format!("{word} {n}")).collect();
        if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
    };
    let text = format!(
        "status: {}; type: {}; mode: {}; receiverType: {}",
        of("status"),
        of("type"),
        of("mode"),
        of("receiverType")
    );
    let has_new = facts.calls().iter().any(|call| call.unknown.bits() != 0);
    if has_new {
        return Some(finding("words", Verdict::Warn, text).advise(
            "one of them is new to this version and counts as `other`: look for a newer version",
        ));
    }
    Some(finding("words", Verdict::Ok, text))
}
