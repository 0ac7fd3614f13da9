//! The files of a fresh data repository.

use std::collections::BTreeMap;

use anyhow::{Context as _, Error, Result};

use super::Tool;
use crate::model::{Addresses, Name, Plan, PlanStatus, Rate, Subscriber, SubscriberStatus};
use crate::schema;
use crate::yaml::ser::to_text;

/// Files that are copied from `src/init/files`.
const PLAIN: &[(&str, &str)] = &[
    (".gitattributes", include_str!("files/gitattributes")),
    (".github/CODEOWNERS", include_str!("files/CODEOWNERS")),
    (".gitignore", include_str!("files/gitignore")),
    (".pre-commit-config.yaml", include_str!("files/pre-commit-config.yaml")),
    (".vscode/extensions.json", include_str!("files/vscode-extensions.json")),
    (".vscode/settings.json", include_str!("files/vscode-settings.json")),
    ("shapeline.yaml", include_str!("files/shapeline.yaml")),
];

/// Where the workflows read the source of the tool.
pub(crate) const TOOL_FILE: &str = ".github/shapeline.env";

/// Its text without a source.
const TOOL_TEXT: &str = include_str!("files/shapeline.env");

/// What precedes the source in it.
const TOOL_KEY: &str = "SHAPELINE_TOOL=";

/// The settings at the forge that make the checks binding, as Markdown.
pub const SETUP: &str = include_str!("files/setup.md");

const README: &str = include_str!("files/README.md");

/// Where the README points to the example.
const EXAMPLE_FOLDER: &str = ", such as\n[`subscribers/ispcustomer.co.zw`](subscribers/ispcustomer.co.zw)";

/// Marker in the README for [`SETUP`].
const SETUP_HERE: &str = "<!-- SETUP -->\n";

/// Workflows, which get the steps that install the tool.
const WORKFLOWS: &[(&str, &str)] = &[
    ("check.yml", include_str!("files/check.yml")),
    ("deploy.yml", include_str!("files/deploy.yml")),
    ("drift.yml", include_str!("files/drift.yml")),
];

/// Marker in a workflow for the steps that install the tool.
const INSTALL_HERE: &str = "      # INSTALL\n";

/// The steps by which a data repository's workflows install the tool.
const INSTALL: &str = include_str!("files/install.yml");

/// The example's plans: Mbps, up and down.
const PLANS: [u64; 2] = [30, 50];

/// The example's subscribers: address, and the plan's Mbps.
const SUBSCRIBERS: [(&str, u64); 5] =
    [("10.10.10.25", 30), ("10.10.10.26", 50), ("10.10.10.30", 50), ("11.11.11.12", 50), ("192.168.1.10", 30)];

/// Every file of a fresh data repository, by path; with an example in it, or without data. Its workflows
/// install the tool from `tool`, or from the source that a variable of the repository will name.
///
/// # Errors
/// If the example is not valid data, which a test rules out.
pub fn files(example: bool, tool: Option<&Tool>) -> Result<BTreeMap<String, String>> {
    let plain = PLAIN.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let workflows =
        WORKFLOWS.iter().map(|(name, text)| (format!(".github/workflows/{name}"), text.replace(INSTALL_HERE, INSTALL)));
    let schemas = schema::schema_files().into_iter().map(|(name, text)| (format!("{}/{name}", schema::FOLDER), text));
    let mut files: BTreeMap<String, String> = plain.chain(workflows).chain(schemas).collect();
    let named = tool.map(Tool::to_string).unwrap_or_default();
    files
        .insert(TOOL_FILE.to_owned(), TOOL_TEXT.replace(&format!("\n{TOOL_KEY}\n"), &format!("\n{TOOL_KEY}{named}\n")));
    let readme = README.replace(SETUP_HERE, SETUP);
    if !example {
        files.insert("README.md".to_owned(), readme.replace(EXAMPLE_FOLDER, ""));
        return Ok(files);
    }
    files.insert("README.md".to_owned(), readme);
    files.insert(format!("domains/{DOMAIN}.yaml"), include_str!("files/domain.yaml").to_owned());
    for mbps in PLANS {
        files.insert(format!("plans/{}.yaml", plan_name(mbps)), to_text(&plan(mbps)?)?);
    }
    for (ip, mbps) in SUBSCRIBERS {
        files.insert(format!("subscribers/{DOMAIN}/{ip}.yaml"), to_text(&subscriber(ip, mbps)?)?);
    }
    Ok(files)
}

const DOMAIN: &str = "ispcustomer.co.zw";

fn plan_name(mbps: u64) -> String {
    format!("{mbps}_MEG_UP_{mbps}_MEG_DOWN")
}

fn plan(mbps: u64) -> Result<Plan> {
    let rate = Rate::from_bps(mbps * 1_000_000).context("a rate is more than nothing")?;
    let name = plan_name(mbps).parse().map_err(Error::msg)?;
    Ok(Plan { name, up: rate, down: rate, status: PlanStatus::Offered, attribute: None, description: None })
}

fn subscriber(ip: &str, mbps: u64) -> Result<Subscriber> {
    Ok(Subscriber {
        ip: Addresses::One(ip.parse().map_err(Error::msg)?),
        domain: Name::new(DOMAIN),
        plan: Name::new(&plan_name(mbps)),
        id: None,
        name: None,
        status: SubscriberStatus::Active,
        starts: None,
        ends: None,
        labels: None,
    })
}

/// The source that the text of [`TOOL_FILE`] names, if it is one.
pub(crate) fn tool_in(text: &str) -> Option<Tool> {
    text.lines().find_map(|line| line.strip_prefix(TOOL_KEY))?.parse().ok()
}

/// The workflow `name` with other steps to get the tool; `None` if there is no such workflow.
pub fn workflow(name: &str, install: &str) -> Option<String> {
    let (_, text) = WORKFLOWS.iter().find(|(known, _)| *known == name)?;
    Some(text.replace(INSTALL_HERE, install))
}
