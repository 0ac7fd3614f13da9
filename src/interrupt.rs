//! Ctrl-C on a terminal: the cursor is visible again, on a line of its own.
//!
//! A prompt hides the cursor and reads keys one by one, and a spinner draws over its line. The process then ends
//! by the signal, not by an exit code of its own: a shell shows 130, and a loop in a script ends too.

/// Restores the terminal if Ctrl-C ends the process from now on. For all commands but `sync`, which goes on until
/// its round is complete.
#[cfg(unix)]
pub(crate) fn restore_terminal() {
    use std::io::{IsTerminal, Read};
    if !std::io::stderr().is_terminal() {
        return;
    }
    let _ = SETTINGS.set(rustix::termios::tcgetattr(std::io::stderr()).ok());
    let Ok((mut wake, waker)) = std::os::unix::net::UnixStream::pair() else { return };
    // Without the handler the signal ends the process as ever, on a terminal that is less tidy.
    if signal_hook::low_level::pipe::register(signal_hook::consts::SIGINT, waker).is_ok() {
        std::thread::spawn(move || {
            if wake.read(&mut [0]).is_ok_and(|read| read > 0) {
                end();
            }
        });
    }
}

#[cfg(unix)]
static SETTINGS: std::sync::OnceLock<Option<rustix::termios::Termios>> = std::sync::OnceLock::new();

/// Ends the process as Ctrl-C does.
#[cfg(unix)]
pub(crate) fn end() {
    use rustix::termios::{OptionalActions, tcsetattr};
    // Once, whichever thread is first: the prompt that reads the key, or the one that waits for the signal.
    static ENDING: std::sync::Once = std::sync::Once::new();
    ENDING.call_once(|| {
        if let Some(Some(settings)) = SETTINGS.get() {
            let _ = tcsetattr(std::io::stderr(), OptionalActions::Now, settings);
            // Not through the standard library: the thread that was interrupted may hold its lock. The rest of a
            // prompt, below the cursor, is erased.
            let _ = rustix::io::write(std::io::stderr(), b"\x1b[?25h\n\x1b[J");
        }
        let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
        std::process::exit(130);
    });
}

/// The system ends the process.
#[cfg(not(unix))]
pub(crate) fn restore_terminal() {}

/// Ends the process as Ctrl-C does.
#[cfg(not(unix))]
pub(crate) fn end() {
    std::process::exit(130);
}
