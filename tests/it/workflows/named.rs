//! Which texts the workflows take for a source of the tool, and where they read it.

use serde_yaml::Value;
use shapeline::init::Tool;

use super::install::{FIND, INSTALL, World};

/// Texts that name a source; DIGEST is one.
const GOOD: &[&str] = &[
    "https://git.ispcustomer.co.zw/isp/shapeline.git@0123456789abcdef0123456789abcdef01234567",
    "https://git.ispcustomer.co.zw:8443/~isp/shape%20line.git@v1.2.3",
    "ssh://git@git.ispcustomer.co.zw/isp/shapeline.git@v1.2.3",
    "ssh://git.ispcustomer.co.zw:2222/shapeline.git@1.0_x+y-z",
    "git+https://git.ispcustomer.co.zw/isp/shapeline@v1",
    "git+ssh://git@git.ispcustomer.co.zw/shapeline@v1",
    "git+https://git.ispcustomer.co.zw/isp/shapeline.git@v1",
    "https://ispcustomer.co.zw/releases/download/v1/shapeline-1.2.3-x86_64.tar.gz#sha256=DIGEST",
    "https://ispcustomer.co.zw/shapeline_1.2.3-1_amd64.deb#sha256=DIGEST",
    "docker://ghcr.io/isp/shapeline:0.2.0",
    "docker://ghcr.io/isp/shapeline@sha256:DIGEST",
    "docker://registry.ispcustomer.co.zw:5000/shapeline:V_1@sha256:DIGEST",
    "crates.io@1.2.3",
    "crates.io@1.2.3-rc.1",
];

/// Texts that name none.
const BAD: &[&str] = &[
    " ",
    "-x",
    "--help",
    "main",
    "shapeline",
    "/srv/git/shapeline.git@v1",
    "file:///srv/git/shapeline.git@v1",
    "http://git.ispcustomer.co.zw/shapeline.git@v1",
    "git://git.ispcustomer.co.zw/shapeline.git@v1",
    "git@git.ispcustomer.co.zw:shapeline.git@v1",
    "https://git.ispcustomer.co.zw/shapeline.git",
    "https://git.ispcustomer.co.zw/shapeline.git@",
    "https://git.ispcustomer.co.zw/shapeline.git@-x",
    "https://git.ispcustomer.co.zw/shapeline.git@origin/main",
    "https://git.ispcustomer.co.zw/shapeline.git@v1 --offline",
    "https://git.ispcustomer.co.zw/shapeline.git@v1\n--offline",
    "https://git.ispcustomer.co.zw/shapeline.git@$(touch owned)",
    "https://git.ispcustomer.co.zw/$(touch owned).git@v1",
    "https://git.ispcustomer.co.zw/`touch owned`.git@v1",
    "https://git.ispcustomer.co.zw/x?a.git@v1",
    "https://git.ispcustomer.co.zw/shapeline@v1",
    "https://git.ispcustomer.co.zw/.git@v1",
    "https://git.ispcustomer.co.zw/x/.git@v1",
    "https://git.ispcustomer.co.zw//x.git@v1",
    "https://.git@v1",
    "https://isp:secret@git.ispcustomer.co.zw/shapeline.git@v1",
    "https://isp@git.ispcustomer.co.zw/shapeline.git@v1",
    "ssh://-oProxyCommand=x/shapeline.git@v1",
    "ssh://-x@git.ispcustomer.co.zw/shapeline.git@v1",
    "ssh://git@-x/shapeline.git@v1",
    "ssh://git@git.ispcustomer.co.zw/shapeline.git",
    "git+ssh://git@git.ispcustomer.co.zw/shapeline",
    "git+git+https://git.ispcustomer.co.zw/shapeline@v1",
    "https://ispcustomer.co.zw/shapeline.tar.gz",
    "https://ispcustomer.co.zw/shapeline.tar.gz@v1",
    "https://ispcustomer.co.zw/shapeline.tar.gz#sha256=",
    "https://ispcustomer.co.zw/shapeline.tar.gz#sha256=0123",
    "https://ispcustomer.co.zw/shapeline.tar.gz#sha256=DIGEST0",
    "https://ispcustomer.co.zw/shapeline.tar.gz#md5=DIGEST",
    "https://ispcustomer.co.zw/shapeline.zip#sha256=DIGEST",
    "https://ispcustomer.co.zw/shapeline#sha256=DIGEST",
    "https://ispcustomer.co.zw/.deb#sha256=DIGEST",
    "http://ispcustomer.co.zw/shapeline.tar.gz#sha256=DIGEST",
    "docker://shapeline:1",
    "docker://ghcr.io/isp/shapeline",
    "docker://ghcr.io/ISP/shapeline:1",
    "docker://ghcr.io/isp/shapeline:",
    "docker://ghcr.io/isp/shapeline:-x",
    "docker://ghcr.io/isp/shapeline@sha256:0123",
    "docker://ghcr.io/isp/shapeline@sha512:DIGEST",
    "docker://ghcr.io/isp/~shapeline:1",
    "docker://-x/isp/shapeline:1",
    "crates.io@",
    "crates.io@1.2",
    "crates.io@1.2.3-",
    "crates.io@latest",
    "crates.io@1.2.3 --git x",
    "crates.io.example@1.2.3",
    "https://git.ispcustomer.co.zw/ünï.git@v1",
];

/// The step and `init --tool` read the same texts in the same way.
#[test]
fn only_a_source_is_taken_for_one() {
    let world = World::new();
    let digest = "0123456789abcdef".repeat(4);
    let long = |length: usize| format!("https://h/{}.git@v1", "x".repeat(length - "https://h/.git@v1".len()));
    let good = GOOD.iter().map(|text| text.replace("DIGEST", &digest)).chain([long(400)]);
    let bad = BAD.iter().map(|text| text.replace("DIGEST", &digest)).chain([long(401)]);
    for (text, is_good) in good.map(|text| (text, true)).chain(bad.map(|text| (text, false))) {
        let read = text.parse::<Tool>();
        assert_eq!(read.is_ok(), is_good, "{text}: {read:?}");
        let find = world.step(FIND, &[("VARIABLE", &text)]);
        assert_eq!(find.status.success(), is_good, "{text}: {find:?}");
        let said = String::from_utf8(find.stdout).unwrap();
        if let Ok(tool) = read {
            // Where the URL is one of git without it, `git+` is left out.
            let shortest = if text.contains(".git@") { text.trim_start_matches("git+") } else { &text };
            assert_eq!((tool.to_string().as_str(), tool.to_string().parse()), (shortest, Ok(tool)));
            assert_eq!(said, format!("The variable SHAPELINE_TOOL: {text}\n"));
            continue;
        }
        let first = said.lines().next().unwrap();
        assert!(first.starts_with("::error title=SHAPELINE_TOOL::The variable SHAPELINE_TOOL is none"), "{said}");
        assert_eq!(said.matches("::error").count(), 1, "{said}");
        // A short one may be a word of the message.
        assert!(text.len() < 12 || !said.contains(&text), "not repeated: {said}");
    }
    assert_eq!(world.runner.read("output").lines().count(), GOOD.len() + 1);
    assert!(!world.runner.repo.path().join("owned").exists());
}

#[test]
fn the_variable_comes_first_then_the_file_of_the_commit() {
    let world = World::new();
    let file = ".github/shapeline.env";
    let empty = world.runner.repo.read(file);
    let unset = world.step(FIND, &[("VARIABLE", "")]);
    let said = String::from_utf8(unset.stdout).unwrap();
    assert_eq!(unset.status.code(), Some(1), "{said}");
    let problem = "The variable SHAPELINE_TOOL is not set, and .github/shapeline.env names no tool, either. Set it";
    assert!(said.starts_with(&format!("::error title=SHAPELINE_TOOL::{problem}")), "{said}");
    for place in ["Settings → Secrets and variables → Actions → Variables", "\ncrates.io@VERSION "] {
        assert!(said.contains(place), "{said}");
    }
    let name = |value: &str| {
        world.runner.repo.write(file, empty.replace("\nSHAPELINE_TOOL=\n", &format!("\nSHAPELINE_TOOL={value}\n")));
    };
    let find = |variable: &str| {
        let find = world.step(FIND, &[("VARIABLE", variable)]);
        (find.status.code(), String::from_utf8(find.stdout).unwrap())
    };
    name("crates.io@1.0.0");
    world.runner.repo.commit("Name the tool");
    // Not the file that is checked out.
    name("crates.io@2.0.0");
    assert_eq!(find(""), (Some(0), "SHAPELINE_TOOL in .github/shapeline.env: crates.io@1.0.0\n".to_owned()));
    assert_eq!(find("crates.io@3.0.0"), (Some(0), "The variable SHAPELINE_TOOL: crates.io@3.0.0\n".to_owned()));
    name("$(touch owned)");
    world.runner.repo.commit("Name none");
    let (code, said) = find("");
    let problem = "::error title=SHAPELINE_TOOL::SHAPELINE_TOOL in .github/shapeline.env is none of the forms";
    assert!(code == Some(1) && said.starts_with(problem), "{said}");
    assert!(!world.runner.repo.path().join("owned").exists());
}

/// Every job that runs the tool gets it by the same steps, and keeps it under the name of its source.
#[test]
fn all_jobs_install_it_alike() {
    let world = World::new();
    let mut installs: Vec<Vec<Value>> = Vec::new();
    for name in ["check", "deploy", "drift"] {
        let text = world.runner.repo.read(&format!(".github/workflows/{name}.yml"));
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        for (_, job) in workflow["jobs"].as_mapping().unwrap() {
            let steps = job["steps"].as_sequence().unwrap();
            let first = steps.iter().position(|step| step["name"].as_str() == Some(FIND));
            installs.extend(first.map(|first| steps[first..first + 3].to_vec()));
        }
    }
    assert_eq!(installs.len(), 4);
    assert!(installs.iter().all(|steps| *steps == installs[0]));
    let [find, cache, install] = installs[0].as_slice() else { panic!("{:?}", installs[0]) };
    assert_eq!(find["env"]["VARIABLE"].as_str(), Some("${{ vars.SHAPELINE_TOOL }}"));
    assert!(cache["with"]["key"].as_str().unwrap().contains("${{ steps.wanted.outputs.tool }}"));
    assert_eq!(install["env"]["SHAPELINE_TOOL"].as_str(), Some("${{ steps.wanted.outputs.tool }}"));
    assert_eq!(install["name"].as_str(), Some(INSTALL));
}
