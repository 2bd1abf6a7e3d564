//! Keys made by OpenSSL 3, all the same one, with the password `secret`.

use rustls::SignatureScheme;

use super::super::read;
use super::Fault;

const PLAIN: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEINET2rzwJQrhaYvmEQIyvVv9U6aSqy/n+lDui1KtlO9uoAoGCCqGSM49
AwEHoUQDQgAE8AYgnkseE2GFkI/D9o+4cZL7F+tF3yjkSSE+f59Dpf2DemJeFQvw
Kf9+JycbdanzyfC+1EgdjHy0NdcW/mB4hQ==
-----END EC PRIVATE KEY-----";

const LOCKED: [(&str, &str); 7] = [
    (
        "PKCS#8, AES-256",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhOlGu04Sv19AICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPtPuBNigaZV3J48lWVFkUAEgZAu
U5TTCsrAMJQ+sE1+6yZCyPHBon5T+DSetj6+F4vtAZ4vqoh0fDvRWLnRuVwHn9Ci
MW9026u2/CSc9bob4jCREPZsiz0wQZvGItlyOYuKR+Ctz3VTTWnr8cw+8/nEYFD9
rp9RB+L30us7p6NrzvCSCEd5buGpxrG0JOsLT4KYPE4ZG4DcIOMTRoJa5TuCHAE=
-----END ENCRYPTED PRIVATE KEY-----",
    ),
    (
        "PKCS#8, 3DES",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHVMEAGCSqGSIb3DQEFDTAzMBsGCSqGSIb3DQEFDDAOBAig4iPnE5HjzAICCAAw
FAYIKoZIhvcNAwcECOCCYpysh/z0BIGQLuZpVZz5XTopMw5SWCqaHepKXBQp/Zkh
mDxYaTaTH0X/sOqjQcK7Dstc5ZiuuuVElEdNZGlJD9VMNqPCYXVQyIADEIj+Tn0k
ALP26QBPsHthYdmNLwf7Jo3t35rWYsdv+PY7EHd46qQK2wQ8ovrKSwdU4C3hkqqK
H2vtCwT1Cw8qbmu35cFSihibxGoszKjZ
-----END ENCRYPTED PRIVATE KEY-----",
    ),
    (
        "DEK-Info, AES-128",
        "-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,171A5F117AEA4461155D948E43831150

e8mjsU6dnJVJbMviCGR+XE6sZyW0s9IsI4b+HOxHV/E+16mfeA8q0uLvppqYxv0W
V636MnPzDoZUKHiwTxHSvtnGsSIjMxMpSed9pA0IkpdRewkesWw407ZnAQ46ydIE
33J+ShYDbXEi8GiJbMdZsNcvtDprWT5HvJ24jzs08Tw=
-----END EC PRIVATE KEY-----",
    ),
    (
        "DEK-Info, 3DES",
        "-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: DES-EDE3-CBC,A31A3063E58B7928

PDvGDWIz52m3KPl3dtb4zNf/WQHolDRjJ2vo+jyFkRiKV1d4r4F84aPpJ2eJiQEf
kWI/Xzgol6pID56QM14/j9OyP+mEnOXF1t9a5PaMb2N7Ues1YYE/dP1Eq/FSmRmx
Oi2y8aYu9iwXUDltmW0M9FxVjzsvGIIOP/kVUnrabfQ=
-----END EC PRIVATE KEY-----",
    ),
    (
        "PKCS#8, scrypt",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAgQ2DUEqvrxawICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBBoT5EJYomSacd86BnrlUj4BIGQ+Cav9Ch8xUgK
8Em3h9Lc/Lo88ydUnu8bMdPJv9Da4/3ShVKl7wjWaAOpOFNtIlWwnA/w8iAgf9Tk
3Zra6nElDZJLKzySc0Le7yzSivk8CTYfpQjtmwXyXQ4rXSis9h55MZg2K3ZLKWsZ
lDReih8iaaeQU8VEMQV91u7SVOcE8Ri3SdefJ6bp6ZkpPQDfEset
-----END ENCRYPTED PRIVATE KEY-----",
    ),
    (
        "PKCS#12, 3DES",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGxMBwGCiqGSIb3DQEMAQMwDgQIwjxnh9Jmh3cCAggABIGQ9kVYIVcYh6H459z5
r8E05OEE+3DaVzJDVHrMUqxRYvbZFA9t2hSM2g+FL05toxeH+SqsnjhG4omlt490
geh45zulVd4yK1zgYSsdzggSimtYBmcUko9Wu6z2ivMdcZMH4q0wJ9/GsvSK9mzS
4XEx/3oRczorOpQK60ZwlmN9Jb7qNIBTRTqErdm0UsTqi+1P
-----END ENCRYPTED PRIVATE KEY-----",
    ),
    (
        "PKCS#12, 3DES of two keys",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGxMBwGCiqGSIb3DQEMAQQwDgQIq9TVvqPYlkICAggABIGQzQPkP6bj/Fb7efeL
Hv0Bx0nxX8t1j31EjC7JiMvyLWEooKnOxoTex95YpTdvnYXK0X1DfVhi6sfnfSNQ
Zkrn4dhaWPEwfZYVfSjiX3Tpq3WXPo30PhRWaUQd+Yir+6zbL/dTKxYSzJsh+zOV
OVpdP/3OhcACeObi6Nqr/ao/qZrKOraPS/Z4GeJmzWDsaKUj
-----END ENCRYPTED PRIVATE KEY-----",
    ),
];

#[test]
fn keys_are_opened_by_the_password_that_fits_and_by_no_other() {
    let plain = read(PLAIN.as_bytes(), &[]).unwrap();
    for (how, text) in LOCKED {
        let passwords = [b"wrong".to_vec(), b"secret".to_vec()];
        let opened = read(text.as_bytes(), &passwords).unwrap_or_else(|why| panic!("{how}: {why}"));
        assert_eq!(opened.public_key(), plain.public_key(), "{how}");
        assert!(opened.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).is_some());
        for wrong in [&passwords[..1], &[]] {
            assert!(matches!(read(text.as_bytes(), wrong), Err(Fault::Locked)), "{how}");
        }
    }
}

#[test]
fn what_openssl_does_not_open_any_more_either_is_told() {
    let text = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGwMBsGCSqGSIb3DQEFAzAOBAj3hBEDsPSoHwICCAAEgZAcrYjpZHl7Sl0sqngA
EfQAaGksPIVxkK2o+jpRVw9bPQmbnwTV2FVNILFetql5pb7hbOfwffSp26IwW7B5
AKzdigjkJO6spdr31T+x5PW3ynsoXj/f3V/sMIuK/e09x7qtkJVH6yivYTYFk9jv
hT/H/iHwseew9kDH/TrhLbVLi0Ofc7LrynEdnr/KXppNe9o=
-----END ENCRYPTED PRIVATE KEY-----";
    let fault = read(text.as_bytes(), &[b"secret".to_vec()]).unwrap_err();
    assert!(matches!(fault, Fault::Lock(_)), "{fault}");
    assert!(fault.mend().contains("openssl pkcs8 -topk8 -v2 aes-256-cbc"));
}
