//! split_clients: clients fall into the same shares.

use super::compare::alike;

#[tokio::test]
async fn shares_are_those_of_nginx() {
    let asks: Vec<String> = (0..120)
        .map(|number| format!("/?x={}", "v".repeat(number % 7) + &number.to_string()))
        .collect();
    let asks: Vec<&str> = asks.iter().map(String::as_str).chain(["/"]).collect();
    alike(
        r#"
        split_clients "$arg_x" $share { 0.5% .half; 20% .fifth; 33.33% .third; * ""; }
        split_clients "${arg_x}salt" $part { 10% one; 15.5% two; }
        split_clients $arg_x $whole { 50% a; 50% b; }
        server {
            listen 127.0.0.1:8080;
            location / { return 200 "[$share][$part][$whole]"; }
        }"#,
    )
    .answers(&asks)
    .await;
}
