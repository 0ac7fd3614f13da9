//! The Debian package, and the units in it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use shapeline::cli::Cli;

use super::{all, command, have, root, run};

/// The package of this binary, in a folder of its own.
pub(super) fn package(binary: &Path, folder: &Path) -> PathBuf {
    // The test's time is not for packing well.
    let path = run(command("scripts/package-deb").arg(binary).arg(folder).env("COMPRESSION", "1"));
    let path = PathBuf::from(path.trim_end());
    assert!(path.is_file(), "{}", path.display());
    path
}

/// What is in a package, unpacked.
fn unpacked(package: &Path, into: &Path) {
    run(command("dpkg-deb").arg("--extract").arg(package).arg(into));
}

/// Lints it; lintian must be content.
pub(super) fn lint(package: &Path) {
    let output = command("scripts/lint-deb").arg(package).output().unwrap();
    assert!(output.status.success() && all(&output).trim().is_empty(), "{}", all(&output));
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_shapeline"))
}

const TOOLS: &[&str] = &["dpkg-deb", "dpkg-shlibdeps", "strip"];

#[test]
fn the_package_has_what_belongs_and_lintian_is_content() {
    if !have(TOOLS) || !have(&["lintian"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let package = package(binary(), folder.path());
    lint(&package);
    let into = folder.path().join("root");
    unpacked(&package, &into);
    assert_eq!(files(&into), expected());
    assert_eq!(
        run(command(into.join("usr/bin/shapeline").to_str().unwrap()).arg("--version")),
        format!("shapeline {}\n", env!("CARGO_PKG_VERSION"))
    );
    let control = run(command("dpkg-deb").arg("--field").arg(&package));
    assert!(control.contains("libc6 (>= "), "a binary that is not static needs its libraries:\n{control}");
    assert!(control.contains("Recommends: ca-certificates, git, openssh-client\n"), "{control}");
}

/// That lintian would be heard, and that the same sources give the same package.
#[test]
fn a_fault_in_a_package_is_reported_and_the_same_binary_gives_the_same_bytes() {
    if !have(TOOLS) || !have(&["lintian"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (package(binary(), &folder.path().join("1")), package(binary(), &folder.path().join("2")));
    assert!(std::fs::read(&one).unwrap() == std::fs::read(two).unwrap(), "two packages of one binary differ");
    let into = folder.path().join("root");
    run(command("dpkg-deb").arg("--raw-extract").arg(&one).arg(&into));
    std::fs::remove_file(into.join("usr/share/doc/shapeline/copyright")).unwrap();
    let faulty = folder.path().join("faulty.deb");
    run(command("dpkg-deb").args(["--root-owner-group", "-Zxz", "-z1", "--build"]).arg(&into).arg(&faulty));
    let output = command("scripts/lint-deb").arg(&faulty).output().unwrap();
    assert!(!output.status.success() && all(&output).contains("no-copyright-file"), "{}", all(&output));
}

/// Every file below a folder, by path.
fn files(dir: &Path) -> BTreeSet<String> {
    let entries =
        walkdir::WalkDir::new(dir).into_iter().map(Result::unwrap).filter(|entry| !entry.file_type().is_dir());
    entries.map(|entry| entry.path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned()).collect()
}

fn expected() -> BTreeSet<String> {
    let mut expected: BTreeSet<String> = [
        "etc/default/shapeline-lookup",
        "etc/default/shapeline-portal",
        "etc/default/shapeline-sync",
        "usr/bin/shapeline",
        "usr/lib/systemd/system/shapeline-lookup@.service",
        "usr/lib/systemd/system/shapeline-portal.service",
        "usr/lib/systemd/system/shapeline-sync-once.service",
        "usr/lib/systemd/system/shapeline-sync-once.timer",
        "usr/lib/systemd/system/shapeline-sync.service",
        "usr/lib/sysusers.d/shapeline.conf",
        "usr/share/bash-completion/completions/shapeline",
        "usr/share/doc/shapeline/changelog.Debian.gz",
        "usr/share/doc/shapeline/changelog.gz",
        "usr/share/doc/shapeline/copyright",
        "usr/share/doc/shapeline/examples/nginx/shapeline-lookup.conf",
        "usr/share/doc/shapeline/examples/shaper-folder.conf",
        "usr/share/doc/shapeline/packaging.md.gz",
        "usr/share/doc/shapeline/portal.md.gz",
        "usr/share/doc/shapeline/serve.md.gz",
        "usr/share/fish/vendor_completions.d/shapeline.fish",
        "usr/share/lintian/overrides/shapeline",
        "usr/share/man/man1/shapeline.1.gz",
        "usr/share/zsh/vendor-completions/_shapeline",
    ]
    .map(str::to_owned)
    .into();
    add_pages(&Cli::command(), "shapeline", &mut expected);
    expected
}

fn add_pages(command: &clap::Command, name: &str, pages: &mut BTreeSet<String>) {
    for command in command.get_subcommands() {
        let name = format!("{name}-{}", command.get_name());
        pages.insert(format!("usr/share/man/man1/{name}.1.gz"));
        add_pages(command, &name, pages);
    }
}

const UNITS: [&str; 5] = [
    "shapeline-sync.service",
    "shapeline-sync-once.service",
    "shapeline-lookup@.service",
    "shapeline-portal.service",
    "shapeline-sync-once.timer",
];

/// A file system of units: those of the package, beside those of this host that they lean on.
fn with_units(folder: &Path) -> PathBuf {
    let units = folder.join("usr/lib/systemd/system");
    std::fs::create_dir_all(&units).unwrap();
    for entry in std::fs::read_dir("/usr/lib/systemd/system").unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && !path.is_symlink() {
            std::fs::copy(&path, units.join(path.file_name().unwrap())).unwrap();
        }
    }
    for unit in UNITS {
        std::fs::copy(root().join("packaging/systemd").join(unit), units.join(unit)).unwrap();
    }
    for program in ["usr/bin/shapeline", "bin/kill"] {
        let program = folder.join(program);
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        // Only looked at: that it is there, and a program.
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    units
}

fn verified(folder: &Path) -> String {
    let mut root = std::ffi::OsString::from("--root=");
    root.push(folder);
    let mut analyze = command("systemd-analyze");
    analyze.arg(root).args(["--man=no", "verify"]);
    // systemd verifies a template by one of its instances.
    let units = UNITS.map(|unit| unit.replace('@', "@8081"));
    let output = analyze.args(units).output().unwrap();
    let status = if output.status.success() { "" } else { "failed" };
    format!("{status}{}", all(&output)).trim().to_owned()
}

#[test]
fn systemd_has_nothing_to_say_about_the_units() {
    if !have(&["systemd-analyze"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let units = with_units(folder.path());
    assert_eq!(verified(folder.path()), "");
    let unit = units.join(UNITS[0]);
    let text = std::fs::read_to_string(&unit).unwrap();
    std::fs::write(&unit, text.replace("PrivateTmp=", "PrivateTemp=")).unwrap();
    assert!(verified(folder.path()).contains("PrivateTemp"), "a mistake is reported");
}

/// docs/packaging.md says the figure.
#[test]
fn the_services_are_exposed_as_little_as_the_documents_say() {
    if !have(&["systemd-analyze"]) {
        return;
    }
    let doc = std::fs::read_to_string(root().join("docs/packaging.md")).unwrap();
    // First that of the services of `sync`, then those of the lookup API and of the portal.
    let figures: Vec<&str> = doc.split("exposure of").skip(1).collect();
    for (unit, figure) in UNITS.iter().zip([0, 0, 1, 2]) {
        let documented: f64 = figures[figure].split_whitespace().next().unwrap().parse().unwrap();
        let limit = format!("--threshold={}", (documented * 10.0).round());
        let mut analyze = command("systemd-analyze");
        analyze.args(["security", "--offline=true", "--no-pager", &limit]);
        run(analyze.arg(root().join("packaging/systemd").join(unit)));
    }
}

/// What the units call is what they are delivered with.
#[test]
fn the_units_name_what_the_package_installs() {
    for unit in UNITS {
        let text = std::fs::read_to_string(root().join("packaging/systemd").join(unit)).unwrap();
        let start = text.lines().find_map(|line| line.strip_prefix("ExecStart="));
        assert_eq!(start.is_some(), unit.ends_with(".service"), "{unit}");
        if let Some(start) = start {
            let (name, command) = match unit {
                "shapeline-lookup@.service" => ("shapeline-lookup", "serve --only lookup"),
                "shapeline-portal.service" => ("shapeline-portal", "serve --only portal"),
                _ => ("shapeline-sync", "sync"),
            };
            assert!(start.starts_with(&format!("/usr/bin/shapeline -C /var/lib/shapeline/data {command} ")), "{start}");
            assert!(text.contains(&format!("EnvironmentFile=-/etc/default/{name}\n")), "{unit}");
            let variable = start.rsplit_once('$').unwrap().1;
            let defaults = root().join(format!("packaging/systemd/{name}.default"));
            let defaults = std::fs::read_to_string(defaults).unwrap();
            assert!(defaults.contains(&format!("\n{variable}=")), "{variable} is not in /etc/default/{name}");
        }
    }
}
