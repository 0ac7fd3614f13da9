//! The data of one commit on one day, with everything that makes answers fast.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::catalogue::{DomainEntry, PlanEntry, all_domains, all_plans};
use super::search::SearchTexts;
use crate::inventory::Blocks;
use crate::inventory::address_table::AddressTable;
use crate::model::{Address, Date, Subscriber, Target};
use crate::query::{FreeRange, SortField, StatusFilter, free_ranges, status, unserved_reason};
use crate::records::moment::Moment;
use crate::repo::Repo;
use crate::web::access::Scope;

/// The fields by which a list of the portal can be sorted, other than the address.
const SORTED: [SortField; 4] = [SortField::Name, SortField::Plan, SortField::Domain, SortField::Status];

/// The data that is served. It never changes: another commit is another snapshot.
pub(crate) struct Snapshot {
    /// The id of the commit.
    pub(crate) commit: String,
    /// The day for which it says who is served.
    pub(crate) today: Date,
    /// When it was loaded.
    pub(crate) loaded: Moment,
    /// The plans, the slowest first.
    pub(crate) plans: Vec<PlanEntry>,
    /// The domains by name.
    pub(crate) domains: Vec<DomainEntry>,
    /// The records.
    pub(crate) repo: Arc<Repo>,
    by_id: HashMap<Box<str>, u32>,
    addresses: AddressTable,
    held: Blocks,
    texts: SearchTexts,
    /// All subscribers in the order of their first addresses.
    order: Vec<u32>,
    /// The same in the orders of other fields, made when the first person wants one.
    sorted: [OnceLock<Vec<u32>>; SORTED.len()],
    /// The rates of plans by name, up and down.
    rates: HashMap<String, (u64, u64)>,
}

/// Which subscribers of a list, all of them if nothing is named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter<'f> {
    /// Of this domain.
    pub(crate) domain: Option<&'f str>,
    /// With this plan.
    pub(crate) plan: Option<&'f str>,
    /// With this status.
    pub(crate) status: Option<StatusFilter>,
    /// With this text, as in [`crate::query::SubscriberQuery`].
    pub(crate) text: Option<&'f str>,
    /// The order, and whether it is turned round.
    pub(crate) sort: (SortField, bool),
}

impl Snapshot {
    /// Indexes the data of a commit that has passed the check.
    pub(crate) fn new(repo: Arc<Repo>, commit: String, today: Date) -> Snapshot {
        let all = || repo.subscribers.iter().map(|record| &record.value);
        let numbered = || (0..).zip(all());
        let ids = numbered().filter_map(|(number, one)| Some((one.id.as_ref()?.as_str().into(), number)));
        // Of two with one id the first counts, where the settings allow that at all.
        let by_id = ids.collect::<Vec<(Box<str>, u32)>>().into_iter().rev().collect();
        let addresses =
            numbered().flat_map(|(number, one)| one.ip.as_slice().iter().map(move |address| (number, address)));
        let mut order: Vec<u32> = numbered().map(|(number, _)| number).collect();
        order.sort_by_cached_key(|number| {
            repo.subscribers.get(*number as usize).and_then(|one| one.value.ip.first().map(Address::sort_key))
        });
        let rate = |plan: &crate::repo::Record<crate::model::Plan>| {
            (plan.value.name.to_string(), (plan.value.up.bps(), plan.value.down.bps()))
        };
        Snapshot {
            commit,
            today,
            loaded: Moment::now(),
            plans: all_plans(&repo),
            domains: all_domains(&repo, today),
            by_id,
            addresses: AddressTable::new(addresses),
            held: Blocks::new(all().flat_map(|one| one.ip.as_slice())),
            texts: SearchTexts::new(all()),
            order,
            sorted: Default::default(),
            rates: repo.plans.iter().rev().map(rate).collect(),
            repo,
        }
    }

    /// The targets of the settings.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.repo.settings.targets
    }

    /// How many subscribers there are.
    pub(crate) fn subscribers(&self) -> usize {
        self.repo.subscribers.len()
    }

    /// The subscriber with this id, or with this `address@domain`, if `scope` has it.
    pub(crate) fn subscriber(&self, who: &str, scope: &Scope) -> Option<&Subscriber> {
        if let Some(found) = self.by_id.get(who).and_then(|number| self.get(*number, scope)) {
            return Some(found);
        }
        let (address, domain) = who.rsplit_once('@')?;
        let address: Address = address.parse().ok()?;
        let mut holders = self.addresses.exactly(&address).filter_map(|number| self.get(number, scope));
        holders.find(|subscriber| subscriber.domain.as_str() == domain)
    }

    /// The subscriber in `scope` with the longest prefix around `address`.
    pub(crate) fn holder(&self, address: &Address, scope: &Scope) -> Option<&Subscriber> {
        self.addresses.around(address).find_map(|number| self.get(number, scope))
    }

    /// How many subscribers in `scope` match, and those on a page, counted from 0.
    pub(crate) fn page(
        &self,
        filter: &Filter<'_>,
        scope: &Scope,
        page: usize,
        size: usize,
    ) -> (usize, Vec<&Subscriber>) {
        let lower = filter.text.map(str::to_lowercase);
        let address = filter.text.and_then(|text| text.parse::<Address>().ok());
        let mut total = 0;
        let mut shown = Vec::new();
        let (sort, reverse) = filter.sort;
        let order = self.order_by(sort);
        let turned = |at: usize| if reverse { order.len() - 1 - at } else { at };
        for number in (0..order.len()).filter_map(|at| order.get(turned(at))) {
            let Some(subscriber) = self.get(*number, scope) else { continue };
            let has_text = || {
                lower.as_ref().is_none_or(|lower| self.texts.has(*number, lower))
                    || address.as_ref().is_some_and(|address| meets(subscriber, address))
            };
            if self.matches(filter, subscriber) && has_text() {
                if total / size == page {
                    shown.push(subscriber);
                }
                total += 1;
            }
        }
        (total, shown)
    }

    fn order_by(&self, sort: SortField) -> &[u32] {
        let Some(cell) = SORTED.iter().position(|known| *known == sort).and_then(|at| self.sorted.get(at)) else {
            return &self.order;
        };
        cell.get_or_init(|| {
            let mut order = self.order.clone();
            let value = |number: &u32| self.repo.subscribers.get(*number as usize).map(|record| &record.value);
            // Stable: equal ones stay in the order of their addresses.
            order.sort_by(|a, b| match (value(a), value(b)) {
                (Some(a), Some(b)) => sort.compare(a, b),
                _ => std::cmp::Ordering::Equal,
            });
            order
        })
    }

    fn matches(&self, filter: &Filter<'_>, subscriber: &Subscriber) -> bool {
        let has_status = match filter.status {
            None => true,
            Some(StatusFilter::Active) => status(subscriber) == "active",
            Some(StatusFilter::Suspended) => status(subscriber) == "suspended",
            Some(StatusFilter::Served) => self.unserved(subscriber).is_none(),
            Some(StatusFilter::Unserved) => self.unserved(subscriber).is_some(),
        };
        has_status
            && filter.domain.is_none_or(|domain| subscriber.domain.as_str() == domain)
            && filter.plan.is_none_or(|plan| subscriber.plan.as_str() == plan)
    }

    /// Why a subscriber is not served, in a word.
    pub(crate) fn unserved(&self, subscriber: &Subscriber) -> Option<&'static str> {
        unserved_reason(&self.repo, subscriber, self.today)
    }

    /// The rates of a plan in bit/s, up and down.
    pub(crate) fn rates(&self, plan: &str) -> Option<(u64, u64)> {
        self.rates.get(plan).copied()
    }

    /// The domain called `name`, if `scope` has it.
    pub(crate) fn domain(&self, name: &str, scope: &Scope) -> Option<&DomainEntry> {
        self.domains.iter().find(|domain| domain.name == name && scope.has(name))
    }

    /// The plan called `name`, if `scope` has a domain that sells it.
    pub(crate) fn plan(&self, name: &str, scope: &Scope) -> Option<PlanEntry> {
        self.plans.iter().filter(|plan| plan.name == name).find_map(|plan| plan.within(scope))
    }

    /// The free addresses of a domain.
    pub(crate) fn free(&self, domain: &DomainEntry) -> Vec<FreeRange> {
        free_ranges(&self.repo, &domain.name, &self.held)
    }

    fn get(&self, number: u32, scope: &Scope) -> Option<&Subscriber> {
        let record = self.repo.subscribers.get(number as usize)?;
        scope.has(record.value.domain.as_str()).then_some(&record.value)
    }
}

impl PlanEntry {
    /// The plan as those see it who may see only these domains; `None` if none of them sells it.
    pub(crate) fn within(&self, scope: &Scope) -> Option<PlanEntry> {
        let mut plan = self.clone();
        if !scope.is_all() {
            plan.domains.retain(|domain, _| scope.has(domain));
            plan.subscribers = plan.domains.values().sum();
        }
        (scope.is_all() || !plan.domains.is_empty()).then_some(plan)
    }
}

fn meets(subscriber: &Subscriber, address: &Address) -> bool {
    let own = address.net();
    subscriber.ip.as_slice().iter().any(|held| held.net().contains(&own) || own.contains(&held.net()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::query::{SubscriberQuery, Viewer};
    use crate::tree::Tree;

    fn repo() -> Arc<Repo> {
        let files = [
            ("domains/a.example.yaml", "name: a.example\nprefixes: [10.0.0.0/16, '2001:db8::/32']\n"),
            ("domains/b.example.yaml", "name: b.example\nprefixes: [10.1.0.0/16]\n"),
            ("plans/P.yaml", "name: P\nup: 1 Mbps\ndown: 2 Mbps\n"),
            (
                "subscribers/a.yaml",
                "- {ip: 10.0.0.9, domain: a.example, plan: P, id: Hotel, name: Ünder the tree}\n\
                 - {ip: [10.0.0.0/30, '2001:db8::/48'], domain: a.example, plan: P, status: suspended}\n\
                 - {ip: 10.1.0.1, domain: b.example, plan: P, labels: {ticket: '4711'}, starts: 2030-01-01}\n\
                 - {ip: 10.0.0.1, domain: b.example, plan: P}\n",
            ),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        Arc::new(Repo::load(&Tree::Memory(files.into_iter().collect())).unwrap())
    }

    fn snapshot() -> (Arc<Repo>, Snapshot) {
        let repo = repo();
        (repo.clone(), Snapshot::new(repo, "c".to_owned(), "2026-11-01".parse().unwrap()))
    }

    #[test]
    fn a_list_is_what_the_query_of_the_command_line_gives() {
        let (repo, snapshot) = snapshot();
        let viewer = Viewer::new(&repo, snapshot.today);
        let texts = [
            None,
            Some("ünder"),
            Some("4711"),
            Some("10.0.0.1"),
            Some("10.0.0.0/24"),
            Some("2001:db8::5"),
            Some("b.ex"),
        ];
        let statuses = [None, Some(StatusFilter::Active), Some(StatusFilter::Suspended), Some(StatusFilter::Unserved)];
        for text in texts {
            for status in statuses {
                for domain in [None, Some("b.example")] {
                    let query = SubscriberQuery { text, domain, status, ..SubscriberQuery::default() };
                    let wanted = query.run(&repo, &viewer).unwrap();
                    let wanted: Vec<String> = wanted.subscribers.iter().map(|record| record.value.key()).collect();
                    let filter = Filter { text, domain, status, ..Filter::default() };
                    let (total, page) = snapshot.page(&filter, &Scope::all(), 0, 50);
                    let keys: Vec<String> = page.iter().map(|one| one.key()).collect();
                    assert_eq!((total, keys), (wanted.len(), wanted), "{filter:?}");
                }
            }
        }
    }

    #[test]
    fn a_scope_hides_everything_else() {
        let (_, snapshot) = snapshot();
        let (all, b) = (Scope::all(), Scope::of(["b.example"]));
        let holder = |ip: &str, scope: &Scope| snapshot.holder(&ip.parse().unwrap(), scope).map(Subscriber::key);
        assert_eq!(holder("10.0.0.1", &all).unwrap(), "10.0.0.1@b.example");
        assert_eq!(holder("10.0.0.1", &Scope::of(["a.example"])).unwrap(), "10.0.0.0/30@a.example");
        assert_eq!(holder("10.0.0.9", &b), None);
        assert!(snapshot.subscriber("Hotel", &all).is_some() && snapshot.subscriber("Hotel", &b).is_none());
        assert!(snapshot.subscriber("10.0.0.9@a.example", &all).is_some(), "by a key, though it has an id");
        assert!(snapshot.subscriber("10.0.0.9@b.example", &all).is_none());
        assert_eq!(snapshot.page(&Filter::default(), &b, 0, 50).0, 2);
        assert_eq!(snapshot.page(&Filter::default(), &all, 1, 3).1.len(), 1);
        assert!(snapshot.domain("a.example", &b).is_none());
        assert_eq!(snapshot.plan("P", &b).unwrap().domains.len(), 1);
        assert_eq!(snapshot.plan("P", &b).unwrap().subscribers, 2);
    }
}
