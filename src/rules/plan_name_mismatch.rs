//! `plan-name-mismatch`: the rates in the plan's name differ from its fields.

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;
use crate::model::{Plan, RatesInName};
use crate::repo::Record;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "plan-name-mismatch",
    group: Group::Plans,
    severity: Severity::Error,
    fixed: false,
    summary: "the rates in the plan's name differ from its fields",
    why: "Staff sell by the name, and a plan without an attribute of its own gives the shaper its name. Only clear \
          names are checked: a number with MEG, Mbps, M, K or G, such as `30_MEG_UP_50_MEG_DOWN`, `10M_2M` or \
          `GOLD_7.5MEG`. A single rate without a direction fits if it is either of the two. A name with another \
          number, such as `GOLD_7_5MEG` or `10GB`, is not checked; 4G is a kind of network.",
    bad: "# plans/30_MEG_UP_30_MEG_DOWN.yaml\nname: 30_MEG_UP_30_MEG_DOWN\nup: 50 Mbps\ndown: 30 Mbps\n",
    good: "# plans/30_MEG_UP_30_MEG_DOWN.yaml\nname: 30_MEG_UP_30_MEG_DOWN\nup: 30 Mbps\ndown: 30 Mbps\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    context.first_of(context.repo.plans.iter().filter_map(mismatch))
}

fn mismatch(plan: &Record<Plan>) -> Option<Finding> {
    let Plan { name, up, down, .. } = &plan.value;
    let (up, down) = (*up, *down);
    let wrong = match RatesInName::by_name(name.as_str())? {
        RatesInName::Directions { up: said_up, down: said_down } => {
            (said_up.is_some_and(|said| said != up), said_down.is_some_and(|said| said != down))
        }
        RatesInName::One(rate) => (rate != up && rate != down, rate != up && rate != down),
        RatesInName::Two(one, other) => {
            let fits = (one, other) == (up, down) || (other, one) == (up, down);
            (!fits, !fits)
        }
    };
    let rates = match wrong {
        (false, false) => return None,
        (true, false) => format!("{up} up"),
        (false, true) => format!("{down} down"),
        (true, true) => format!("{up} up and {down} down"),
    };
    let message = format!("the name {} does not fit the plan's {rates}", quoted(name.as_str()));
    let mut finding = Finding::new(RULE.id, plan.at("name"), message);
    for (field, _) in [("up", wrong.0), ("down", wrong.1)].iter().filter(|(_, wrong)| *wrong) {
        finding = finding.related(plan.at(field), "differs from the name");
    }
    Some(finding.help("correct the rate, or rename the plan"))
}
