//! By what both sides have signed a handshake, and agreed on its key. rustls keeps it to itself, so
//! whoever signs, checks or agrees takes note of it here, while a piece of a handshake's work is done.

use std::cell::Cell;
use std::sync::Arc;

use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, NamedGroup, ProtocolVersion, SignatureAlgorithm, SignatureScheme};

/// By what a handshake was signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// By our key.
    pub ours: Option<SignatureScheme>,
    /// By the peer's.
    pub theirs: Option<SignatureScheme>,
    /// How the key was agreed on, in this handshake or in that of the session taken up again.
    pub curve: Option<NamedGroup>,
}

impl Signed {
    /// With what a later piece of the same handshake has come to.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            ours: later.ours.or(self.ours),
            theirs: later.theirs.or(self.theirs),
            curve: later.curve.or(self.curve),
        }
    }
}

thread_local! {
    /// Of the piece of work that is being done. It is done at a stretch, so that no other handshake
    /// comes in between.
    static NOW: Cell<Signed> = const { Cell::new(Signed { ours: None, theirs: None, curve: None }) };
}

/// Does a piece of a handshake's work, behind those that have come to this so far, and says what all
/// have come to.
pub fn during<T>(before: Signed, work: impl FnOnce() -> T) -> (T, Signed) {
    NOW.set(before);
    let done = work();
    (done, NOW.take())
}

/// What a session has to remember besides what rustls does, before its bytes.
pub fn remembered(session: &[u8]) -> Vec<u8> {
    let curve = NOW.get().curve.map_or(0, u16::from);
    [curve.to_be_bytes().as_slice(), session].concat()
}

/// The session's bytes behind that, of which note is taken.
pub fn recalled(remembered: &[u8]) -> Option<&[u8]> {
    let (curve, session) = remembered.split_first_chunk()?;
    let curve = u16::from_be_bytes(*curve);
    let curve = (curve != 0).then(|| NamedGroup::from(curve));
    NOW.set(Signed { curve, ..NOW.get() });
    Some(session)
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

/// A way to agree on a key that takes note of it.
#[derive(Debug)]
pub(super) struct Agreeing(pub(super) &'static dyn SupportedKxGroup);

impl Agreeing {
    fn note(&self) {
        NOW.set(Signed { curve: Some(self.0.name()), ..NOW.get() });
    }
}

impl SupportedKxGroup for Agreeing {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        self.note();
        self.0.start()
    }

    fn start_and_complete(&self, theirs: &[u8]) -> Result<CompletedKeyExchange, Error> {
        self.note();
        self.0.start_and_complete(theirs)
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        self.0.ffdhe_group()
    }

    fn name(&self) -> NamedGroup {
        self.0.name()
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        self.0.usable_for_version(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_of_work_has_its_own_and_the_later_holds() {
        let none = Signed::default();
        let ((), first) = during(none, || by_peer(SignatureScheme::ED25519));
        assert_eq!(first, Signed { theirs: Some(SignatureScheme::ED25519), ..none });
        let ((), second) = during(none, || ());
        assert_eq!(second, none);
        assert_eq!(first.and(second), first);
        let other = Signed { theirs: Some(SignatureScheme::RSA_PSS_SHA256), ..none };
        assert_eq!(first.and(other), other);
    }

    #[test]
    fn a_session_remembers_how_its_key_was_agreed_on() {
        let agreed = Signed { curve: Some(NamedGroup::X25519), ..Signed::default() };
        let (kept, _) = during(agreed, || remembered(b"session"));
        let (session, by) = during(Signed::default(), || recalled(&kept).map(<[u8]>::to_vec));
        assert_eq!((session.as_deref(), by), (Some(&b"session"[..]), agreed));
        let (kept, _) = during(Signed::default(), || remembered(b"s"));
        let (_, by) = during(Signed::default(), || recalled(&kept).is_some());
        assert_eq!(by, Signed::default());
        assert_eq!(recalled(&[1]), None);
    }
}
