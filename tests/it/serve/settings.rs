//! The server settings.

use super::{Server, command, data};

#[test]
fn mistakes_in_the_settings_are_all_reported() {
    let repo = data();
    let path = repo.write(".git/server.yaml", "listen: here\nlimits:\n  rate: lots\nportal: true\n");
    let shown = path.display().to_string();
    let out = command(&repo, &["--settings", &shown]).output().unwrap();
    let wanted = format!(
        "shapeline: {shown} has 3 mistakes:\n  {shown}:1:9: listen is `here`, not an address with a port, such as \
         127.0.0.1:8080\n  {shown}:3:9: rate is `lots`, not a whole number from 0 to 1000000\n  {shown}:4:1: there is no \
         setting `portal`; the settings are: `access_log`, `backup`, `branch`, `direct`, `forge` and 12 more\n"
    );
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stderr).as_ref()), (Some(2), wanted.as_str()));
    let out = command(&repo, &["--settings", "gone.yaml"]).output().unwrap();
    assert!(String::from_utf8_lossy(&out.stderr).contains("gone.yaml: there is no such file"));
}

#[test]
fn the_command_line_counts_more_than_the_settings() {
    let repo = data();
    let path = repo.write(".git/server.yaml", "listen: 192.0.2.1:1\nname: other\naccess_log: false\n");
    let server = Server::start(&repo, &["--settings", path.to_str().unwrap()]);
    assert_eq!(server.get("/lookup").json()["name"], "lookup-1");
    assert_eq!(server.log(), "");
}
