//! The system's own `sshd`, run as the user of the tests: Debian's openssh-server.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server with keys of its own, and a folder for what is put there. It is stopped by its process
/// id when dropped.
pub struct Sshd {
    dir: tempfile::TempDir,
    config: String,
    port: u16,
    process: Option<Child>,
}

impl Sshd {
    /// With the SFTP server that is built in.
    pub fn start() -> Sshd {
        Sshd::with("Subsystem sftp internal-sftp")
    }

    /// With further lines for its configuration, among them `Subsystem sftp`.
    pub fn with(config: &str) -> Sshd {
        // Where sshd confines the part of it that strangers talk to. Only root's needs it.
        let _ = fs::create_dir_all("/run/sshd");
        let dir = tempfile::tempdir().unwrap();
        // It reads the keys of a user as that user.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut sshd = Sshd { dir, config: config.to_owned(), port: 0, process: None };
        keygen(&sshd.file("host"));
        keygen(&sshd.identity());
        fs::copy(sshd.file("key.pub"), sshd.file("authorized_keys")).unwrap();
        fs::create_dir(sshd.data()).unwrap();
        for _ in 0..50 {
            sshd.port = free_port();
            if sshd.launch() {
                sshd.know(&sshd.file("host.pub"));
                return sshd;
            }
        }
        panic!("sshd does not start: {}", sshd.log());
    }

    /// An empty folder on the server.
    pub fn data(&self) -> PathBuf {
        self.file("data")
    }

    /// The URL of `path`, which is absolute.
    pub fn url(&self, path: impl AsRef<Path>) -> String {
        self.url_as(&user(), path)
    }

    /// The same for another user.
    pub fn url_as(&self, user: &str, path: impl AsRef<Path>) -> String {
        format!("sftp://{user}@127.0.0.1:{}{}", self.port, path.as_ref().display())
    }

    /// The private key that the server accepts.
    pub fn identity(&self) -> PathBuf {
        self.file("key")
    }

    /// The file with the server's key.
    pub fn known_hosts(&self) -> PathBuf {
        self.file("known_hosts")
    }

    /// Writes the public key in `key` to [`Sshd::known_hosts`] as this server's.
    pub fn know(&self, key: &Path) {
        let key = fs::read_to_string(key).unwrap();
        fs::write(self.known_hosts(), format!("[127.0.0.1]:{} {key}", self.port)).unwrap();
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// Kills it at once, with every process that serves a connection.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // Stopped first, so that it begets no more while its children are looked up.
        signal("STOP", &[process.id()]);
        let mut all = descendants(process.id());
        all.push(process.id());
        signal("KILL", &all);
        process.wait().unwrap();
    }

    /// Stops every process that serves a connection in its tracks: the server is there, and silent.
    pub fn freeze(&self) {
        signal("STOP", &descendants(self.process.as_ref().expect("it runs").id()));
    }

    /// Kills every process that serves a connection; the server goes on.
    pub fn cut(&self) {
        signal("KILL", &descendants(self.process.as_ref().expect("it runs").id()));
    }

    /// Waits until no client is connected: the last request of a client is then done.
    pub fn wait_until_idle(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        while !descendants(self.process.as_ref().expect("it runs").id()).is_empty() {
            assert!(Instant::now() < until, "a client stays connected: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts it again at the same port, with the same keys.
    pub fn restart(&mut self) {
        self.kill();
        let until = Instant::now() + Duration::from_secs(30);
        while !self.launch() {
            assert!(Instant::now() < until, "sshd does not start again: {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Whether it runs and listens: another may have taken the port.
    fn launch(&mut self) -> bool {
        let dir = self.dir.path().display();
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {dir}/host\nPidFile none\n\
             AuthorizedKeysFile {dir}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\n\
             SetEnv HOME={}\n{}\n",
            self.port,
            // Not the user's own: what the start of their shell runs is no part of a test, and may wait for a minute.
            self.data().display(),
            self.config
        );
        fs::write(self.file("config"), config).unwrap();
        let log = fs::File::create(self.file("log")).unwrap();
        let mut process = Command::new(program())
            .args(["-D", "-e", "-f"])
            .arg(self.file("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        while process.try_wait().unwrap().is_none() {
            if self.log().contains("Server listening on") {
                self.process = Some(process);
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether the tests run as root, who can log in as any user on every server.
pub fn is_root() -> bool {
    user() == "root"
}

fn user() -> String {
    let out = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn program() -> PathBuf {
    let places = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"].map(PathBuf::from);
    places.into_iter().find(|path| path.exists()).expect("sshd is needed by this test: apt-get install openssh-server")
}

/// Makes the key pair `path` and `path`.pub.
pub fn keygen(path: &Path) {
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path).status();
    assert!(made.expect("ssh-keygen is needed by this test: apt-get install openssh-client").success());
}

/// A port without a listener, which the system gives to no outgoing connection.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let at = std::process::id().wrapping_mul(31).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let port = 20_000 + u16::try_from(at).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn signal(name: &str, processes: &[u32]) {
    for process in processes {
        // One that ended by itself is as good.
        let _ = Command::new("sh").args(["-c", &format!("kill -{name} {process} 2>/dev/null")]).status().unwrap();
    }
}

fn descendants(process: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse::<u32>().ok());
        parents.extend(parent.map(|parent| (parent, id)));
    }
    let mut found = Vec::new();
    let mut at = vec![process];
    while let Some(process) = at.pop() {
        let children: Vec<u32> = parents.iter().filter(|(parent, _)| *parent == process).map(|(_, id)| *id).collect();
        found.extend(&children);
        at.extend(&children);
    }
    found
}
