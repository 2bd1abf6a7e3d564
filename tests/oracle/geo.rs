//! geo: values by address.

use super::compare::alike;

#[tokio::test]
async fn networks_and_ranges() {
    alike(
        r#"
        geo $mine { default far; 127.0.0.0/8 near; 127.0.0.1 here; }
        geo $arg_a $named { default none; 10.0.0.0/8 ten; 10.1.0.0/16 one; 10.1.2.3 host; 10.9.0.0/16 gone; delete 10.9.0.0/16; ::1 six; 2001:db8::/32 doc; 0.0.0.0/0 four; }
        geo $arg_a $ranged { ranges; default none; 10.0.0.0-10.0.0.9 first; 10.0.0.5-10.0.0.6 inner; 10.0.0.20-10.0.0.29 second; }
        geo $plain { 192.168.0.0/16 x; }
        geo $proxied { default none; proxy 127.0.0.1; 1.0.0.0/8 one; 2.0.0.0/8 two; 127.0.0.1 proxy; }
        geo $recursive { default none; proxy 127.0.0.1; proxy 2.0.0.0/8; proxy_recursive; 1.0.0.0/8 one; 2.0.0.0/8 two; }
        geo $included { default none; include networks.conf; }
        server {
            listen 127.0.0.1:8080;
            location / { return 200 "$mine|$named|$ranged|$plain|$proxied|$recursive|$included"; }
        }"#,
    )
    .with_prefix_file("networks.conf", "127.0.0.1/32 listed;\n")
    .answers(&[
        "/", "/?a=10.1.2.3", "/?a=10.1.2.4", "/?a=10.2.2.4", "/?a=10.9.1.1", "/?a=11.1.1.1",
        "/?a=::1", "/?a=2001:db8::9", "/?a=rubbish", "/?a=10.0.0.0", "/?a=10.0.0.5",
        "/?a=10.0.0.9", "/?a=10.0.0.10", "/?a=10.0.0.25", "/ | X-Forwarded-For: 1.2.3.4",
        "/ | X-Forwarded-For: 1.2.3.4, 2.3.4.5", "/ | X-Forwarded-For: rubbish",
    ])
    .await;
}
