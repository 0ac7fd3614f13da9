//! Every threat in docs/security.md names its tests, and each of them exists.

use std::path::Path;

/// The text of every file of Rust, by the names of its folders and itself.
fn sources() -> Vec<(Vec<String>, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests/it"].into_iter().flat_map(|folder| walkdir::WalkDir::new(root.join(folder)));
    let files = files.filter_map(Result::ok).filter(|file| file.path().extension().is_some_and(|end| end == "rs"));
    files
        .map(|file| {
            let path = file.path().with_extension("");
            let names = path.strip_prefix(root).unwrap().iter().map(|name| name.to_str().unwrap().to_owned());
            (names.collect(), std::fs::read_to_string(file.path()).unwrap())
        })
        .collect()
}

/// Whether a test of the name is in the module, or the module has tests where no test is named.
fn is_there(sources: &[(Vec<String>, String)], name: &str) -> bool {
    let mut path: Vec<&str> = name.split("::").filter(|part| *part != "tests" || name.starts_with("tests::")).collect();
    let test = if name.contains("::") { path.pop() } else { None };
    sources.iter().any(|(names, text)| {
        let in_module = path.iter().all(|part| names.iter().any(|name| name == part));
        let test = test.map_or("#[test]".to_owned(), |test| format!("fn {test}("));
        in_module && text.contains("#[test]") && text.contains(&test)
    })
}

#[test]
fn every_threat_has_its_test() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md")).unwrap();
    let sources = sources();
    let mut threats = 0;
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [threat, _, tests] = cells[..] else { continue };
        if threat.trim() == "threat" {
            continue;
        }
        let tests: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test: {threat}");
        for test in tests {
            assert!(is_there(&sources, test), "{test} is not there: {threat}");
        }
        threats += 1;
    }
    assert!(threats > 30, "{threats}");
    assert!(!is_there(&sources, "altered::nothing_of_the_kind"));
}
