//! JUnit reports against the schemas of Jenkins.

use std::path::Path;
use std::process::Command;

#[test]
fn the_schemas_of_jenkins_take_every_report() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !Command::new("sh").arg(root.join("scripts/fetch-junit-schema")).status().is_ok_and(|done| done.success()) {
        return crate::support::left_out("scripts/fetch-junit-schema must work");
    }
    let reports = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for fixture in std::fs::read_dir(root.join("tests/fixtures/rules")).unwrap() {
        let bad = fixture.unwrap().path().join("bad");
        let head = bad.join("head");
        let data = tempfile::tempdir().unwrap();
        crate::support::copy(if head.exists() { &head } else { &bad }, data.path());
        for folder in ["plans", "domains", "subscribers"] {
            std::fs::create_dir_all(data.path().join(folder)).unwrap();
        }
        let check = Command::new(env!("CARGO_BIN_EXE_shapeline"))
            .args(["check", "--format", "junit", "-C"])
            .arg(data.path())
            .output()
            .unwrap();
        files.push(reports.path().join(files.len().to_string()));
        std::fs::write(files.last().unwrap(), &check.stdout).unwrap();
    }
    let failures = files.iter().filter(|file| std::fs::read_to_string(file).unwrap().contains("<failure"));
    assert!(failures.count() > 20, "the reports have failures in them");
    for schema in std::fs::read_dir(root.join("target/junit")).unwrap() {
        let schema = schema.unwrap().path().join("junit-10.xsd");
        let Ok(validated) =
            Command::new("xmllint").args(["--nonet", "--noout", "--schema"]).arg(&schema).args(&files).output()
        else {
            return crate::support::left_out("xmllint is not installed");
        };
        assert!(validated.status.success(), "{}", String::from_utf8_lossy(&validated.stderr));
    }
}
