//! Chains of clients' certificates: how far they are followed, by what they may be taken back.

use rcgen::{
    CertificateRevocationListParams, ExtendedKeyUsagePurpose, KeyIdMethod, KeyUsagePurpose,
    RevokedCertParams, SerialNumber,
};

use super::compare::alike;
use crate::harness::tls::{self, Authority, Made};

/// A list that takes back the certificates of these numbers.
pub fn list(authority: &Authority, numbers: &[u64], until: i32) -> String {
    let revoked = |number: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*number),
        revocation_time: rcgen::date_time_ymd(2024, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    authority.revoke(&CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2024, 1, 1),
        next_update: rcgen::date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1u64),
        issuing_distribution_point: None,
        revoked_certs: numbers.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    })
}

/// A client's certificate with this number, and those behind it.
fn client(authority: &Authority, number: u64, behind: &[&Authority]) -> Made {
    let mut params = tls::named(&["client"]);
    params.serial_number = Some(SerialNumber::from(number));
    let mut made = authority.sign(params);
    for authority in behind {
        made.certificate += &authority.certificate();
    }
    made
}

#[tokio::test]
async fn chains_are_followed_as_far_as_is_told_and_as_lists_let_them() {
    let root = Authority::new("Root");
    let (middle, other) = (root.below("Middle"), Authority::new("Other"));
    let lower = middle.below("Lower");
    let mut params = tls::named(&["server"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server = root.sign(params);
    let mut params = tls::named(&["agrees"]);
    params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let agrees = root.sign(params);
    let mut params = tls::named(&["enciphers"]);
    params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    let enciphers = root.sign(params);
    let all = "return 200 \"$ssl_client_verify|$ssl_client_s_dn|$ssl_client_i_dn|\";";
    alike(&format!(
        r#"ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_verify_client on;
        ssl_client_certificate root.pem;
        server {{ listen 127.0.0.1:8443 ssl; {all} }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_verify_depth 0; {all} }}
        server {{ listen 127.0.0.1:8445 ssl; ssl_verify_depth 2; {all} }}
        server {{ listen 127.0.0.1:8446 ssl; ssl_client_certificate both.pem; {all} }}
        server {{ listen 127.0.0.1:8447 ssl; ssl_client_certificate other.pem; ssl_trusted_certificate root.pem; {all} }}
        server {{ listen 127.0.0.1:8448 ssl; ssl_crl lists.pem; {all} }}
        server {{ listen 127.0.0.1:8449 ssl; ssl_crl half.pem; {all} }}
        server {{ listen 127.0.0.1:8450 ssl; ssl_crl late.pem; {all} }}
        server {{ listen 127.0.0.1:8451 ssl; ssl_verify_client optional_no_ca; ssl_verify_depth 0; {all} }}"#
    ))
    .with_certificate(&["a.test"])
    .with_prefix_file("root.pem", root.certificate())
    .with_prefix_file("both.pem", root.certificate() + &middle.certificate())
    .with_prefix_file("other.pem", other.certificate())
    .with_prefix_file("lists.pem", list(&root, &[9], 2099) + &list(&middle, &[7], 2099))
    .with_prefix_file("half.pem", list(&root, &[9], 2099))
    .with_prefix_file("late.pem", list(&root, &[9], 2025))
    .with_client("near", &client(&root, 5, &[]))
    .with_client("gone", &client(&root, 9, &[]))
    .with_client("whole", &client(&middle, 5, &[&middle]))
    .with_client("rooted", &client(&middle, 5, &[&middle, &root]))
    .with_client("taken", &client(&middle, 7, &[&middle]))
    .with_client("alone", &client(&middle, 5, &[]))
    .with_client("deep", &client(&lower, 5, &[&lower, &middle]))
    .with_client("mixed", &client(&lower, 5, &[&middle, &lower]))
    .with_client("broken", &client(&lower, 5, &[&middle]))
    .with_client("server", &server)
    .with_client("agrees", &agrees)
    .with_client("enciphers", &enciphers)
    .with_errors()
    .mainline()
    .answers(&[
        "@8443 ~a.test+near /", "@8443 ~a.test+whole /", "@8443 ~a.test+rooted /", "@8443 ~a.test+alone /",
        "@8443 ~a.test+deep /", "@8443 ~a.test+broken /", "@8443 ~a.test+server /", "@8443 ~a.test+agrees /",
        "@8443 ~a.test+enciphers /", "@8443 ~a.test+whole+1.2 /",
        "@8444 ~a.test+near /", "@8444 ~a.test+whole /", "@8444 ~a.test+rooted /",
        "@8445 ~a.test+whole /", "@8445 ~a.test+deep /", "@8445 ~a.test+mixed /", "@8445 ~a.test+broken /",
        "@8446 ~a.test+whole /", "@8446 ~a.test+alone /", "@8447 ~a.test+near /", "@8447 ~a.test+alone /",
        "@8448 ~a.test+near /", "@8448 ~a.test+gone /", "@8448 ~a.test+whole /", "@8448 ~a.test+taken /",
        "@8449 ~a.test+near /", "@8449 ~a.test+whole /", "@8450 ~a.test+near /",
        "@8451 ~a.test+near /", "@8451 ~a.test+whole /", "@8451 ~a.test+alone /", "@8451 ~a.test+deep /",
        "@8451 ~a.test+server /",
    ])
    .await;
}
