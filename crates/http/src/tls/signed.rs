//! By what both sides have signed a handshake. rustls keeps it to itself, so whoever signs and
//! whoever checks take note of it here, while a piece of a handshake's work is done.

use std::cell::Cell;
use std::sync::Arc;

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

/// By what a handshake was signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// By our key.
    pub ours: Option<SignatureScheme>,
    /// By the peer's.
    pub theirs: Option<SignatureScheme>,
}

impl Signed {
    /// With what a later piece of the same handshake has come to.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self { ours: later.ours.or(self.ours), theirs: later.theirs.or(self.theirs) }
    }
}

thread_local! {
    /// Of the piece of work that is being done. It is done at a stretch, so that no other handshake
    /// comes in between.
    static NOW: Cell<Signed> = const { Cell::new(Signed { ours: None, theirs: None }) };
}

/// Does a piece of a handshake's work, and says by what was signed in it.
pub fn during<T>(work: impl FnOnce() -> T) -> (T, Signed) {
    NOW.set(Signed::default());
    let done = work();
    (done, NOW.take())
}

/// Takes note of what a peer has signed by.
pub(super) fn by_peer(scheme: SignatureScheme) {
    NOW.set(Signed { theirs: Some(scheme), ..NOW.get() });
}

/// A key that takes note of what it signs by.
#[derive(Debug)]
pub(super) struct Noting(pub(super) Arc<dyn SigningKey>);

impl SigningKey for Noting {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        // Who is only asked whether it could is asked again before it signs.
        let signer = self.0.choose_scheme(offered)?;
        NOW.set(Signed { ours: Some(signer.scheme()), ..NOW.get() });
        Some(signer)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_of_work_has_its_own_and_the_later_holds() {
        let ((), first) = during(|| by_peer(SignatureScheme::ED25519));
        assert_eq!(first, Signed { ours: None, theirs: Some(SignatureScheme::ED25519) });
        let ((), second) = during(|| ());
        assert_eq!(second, Signed::default());
        assert_eq!(first.and(second), first);
        let other = Signed { ours: None, theirs: Some(SignatureScheme::RSA_PSS_SHA256) };
        assert_eq!(first.and(other), other);
    }
}
