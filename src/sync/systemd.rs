//! Notifies the service manager, see sd_notify(3).

/// Notifies the service manager, if there is one. Errors are ignored.
pub(crate) fn notify(what: &str) {
    #[cfg(unix)]
    let _ = send(what);
    #[cfg(not(unix))]
    let _ = what;
}

#[cfg(unix)]
fn send(what: &str) -> std::io::Result<()> {
    use std::os::unix::net::UnixDatagram;
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let socket = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::ffi::OsStrExt;
        // An abstract socket, without a name in the file system.
        if let Some(name) = path.as_bytes().strip_prefix(b"@") {
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            socket.send_to_addr(what.as_bytes(), &address)?;
            return Ok(());
        }
    }
    socket.send_to(what.as_bytes(), path)?;
    Ok(())
}
