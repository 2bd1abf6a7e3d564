//! `include`: the answer to another request.

use std::future::poll_fn;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Evaluator, Stop};
use crate::body::{Body, BodyStream};
use crate::exchange::Exchange;
use crate::filter::ssi::command::Command;
use crate::filter::ssi::{PIECES, Segment, evaluated};
use crate::uri::redirect::parse_unsafe;

impl<'a> Evaluator<'a> {
    /// nginx: `ngx_http_ssi_include`
    pub(super) async fn include(&mut self, command: &Command) -> Result<(), Stop> {
        let failed = |text: String| Err(Stop::Failed(text));
        let shown = |name| String::from_utf8_lossy(command.get(name).unwrap_or_default());
        let (set, stub) = (command.get("set"), command.get("stub"));
        let uri = match (command.get("virtual"), command.get("file")) {
            (Some(_), Some(_)) => {
                return failed(format!(
                    "inclusion may be either virtual=\"{}\" or file=\"{}\"",
                    shown("virtual"),
                    shown("file")
                ));
            }
            (None, None) => return failed("no parameter in \"include\" SSI command".into()),
            (Some(uri), None) | (None, Some(uri)) => uri,
        };
        if set.is_some() && stub.is_some() {
            let text = "\"set\" and \"stub\" cannot be used together in \"include\" SSI command";
            return failed(text.into());
        }
        let file = command.get("file").is_some();
        let waits = match command.get("wait") {
            Some(_) if file => {
                return failed(format!("\"wait\" cannot be used with file=\"{}\"", shown("file")));
            }
            None => file,
            Some(b"no") => false,
            Some(b"yes") => true,
            Some(_) => {
                let word = shown("wait");
                return failed(format!("invalid value \"{word}\" in the \"wait\" parameter"));
            }
        };
        let own = self.request(uri)?;
        if let Some(name) = set {
            let name = String::from_utf8_lossy(name).into_owned();
            return self.keep(own, &name).await;
        }
        let stub = match stub {
            Some(name) => Some(self.block(name)?),
            None => None,
        };
        let (body, end) = match stub {
            None => self.ex.body_and_end(own),
            Some(stub) => self.or_else(own, stub),
        };
        self.send(Segment::Body(body)).await?;
        if waits {
            let _ended = end.await;
        }
        Ok(())
    }

    /// The request for a URI, which begins where the page lies unless it is absolute.
    fn request(&mut self, uri: &[u8]) -> Result<Exchange<'a>, Stop> {
        let mut uri = self.text(uri).map_err(Stop::Failed)?;
        if !uri.starts_with(b"/") {
            let folder = memchr::memrchr(b'/', &self.ex.uri).map_or(0, |slash| slash + 1);
            uri = Bytes::from([self.ex.uri.slice(..folder), uri].concat());
        }
        let Some(parsed) = parse_unsafe(&uri) else {
            let uri = String::from_utf8_lossy(&uri);
            return Err(Stop::Failed(format!("unsafe URI \"{uri}\" was detected")));
        };
        let made = self.ex.side_request(parsed.path, parsed.args);
        made.ok_or_else(|| Stop::Failed("there are too many subrequests".into()))
    }

    fn block(&self, name: &[u8]) -> Result<Bytes, Stop> {
        let found = self.ex.page.as_ref().and_then(|page| {
            let blocks = page.blocks.borrow();
            blocks.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone())
        });
        found.ok_or_else(|| {
            let name = String::from_utf8_lossy(name);
            Stop::Failed(format!("\"stub\"=\"{name}\" for \"include\" not found"))
        })
    }

    /// Waits for an answer, and keeps it in a variable where it is no error.
    async fn keep(&mut self, mut own: Exchange<'a>, name: &str) -> Result<(), Stop> {
        let most = usize::try_from(self.ex.location.ssi.output_buffer.0).unwrap_or(usize::MAX);
        self.assign(name, Bytes::new());
        let Some(response) = own.answered().await else { return Ok(()) };
        if response.status >= 300 {
            return Ok(());
        }
        let (mut body, mut text) = (response.body.into_stream(), Vec::new());
        while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            text.extend_from_slice(&piece.map_err(|error| Stop::Failed(error.to_string()))?);
            if text.len() > most {
                let text = format!("too big subrequest response: more than {most} bytes");
                return Err(Stop::Failed(text));
            }
        }
        own.sent.complete = true;
        own.written();
        self.assign(name, text.into());
        Ok(())
    }

    /// The answer; or, where it is empty or an error, a block of the page.
    fn or_else(
        &mut self,
        mut own: Exchange<'a>,
        stub: Bytes,
    ) -> (BodyStream, crate::subrequest::End) {
        let (sender, receiver) = mpsc::channel(PIECES);
        let (ended, end) = tokio::sync::oneshot::channel();
        let mut copy = self.ex.copy();
        self.ex.tasks.add(async move {
            let answer = own.answered().await;
            let good = answer.filter(|_| own.error.status.is_none());
            let mut body = good
                .map_or_else(|| Body::Empty.into_stream(), |response| response.body.into_stream());
            let mut empty = true;
            while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
                empty = false;
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
            own.sent.complete = true;
            own.written();
            if empty {
                copy.uri = own.uri.clone();
                copy.args = own.args.clone();
                let mut body = {
                    let inner = copy.copy();
                    evaluated(&mut copy, inner, Body::Bytes(stub).into_stream())
                };
                while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
                    if sender.send(piece).await.is_err() {
                        return;
                    }
                }
            }
            let _nobody = ended.send(());
        });
        (crate::subrequest::received(receiver), end)
    }
}
