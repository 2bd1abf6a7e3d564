//! What is asked and answered over uwsgi.

use super::*;

#[tokio::test]
async fn uwsgi_sends_variables_and_reads_what_cgi_says() {
    let answers = |peer: &mut Peer| {
        peer.until("body");
        peer.say("Status: 201 Made\r\nServer: app\r\nX: y\r\n\r\nuntil the end");
    };
    let (port, told) = app(vec![answers]);
    let site = Site::at(&format!(
        "uwsgi_param CONTENT_LENGTH $content_length; uwsgi_param EMPTY '' if_not_empty;
         uwsgi_pass 127.0.0.1:{port};"
    ));
    within(async {
        let head = "POST /x HTTP/1.1\r\nHost: a:81\r\nX-Y: z\r\nTransfer-Encoding: chunked\r\n\r\n";
        let outcome = site.send(head, Client::body(&["bo", "dy"])).await;
        assert_eq!((outcome.status(), outcome.body()), (201, &b"until the end"[..]));
        assert_eq!(outcome.header("Server").unwrap(), "app");
        assert_eq!(outcome.result.as_ref().unwrap().0.reason.as_ref().unwrap(), "Made");
    })
    .await;
    let packet = told.recv().unwrap();
    assert!(packet.contains("\u{e}\0CONTENT_LENGTH\u{1}\u{0}4"), "{packet:?}");
    assert!(packet.contains("\u{9}\0HTTP_HOST\u{4}\0a:81") && packet.contains("HTTP_X_Y\u{1}\0z"));
    assert!(packet.ends_with("body") && !packet.contains("EMPTY"));
}
