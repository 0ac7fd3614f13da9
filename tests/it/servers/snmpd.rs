//! Debian's snmpd with a pretend router behind it.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;

use super::nginx::{Process, program};

/// An snmpd in the foreground, stopped when dropped. It lets in the community `c0mmunity` and the user `collector`
/// with the passwords `authentic8` and `encrypted8`.
pub struct Snmpd {
    _process: Process,
    pub port: u16,
}

impl Snmpd {
    /// Starts one in `folder`, on `port` if that is not 0; `None` if there is no snmpd.
    pub fn start(folder: &Path, port: u16) -> Option<Snmpd> {
        let program = program("snmpd")?;
        let port =
            if port == 0 { UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port() } else { port };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/servers/interfaces.py");
        let counters = folder.join("counters");
        let pass = |oid: &str| format!("pass_persist {oid} /usr/bin/env python3 {script} {}\n", counters.display());
        let conf = format!(
            "rocommunity c0mmunity 127.0.0.1\ncreateUser collector SHA-256 authentic8 AES encrypted8\n\
             rouser collector priv\n{}{}",
            pass(".1.3.6.1.2.1.31.1.1.1"),
            pass(".1.3.6.1.2.1.2.2.1")
        );
        let path = folder.join("snmpd.conf");
        std::fs::write(&path, conf).unwrap();
        let mut command = Command::new(program);
        // Its own tables of interfaces give way to the pretend ones.
        command.args(["-f", "-C", "-I", "-ifTable,ifXTable", "-Lf"]).arg(folder.join("log")).arg("-c").arg(&path);
        command.arg(format!("udp:127.0.0.1:{port}")).env("SNMP_PERSISTENT_DIR", folder.join("state"));
        Some(Snmpd { _process: Process::start(&mut command), port })
    }
}
