//! Whose request it is: the address of the connection, or the one that a trusted proxy names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// From where a request comes: an extension of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The other end of the connection.
    pub(crate) peer: IpAddr,
    /// The client, behind trusted proxies too.
    pub(crate) client: IpAddr,
}

impl Caller {
    /// The caller of a request.
    pub(crate) fn of(extensions: &Extensions) -> Caller {
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        extensions.get().copied().unwrap_or(Caller { peer: unknown, client: unknown })
    }
}

/// Whose a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) ip: IpAddr,
    /// Whether it comes directly from a program on this host, which is not limited.
    pub(crate) unlimited: bool,
}

/// The proxies whose `X-Forwarded-For` counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(pub(crate) Vec<IpNet>);

impl TrustedProxies {
    fn has(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&ip))
    }

    /// The address of the client. From the right, each address in `X-Forwarded-For` counts only if a trusted
    /// proxy added it; a client can write what it likes to the left of them. A proxy that names no client is
    /// one itself: what it forwards is limited, wherever it runs.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let peer = peer.to_canonical();
        let mut client = peer;
        let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        for hop in hops {
            if !self.has(client) {
                break;
            }
            match hop_address(hop.trim()) {
                Some(ip) => client = ip.to_canonical(),
                None => break,
            }
        }
        Origin { ip: client, unlimited: peer.is_loopback() && !self.has(peer) }
    }
}

/// An address in `X-Forwarded-For`; some proxies add the port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Whether a request comes directly from a program on this host, and not by way of a proxy, of a web page
/// whose name leads here, or of a page of another site.
pub(crate) fn is_local(peer: IpAddr, headers: &HeaderMap) -> bool {
    let by_proxy = ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"];
    peer.to_canonical().is_loopback()
        && !by_proxy.iter().any(|name| headers.contains_key(*name))
        && headers.get("host").is_none_or(|host| host.to_str().is_ok_and(names_this_host))
        && !headers.get_all("sec-fetch-site").iter().any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"))
        && headers.get_all("origin").iter().all(|origin| origin.to_str().is_ok_and(is_origin_here))
}

/// Whether an `Origin` is a page of this host; `null` is none.
fn is_origin_here(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, host)| names_this_host(host))
}

fn names_this_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    let ip = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_what_trusted_proxies_added_counts() {
        let proxies = TrustedProxies(vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
        let client = |peer: &str, lines: &[&str]| {
            let pairs: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            proxies.client(peer.parse().unwrap(), &headers(&pairs)).ip.to_string()
        };
        assert_eq!(client("192.0.2.1", &["198.51.100.1"]), "192.0.2.1", "not a proxy");
        assert_eq!(client("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("127.0.0.1", &["203.0.113.9, 198.51.100.1"]), "198.51.100.1", "the first is forged");
        assert_eq!(client("127.0.0.1", &["203.0.113.9", "198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("127.0.0.1", &["nonsense"]), "127.0.0.1");
        assert_eq!(client("::ffff:127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("127.0.0.1", &["203.0.113.9, 198.51.100.1:4711"]), "198.51.100.1", "with its port");
        assert_eq!(client("127.0.0.1", &["[2001:db8::1]:4711, 10.0.0.2:80"]), "2001:db8::1");
        assert_eq!(client("127.0.0.1", &["[2001:db8::1]"]), "2001:db8::1");
    }

    #[test]
    fn only_programs_on_this_host_have_no_limit() {
        let unlimited = |proxies: &[&str], peer: &str, lines: &[&str]| {
            let proxies = TrustedProxies(proxies.iter().map(|net| net.parse().unwrap()).collect());
            let pairs: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            proxies.client(peer.parse().unwrap(), &headers(&pairs)).unlimited
        };
        assert!(unlimited(&[], "127.0.0.1", &[]) && unlimited(&["10.0.0.0/8"], "::1", &[]));
        assert!(!unlimited(&[], "192.0.2.1", &["127.0.0.1"]));
        for lines in [&[][..], &["nonsense"], &["unknown"], &[""], &["127.0.0.1"], &["198.51.100.1"]] {
            assert!(!unlimited(&["127.0.0.0/8"], "127.0.0.1", lines), "{lines:?}");
        }
        assert!(!unlimited(&["10.0.0.0/8"], "10.0.0.1", &["127.0.0.1"]), "only a proxy says so");
    }

    #[test]
    fn a_proxy_and_a_foreign_name_are_not_local() {
        let local = |peer: &str, pairs: &[(&'static str, &str)]| is_local(peer.parse().unwrap(), &headers(pairs));
        for host in ["127.0.0.1:8080", "localhost", "LOCALHOST:80", "[::1]:8080", "[::1]"] {
            assert!(local("127.0.0.1", &[("host", host)]), "{host}");
        }
        for host in ["attacker.example", "attacker.example:8080", "127.0.0.1.attacker.example", "192.0.2.1", ""] {
            assert!(!local("127.0.0.1", &[("host", host)]), "{host}");
        }
        assert!(local("::1", &[]) && !local("192.0.2.1", &[]));
        assert!(!local("127.0.0.1", &[("host", "localhost"), ("x-forwarded-for", "192.0.2.1")]));
        let sent = |name, value| local("127.0.0.1", &[("host", "localhost:8080"), (name, value)]);
        assert!(!sent("sec-fetch-site", "cross-site") && sent("sec-fetch-site", "same-origin"));
        for origin in ["https://attacker.example", "http://127.0.0.1.attacker.example:8080", "null", ""] {
            assert!(!sent("origin", origin), "{origin}");
        }
        assert!(sent("origin", "http://localhost:8080") && sent("origin", "http://[::1]:8080"));
    }
}
