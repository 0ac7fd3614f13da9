//! `import`: converting existing data.

mod adopt;
mod asked;
mod changes;
mod columns;
mod dump;
mod hostile;
mod left_out;
mod mariadb;
mod properties;
mod rates;
mod sources;
mod templates;
mod workbook;

use crate::support::{Repo, Run};

/// A data repository without any data.
pub fn empty() -> Repo {
    let repo = Repo::empty();
    for folder in ["plans", "domains", "subscribers"] {
        std::fs::create_dir(repo.path().join(folder)).unwrap();
    }
    repo.write("shapeline.yaml", "");
    repo
}

/// Runs `import` on a text, with a fixed day.
pub fn import(repo: &Repo, source: &str, args: &[&str]) -> Run {
    import_bytes(repo, source.as_bytes(), args)
}

pub fn import_bytes(repo: &Repo, source: &[u8], args: &[&str]) -> Run {
    let file = repo.write("source.tmp", source);
    let all: Vec<&str> =
        ["import", file.to_str().unwrap(), "--on", "2026-11-21"].into_iter().chain(args.iter().copied()).collect();
    let run = repo.run(&all);
    std::fs::remove_file(file).unwrap();
    run
}

/// The same, which must be done.
pub fn imported(repo: &Repo, source: &str, args: &[&str]) -> Run {
    let run = import(repo, source, args);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    run
}

/// The shaper file of the data.
pub fn rendered(repo: &Repo) -> String {
    let run = repo.run(&["render", "--on", "2026-11-21"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}

/// A line of a shaper file.
pub fn line(ip: &str, domain: &str, attribute: &str) -> String {
    format!("{ip} {ip}@{domain} :=set_attribute {attribute}\n")
}

pub const DOMAIN: &str = "ispcustomer.co.zw";
pub const PLAN: &str = "30_MEG_UP_30_MEG_DOWN";
pub const OTHER_PLAN: &str = "50_MEG_UP_50_MEG_DOWN";

/// What is on disk of the data, by path.
pub fn files(repo: &Repo) -> std::collections::BTreeMap<String, String> {
    let mut files = std::collections::BTreeMap::new();
    for folder in ["plans", "domains", "subscribers"] {
        let mut open = vec![repo.path().join(folder)];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    open.push(entry);
                } else {
                    let path = entry.strip_prefix(repo.path()).unwrap().to_str().unwrap().to_owned();
                    files.insert(path, std::fs::read_to_string(&entry).unwrap());
                }
            }
        }
    }
    files
}
