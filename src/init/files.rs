//! The files of a fresh data repository.

use std::collections::BTreeMap;

use crate::schema;

/// Files whose text is just what lies in `src/init/files`.
const PLAIN: &[(&str, &str)] = &[
    (".gitattributes", include_str!("files/gitattributes")),
    (".github/CODEOWNERS", include_str!("files/CODEOWNERS")),
    (".gitignore", include_str!("files/gitignore")),
    (".pre-commit-config.yaml", include_str!("files/pre-commit-config.yaml")),
    (".vscode/extensions.json", include_str!("files/vscode-extensions.json")),
    (".vscode/settings.json", include_str!("files/vscode-settings.json")),
    ("README.md", include_str!("files/README.md")),
    ("domains/ispcustomer.co.zw.yaml", include_str!("files/domain.yaml")),
    ("plans/30_MEG_UP_30_MEG_DOWN.yaml", include_str!("files/plan-30.yaml")),
    ("plans/50_MEG_UP_50_MEG_DOWN.yaml", include_str!("files/plan-50.yaml")),
    ("shapeline.yaml", include_str!("files/shapeline.yaml")),
];

/// Workflows: their steps that fetch the tool are put in.
const WORKFLOWS: &[(&str, &str)] =
    &[("check.yml", include_str!("files/check.yml")), ("deploy.yml", include_str!("files/deploy.yml"))];

/// Where in a workflow the tool is fetched.
const INSTALL_HERE: &str = "      # INSTALL\n";

/// How a data repository's workflows get the tool.
const INSTALL: &str = include_str!("files/install.yml");

/// The example: who has which plan.
const SUBSCRIBERS: [(&str, u8); 5] =
    [("10.10.10.25", 30), ("10.10.10.26", 50), ("10.10.10.30", 50), ("11.11.11.12", 50), ("192.168.1.10", 30)];

/// Every file of a fresh data repository, by path.
pub fn files() -> BTreeMap<String, String> {
    let plain = PLAIN.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let install = INSTALL.replace("VERSION", env!("CARGO_PKG_VERSION"));
    let workflows = WORKFLOWS
        .iter()
        .map(|(name, text)| (format!(".github/workflows/{name}"), text.replace(INSTALL_HERE, &install)));
    let schemas = schema::schema_files().into_iter().map(|(name, text)| (format!("{}/{name}", schema::FOLDER), text));
    let subscribers = SUBSCRIBERS.iter().map(|(ip, rate)| {
        let text = format!("ip: {ip}\ndomain: ispcustomer.co.zw\nplan: {rate}_MEG_UP_{rate}_MEG_DOWN\n");
        (format!("subscribers/ispcustomer.co.zw/{ip}.yaml"), text)
    });
    plain.chain(workflows).chain(schemas).chain(subscribers).collect()
}

/// The workflow `name` with other steps to get the tool; `None` if there is no such workflow.
pub fn workflow(name: &str, install: &str) -> Option<String> {
    let (_, text) = WORKFLOWS.iter().find(|(known, _)| *known == name)?;
    Some(text.replace(INSTALL_HERE, install))
}
