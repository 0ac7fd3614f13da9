//! `diff`: two kept versions of a target.

use super::{Site, line};

/// Three versions: one subscriber, two, the first with another plan.
fn three() -> Site {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("second");
    site.publish(0, &[]);
    site.repo.subscriber("10.10.10.1", 50);
    site.repo.commit("third");
    site.publish(0, &[]);
    site
}

#[test]
fn versions_are_compared_by_address() {
    let site = three();
    let last = site.run(&["diff"]);
    assert_eq!(last.code, 0, "{last:?}");
    let head = last.stdout.lines().next().unwrap();
    assert!(
        head.starts_with("hre-1: version 3 (") && head.contains(" by alice, live), compared with version 2 ("),
        "{head}"
    );
    let rest = last.stdout.split_once("\n\n").unwrap().1;
    insta::assert_snapshot!(rest, @r"
    ~ 10.10.10.1  ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN  30 Mbps → 50 Mbps

    Sold               subscribers  up                 down               of
    ispcustomer.co.zw  2            60 Mbps → 80 Mbps  60 Mbps → 80 Mbps

    0 added, 1 changed, 0 removed; 2 addresses as before
    ");
    let first = site.run(&["diff", "1", "--exit-code"]);
    assert_eq!(first.code, 3);
    assert!(first.stdout.contains("\n1 added, 1 changed, 0 removed; 1 → 2 addresses\n"), "{}", first.stdout);
    let back = site.run(&["diff", "2", "1"]);
    assert!(
        back.stdout.contains("\n- 10.10.10.2  ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN  30 Mbps\n"),
        "{}",
        back.stdout
    );
    let same = site.run(&["diff", "2", "2", "--exit-code"]);
    assert_eq!((same.code, same.stdout.lines().last().unwrap()), (0, "No difference."));
    let why = "No difference: version 3 is the live one; `shapeline diff 2 3` shows what it changed";
    assert_eq!(site.run(&["diff", "3"]).stdout.lines().last().unwrap(), why);
    let named = site.run(&["diff", "3", "-t", "hre-1"]).stdout;
    assert!(named.ends_with("`shapeline diff 2 3 --target hre-1` shows what it changed\n"), "{named}");
}

#[test]
fn what_the_data_says_today_is_no_reason_of_then() {
    let site = three();
    site.repo.write(
        "subscribers/ispcustomer.co.zw/10.10.10.2.yaml",
        "ip: 10.10.10.2\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\nstatus: suspended\n",
    );
    let back = site.run(&["diff", "2", "1"]).stdout;
    assert!(back.contains("- 10.10.10.2") && !back.contains("suspended"), "{back}");
    // Of broken data the intact part gives the names.
    site.repo.write("plans/broken.yaml", "name: [");
    assert_eq!(site.run(&["diff", "2", "1"]).stdout, back);
}

#[test]
fn the_live_file_counts_as_it_is() {
    let site = three();
    let edited = line(1, 50) + "10.10.10.9 10.10.10.9@ispcustomer.co.zw :=set_attribute \u{1b}[31mX\nnonsense\n";
    std::fs::write(site.live_path(), edited).unwrap();
    let run = site.run(&["diff"]);
    let (head, rest) = run.stdout.split_once('\n').unwrap();
    assert!(head.starts_with("hre-1: the live file, changed outside shapeline, compared with version 3 ("), "{head}");
    insta::assert_snapshot!(rest, @r"

    - 10.10.10.2  ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN  30 Mbps
    + 10.10.10.9  ispcustomer.co.zw  \u{1b}[31mX            rate not known

    Sold               subscribers  up                                 down                               of
    ispcustomer.co.zw  2            80 Mbps → 50 Mbps and 1 not known  80 Mbps → 50 Mbps and 1 not known

    1 added, 0 changed, 1 removed; 2 addresses as before
    only after, line 3: nonsense
    ");
    std::fs::remove_file(site.live_path()).unwrap();
    let run = site.run(&["diff"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.starts_with("shapeline: there is no live file at ")
            && run.stderr.ends_with("kept are 1-3: `shapeline log` lists them\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn versions_that_are_not_kept_are_refused() {
    let site = Site::new(1, "");
    assert_eq!(site.run(&["diff"]).code, 1);
    site.publish(0, &[]);
    for (args, why) in [
        (&["diff"][..], "there is no version before the live one; kept are 1: "),
        (&["diff", "7"], "version 7 is not kept; kept are 1: "),
        (&["diff", "1", "7"], "version 7 is not kept; kept are 1: "),
    ] {
        let run = site.run(args);
        assert!(run.code == 1 && run.stderr.starts_with(&format!("shapeline: {why}")), "{run:?}");
    }
}

#[test]
fn programs_get_every_address() {
    let site = three();
    let run = site.run(&["diff", "1", "3", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let target = &json["targets"][0];
    assert_eq!((&json["version"], &target["target"]), (&1.into(), &"hre-1".into()));
    assert_eq!(target["before"]["version"], 1);
    assert_eq!((&target["after"]["version"], &target["after"]["live"]), (&3.into(), &true.into()));
    assert_eq!(target["after"]["digest"], site.manifest()["live"]["digest"]);
    assert_eq!(target["changes"], serde_json::json!({"added": 1, "changed": 1, "removed": 0}));
    let actions: Vec<_> = target["addresses"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    assert_eq!(actions, ["change", "add"]);
}

#[test]
fn outputs_of_templates_are_compared_by_lines() {
    let site = Site::new(1, "output: own");
    site.settings("output: own", "outputs: {own: {template: templates/own.j2}}\n");
    site.repo.write("templates/own.j2", "{% for line in lines %}{{ line.address }};\n{% endfor %}");
    site.repo.commit("template");
    site.publish(0, &[]);
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("second");
    site.publish(0, &[]);
    let run = site.run(&["diff", "--exit-code"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.ends_with("only after, line 2: 10.10.10.2;\n"), "{}", run.stdout);
}

#[test]
fn colours_say_what_comes_and_goes_and_nothing_else_does() {
    let site = three();
    let coloured = |args: &[&str]| site.run(&[&["--color", "always"], args].concat());
    let (green, red, yellow, bad, off) = ("\u{1b}[32m", "\u{1b}[31m", "\u{1b}[33m", "\u{1b}[1;31m", "\u{1b}[0m");
    let plain = site.run(&["diff", "1"]).stdout;
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let diff = coloured(&["diff", "1"]).stdout;
    assert!(
        diff.contains(&format!("{green}+ 10.10.10.2 ")) && diff.contains(&format!("{yellow}~ 10.10.10.1 ")),
        "{diff}"
    );
    assert_eq!(diff.replace(green, "").replace(yellow, "").replace("\u{1b}[1m", "").replace(off, ""), plain);
    assert!(coloured(&["diff", "2", "1"]).stdout.contains(&format!("{red}- 10.10.10.2 ")));
    assert!(coloured(&["log"]).stdout.contains(&format!("PUBLISH {green}SUCCESS{off} ")));
    assert!(coloured(&["drift"]).stdout.starts_with(&format!("hre-1: {green}no difference")));
    assert!(coloured(&["diff", "9"]).stderr.starts_with(&format!("{bad}shapeline:{off} version 9")));
    // A file, JSON and a workflow get none.
    std::fs::write(site.live_path(), "\u{1b}[31m+ x\n").unwrap();
    let live = site.live_path();
    let against = ["plan", "--against", live.to_str().unwrap()];
    let plan = coloured(&against).stdout;
    assert!(plan.contains(&format!("{bad}NOT SAFE")) && !plan.contains("\u{1b}[31m+ x"), "{plan:?}");
    assert!(coloured(&["drift"]).stdout.starts_with(&format!("hre-1: {bad}the live file was changed")));
    coloured(&[&against[..], &["-o", "plan.txt"]].concat());
    assert!(site.repo.read("plan.txt").contains("NOT SAFE") && !site.repo.read("plan.txt").contains('\u{1b}'));
    assert!(!coloured(&[&against[..], &["--format", "json"]].concat()).stdout.contains('\u{1b}'));
    assert!(
        coloured(&["rollback", "--to", "9"]).stdout.contains(&format!("hre-1: {bad}REFUSED{off}, nothing was changed"))
    );
}

/// The log knows when a version was published; of a file that nothing tells of, the time is not made up.
#[test]
fn without_a_manifest_no_time_is_made_up() {
    let site = three();
    let with = site.run(&["diff", "1", "2"]).stdout;
    std::fs::remove_file(site.record_path("manifest.json")).unwrap();
    assert_eq!(site.run(&["diff", "1", "2"]).stdout, with, "the log has it all");
    std::fs::write(site.record_path("versions/00000007"), line(1, 50)).unwrap();
    let head = site.run(&["diff", "7", "2"]).stdout;
    assert!(head.lines().next().unwrap().ends_with(", compared with version 7 (no commit, time unknown)"), "{head}");
    let run = site.run(&["diff", "7", "2", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let file = &json["targets"][0]["before"];
    assert_eq!((&file["time"], &file["actor"]), (&serde_json::Value::Null, &serde_json::Value::Null));
}
