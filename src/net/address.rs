//! Which addresses may be talked to. The rule must hold for the address that is connected to, not for the name that was
//! checked a moment before; so names are resolved and judged by the resolver that the connection itself uses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The key of a host in `[net.hosts]`: the name, with the port when it is not the scheme's default one.
pub(super) fn host_key(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Why `url`'s literal address may not be talked to. `None` for a public one, and for a name: the resolver judges those.
pub(super) fn literal_trouble(url: &Url) -> Option<PrivateAddress> {
    let ip = match url.host()? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain(_) => return None,
    };
    kind_of_private(ip).map(|kind| PrivateAddress { ip, kind })
}

/// An address that is not on the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PrivateAddress {
    pub(super) ip: IpAddr,
    kind: &'static str,
}

impl fmt::Display for PrivateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is a {} address", self.ip, self.kind)
    }
}

impl std::error::Error for PrivateAddress {}

/// What keeps `ip` from being public, by the IANA special-purpose address registries (RFC 6890 and updates).
fn kind_of_private(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => kind_of_private_v4(ip),
        IpAddr::V6(ip) => kind_of_private_v6(ip),
    }
}

fn kind_of_private_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let kind = match ip.octets() {
        [127, ..] => "loopback",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "private",
        [169, 254, ..] => "link-local",
        [100, 64..=127, ..] => "carrier-private (CGNAT)",
        [224..=239, ..] => "multicast",
        [192, 0, 0, _] | [0 | 240..=255, ..] | [198, 18..=19, ..] => "reserved",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "documentation",
        _ => return None,
    };
    Some(kind)
}

fn kind_of_private_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let kind = match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
        [0, 0, 0, 0, 0, 0, 0, 0] => "reserved",
        // Forms that carry an IPv4 address are as private as that one: mapped, compatible, NAT64, 6to4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            return embedded_v4(high, low);
        }
        [0x2002, high, low, ..] => return embedded_v4(high, low),
        [0x64, 0xff9b, 1, ..] | [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => "private",
        [0xfe80..=0xfebf, ..] => "link-local",
        [0xff00..=0xffff, ..] => "multicast",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "documentation",
        // Teredo, ORCHID and the other protocol assignments; nothing there serves a web page.
        [0x2001, 0..=0x1ff, ..] | [0x100, 0, 0, 0, ..] => "reserved",
        _ => return None,
    };
    Some(kind)
}

fn embedded_v4(high: u16, low: u16) -> Option<&'static str> {
    kind_of_private_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

/// Resolves names to public addresses only. A name with none is refused with a [`PrivateAddress`].
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let private = found.iter().find_map(|at| {
                let ip = at.ip();
                kind_of_private(ip).map(|kind| PrivateAddress { ip, kind })
            });
            let public: Vec<SocketAddr> = found.into_iter().filter(|at| kind_of_private(at.ip()).is_none()).collect();
            match private {
                Some(private) if public.is_empty() => Err(private.into()),
                _ => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// The [`PrivateAddress`] that a failed connection was refused for.
pub(super) fn refused_by_resolver(error: &reqwest::Error) -> Option<PrivateAddress> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(private) = inner.downcast_ref::<PrivateAddress>() {
            return Some(*private);
        }
        cause = inner.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_pass() {
        let cases = [
            ("8.8.8.8", None),
            ("100.128.0.1", None),
            ("172.32.0.1", None),
            ("2606:4700::1111", None),
            ("64:ff9b::808:808", None),
            ("::ffff:8.8.8.8", None),
            ("10.0.0.1", Some("private")),
            ("172.31.255.255", Some("private")),
            ("192.168.1.1", Some("private")),
            ("127.8.9.1", Some("loopback")),
            ("169.254.169.254", Some("link-local")),
            ("100.64.0.1", Some("carrier-private (CGNAT)")),
            ("224.0.0.1", Some("multicast")),
            ("0.0.0.0", Some("reserved")),
            ("255.255.255.255", Some("reserved")),
            ("198.19.0.1", Some("reserved")),
            ("203.0.113.9", Some("documentation")),
            ("::1", Some("loopback")),
            ("::", Some("reserved")),
            ("::ffff:10.0.0.1", Some("private")),
            ("::10.0.0.1", Some("private")),
            ("64:ff9b::a00:1", Some("private")),
            ("64:ff9b:1::1", Some("private")),
            ("2002:7f00:1::", Some("loopback")),
            ("fc00::1", Some("private")),
            ("fe80::1", Some("link-local")),
            ("ff02::1", Some("multicast")),
            ("2001:db8::1", Some("documentation")),
            ("2001::1", Some("reserved")),
        ];
        for (ip, kind) in cases {
            assert_eq!(kind_of_private(ip.parse().unwrap()), kind, "{ip}");
        }
    }

    #[test]
    fn odd_spellings_of_a_literal_are_seen_through() {
        for url in ["http://10.0.0.1/", "http://0x0a000001/", "http://012.0.0.1/", "http://[::ffff:a00:1]/"] {
            assert!(literal_trouble(&Url::parse(url).unwrap()).is_some(), "{url}");
        }
        assert_eq!(literal_trouble(&Url::parse("http://forum.example/").unwrap()), None);
    }

    #[test]
    fn the_key_names_the_port_only_when_it_is_unusual() {
        let key = |url| host_key(&Url::parse(url).unwrap());
        assert_eq!(key("https://forum.example:443/x"), "forum.example");
        assert_eq!(key("http://127.0.0.1:8080/x"), "127.0.0.1:8080");
        assert_eq!(key("http://[::1]:8080/"), "[::1]:8080");
    }
}
