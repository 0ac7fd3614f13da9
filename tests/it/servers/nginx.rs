//! nginx, and behind it git's own smart HTTP: fcgiwrap runs `git http-backend`.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{left_out, wait};

/// An nginx in the foreground, stopped when dropped.
pub struct Nginx {
    _process: Process,
    pub port: u16,
}

impl Nginx {
    /// Starts one in `folder` with the site that is written for its port; `None` if there is no nginx.
    pub fn start(folder: &Path, site: impl FnOnce(u16) -> String) -> Option<Nginx> {
        let program = program("nginx")?;
        let port = free_port();
        std::fs::write(folder.join("site.conf"), site(port)).unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
            .concat();
        let shown = folder.display();
        // Root's workers would be another user's, who cannot read the folder.
        let user = if super::sshd::is_root() { "user root;\n" } else { "" };
        let main = format!(
            "{user}daemon off;\npid {shown}/nginx.pid;\nerror_log {shown}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n\
             keepalive_requests 1000000;\n{temporary}include {shown}/site.conf;\n}}\n"
        );
        let conf = folder.join("nginx.conf");
        std::fs::write(&conf, main).unwrap();
        let mut nginx = Command::new(program);
        let process = Process::start(nginx.arg("-e").arg(folder.join("error.log")).arg("-c").arg(&conf));
        let log = || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        wait(|| TcpStream::connect(("127.0.0.1", port)).ok(), log);
        Some(Nginx { _process: process, port })
    }
}

/// The git repositories below a folder's `git`, over HTTPS by nginx, for one user.
pub struct GitSite {
    _nginx: Nginx,
    _fcgiwrap: Process,
    /// `https://127.0.0.1:PORT/git`.
    pub url: String,
    /// What a client has to trust.
    pub certificate: PathBuf,
}

impl GitSite {
    /// Starts it in `folder` for `USER:PASSWORD`; `None` if a program is missing.
    pub fn start(folder: &Path, login: &str) -> Option<GitSite> {
        let fcgiwrap = program("fcgiwrap")?;
        let (certificate, key) = super::https::certificate(folder);
        let (user, password) = login.split_once(':').unwrap();
        std::fs::write(folder.join("users"), format!("{user}:{{PLAIN}}{password}\n")).unwrap();
        let programs = Command::new("git").arg("--exec-path").output().unwrap();
        let programs = String::from_utf8(programs.stdout).unwrap();
        let port = free_port();
        // -f: what git says goes to nginx' log.
        let fcgiwrap = Process::start(Command::new(fcgiwrap).args(["-f", "-s", &format!("tcp:127.0.0.1:{port}")]));
        wait(|| TcpStream::connect(("127.0.0.1", port)).ok(), || "fcgiwrap does not listen".to_owned());
        let (shown, programs) = (folder.display(), programs.trim());
        let nginx = Nginx::start(folder, |of_site| {
            format!(
                "server {{\nlisten 127.0.0.1:{of_site} ssl;\nssl_certificate {};\nssl_certificate_key {};\n\
                 client_max_body_size 0;\nlocation ~ ^/git(/.*)$ {{\n\
                 auth_basic git;\nauth_basic_user_file {shown}/users;\n\
                 fastcgi_pass 127.0.0.1:{port};\n\
                 fastcgi_param SCRIPT_FILENAME {programs}/git-http-backend;\n\
                 fastcgi_param GIT_PROJECT_ROOT {shown}/git;\nfastcgi_param GIT_HTTP_EXPORT_ALL 1;\n\
                 fastcgi_param GIT_PROTOCOL $http_git_protocol if_not_empty;\n\
                 fastcgi_param PATH_INFO $1;\nfastcgi_param REMOTE_USER $remote_user;\n\
                 fastcgi_param REMOTE_ADDR $remote_addr;\nfastcgi_param QUERY_STRING $query_string;\n\
                 fastcgi_param REQUEST_METHOD $request_method;\nfastcgi_param CONTENT_TYPE $content_type;\n\
                 fastcgi_param CONTENT_LENGTH $content_length if_not_empty;\n}}\n}}\n",
                certificate.display(),
                key.display()
            )
        })?;
        let url = format!("https://127.0.0.1:{}/git", nginx.port);
        Some(GitSite { _nginx: nginx, _fcgiwrap: fcgiwrap, url, certificate })
    }
}

/// A process that ends, with its workers, at SIGTERM.
pub(super) struct Process(Child);

impl Process {
    pub(super) fn start(command: &mut Command) -> Process {
        Process(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Where a program is that belongs to the system; on a build server it must be there.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let found = ["/usr/sbin", "/usr/bin"].iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    if found.is_none() {
        left_out(&format!("{name} is not there: run scripts/install-test-tools"));
    }
    found
}

/// A port that was free.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
