//! The forms a password may be stored in.

use sha_crypt::{PasswordVerifier, ShaCrypt};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::{des, md5};
use crate::variable::user::decode_base64;

/// The longest password that is hashed with SHA-2, in bytes (musl: `KEY_MAX`): the effort grows with
/// the square of it.
const LONGEST_FOR_SHA: usize = 256;

/// Whether a password is the stored one, in any of nginx's own forms or those of `crypt(3)` (nginx:
/// `ngx_crypt`). The stored one's form decides, and what has no known form is nobody's password.
/// How long it takes does not tell how much of it was right.
pub(super) fn matches(password: &[u8], stored: &[u8]) -> bool {
    let text = std::str::from_utf8(stored).unwrap_or_default();
    let Some(rest) = stored.strip_prefix(b"{PLAIN}") else {
        // Nothing behind a NUL would be hashed.
        return !password.contains(&0) && is_hash_of(password, text);
    };
    rest.ct_eq(password).into()
}

fn is_hash_of(password: &[u8], stored: &str) -> bool {
    if let Some(digest) = stored.strip_prefix("{SHA}") {
        let Some(digest) = decode_base64(digest.as_bytes()) else { return false };
        return is_sha1(&digest, password, b"");
    }
    if let Some(digest) = stored.strip_prefix("{SSHA}") {
        let Some(digest) = decode_base64(digest.as_bytes()) else { return false };
        let Some((digest, salt)) = digest.split_at_checked(20) else { return false };
        return is_sha1(digest, password, salt);
    }
    let Some(form) = stored.strip_prefix('$') else {
        return is_same(des::crypt(password, stored), stored);
    };
    match form.split('$').next() {
        Some("apr1") => is_same(md5::crypt(password, "$apr1$", stored), stored),
        Some("1") => is_same(md5::crypt(password, "$1$", stored), stored),
        Some("5" | "6") if password.len() > LONGEST_FOR_SHA => false,
        Some("5" | "6") => ShaCrypt::default().verify_password(password, stored).is_ok(),
        Some("2a" | "2b" | "2y") => bcrypt::verify(password, stored).unwrap_or(false),
        _ => false,
    }
}

fn is_sha1(digest: &[u8], password: &[u8], salt: &[u8]) -> bool {
    let ours = Sha1::new().chain_update(password).chain_update(salt).finalize();
    digest.ct_eq(ours.as_slice()).into()
}

fn is_same(ours: Option<String>, stored: &str) -> bool {
    ours.is_some_and(|ours| ours.as_bytes().ct_eq(stored.as_bytes()).into())
}

/// The digits of `crypt(3)`, from 0 to 63.
pub(super) const DIGITS: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The digit of the lowest six bits.
pub(super) fn digit(bits: u32) -> char {
    DIGITS.get((bits & 63) as usize).copied().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_told_right_from_wrong() {
        // Made by htpasswd, openssl passwd and crypt(3).
        for stored in [
            "abNANd1rDfiNc",
            "$1$saltsalt$9xy1btjgzLYfb7hivXtC//",
            "$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0",
            "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
            "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
            "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2",
            "$6$rounds=5000$salt$egUxKNxDs8kPfh8iPMNcosMhb2eWah6d3R44JDm5Rj/j/XWR5E33QPd0YmHXoDHOIDR6kL5D3JcQcz0O8FHE00",
            "$2y$05$uvE8lVdrMPiPF7pkN8ouJuN5PKSObNUs8WBB4EgM.q6uB1yI9u5ji",
            "$2a$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
            "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
            "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            "{SSHA}Wcm1xEisNjqp921ALcHfuQ7avFdzYWx0MTIzNA==",
            "{PLAIN}secret",
        ] {
            assert!(matches(b"secret", stored.as_bytes()), "{stored}");
            for wrong in ["", "Secret", "secre", "secret1", "secret\0", "\0"] {
                assert!(!matches(wrong.as_bytes(), stored.as_bytes()), "{wrong} {stored}");
            }
        }
    }

    #[test]
    fn long_and_foreign_passwords_are_hashed_whole() {
        let long = "x".repeat(100);
        for (password, stored) in [
            (long.as_str(), "$1$abc$3H8M/2oOEP9HbqnoBC8m51"),
            (long.as_str(), "$5$abc$sWSqUH/k7TEPzX.dcr0pxMx49ncHuz9sHn6JV.4bdM0"),
            (
                long.as_str(),
                "$6$abc$hJifFvspkMHRMTXYpDbrug4nrXgZmPzTx/f9.5eCxJlDdjBTMZHgOVcLnSdECLAAJM9qZtSos/rWPoZcqcKDx0",
            ),
            (long.as_str(), "$2y$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i"),
            (long.as_str(), "zZ1cP1Y42z2tI"),
            (long.as_str(), "$apr1$a$3RjUhk3aA.XJ246uSMcU.1"),
            ("p\u{e4}\u{20ac}", "$1$abc$RiolnrFWFs5e2dJ/Pdb7/0"),
            ("p\u{e4}\u{20ac}", "$5$abc$D9IrjI3TQq.H9WdSOwdK5cHgCElbzb7aIVezfD1oj/B"),
            (
                "p\u{e4}\u{20ac}",
                "$6$abc$kLIYielWcwhuL2N4nAC3K.pr4F/zQKUmDvGzC0rqUtqADpxFX.aO0QjkFlbS7Y0BbC7N0q8eT0cyjlvYY5iXe.",
            ),
            ("p\u{e4}\u{20ac}", "$2b$04$abcdefghijklmnopqrstuuvAPgZMzK1Ds6AeSq6IyXQzLq5NHAkxK"),
            ("p\u{e4}\u{20ac}", "./3zy/II8A19s"),
            ("", "$1$abc$Or2rbeUYTvt12aiVzMuS/."),
            (
                "",
                "$6$abc$mJP3a6FyA8uCnzRtlnNypPwjnvpi5TP9qOrInzrfDmwxUQG38PkpCPdqfTb8JQfAngapMxeim4AZ..hSdRRzD.",
            ),
            ("", "abmF1QH4PEr.E"),
            ("", "9zretK2Kk/GLk"),
        ] {
            assert!(matches(password.as_bytes(), stored.as_bytes()), "{stored}");
        }
    }

    #[test]
    fn what_has_no_known_form_is_nobodys_password() {
        for stored in [
            "",
            "secret",
            "*",
            "!",
            "x",
            "*0",
            "*1",
            "{SHA}",
            "{SHA}!!!!",
            "{SSHA}",
            "{SSHA}AAAA",
            "$",
            "$$",
            "$1$",
            "$1$salt",
            "$apr1$",
            "$5$",
            "$5$salt$",
            "$6$rounds=x$salt$",
            "$2y$05$",
            "$2y$05$short",
            "$2y$99$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
            "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
            "ab",
            "abNANd1rDfiN",
            "abNANd1rDfiNcc",
            "\u{e9}\u{e9}NANd1rDfiNc",
            "_J9..rasmBYk8r9AiWNc",
        ] {
            for password in ["", "secret", stored] {
                assert!(!matches(password.as_bytes(), stored.as_bytes()), "{password} {stored}");
            }
        }
    }
}
