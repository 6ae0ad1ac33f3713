//! IP addresses and networks, as OpenFGA reads them: an IPv4-mapped IPv6 address is its IPv4 one.

use std::net::IpAddr;

/// An address.
///
/// Zones (`fe80::1%eth0`) are refused: a name of an interface means nothing on another machine, and
/// OpenFGA's own answer for them is that they lie in no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// IPv4: the lower 32.
    pub(super) bits: u128,
    pub(super) is_v4: bool,
}

impl Address {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(Self::from_ip(parse_ip(text)?.to_canonical()))
    }

    fn from_ip(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self { bits: u128::from(address.to_bits()), is_v4: true },
            IpAddr::V6(address) => Self { bits: address.to_bits(), is_v4: false },
        }
    }

    /// Whether it lies in `network`, `None` where that is no network.
    pub(super) fn is_in(self, network: &str) -> Option<bool> {
        let (address, length) = parse_network(network)?;
        if self.is_v4 != address.is_v4 {
            return Some(false);
        }
        let width = if self.is_v4 { 32_u32 } else { 128 };
        let host_bits = width.checked_sub(length)?;
        let network_of = |bits: u128| bits.checked_shr(host_bits).unwrap_or(0);
        Some(network_of(self.bits) == network_of(address.bits))
    }
}

fn parse_ip(text: &str) -> Option<IpAddr> {
    if text.len() > ADDRESS_BYTES { None } else { text.parse().ok() }
}

/// An address and the length of the network's prefix. A network that is written as IPv4-mapped IPv6
/// is its IPv4 one where its prefix covers the mapping, and matches no IPv4 address where not.
fn parse_network(text: &str) -> Option<(Address, u32)> {
    let (address, length) = text.rsplit_once('/')?;
    let address = parse_ip(address)?;
    let digits = length.as_bytes();
    let leads_with_zero = digits.len() > 1 && digits.first() == Some(&b'0');
    if digits.len() > 3 || leads_with_zero || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length: u32 = length.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    if length > width {
        return None;
    }
    let canonical = address.to_canonical();
    if canonical.is_ipv4() && address.is_ipv6() {
        return Some(match length.checked_sub(96) {
            Some(length) => (Address::from_ip(canonical), length),
            None => (Address::from_ip(address), length),
        });
    }
    Some((Address::from_ip(address), length))
}

/// The longest text of an address: IPv6 with the last 32 bits as IPv4 has 45 bytes.
const ADDRESS_BYTES: usize = 45;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(address: &str, network: &str) -> Option<Option<bool>> {
        Address::parse(address).map(|address| address.is_in(network))
    }

    #[test]
    fn an_address_lies_in_the_networks_that_cover_it() {
        let cases = [
            ("192.168.1.1", "192.168.1.0/24", true),
            ("192.168.1.1", "192.168.1.77/24", true),
            ("192.168.2.1", "192.168.1.0/24", false),
            ("192.168.1.1", "0.0.0.0/0", true),
            ("192.168.1.1", "192.168.1.1/32", true),
            ("192.168.1.2", "192.168.1.1/32", false),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db9::1", "2001:db8::/32", false),
            ("2001:db9::1", "::/0", true),
            ("::1", "::1/128", true),
        ];
        for (address, network, expected) in cases {
            assert_eq!(is_in(address, network), Some(Some(expected)), "{address} in {network}");
        }
    }

    #[test]
    fn a_mapped_address_and_a_mapped_network_are_their_ipv4_ones() {
        let cases = [
            ("::ffff:192.168.1.1", "192.168.1.0/24", true),
            ("::ffff:192.168.1.1", "::ffff:192.168.1.0/120", true),
            ("192.168.1.1", "::ffff:192.168.1.0/120", true),
            ("192.168.1.1", "::ffff:10.0.0.0/104", false),
            ("192.168.1.1", "::ffff:0.0.0.0/96", true),
            ("192.168.1.1", "::ffff:0.0.0.0/95", false),
            ("192.168.1.1", "::/0", false),
            ("::1.2.3.4", "1.2.3.4/32", false),
        ];
        for (address, network, expected) in cases {
            assert_eq!(is_in(address, network), Some(Some(expected)), "{address} in {network}");
        }
    }

    #[test]
    fn what_is_no_network_gives_no_answer() {
        for network in [
            "",
            "1.2.3.4",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/+8",
            "1.2.3.4/08",
            "1.2.3.4/-1",
            "1.2.3/8",
            "::/129",
            "::/0128",
            "fe80::1%eth0/64",
            "1.2.3.4/8/8",
            "01.2.3.4/8",
        ] {
            assert_eq!(is_in("1.2.3.4", network), Some(None), "{network}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            " 1.2.3.4",
            "1::2::3",
            "fe80::1%eth0",
        ] {
            assert_eq!(Address::parse(address), None, "{address}");
        }
    }
}
