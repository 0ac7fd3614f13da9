//! Many clients at once.

use super::{Browser, Client, Live, add_user, is_seen, state};

/// Connections of one session are limited, so there are several.
#[test]
fn sixty_clients_get_the_same() {
    let live = Live::new();
    let names: Vec<String> = (0..4).map(|number| format!("noc-{number}")).collect();
    for name in &names {
        add_user(&live.repo, &state(&live.repo), &[name, "--role", "operator"]);
    }
    let (server, _collector) = (live.serve(&[]), live.collect());
    let browsers: Vec<Browser<'_>> = names.iter().map(|name| Browser::signed_in(&server, name)).collect();
    let mut clients: Vec<Client> = browsers.iter().flat_map(|one| (0..15).map(|_| Client::of(one))).collect();
    clients[0].until(is_seen);
    let wanted = clients[0].next().unwrap()["at"].as_i64().unwrap();
    for client in &mut clients {
        client.until(|frame| frame["at"].as_i64() >= Some(wanted) && is_seen(frame));
    }
}
