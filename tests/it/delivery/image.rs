//! The image: built, pushed to a registry, pulled into an empty storage, and run there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::registry::{PASSWORD, Registry, USER};
use super::{all, command, have, package, root, run};
use crate::support::Repo;

const TOOLS: &[&str] = &["buildah", "docker-registry", "htpasswd", "skopeo"];

/// Not a temporary folder: buildah mounts what lies below it.
fn storage() -> PathBuf {
    root().join("target/image/storage")
}

fn image(stage: &[&str], registry: &Registry) -> Command {
    let mut image = command("scripts/image");
    image
        .args(stage)
        .env("STORAGE", storage())
        .env("REGISTRY", &registry.address)
        .env("REGISTRY_INSECURE", "1")
        .env("REGISTRY_USER", USER)
        .env("REGISTRY_PASSWORD", PASSWORD)
        .env("IMAGE", IMAGE)
        .env("TAG", TAG);
    image
}

const IMAGE: &str = "isp/shapeline";
const TAG: &str = "test";

/// In one test: each step needs what the one before made.
#[test]
fn the_image_is_built_pushed_pulled_and_run() {
    if !have(TOOLS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    run(command("scripts/test-image").env("STORAGE", storage()).env("IMAGE", IMAGE).env("TAG", TAG));
    a_wrong_password_is_refused(&registry);
    let pushed = run(&mut image(&["push"], &registry));
    assert!(!pushed.contains(PASSWORD), "{pushed}");

    let pulled = Pulled::from(&registry, folder.path());
    pulled.says_what_it_is();
    pulled.holds_nothing_else();
    pulled.renders();
    deploy_runs_the_program_that_was_pushed(&registry);
    the_static_binary_makes_a_package(&pulled.program(), folder.path());
}

fn a_wrong_password_is_refused(registry: &Registry) {
    for (user, password) in [(USER, "wrong"), ("", "")] {
        let mut push = image(&["push"], registry);
        let output = push.env("REGISTRY_USER", user).env("REGISTRY_PASSWORD", password).output().unwrap();
        assert!(!output.status.success(), "pushed as {user:?}");
        assert!(!all(&output).contains(PASSWORD), "{}", all(&output));
    }
}

/// The image as pulled from the registry.
struct Pulled {
    /// Its layers and manifest.
    layout: PathBuf,
    /// Its files.
    files: PathBuf,
}

impl Pulled {
    fn from(registry: &Registry, folder: &Path) -> Self {
        let (layout, files) = (folder.join("pulled"), folder.join("files"));
        let login = format!("{USER}:{PASSWORD}");
        let from = format!("docker://{}/{IMAGE}:{TAG}", registry.address);
        let mut copy = command("skopeo");
        copy.args(["copy", "--quiet", "--src-tls-verify=false", "--src-creds", &login, &from]);
        run(copy.arg(format!("dir:{}", layout.display())));
        std::fs::create_dir(&files).unwrap();
        let pulled = Self { layout, files };
        for layer in pulled.manifest()["layers"].as_array().unwrap() {
            let blob = pulled.blob(&layer["digest"]);
            run(command("tar").arg("-xzf").arg(blob).arg("-C").arg(&pulled.files));
        }
        pulled
    }

    fn manifest(&self) -> Value {
        json(&self.layout.join("manifest.json"))
    }

    fn blob(&self, digest: &Value) -> PathBuf {
        self.layout.join(digest.as_str().unwrap().strip_prefix("sha256:").unwrap())
    }

    fn program(&self) -> PathBuf {
        self.files.join("usr/bin/shapeline")
    }

    fn says_what_it_is(&self) {
        let config = json(&self.blob(&self.manifest()["config"]["digest"]));
        let config = &config["config"];
        assert_eq!(config["User"], "65532:65532");
        assert_eq!(config["Entrypoint"], serde_json::json!(["/usr/bin/shapeline"]));
        let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].as_str();
        assert_eq!((label("title"), label("version")), (Some("shapeline"), Some(TAG)));
        assert_eq!(label("licenses"), Some(env!("CARGO_PKG_LICENSE")));
        assert_eq!(label("revision"), Some(run(command("git").args(["rev-parse", "HEAD"])).trim()));
    }

    fn holds_nothing_else(&self) {
        let entries = walkdir::WalkDir::new(&self.files).sort_by_file_name().into_iter().map(Result::unwrap);
        let files: Vec<String> = entries
            .filter(|entry| !entry.file_type().is_dir())
            .map(|entry| entry.path().strip_prefix(&self.files).unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(files, ["etc/ssl/certs/ca-certificates.crt", "usr/bin/shapeline"]);
    }

    /// With its own user, in a root that has nothing but the image and the data.
    fn renders(&self) {
        let data = Repo::empty();
        assert_eq!(data.run(&["init"]).code, 0);
        data.commit("Start");
        // The user in the image has no account here.
        std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mine = data.run(&["render"]);
        let storage = Storage(self.files.parent().unwrap().join("fresh"));
        let container = storage.container(&self.layout);
        assert_eq!(text(&storage.run(&container, data.path(), &["--version"])), version());
        let rendered = storage.run(&container, data.path(), &["render"]);
        assert_eq!(text(&rendered), mine.stdout);
        assert_eq!(mine.stdout.lines().count(), 5);
        let refused = storage.run(&container, data.path(), &["render", "--out-dir", "/etc/out"]);
        assert!(!refused.status.success(), "it may write into its own root: it is not run as its user");
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", all(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn version() -> String {
    format!("shapeline {}\n", env!("CARGO_PKG_VERSION"))
}

/// Where nothing was built: what runs is what was pulled.
struct Storage(PathBuf);

impl Storage {
    fn buildah(&self) -> Command {
        let mut buildah = command("buildah");
        buildah.arg("--root").arg(self.0.join("root")).arg("--runroot").arg(self.0.join("run"));
        buildah
    }

    fn container(&self, layout: &Path) -> String {
        let name = run(self.buildah().args(["from", "--quiet"]).arg(format!("dir:{}", layout.display())));
        name.trim_end().to_owned()
    }

    /// On a busy machine buildah may end before it has passed on what the program printed: a run that
    /// succeeds without a word is repeated.
    fn run(&self, container: &str, data: &Path, arguments: &[&str]) -> Output {
        let mut output = self.run_once(container, data, arguments);
        for _ in 0..3 {
            if !output.status.success() || !output.stdout.is_empty() {
                break;
            }
            output = self.run_once(container, data, arguments);
        }
        output
    }

    fn run_once(&self, container: &str, data: &Path, arguments: &[&str]) -> Output {
        let volume = format!("{}:/data:ro", data.display());
        let mut buildah = self.buildah();
        buildah.args(["run", "--isolation", "chroot", "--volume", &volume, container, "--", "/usr/bin/shapeline"]);
        buildah.args(arguments).output().unwrap()
    }
}

impl Drop for Storage {
    /// It mounts what lies below; only then can the folder be removed.
    fn drop(&mut self) {
        let _ = self.buildah().args(["rm", "--all"]).output();
        let _ = self.buildah().args(["rmi", "--all", "--force"]).output();
    }
}

fn deploy_runs_the_program_that_was_pushed(registry: &Registry) {
    assert_eq!(run(&mut image(&["deploy", "--version"], registry)), version());
    let refused = image(&["deploy", "check", "--no-such-option"], registry).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "the program's exit code is the stage's");
}

fn the_static_binary_makes_a_package(program: &Path, folder: &Path) {
    if !have(&["dpkg-deb", "strip", "lintian"]) {
        return;
    }
    let path = package::package(program, &folder.join("debian"));
    package::lint(&path);
    let depends = run(command("dpkg-deb").arg("--field").arg(&path).arg("Depends"));
    assert!(!depends.contains("libc6"), "{depends}");
}

/// A password must not travel in clear.
#[test]
fn only_a_registry_on_this_host_may_be_spoken_to_without_encryption() {
    if !have(&["buildah"]) {
        return;
    }
    for address in ["registry.example:5000", "127.0.0.1.registry.example", "localhost.registry.example:80"] {
        let mut push = command("scripts/image");
        push.arg("push").env("REGISTRY", address).env("REGISTRY_INSECURE", "1");
        let output = push.env("REGISTRY_USER", USER).env("REGISTRY_PASSWORD", PASSWORD).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{address}: {}", all(&output));
        assert!(all(&output).contains("in clear") && !all(&output).contains(PASSWORD), "{}", all(&output));
    }
}
