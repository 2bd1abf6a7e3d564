//! What the commands of a page do.

mod include;

use std::future::poll_fn;

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tokio::sync::mpsc;

use super::Segment;
use super::command::Command;
use super::scan::{Piece, Scanner};
use super::value::Encoding;
use crate::body::BodyStream;
use crate::exchange::{Captured, Exchange};

/// What stands where a command has failed.
const FAILED: &[u8] = b"[an error occurred while processing the directive]";

/// A page on its way.
pub(super) struct Evaluator<'a> {
    /// A copy of the request that the page answers.
    pub(super) ex: Exchange<'a>,
    out: mpsc::Sender<Segment>,
    scanner: Scanner,
    value_length: usize,
    branch: Branch,
    /// Whether one of the branches of an `if` has been taken.
    taken: bool,
    /// Whether text goes out: not in a branch that is not taken, and not in a block.
    output: bool,
    /// The name of the block that the page is in, and what is in that so far.
    block: Option<(Vec<u8>, Vec<u8>)>,
    failed: Bytes,
    encoding: Encoding,
    pub(super) timefmt: Option<Bytes>,
    /// The groups of the last expression that matched.
    pub(super) captured: Captured,
    /// Those that have names.
    pub(super) named: Vec<(String, Bytes)>,
}

/// Where in an `if` a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Branch {
    /// In none.
    None,
    /// In its first branch, or behind an `elif`.
    If,
    /// Behind `else`.
    Else,
}

/// Why a page is not gone on with.
enum Stop {
    /// Nobody wants the rest.
    Gone,
    /// The command has failed, as told.
    Failed(String),
}

impl<'a> Evaluator<'a> {
    /// A page that answers a request; what it comes to goes to `out`.
    pub(super) fn new(ex: Exchange<'a>, out: mpsc::Sender<Segment>) -> Self {
        let length = ex.location.ssi.value_length.0;
        let value_length = usize::try_from(length).unwrap_or(usize::MAX);
        Self {
            ex,
            out,
            scanner: Scanner::new(value_length),
            value_length,
            branch: Branch::None,
            taken: false,
            output: true,
            block: None,
            failed: Bytes::from_static(FAILED),
            encoding: Encoding::Entity,
            timefmt: None,
            captured: Captured::default(),
            named: Vec::new(),
        }
    }

    /// Goes through the page.
    pub(super) async fn run(mut self, mut body: BodyStream) {
        loop {
            match poll_fn(|cx| body.as_mut().poll_next(cx)).await {
                Some(Ok(bytes)) => self.scanner.feed(&bytes),
                Some(Err(error)) => {
                    let _nobody = self.out.send(Segment::Failed(error)).await;
                    return;
                }
                None => break,
            }
            while let Some(piece) = self.scanner.next() {
                if self.piece(piece).await.is_err() {
                    return;
                }
            }
        }
        if let Some(piece) = self.scanner.rest() {
            let _nobody = self.piece(piece).await;
        }
    }

    async fn piece(&mut self, piece: Piece) -> Result<(), Stop> {
        let done = match piece {
            Piece::Text(text) => return self.put(text).await,
            Piece::TooLong => Err(Stop::Failed("too long SSI command".into())),
            Piece::Command(text) => self.command(&text).await,
        };
        let told = match done {
            Err(Stop::Failed(told)) => told,
            done => return done,
        };
        self.ex.log(Level::Error, &told);
        if self.ex.location.ssi.silent_errors || self.failed.is_empty() {
            return Ok(());
        }
        self.send(Segment::Bytes(self.failed.clone())).await
    }

    /// Sends text, unless it is passed over or belongs to a block.
    async fn put(&mut self, text: Bytes) -> Result<(), Stop> {
        if let Some((_, block)) = &mut self.block {
            block.extend_from_slice(&text);
            return Ok(());
        }
        if !self.output || text.is_empty() {
            return Ok(());
        }
        self.send(Segment::Bytes(text)).await
    }

    async fn send(&mut self, segment: Segment) -> Result<(), Stop> {
        self.out.send(segment).await.map_err(|_| Stop::Gone)
    }

    async fn command(&mut self, text: &Bytes) -> Result<(), Stop> {
        let command = Command::parse(text, self.value_length).map_err(Stop::Failed)?;
        let (known, needed) = parameters(&command)?;
        let blocks = matches!(command.name.as_str(), "block" | "endblock");
        if let (Some((_, block)), false) = (&mut self.block, blocks) {
            block.extend_from_slice(text);
            return Ok(());
        }
        let name = command.name.as_str();
        let branches = matches!(name, "elif" | "else" | "endif");
        let inside = self.branch == Branch::If || self.branch == Branch::Else && name == "endif";
        if branches && !inside {
            return Err(Stop::Failed(format!("invalid context of SSI command: \"{name}\"")));
        }
        if !self.output && !blocks && !branches {
            return Ok(());
        }
        check(&command, known, needed)?;
        match name {
            "include" => return self.include(&command).await,
            "echo" => return self.echo(&command).await,
            "config" => self.config(&command)?,
            "set" => self.set(&command)?,
            "block" => {
                let name = command.get("name").unwrap_or_default().to_vec();
                self.block = Some((name, Vec::new()));
            }
            "endblock" => {
                if let (Some((name, text)), Some(page)) = (self.block.take(), &self.ex.page) {
                    page.blocks.borrow_mut().push((name, text.into()));
                }
            }
            _ => self.turn(&command)?,
        }
        Ok(())
    }

    /// `if` and what belongs to it.
    fn turn(&mut self, command: &Command) -> Result<(), Stop> {
        match command.name.as_str() {
            "if" if self.branch != Branch::None => {
                return Err(Stop::Failed("the \"if\" command inside the \"if\" command".into()));
            }
            "elif" if self.taken => self.output = false,
            "if" | "elif" => {
                let condition = command.get("expr").unwrap_or_default().to_vec();
                let holds = self.holds(&condition).map_err(Stop::Failed)?;
                (self.branch, self.output) = (Branch::If, holds);
                self.taken |= holds;
            }
            "else" => (self.branch, self.output) = (Branch::Else, !self.taken),
            _ => (self.branch, self.output, self.taken) = (Branch::None, true, false),
        }
        Ok(())
    }

    async fn echo(&mut self, command: &Command) -> Result<(), Stop> {
        let name = String::from_utf8_lossy(command.get("var").unwrap_or_default()).into_owned();
        let value = match (self.variable(&name), command.get("default")) {
            (Some(value), _) => value,
            (None, Some(default)) => Bytes::copy_from_slice(default),
            (None, None) => Bytes::from_static(b"(none)"),
        };
        if let Some(word) = command.get("encoding") {
            if let Some(encoding) = Encoding::of(word) {
                self.encoding = encoding;
            } else {
                let word = String::from_utf8_lossy(word);
                let text = format!("unknown encoding \"{word}\" in the \"echo\" command");
                self.ex.log(Level::Error, &text);
            }
        }
        let value = self.encoding.apply(&value).into_owned();
        self.put(value.into()).await
    }

    fn config(&mut self, command: &Command) -> Result<(), Stop> {
        if let Some(format) = command.get("timefmt") {
            self.timefmt = Some(self.text(format).map_err(Stop::Failed)?);
        }
        if let Some(text) = command.get("errmsg") {
            self.failed = Bytes::copy_from_slice(text);
        }
        Ok(())
    }

    fn set(&mut self, command: &Command) -> Result<(), Stop> {
        let name = String::from_utf8_lossy(command.get("var").unwrap_or_default()).into_owned();
        let value = self.text(command.get("value").unwrap_or_default()).map_err(Stop::Failed)?;
        self.assign(&name, value);
        Ok(())
    }

    fn assign(&mut self, name: &str, value: Bytes) {
        if let Some(page) = &self.ex.page {
            page.assign(&name.to_ascii_lowercase(), value);
        }
    }
}

/// The parameters that a command has, and those that it needs.
type Parameters = (&'static [&'static str], &'static [&'static str]);

fn parameters(command: &Command) -> Result<Parameters, Stop> {
    Ok(match command.name.as_str() {
        "include" => (&["virtual", "file", "wait", "set", "stub"], &[]),
        "echo" => (&["var", "default", "encoding"], &["var"]),
        "config" => (&["errmsg", "timefmt"], &[]),
        "set" => (&["var", "value"], &["var", "value"]),
        "if" | "elif" => (&["expr"], &["expr"]),
        "else" | "endif" | "endblock" => (&[], &[]),
        "block" => (&["name"], &["name"]),
        name => return Err(Stop::Failed(format!("invalid SSI command: \"{name}\""))),
    })
}

fn check(command: &Command, known: &[&str], needed: &[&str]) -> Result<(), Stop> {
    let name = &command.name;
    let fault = |what: String| Err(Stop::Failed(format!("{what} in \"{name}\" SSI command")));
    if let Some(unknown) = command.unknown(known) {
        return fault(format!("invalid parameter name: \"{unknown}\""));
    }
    if let Some(twice) = command.twice() {
        return fault(format!("duplicate \"{twice}\" parameter"));
    }
    match needed.iter().find(|needed| command.get(needed).is_none()) {
        Some(absent) => fault(format!("mandatory \"{absent}\" parameter is absent")),
        None => Ok(()),
    }
}
