//! The answer to a question: events, subjects and snapshots, for every output format.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::facts::{Facts, FieldDifference, differences};
use super::log::LogCommit;
use super::notes::notes;
use super::query::{Question, chosen};
use super::story::{Past, RecordState, Story, term};
use super::times::{Seconds, TimeSpan};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventAction {
    /// The record is new.
    Added,
    /// A field is different.
    Changed,
    /// The record is gone.
    Removed,
}

/// The kind of record that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// A subscriber.
    Subscriber,
    /// A plan.
    Plan,
}

/// One change of one record.
#[derive(Clone, Debug)]
pub struct Event<'l> {
    /// The kind of record.
    pub kind: SubjectKind,
    /// What happened.
    pub action: EventAction,
    /// The record's key; for a plan, its name.
    pub key: &'l str,
    /// The subscriber's earlier key, if it had another.
    pub was: Option<&'l str>,
    /// The subscriber's next key, if it gets another.
    pub becomes: Option<&'l str>,
    /// When it took effect.
    pub time: Seconds,
    /// The commit that made the change.
    pub commit: LogCommit<'l>,
    /// The merge that brought it, if it was made on a branch.
    pub merge: Option<LogCommit<'l>>,
    /// The file.
    pub path: &'l str,
    /// What is different.
    pub changes: Vec<FieldDifference>,
    /// For a plan: how many of the subscribers in question had it.
    pub subscribers: Option<usize>,
    /// The rates before and after, up and down, where a subscriber's changed.
    pub rates: Option<(Option<String>, Option<String>)>,
}

/// A subscriber with its present or last fields.
#[derive(Clone, Debug)]
pub struct Subject<'l> {
    /// Its key.
    pub key: &'l str,
    /// Whether it is in the data after the last commit.
    pub present: bool,
    /// Its present or last fields.
    pub facts: Facts<'l>,
    /// The file.
    pub path: &'l str,
    /// The times during which it was served.
    pub served: Vec<TimeSpan>,
}

/// A subscriber at a given time.
#[derive(Clone, Debug)]
pub struct Snapshot<'l> {
    /// The subscriber's key.
    pub key: &'l str,
    /// Its fields then.
    pub facts: Facts<'l>,
    /// The plan's rates then.
    pub rates: Option<String>,
    /// The time during which it had these fields.
    pub span: TimeSpan,
    /// Whether it was served then.
    pub served: bool,
    /// The commit that made it so.
    pub commit: LogCommit<'l>,
    /// The merge that brought it, if it was made on a branch.
    pub merge: Option<LogCommit<'l>>,
    /// The file.
    pub path: &'l str,
}

/// The answer.
#[derive(Debug)]
pub struct HistoryAnswer<'l> {
    /// Events, newest first; none for a question about one moment.
    pub events: Vec<Event<'l>>,
    /// The subscribers of the events.
    pub subjects: Vec<Subject<'l>>,
    /// The subscribers at that moment, for a question about one.
    pub holdings: Vec<Snapshot<'l>>,
    /// How many events or snapshots there are, those beyond the limit included.
    pub total: usize,
    /// Sentences on what limits the answer.
    pub notes: Vec<String>,
}

/// Answers a question.
pub fn answer<'l>(past: &Past<'l>, question: &Question) -> HistoryAnswer<'l> {
    let (mut stories, neighbours) = chosen(past, question);
    let plans = Plans::new(past);
    let mut answer = HistoryAnswer {
        events: vec![],
        subjects: vec![],
        holdings: vec![],
        total: 0,
        notes: notes(past, question, &stories),
    };
    let limit = question.limit.unwrap_or(usize::MAX);
    if let Some(on) = question.on {
        let mut found = holdings(past, question, &stories, on);
        found.sort_by_key(|(story, at)| (past.name(story.key), *at));
        answer.total = found.len();
        answer.holdings =
            found.iter().take(limit).filter_map(|(story, at)| holding(past, &plans, story, *at, on)).collect();
        return answer;
    }
    // Earlier and later keys of a subscriber belong to its story.
    let links = Links::new(past, stories.iter().chain(&neighbours));
    stories.extend(neighbours.into_iter().filter(|story| links.keys.contains(&story.key)));
    let mut happened = happened(past, question, &stories, &plans);
    happened.sort_by_key(|one| (Reverse(one.state.commit), one.kind == SubjectKind::Subscriber, past.name(one.key)));
    answer.total = happened.len();
    happened.truncate(limit);
    answer.events = happened.iter().map(|one| event(past, &plans, &links, one)).collect();
    let keys: HashSet<&str> = answer.events.iter().map(|event| event.key).collect();
    let wanted = |story: &&Story| question.who.is_some() || keys.contains(past.name(story.key));
    answer.subjects = stories.iter().filter(wanted).filter_map(|story| subject(past, story)).collect();
    answer.subjects.sort_by_key(|subject| subject.key);
    answer
}

/// An event by its numbers in the log.
struct Happened {
    kind: SubjectKind,
    key: u32,
    before: Option<u32>,
    state: RecordState,
    subscribers: Option<usize>,
}

fn happened(past: &Past<'_>, question: &Question, stories: &[Story], plans: &Plans) -> Vec<Happened> {
    let mut all = Vec::new();
    for story in stories {
        let changes = transitions(story).filter(|(before, state)| in_domain(past, question, *before, state.facts));
        all.extend(changes.map(|(before, state)| Happened {
            kind: SubjectKind::Subscriber,
            key: story.key,
            before,
            state,
            subscribers: None,
        }));
    }
    all.extend(plans.happened(past, question, stories));
    all.retain(|one| {
        let time = past.times[one.state.commit as usize];
        question.from.is_none_or(|from| from <= time) && question.until.is_none_or(|until| time < until)
    });
    all
}

fn in_domain(past: &Past<'_>, question: &Question, before: Option<u32>, after: Option<u32>) -> bool {
    question.domain.as_deref().is_none_or(|domain| {
        [before, after].into_iter().flatten().any(|facts| past.facts(facts).get("domain").as_deref() == Some(domain))
    })
}

/// Each state of a story, with the facts before it.
fn transitions(story: &Story) -> impl Iterator<Item = (Option<u32>, RecordState)> {
    let before = std::iter::once(None).chain(story.states.iter().map(|state| state.facts));
    before.zip(story.states.iter().copied())
}

/// The stories of the plans.
struct Plans {
    stories: HashMap<String, Story>,
}

impl Plans {
    fn new(past: &Past<'_>) -> Plans {
        let stories = past.stories(|key| past.is_plan(key));
        Plans { stories: stories.into_iter().map(|story| (past.name(story.key).to_owned(), story)).collect() }
    }

    /// The rates of a plan after a commit.
    fn rates(&self, past: &Past<'_>, plan: &str, commit: u32) -> Option<String> {
        let states = &self.stories.get(plan)?.states;
        let at = states.partition_point(|state| state.commit <= commit).checked_sub(1)?;
        rates(past.facts(states[at].facts?))
    }

    /// The changes of plans that concern a question: all of them, if it names no subscriber; else those
    /// that changed the rates or the attribute of a subscriber in question.
    fn happened(&self, past: &Past<'_>, question: &Question, stories: &[Story]) -> Vec<Happened> {
        let mut all = Vec::new();
        let mut having: HashMap<&str, Vec<(&Story, usize)>> = HashMap::new();
        for story in stories {
            for (at, state) in story.states.iter().enumerate() {
                let plan = state.facts.and_then(|facts| past.facts(facts).raw("plan"));
                let plan = plan.filter(|plan| self.stories.get(*plan).is_some_and(|plan| plan.states.len() > 1));
                if let Some(plan) = plan.filter(|_| in_domain(past, question, None, state.facts)) {
                    having.entry(plan).or_default().push((story, at));
                }
            }
        }
        let everything = question.who.is_none() && question.domain.is_none();
        for (name, plan) in &self.stories {
            for (before, state) in transitions(plan) {
                let one = Happened { kind: SubjectKind::Plan, key: plan.key, before, state, subscribers: None };
                let had = having.get(name.as_str()).into_iter().flatten().filter(|(story, at)| {
                    let next = story.states.get(at + 1).map_or(u32::MAX, |next| next.commit);
                    story.states[*at].commit < state.commit && state.commit < next
                });
                let count = had.count();
                if everything || (count > 0 && matters(past, before, state.facts)) {
                    all.push(Happened { subscribers: Some(count), ..one });
                }
            }
        }
        all
    }
}

/// Whether a plan's change affects its subscribers.
fn matters(past: &Past<'_>, before: Option<u32>, after: Option<u32>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    ["up", "down", "attribute"].iter().any(|field| past.facts(before).raw(field) != past.facts(after).raw(field))
}

/// `30 Mbps`, or `10 Mbps up, 50 Mbps down`.
fn rates(plan: Facts<'_>) -> Option<String> {
    let (up, down) = (plan.get("up")?, plan.get("down")?);
    Some(if up == down { up.into_owned() } else { format!("{up} up, {down} down") })
}

/// Subscribers that change their key: removed and added in one commit, with the same addresses in the
/// same domain.
#[derive(Default)]
struct Links<'l> {
    was: HashMap<(u32, u32), &'l str>,
    becomes: HashMap<(u32, u32), &'l str>,
    keys: HashSet<u32>,
}

impl<'l> Links<'l> {
    fn new<'s>(past: &Past<'l>, stories: impl Iterator<Item = &'s Story> + Clone) -> Links<'l> {
        let place = |facts: u32| Some((past.facts(facts).raw("ip")?, past.facts(facts).raw("domain")?));
        let mut gone = HashMap::new();
        for story in stories.clone() {
            for (before, state) in transitions(story).filter(|(_, state)| state.facts.is_none()) {
                gone.extend(before.and_then(place).map(|place| ((state.commit, place), story.key)));
            }
        }
        let mut links = Links::default();
        for story in stories {
            for (_, state) in transitions(story).filter(|(before, _)| before.is_none()) {
                let Some(place) = state.facts.and_then(place) else { continue };
                if let Some(old) = gone.remove(&(state.commit, place)) {
                    links.keys.extend([story.key, old]);
                    links.was.insert((state.commit, story.key), past.name(old));
                    links.becomes.insert((state.commit, old), past.name(story.key));
                }
            }
        }
        links
    }
}

fn event<'l>(past: &Past<'l>, plans: &Plans, links: &Links<'l>, one: &Happened) -> Event<'l> {
    let RecordState { commit: number, facts: after, path, .. } = one.state;
    let facts = |facts: Option<u32>| facts.map(|facts| past.facts(facts));
    let action = match (one.before, after) {
        (None, _) => EventAction::Added,
        (_, None) => EventAction::Removed,
        _ => EventAction::Changed,
    };
    let changes = match action {
        EventAction::Removed => Vec::new(),
        _ => differences(facts(one.before), facts(after)),
    };
    let (commit, merge) = maker(past, one.state);
    let has_rates = changes.iter().any(|change| change.field == "plan");
    let rate = |facts: Option<Facts<'l>>, commit: Option<u32>| plans.rates(past, facts?.raw("plan")?, commit?);
    let is_subscriber = one.kind == SubjectKind::Subscriber;
    let rates = (is_subscriber && has_rates)
        .then(|| (rate(facts(one.before), number.checked_sub(1)), rate(facts(after), Some(number))));
    let link = |links: &HashMap<(u32, u32), &'l str>| links.get(&(number, one.key)).copied().filter(|_| is_subscriber);
    Event {
        kind: one.kind,
        action,
        key: past.name(one.key),
        was: link(&links.was).filter(|_| action == EventAction::Added),
        becomes: link(&links.becomes).filter(|_| action == EventAction::Removed),
        time: past.times[number as usize],
        commit,
        merge,
        path: past.log.paths[path as usize],
        changes,
        subscribers: one.subscribers,
        rates,
    }
}

/// The commit that made a state, and the merge that brought it.
fn maker<'l>(past: &Past<'l>, state: RecordState) -> (LogCommit<'l>, Option<LogCommit<'l>>) {
    let on_line = past.log.line[state.commit as usize];
    match state.by {
        Some(by) => (past.log.side[by as usize], Some(on_line)),
        None => (on_line, None),
    }
}

fn subject<'l>(past: &Past<'l>, story: &Story) -> Option<Subject<'l>> {
    let last = story.states.iter().rev().find(|state| state.facts.is_some())?;
    Some(Subject {
        key: past.name(story.key),
        present: story.states.last().is_some_and(|state| state.facts.is_some()),
        facts: past.facts(last.facts?),
        path: past.log.paths[story.path as usize],
        served: past.served(story),
    })
}

/// The states at any time within `on`.
fn holdings<'s>(past: &Past<'_>, question: &Question, stories: &'s [Story], on: TimeSpan) -> Vec<(&'s Story, usize)> {
    let mut all = Vec::new();
    for story in stories {
        for (at, state) in story.states.iter().enumerate() {
            let Some(facts) = state.facts.map(|facts| past.facts(facts)) else { continue };
            let is_key = |who: &super::query::Who| who.text == past.name(story.key);
            let matches = question.who.as_ref().is_none_or(|who| is_key(who) || who.holds(facts));
            let then = past.span(story, at).and_then(|span| span.and(on)).is_some();
            if matches && then && in_domain(past, question, None, state.facts) {
                all.push((story, at));
            }
        }
    }
    all
}

fn holding<'l>(past: &Past<'l>, plans: &Plans, story: &Story, at: usize, on: TimeSpan) -> Option<Snapshot<'l>> {
    let state = story.states[at];
    let facts = past.facts(state.facts?);
    let span = past.span(story, at)?;
    let (commit, merge) = maker(past, state);
    let then = span.and(on)?;
    // The commit that was the last one then.
    let last = past.times.partition_point(|time| then.until.is_none_or(|until| *time < until)).checked_sub(1)?;
    Some(Snapshot {
        key: past.name(story.key),
        facts,
        rates: facts.raw("plan").and_then(|plan| plans.rates(past, plan, last as u32)),
        span,
        served: facts.is_active() && then.and(term(facts)).is_some(),
        commit,
        merge,
        path: past.log.paths[state.path as usize],
    })
}
