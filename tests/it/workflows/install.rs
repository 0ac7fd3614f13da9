//! The steps that install the tool, with real servers on this host: git behind https and ssh, a web server with a
//! release, a registry of crates and one of images. What they serve is a tiny program of the same name.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};

use super::Runner;
use crate::delivery::have;
use crate::delivery::registry::{PASSWORD, Registry, USER};
use crate::servers::https::Https;
use crate::servers::sshd::Sshd;

pub(super) const FIND: &str = "Find out which tool is wanted";
pub(super) const INSTALL: &str = "Install the tool";

/// A runner, and a folder for the servers.
pub(super) struct World {
    pub(super) runner: Runner,
    served: tempfile::TempDir,
    /// What the steps get beside the variables of GitHub.
    env: Vec<(&'static str, String)>,
}

impl World {
    pub(super) fn new() -> Self {
        let runner = Runner::new();
        // Without effect: the steps do not build inside the data.
        runner.repo.write(".cargo/config.toml", "[build]\nrustc = '/nowhere'\n");
        Self { runner, served: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    /// Serves the folder, which the clients trust.
    fn https(&mut self) -> Https {
        let https = Https::start(self.served.path());
        for client in ["CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO"] {
            self.env.push((client, https.certificate.to_str().unwrap().to_owned()));
        }
        https
    }

    /// Runs a step with these variables and none of the tests' own: cargo's would change what it builds.
    pub(super) fn step(&self, name: &str, env: &[(&str, &str)]) -> Output {
        let temp = &self.runner.temp;
        // Not rustup's, which would look for its toolchains in the new HOME.
        let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
        let outer = std::env::var_os("PATH").unwrap();
        let folders = [self.runner.temp("bin"), cargo.parent().unwrap().to_path_buf()];
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&outer))).unwrap();
        let step = self.runner.find("check", "check", name);
        // A value that is not given to the test is the step's own.
        let own = step["env"].as_mapping().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let own = own.filter_map(|(name, value)| Some((name?, value?))).filter(|(_, value)| !value.contains("${{"));
        Command::new("bash")
            .args(["-e", "-c", step["run"].as_str().unwrap()])
            .current_dir(self.runner.repo.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.runner.temp("home"))
            .env("CARGO_HOME", self.runner.temp("cargo"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("RUNNER_TEMP", temp.path())
            .env("GITHUB_OUTPUT", self.runner.temp("output"))
            .env("GITHUB_PATH", self.runner.temp("path"))
            .envs(own)
            .envs(self.env.iter().map(|(name, value)| (*name, value)))
            .envs(env.iter().copied())
            .output()
            .unwrap()
    }

    /// Both steps, with the output of the first.
    fn install(&self, tool: &str) -> Output {
        let _ = std::fs::remove_dir_all(self.runner.temp("shapeline"));
        let _ = std::fs::remove_file(self.runner.temp("output"));
        let find = self.step(FIND, &[("VARIABLE", tool)]);
        assert!(find.status.success(), "{tool}: {find:?}");
        let output = self.runner.read("output");
        let found = output.trim_end().strip_prefix("tool=").unwrap();
        assert_eq!(found, tool);
        self.step(INSTALL, &[("SHAPELINE_TOOL", found)])
    }

    /// What the installed program prints as its version, from where the steps after look for it.
    fn installed(&self, tool: &str) -> String {
        let install = self.install(tool);
        assert!(install.status.success(), "{tool}: {install:?}");
        let bin = self.runner.read("path").lines().last().unwrap().to_owned();
        let version = Command::new(Path::new(&bin).join("shapeline")).arg("--version").output().unwrap();
        let version = String::from_utf8(version.stdout).unwrap();
        assert!(String::from_utf8_lossy(&install.stdout).ends_with(&version), "{install:?}");
        version
    }

    /// A refusal by one line, and nothing installed.
    fn refused(&self, tool: &str, says: &str) {
        let install = self.install(tool);
        assert!(!install.status.success(), "{tool}: {install:?}");
        let output = crate::delivery::all(&install);
        assert!(output.contains(says), "{tool}: {output}");
        assert!(!self.runner.temp("shapeline/bin/shapeline").exists(), "{tool}");
    }

    /// A crate `shapeline` that prints its version, and the source that its build was given.
    fn write_crate(&self, version: &str) -> PathBuf {
        let folder = self.served.path().join(format!("shapeline-{version}"));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let package = format!("name = \"shapeline\"\nversion = \"{version}\"\n");
        let print = "println!(\"shapeline {} {:?}\", env!(\"CARGO_PKG_VERSION\"), option_env!(\"SHAPELINE_TOOL\"));";
        for (path, text) in [
            ("Cargo.toml", format!("[package]\n{package}edition = \"2021\"\n")),
            ("Cargo.lock", format!("version = 4\n\n[[package]]\n{package}")),
            ("src/main.rs", format!("fn main() {{ {print} }}\n")),
        ] {
            std::fs::write(folder.join(path), text).unwrap();
        }
        folder
    }

    fn tar(&self, arguments: &[&str]) {
        run(Command::new("tar").current_dir(self.served.path()).args(arguments));
    }

    fn sha256(&self, path: &str) -> String {
        let digest = Sha256::digest(std::fs::read(self.served.path().join(path)).unwrap());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A program below the served folder.
    fn write_program(&self, path: &str, prints: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.served.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\necho {prints}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Puts two bare repositories below `git`, and returns a commit that has the tag v7.8.9, too. It is not the
/// newest.
fn write_repositories(world: &World) -> String {
    let folder = world.write_crate("7.8.9");
    let git = |arguments: &[&str]| {
        let name = ["-c", "user.name=Alice", "-c", "user.email=alice@ispcustomer.co.zw", "-c", "commit.gpgsign=false"];
        run(Command::new("git").current_dir(&folder).env("GIT_CONFIG_GLOBAL", "/dev/null").args(name).args(arguments))
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "First"]);
    git(&["tag", "-a", "-m", "First", "v7.8.9"]);
    let commit = git(&["rev-parse", "HEAD"]);
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), text.replace("7.8.9", "9.9.9")).unwrap();
    git(&["commit", "-q", "-am", "Second"]);
    for name in ["shapeline.git", "shapeline"] {
        git(&["clone", "-q", "--bare", ".", world.served.path().join("git").join(name).to_str().unwrap()]);
    }
    commit
}

#[test]
fn the_tool_is_built_from_a_git_server() {
    if !have(&["git", "openssl", "python3"]) {
        return;
    }
    let mut world = World::new();
    let commit = write_repositories(&world);
    let https = world.https();
    for place in [format!("{}/git/shapeline.git", https.url), format!("git+{}/git/shapeline", https.url)] {
        for revision in [commit.as_str(), "v7.8.9"] {
            let tool = format!("{place}@{revision}");
            assert_eq!(world.installed(&tool), format!("shapeline 7.8.9 Some({tool:?})\n"));
        }
    }
    // As long as a commit, and none.
    world.refused(&format!("{}/git/shapeline.git@{}", https.url, "0".repeat(40)), &"0".repeat(40));
    world.refused(&format!("{}/git/nothing.git@v7.8.9", https.url), "nothing.git");
}

/// With the keys that git is set up with on the runner.
#[test]
fn the_tool_is_built_from_a_git_server_behind_ssh() {
    if !have(&["git", "ssh", "sshd"]) {
        return;
    }
    let mut world = World::new();
    let commit = write_repositories(&world);
    let sshd = Sshd::start();
    let url = sshd.url(world.served.path().join("git/shapeline.git")).replace("sftp://", "ssh://");
    let tool = format!("{url}@{commit}");
    let (key, hosts) = (sshd.identity(), sshd.known_hosts());
    let ssh = format!("ssh -F none -i {} -o UserKnownHostsFile={}", key.display(), hosts.display());
    world.env.push(("GIT_SSH_COMMAND", ssh));
    assert_eq!(world.installed(&tool), format!("shapeline 7.8.9 Some({tool:?})\n"));
}

#[test]
fn the_tool_is_built_from_the_registry_of_crates() {
    if !have(&["openssl", "python3"]) {
        return;
    }
    let mut world = World::new();
    let https = world.https();
    let index = world.served.path().join("index/sh/ap");
    std::fs::create_dir_all(&index).unwrap();
    std::fs::write(
        world.served.path().join("index/config.json"),
        format!("{{\"dl\": \"{}/{{crate}}-{{version}}.crate\"}}", https.url),
    )
    .unwrap();
    let line = |version: &str| {
        world.write_crate(version);
        let (name, folder) = (format!("shapeline-{version}.crate"), format!("shapeline-{version}"));
        world.tar(&["-czf", &name, &folder]);
        let checksum = world.sha256(&name);
        format!(
            r#"{{"name":"shapeline","vers":"{version}","deps":[],"features":{{}},"yanked":false,"cksum":"{checksum}"}}"#
        )
    };
    std::fs::write(index.join("shapeline"), [line("7.8.9"), line("9.9.9")].join("\n") + "\n").unwrap();
    // As crates.io is replaced by a mirror.
    std::fs::create_dir_all(world.runner.temp("cargo")).unwrap();
    let mirror = format!(
        "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\nregistry = 'sparse+{}/index/'\n",
        https.url
    );
    std::fs::write(world.runner.temp("cargo/config.toml"), mirror).unwrap();
    assert_eq!(world.installed("crates.io@7.8.9"), "shapeline 7.8.9 Some(\"crates.io@7.8.9\")\n");
    world.refused("crates.io@7.8.10", "7.8.10");
}

#[test]
fn the_tool_is_downloaded_from_a_release() {
    if !have(&["curl", "dpkg-deb", "openssl", "python3"]) {
        return;
    }
    let mut world = World::new();
    // As scripts/release-build lays them out.
    let name = "shapeline-7.8.9-x86_64-unknown-linux-musl";
    for path in ["shapeline", "completions/shapeline.bash", "man/shapeline.1"] {
        world.write_program(&format!("{name}/{path}"), &format!("{path} 7.8.9 of the archive"));
    }
    world.tar(&["-czf", &format!("{name}.tar.gz"), name]);
    world.write_program("deb/usr/bin/shapeline", "shapeline 7.8.9 of the package");
    let control = "Package: shapeline\nVersion: 7.8.9-1\nArchitecture: all\nMaintainer: Test <test@ispcustomer.co.zw>\n\
                   Description: a test\n";
    std::fs::create_dir(world.served.path().join("deb/DEBIAN")).unwrap();
    std::fs::write(world.served.path().join("deb/DEBIAN/control"), control).unwrap();
    let deb = "shapeline_7.8.9-1_amd64.deb";
    run(Command::new("dpkg-deb").current_dir(world.served.path()).args(["--root-owner-group", "--build", "deb", deb]));
    let https = world.https();
    for (file, prints) in [(format!("{name}.tar.gz"), "archive"), (deb.to_owned(), "package")] {
        let url = format!("{}/{file}", https.url);
        let tool = format!("{url}#sha256={}", world.sha256(&file));
        assert_eq!(world.installed(&tool), format!("shapeline 7.8.9 of the {prints}\n"));
        let digest = world.sha256(&file);
        let says = format!("::error title=SHAPELINE_TOOL::The checksum of {url} is {digest}, not the one in");
        world.refused(&format!("{url}#sha256={}", "0".repeat(64)), &says);
    }
    let digest = "0".repeat(64);
    world.refused(&format!("{}/nothing.tar.gz#sha256={digest}", https.url), "404");
    // Without the certificate nothing is fetched.
    world.env.clear();
    world.refused(&format!("{}/{deb}#sha256={}", https.url, world.sha256(deb)), "certificate");
}

/// What the step uses of docker, by skopeo: no docker daemon runs here. Like the runner's, it is logged in.
const DOCKER: &str = r#"#!/bin/bash
set -eu
case "$1 $2" in
  "create $IMAGE")
    skopeo copy --quiet --src-tls-verify=false --src-creds "$LOGIN" "docker://$2" "dir:$RUNNER_TEMP/image" >&2
    echo 0123456789ab
    ;;
  'cp 0123456789ab:/usr/bin/shapeline')
    for layer in "$RUNNER_TEMP"/image/*; do
      tar -xzf "$layer" --to-stdout usr/bin/shapeline > "$3" 2> /dev/null && break
    done
    chmod 755 "$3"
    ;;
  'rm 0123456789ab') rm -r "$RUNNER_TEMP/image" ;;
  *) exit 64 ;;
esac
"#;

#[test]
fn the_tool_is_copied_from_an_image() {
    if !have(&["docker-registry", "htpasswd", "skopeo"]) {
        return;
    }
    let mut world = World::new();
    let registry = Registry::start(world.served.path());
    let name = format!("{}/isp/shapeline", registry.address);
    world.write_program("usr/bin/shapeline", "shapeline 7.8.9 of the image");
    world.tar(&["-cf", "layer.tar", "usr"]);
    let layer = world.sha256("layer.tar");
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Entrypoint":["/usr/bin/shapeline"]}},
        "rootfs":{{"type":"layers","diff_ids":["sha256:{layer}"]}}}}"#
    );
    std::fs::write(world.served.path().join("config.json"), config).unwrap();
    let manifest = r#"[{"Config":"config.json","RepoTags":null,"Layers":["layer.tar"]}]"#;
    std::fs::write(world.served.path().join("manifest.json"), manifest).unwrap();
    world.tar(&["-cf", "image.tar", "manifest.json", "config.json", "layer.tar"]);
    let login = format!("{USER}:{PASSWORD}");
    let digest = world.served.path().join("digest");
    run(Command::new("skopeo")
        .args(["copy", "--quiet", "--dest-tls-verify=false", "--dest-creds", &login, "--digestfile"])
        .arg(&digest)
        .arg(format!("docker-archive:{}", world.served.path().join("image.tar").display()))
        .arg(format!("docker://{name}:7.8.9")));
    let digest = std::fs::read_to_string(digest).unwrap();
    world.runner.program("docker", DOCKER);
    world.env.push(("LOGIN", login));
    for reference in [format!("{name}:7.8.9"), format!("{name}@{}", digest.trim())] {
        world.env.push(("IMAGE", reference.clone()));
        assert_eq!(world.installed(&format!("docker://{reference}")), "shapeline 7.8.9 of the image\n");
        assert!(!world.runner.temp("image").exists(), "the container is removed");
    }
    let other = format!("{name}@sha256:{}", "0".repeat(64));
    world.env.push(("IMAGE", other.clone()));
    world.refused(&format!("docker://{other}"), "manifest unknown");
}
