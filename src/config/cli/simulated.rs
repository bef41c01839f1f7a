//! Flags of the commands that need no CometChat: `demo` and `simulate`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, ValueEnum};

use crate::config::settings::ListenAddress;
use crate::config::values;
use crate::sim::{Fault, Quirk};

/// The flags of `demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Addresses of the exporter to listen on.
    #[arg(
        help = "Address of the exporter, repeatable: :PORT (all addresses), HOST:PORT or [::1]:PORT",
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10180",
        value_parser = values::listen_address
    )]
    pub listen: Vec<ListenAddress>,

    #[command(flatten)]
    /// Which world, and how fast.
    pub world: WorldArgs,
}

/// The flags that every simulated world has.
#[derive(Args, Clone, Copy, Debug)]
pub struct WorldArgs {
    /// The same seed makes the same calls
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

    /// Simulated seconds in one real second
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = speed)]
    pub speed: f64,
}

/// The flags of `simulate`.
#[derive(Args, Clone, Debug)]
#[command(after_help = quirks_and_faults())]
pub struct SimulateArgs {
    /// Address of the simulated API
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:18080",
        value_parser = values::listen_address
    )]
    pub listen: ListenAddress,

    #[command(flatten)]
    /// Which world, and how fast.
    pub world: WorldArgs,

    /// Calls that begin on an average day
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    pub calls_per_day: u32,

    /// Let as many calls begin by night as by day
    #[arg(long)]
    pub steady: bool,

    /// How far back past calls reach at the start
    #[arg(
        long = "history",
        value_name = "DURATION",
        default_value = "1d",
        value_parser = values::duration_s::<0>
    )]
    pub history_s: i64,

    /// After this time no call begins, and those that go on end [default: never]
    #[arg(
        long = "stop-after",
        value_name = "DURATION",
        value_parser = values::duration_s::<0>
    )]
    pub stop_after_s: Option<i64>,

    /// Order of the list: newest-first, oldest-first, started-first or changed-first
    #[arg(long, value_name = "ORDER", default_value = "newest-first", hide_possible_values = true)]
    pub order: Order,

    /// What a list says about its pages: full, next-only or absent
    #[arg(long, value_name = "WHAT", default_value = "full", hide_possible_values = true)]
    pub pagination: Pagination,

    /// What a list shows past its last page: empty, last-page or error
    #[arg(long, value_name = "WHAT", default_value = "empty", hide_possible_values = true)]
    pub past_end: PastEnd,

    /// The largest page; larger ones are cut to it
    #[arg(long, value_name = "ROWS", default_value = "100", value_parser = values::count)]
    pub per_page_max: u32,

    /// Show the totals of a call while it goes on
    #[arg(long)]
    pub live_totals: bool,

    /// Let recordings appear some time after the end of their call
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub late_recordings: bool,

    /// Of a thousand calls, how many never end
    #[arg(
        long = "never-ending",
        value_name = "PERMILLE",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=1000)
    )]
    pub never_ending_permille: u32,

    /// Requests that the API takes in a minute
    #[arg(long, value_name = "NUMBER", default_value = "500", value_parser = values::count)]
    pub rate_limit: u32,

    /// Headers about that limit: dashed, joined, either with -on-refusal, or absent
    #[arg(long, value_name = "WHICH", default_value = "dashed", hide_possible_values = true)]
    pub rate_limit_headers: RateLimitHeaders,

    /// A further way in which the API differs from its documents, repeatable; see below
    #[arg(
        long = "quirk",
        value_name = "NAME",
        value_parser = PossibleValuesParser::new(names(Quirk::ALL)).try_map(quirk),
        hide_possible_values = true
    )]
    pub quirks: Vec<Quirk>,

    /// What goes wrong in so many of a thousand cases, repeatable; see below
    #[arg(long = "fault", value_name = "NAME:PERMILLE", value_parser = fault)]
    pub faults: Vec<(Fault, u32)>,

    /// Real time that each answer takes
    #[arg(
        long = "latency",
        value_name = "DURATION",
        default_value = "0s",
        value_parser = values::duration_ms::<0>
    )]
    pub latency_ms: i64,

    /// Length of the calls, in thousandths of the usual one
    #[arg(
        long = "duration-scale",
        value_name = "PERMILLE",
        default_value = "1000",
        value_parser = values::count
    )]
    pub duration_scale_permille: u32,

    /// App id of the simulated app; the API answers to any other as well
    #[arg(long, value_name = "ID", default_value = "simulated", value_parser = values::app_id)]
    pub app_id: String,

    /// API key that it takes; no real one belongs here
    #[arg(long, value_name = "KEY", default_value = "simulated-key", value_parser = simulated_key)]
    pub api_key: String,
}

/// Order of the simulated list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// As the API is documented.
    NewestFirst,
    /// The other way round.
    OldestFirst,
    /// By the time of the answer.
    StartedFirst,
    /// By the time of the last change.
    ChangedFirst,
}

/// What the simulated list says about its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pagination {
    /// As the API is documented.
    Full,
    /// `total_pages` is only this page or the next one.
    NextOnly,
    /// Nothing.
    Absent,
}

/// What the simulated list shows past its last page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PastEnd {
    /// No rows.
    Empty,
    /// The last page again.
    LastPage,
    /// 404.
    Error,
}

/// Headers of the simulated API about its rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RateLimitHeaders {
    /// `X-Rate-Limit`, on all answers.
    Dashed,
    /// `X-Rate-Limit`, on 429 only.
    DashedOnRefusal,
    /// `X-RateLimit-Limit`, on all answers.
    Joined,
    /// `X-RateLimit-Limit`, on 429 only.
    JoinedOnRefusal,
    /// None, and no `Retry-After`.
    Absent,
}

/// The fastest that a world may go: a day in less than half a minute.
const SPEED_MAX: f64 = 3600.0;

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if speed > 0.0 && speed <= SPEED_MAX => Ok(speed),
        _ => Err(format!("must be a number above 0 and at most {SPEED_MAX}")),
    }
}

/// What the names stand for, for the end of the help.
fn quirks_and_faults() -> String {
    let lines = |all: &[(&str, &str)]| {
        let lines = all.iter().map(|(name, about)| format!("  {name:<22}{about}\n"));
        lines.collect::<String>()
    };
    let quirks: Vec<_> = Quirk::ALL.iter().map(|&(_, name, about)| (name, about)).collect();
    let faults: Vec<_> = Fault::ALL.iter().map(|&(_, name, about)| (name, about)).collect();
    format!(
        "Quirks, for --quirk=NAME:\n{}\nFaults, for --fault=NAME:PERMILLE:\n{}",
        lines(&quirks),
        lines(&faults).trim_end(),
    )
}

fn names<T>(all: &[(T, &'static str, &str)]) -> Vec<&'static str> {
    all.iter().map(|&(_, name, _)| name).collect()
}

fn quirk(text: String) -> Result<Quirk, String> {
    let all = Quirk::ALL.iter().find(|(_, name, _)| *name == text);
    all.map(|&(quirk, _, _)| quirk).ok_or(text)
}

fn fault(text: &str) -> Result<(Fault, u32), String> {
    let (name, share) = text.split_once(':').ok_or("must be like error:50")?;
    let known = Fault::ALL.iter().find(|(_, known, _)| *known == name);
    let &(fault, _, _) = known
        .ok_or_else(|| format!("there is no fault {name}, but {}", names(Fault::ALL).join(", ")))?;
    match share.parse() {
        Ok(share) if share <= 1000 => Ok((fault, share)),
        _ => Err("the share must be a whole number of thousandths, at most 1000".to_owned()),
    }
}

fn simulated_key(text: &str) -> Result<String, String> {
    values::api_key(text).map(str::to_owned).map_err(str::to_owned)
}
