//! What the kernel has measured of a TCP connection.

use std::os::fd::BorrowedFd;

// The macro wants these names as they are.
use nix::sys::socket::getsockopt;
use nix::{getsockopt_impl, libc, sockopt_impl};
use tidegate_http::client::TcpInfo;

sockopt_impl!(
    /// `TCP_INFO` of tcp(7).
    Measured,
    GetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    libc::tcp_info
);

/// What the kernel has measured; `None` where it does not say.
pub(super) fn of(socket: BorrowedFd<'_>) -> Option<TcpInfo> {
    let info = getsockopt(&socket, Measured).ok()?;
    Some(TcpInfo {
        rtt: info.tcpi_rtt,
        rttvar: info.tcpi_rttvar,
        snd_cwnd: info.tcpi_snd_cwnd,
        rcv_space: info.tcpi_rcv_space,
    })
}

/// How many packets have been sent, with those that carry nothing.
#[cfg(test)]
pub(super) fn packets(socket: BorrowedFd<'_>) -> Option<u32> {
    getsockopt(&socket, Measured).ok().map(|info| info.tcpi_segs_out)
}
