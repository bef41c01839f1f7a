//! The questions, within half of the budget and the time that there is.

use super::facts::{Answer, Facts, Filter, Refused, Stop};
use crate::api::{Client, Survey};
use crate::call::Moment;
use crate::clock::Clock;
use crate::sweep::first_page::{Finding, Shown};
use crate::sweep::{Budget, FirstPage, Order, Quota, Refusal, Reply, Request, Skew, prints};

/// A page that no list reaches.
const FAR: u32 = 1_000_000;

/// How many questions an app with calls is asked while its list stands still. Where new calls move
/// it on meanwhile, or an answer is a mistake, some are asked again.
pub(super) const N_QUESTIONS: u32 = 15;

/// Asks one app.
pub(super) struct Asker<'a> {
    pub(super) client: Client,
    /// Shared by the apps of one budget.
    pub(super) budget: &'a mut Budget,
    pub(super) clock: Clock,
    /// When the time is up, by the steady clock.
    pub(super) until: Moment,
    pub(super) per_page: u32,
}

/// What is learned from all answers alike.
#[derive(Default)]
struct Learned {
    survey: Survey,
    quota: Quota,
    skew: Skew,
    took_ms: Vec<u64>,
    order: Order,
    /// The first answer after which nothing more is to be asked.
    stopped: Option<Stop>,
}

impl Learned {
    /// Keeps the answer that shows most, since answers show the same rows again.
    fn see(&mut self, survey: Survey) {
        let limit_header = self.survey.limit_header.or(survey.limit_header);
        if survey.n_rows > self.survey.n_rows {
            self.survey = survey;
        }
        self.survey.limit_header = limit_header;
    }
}

impl Asker<'_> {
    /// Asks everything, or until the API says that it is enough, or the time is up.
    pub(super) async fn ask(mut self) -> Facts {
        let mut learned = Learned::default();
        let page = |page, per_page| Request::List { page, per_page: Some(per_page) };
        let first = self.question(&mut learned, page(1, self.per_page), None).await;
        let nothing = || Err(Refused { refusal: Refusal::Unavailable, note: String::new() });
        let mut facts = Facts {
            per_page: self.per_page,
            first: first.unwrap_or_else(nothing),
            first_page: None,
            order: Order::default(),
            large: None,
            past_end: None,
            filters: Vec::new(),
            get: None,
            survey: Survey::default(),
            quota: Quota::default(),
            skew: Skew::default(),
            took_ms: Vec::new(),
            stopped: None,
        };
        facts.first_page = self.first_page(&mut learned, &facts).await;
        if is_going_on(&facts, &learned) {
            let request = page(facts.first_page.unwrap_or(1), self.per_page.saturating_mul(10));
            facts.large = self.question(&mut learned, request, None).await;
        }
        if is_going_on(&facts, &learned) {
            let request = page(FAR, self.per_page);
            facts.past_end = self.question(&mut learned, request, None).await;
        }
        for filter in Filter::ALL {
            let Some(value) = value(filter, &facts) else { continue };
            if is_going_on(&facts, &learned) {
                let request = page(facts.first_page.unwrap_or(1), self.per_page);
                let filtered = Some((filter.name(), value.as_str()));
                let answer = self.question(&mut learned, request, filtered).await;
                facts.filters.extend(answer.map(|answer| (filter, answer)));
            }
        }
        if let Some(key) = facts.calls().first().map(|call| call.key.clone())
            && is_going_on(&facts, &learned)
        {
            let request = Request::Get { session_id: key.session_id.clone() };
            facts.get =
                self.question(&mut learned, request, None).await.map(|answer| (key, answer));
        }
        let Learned { survey, quota, skew, took_ms, order, stopped } = learned;
        Facts { survey, quota, skew, took_ms, order, stopped, ..facts }
    }

    async fn first_page(&mut self, learned: &mut Learned, facts: &Facts) -> Option<u32> {
        let mut it = FirstPage::default();
        while is_going_on(facts, learned) {
            let request = Request::List { page: it.question(), per_page: Some(self.per_page) };
            let asked_at = self.clock.wall();
            let shown = match self.question(learned, request, None).await? {
                Ok(page) if page.n_rows() == 0 => Shown::Nothing,
                Ok(page) => Shown::Rows(prints::prints(&page)),
                Err(refused) if refused.refusal == Refusal::Unavailable => return None,
                Err(_) => Shown::Refused,
            };
            match it.take(shown, asked_at) {
                Finding::Is(number) => return Some(number),
                Finding::Open => {}
                Finding::EmptyList(_) | Finding::NoList => return None,
            }
        }
        None
    }

    /// One question; `None` where it is too late for it. What fails is asked once more, since a
    /// fault that passes is no trait of the API.
    async fn question(
        &mut self,
        learned: &mut Learned,
        request: Request,
        filter: Option<(&str, &str)>,
    ) -> Option<Answer> {
        match self.request(learned, &request, filter).await? {
            Err(Refused { refusal: Refusal::Unavailable, .. }) => {
                self.request(learned, &request, filter).await
            }
            answer => Some(answer),
        }
    }

    /// One request, when the budget has room for it.
    async fn request(
        &mut self,
        learned: &mut Learned,
        request: &Request,
        filter: Option<(&str, &str)>,
    ) -> Option<Answer> {
        loop {
            let now = self.clock.steady();
            let wait_ms = self.budget.take(now).err().unwrap_or(0);
            if now.plus_ms(wait_ms) >= self.until {
                learned.stopped = Some(Stop::Time);
                return None;
            }
            if wait_ms == 0 {
                break;
            }
            self.clock.sleep_ms(wait_ms).await;
        }
        let asked_at = self.clock.wall();
        let now = learned.skew.api_time(asked_at).floor();
        let (exchange, survey) = self.client.survey(request, filter, now).await;
        if let Some(date) = exchange.date {
            learned.skew.learn(date, asked_at, self.clock.wall());
        }
        let quota = exchange.quota;
        learned.quota.limit = quota.limit.or(learned.quota.limit);
        learned.quota.remaining = quota.remaining.or(learned.quota.remaining);
        learned.took_ms.push(u64::try_from(exchange.elapsed.as_millis()).unwrap_or(u64::MAX));
        self.budget.learn(quota);
        let answer = match exchange.outcome {
            Ok(Reply::List(page)) => {
                if filter.is_none() {
                    learned.order.learn(&page.calls);
                    learned.see(survey);
                }
                Ok(page)
            }
            Ok(Reply::Get(page)) => Ok(page),
            Err(refusal) => Err(Refused { refusal, note: exchange.note.unwrap_or_default() }),
        };
        learned.stopped = learned.stopped.take().or_else(|| {
            let refused = answer.as_ref().err()?;
            let is_over = matches!(refused.refusal, Refusal::Later | Refusal::Denied);
            is_over.then(|| Stop::Refused(refused.clone()))
        });
        Some(answer)
    }
}

fn is_going_on(facts: &Facts, learned: &Learned) -> bool {
    facts.first.is_ok() && learned.stopped.is_none()
}

fn value(filter: Filter, facts: &Facts) -> Option<String> {
    match filter {
        Filter::Ended => Some("ended".to_owned()),
        Filter::Ongoing => Some("ongoing".to_owned()),
        Filter::HasRecording => Some("true".to_owned()),
        Filter::StartedAt => facts.middle(|call| call.started_at).map(|at| at.0.to_string()),
        Filter::EndedAt => facts.middle(|call| call.ended_at).map(|at| at.0.to_string()),
    }
}
