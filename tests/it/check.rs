//! `check`, through the binary.

use crate::support::Repo;

#[test]
fn good_data_passes() {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    let run = repo.run(&["check"]);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_broken_record_is_refused_with_its_place() {
    let repo = Repo::new();
    repo.write("subscribers/a.yaml", "ip: 10.10.10.300\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    let run = repo.run(&["check", "--format", "github"]);
    assert_eq!(run.code, 1, "{run:?}");
}

#[test]
fn of_very_many_findings_the_first_are_listed_and_the_rest_is_counted() {
    let repo = Repo::new();
    repo.write("domains/ispcustomer.co.zw.yaml", "name: ispcustomer.co.zw\nprefixes: [10.0.0.0/8]\n");
    let all: String = (0..12_000)
        .map(|n| format!("- ip: 10.1.{}.{}\n  domain: ispcustomer.co.zw\n  plan: GONE\n", n / 250, n % 250 + 1))
        .collect();
    repo.write("subscribers/a.yaml", all);
    let run = repo.run(&["check", "--format", "json"]);
    assert_eq!(run.code, 1);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 10_001);
    assert!(findings.iter().any(|f| f["message"].as_str().unwrap().contains("more than 10000 places")));
}

#[test]
fn an_address_taken_in_another_file_is_refused_in_all_five_formats_with_both_places() {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    repo.commit("start");
    repo.write("subscribers/new.yaml", "domain: ispcustomer.co.zw\nip: 10.10.10.25\nplan: 50_MEG_UP_50_MEG_DOWN\n");
    let (new, old) = ("subscribers/new.yaml", "subscribers/ispcustomer.co.zw/10.10.10.25.yaml");
    for format in ["text", "json", "github", "sarif", "junit"] {
        let run = repo.run(&["check", "--base", "HEAD", "--format", format]);
        assert_eq!(run.code, 1, "{format}: {run:?}");
        assert!(run.stdout.contains("duplicate-ip"), "{format}: {run:?}");
        let (new_at, old_at) = (run.stdout.find(new), run.stdout.find(old));
        assert!(new_at.is_some() && old_at.is_some(), "{format} names both places: {run:?}");
        assert!(new_at < old_at || format == "sarif", "{format}: the new one is the offence: {run:?}");
    }
    let run = repo.run(&["check", "--base", "HEAD", "--format", "github"]);
    assert!(run.stdout.contains(&format!("file={new},line=2,endLine=2,col=5,endColumn=16")), "{run:?}");
}

#[test]
fn folders_that_are_too_deep_are_reported() {
    let repo = Repo::new();
    let deep = |folders: usize| format!("subscribers/{}", "d/".repeat(folders));
    let record = "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n";
    repo.write(&format!("{}a.yaml", deep(63)), record);
    repo.commit("As deep as may be");
    assert_eq!(repo.run(&["check"]).code, 0);
    repo.write(&format!("{}b.yaml", deep(64)), record.replace("10.25", "10.26"));
    repo.commit("Too deep");
    for args in [&["check"][..], &["check", "--rev", "HEAD"]] {
        let run = repo.run(args);
        assert_eq!(run.code, 1, "{run:?}");
        let message = "folders nest more than 64 deep: this one is not read";
        assert!(run.stdout.contains(message) && run.stdout.contains(deep(64).trim_end_matches('/')), "{run:?}");
    }
}

#[test]
fn a_secret_in_the_settings_is_refused() {
    for (settings, key) in [
        ("targets:\n- {name: a, url: 's3://b/c', endpoint: 'https://noc:hunter2@s3.ispcustomer.co.zw'}\n", "endpoint"),
        ("targets:\n- {name: a, url: 's3://b/c', endpoint: 'https://s3.ispcustomer.co.zw/?key=hunter2'}\n", "endpoint"),
        ("backup: {url: 's3://b/c', endpoint: 'https://noc:hunter2@s3.ispcustomer.co.zw'}\n", "endpoint"),
        ("targets:\n- {name: a, url: 'file:///b/c', reload: [curl, 'https://noc:hunter2@192.0.2.1/']}\n", "reload"),
        ("targets:\n- {name: a, url: 'file:///b/c', check: [lint, '--to=ftp://noc:hunter2@192.0.2.1/']}\n", "check"),
    ] {
        let repo = Repo::new();
        repo.subscriber("10.10.10.25", 30);
        repo.write("shapeline.yaml", settings);
        let run = repo.run(&["check"]);
        assert!(run.code == 1 && run.stdout.contains("without a password"), "{key}: {run:?}");
    }
}

#[test]
fn a_data_folder_in_other_case_is_not_passed_over() {
    let repo = Repo::new();
    repo.write("Subscribers/a.yaml", "ip: 10.10.10.1\n");
    repo.write("DOMAINS/a.yaml", "name: a.ispcustomer.co.zw\n");
    repo.write("Templates/a.txt", "not data");
    repo.commit("start");
    for args in [&["check"][..], &["check", "--rev", "HEAD"]] {
        let run = repo.run(args);
        let said = run.stdout + &run.stderr;
        assert_eq!(run.code, 1, "{said}");
        for (folder, meant) in [("Subscribers", "subscribers"), ("DOMAINS", "domains")] {
            assert!(
                said.contains(&format!("--> {folder}")) && said.contains(&format!("did you mean `{meant}`?")),
                "{said}"
            );
        }
        assert!(!said.contains("Templates") && said.matches("error[file-name]").count() == 2, "{said}");
    }
}
