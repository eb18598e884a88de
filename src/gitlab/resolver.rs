//! Which addresses a name may lead to, asked at every connection: a name that pointed to GitLab when we started can
//! point elsewhere later.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The system's resolver without the addresses that no GitLab can have.
#[derive(Debug, Default)]
pub(crate) struct Guarded;

/// A name that leads nowhere we would go.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no address that a GitLab can have")]
struct NoFitAddress;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is put in by the caller; 0 stands for "any".
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let fit: Vec<SocketAddr> = found.filter(|address| is_fit(address.ip())).collect();
            if fit.is_empty() {
                return Err(NoFitAddress.into());
            }
            let addresses: Addrs = Box::new(fit.into_iter());
            Ok(addresses)
        })
    }
}

/// Not for link-local addresses, where clouds answer with credentials (169.254.169.254, fd00:ec2::254), nor for those
/// that name no single host. Private networks and the machine itself stay: many a GitLab lives there.
fn is_fit(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => !(v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast()),
        IpAddr::V6(v6) => {
            let metadata = v6.segments()[..2] == [0xfd00, 0x0ec2];
            !(v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || metadata)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_lead_to_where_clouds_keep_credentials() {
        let check = |address: &str, fit: bool| assert_eq!(is_fit(address.parse().unwrap()), fit, "{address}");
        check("169.254.169.254", false);
        check("::ffff:169.254.169.254", false);
        check("fd00:ec2::254", false);
        check("fe80::1", false);
        check("0.0.0.0", false);
        check("::", false);
        check("224.0.0.1", false);
        check("255.255.255.255", false);
        check("127.0.0.1", true);
        check("10.1.2.3", true);
        check("172.65.251.78", true);
        check("2606:4700:90:0:f22e:fbec:5bed:a9b9", true);
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_found() {
        let found = Guarded.resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(found.into_iter().all(|address| address.ip().is_loopback()));
    }
}
