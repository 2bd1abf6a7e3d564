//! The command line.

use crate::harness::Tidegate;

const CONF: &str = "server { listen 127.0.0.1:8080; location / { return 200 ok; } }";

#[tokio::test]
async fn a_configuration_can_be_tested() {
    let (accepted, text) = Tidegate::start(CONF).check(&["-t"]);
    assert!(accepted, "{text}");
    assert!(
        text.contains("nginx: the configuration file PREFIX/nginx.conf syntax is ok"),
        "{text}"
    );
    assert!(
        text.contains("nginx: configuration file PREFIX/nginx.conf test is successful"),
        "{text}"
    );
    let (accepted, text) = Tidegate::start(CONF).check(&["-t", "-q"]);
    assert!(accepted && text.is_empty(), "{text}");
    let (accepted, text) = Tidegate::start("server { nonsense; }").check(&["-t"]);
    assert!(!accepted);
    assert!(text.contains("unknown directive \"nonsense\" in PREFIX/nginx.conf:"), "{text}");
    assert!(text.contains("nginx: configuration file PREFIX/nginx.conf test failed"), "{text}");
}

#[tokio::test]
async fn a_configuration_can_be_shown() {
    let start = Tidegate::start("include more.conf;").with_prefix_file("more.conf", CONF);
    let (accepted, text) = start.check(&["-T"]);
    assert!(accepted, "{text}");
    assert!(text.contains("# configuration file PREFIX/nginx.conf:\n"), "{text}");
    assert!(text.contains("# configuration file PREFIX/more.conf:\nserver { listen"), "{text}");
}

#[tokio::test]
async fn versions_and_help_are_printed() {
    let (accepted, text) = Tidegate::start(CONF).check(&["-v"]);
    assert!(accepted && text.contains(" version: "), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-V"]);
    assert!(accepted && text.contains(" version: "), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-h"]);
    assert!(accepted && text.contains("-t ") && text.contains("-c filename"), "{text}");
}

#[tokio::test]
async fn wrong_options_are_refused() {
    let (accepted, text) = Tidegate::start(CONF).check(&["-x"]);
    assert!(!accepted && text.contains("invalid option: \"x\""), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-g"]);
    assert!(!accepted && text.contains("option \"-g\" requires parameter"), "{text}");
}

#[tokio::test]
async fn directives_can_be_given_beside_the_file() {
    let (accepted, text) = Tidegate::start(CONF).check(&["-t", "-g", "worker_processes 2;"]);
    assert!(accepted, "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-t", "-g", "nonsense 2;"]);
    assert!(!accepted && text.contains("unknown directive \"nonsense\""), "{text}");
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let first = Tidegate::start(CONF).await;
    let mut second = Tidegate::start(CONF).with_port(8080, first.port(8080)).launch();
    second.ends().await;
    let said = second.read("logs/output");
    assert!(said.contains("bind() to 127.0.0.1:"), "{said}");
    assert!(said.contains(" failed (98: Address"), "{said}");
    first.get("/").await.is(200);
}
