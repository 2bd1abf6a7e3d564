//! rewrite: `set`, `if`, `return`, `rewrite` and `break`, step by step.

mod condition;
mod replace;

use bytes::Bytes;
use tidegate_config::block::Location;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::rewrite::{Return, RewriteFlag, Step, Target};
use tidegate_config::value::size::Size;

use crate::body::Body;
use crate::boxed::boxed;
use crate::exchange::Exchange;
use crate::response::Response;
use crate::stop::Stop;
use crate::trace::Outcome;
use crate::types;

/// Runs the steps of the server's level (nginx: the phase `SERVER_REWRITE`).
pub fn server(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let level = &ex.server.location;
    if level.rewrite.steps.is_empty() {
        return Ok(());
    }
    Run { level, within: false, changed: false }.steps(ex, level).map(|_| ())
}

/// Runs the steps of the location; whether the URI has changed, so that another location has to be
/// found (nginx: the phase `REWRITE`).
pub fn location(ex: &mut Exchange<'_>) -> Result<bool, Stop> {
    let level = ex.location;
    if level.rewrite.steps.is_empty() || std::ptr::eq(level, &raw const ex.server.location) {
        return Ok(false);
    }
    let mut run = Run { level, within: true, changed: false };
    run.steps(ex, level)?;
    if run.changed && !ex.spend_redirect() {
        let uri = String::from_utf8_lossy(&ex.uri);
        return Err(ex.cycle(&format!("while processing \"{uri}\"")));
    }
    Ok(run.changed)
}

/// The steps of one level, while they run.
struct Run<'a> {
    level: &'a Location,
    /// Whether it is a location's level, whose `if` blocks are locations of their own.
    within: bool,
    /// Whether the URI has changed and a location has to be found.
    changed: bool,
}

/// Whether there are steps to come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    End,
}

impl<'a> Run<'a> {
    fn steps(&mut self, ex: &mut Exchange<'a>, block: &'a Location) -> Result<Flow, Stop> {
        for (number, step) in block.rewrite.steps.iter().enumerate() {
            let flow = match step {
                Step::Set { target, value } => {
                    let value = ex.render(value);
                    ex.step(block, number, || Outcome::Value(value.clone()));
                    match target {
                        Target::Slot(slot) => ex.set(*slot, Some(value)),
                        Target::Args => ex.args = Some(value),
                        Target::LimitRate => set_limit_rate(ex, &value),
                    }
                    Flow::On
                }
                Step::Return(answer) => {
                    ex.step(block, number, || Outcome::Ends);
                    return Err(give(ex, answer));
                }
                Step::Break => {
                    if self.changed {
                        ex.in_location = false;
                    }
                    self.changed = false;
                    ex.step(block, number, || Outcome::Ends);
                    Flow::End
                }
                Step::If { condition, place } => {
                    let holds = condition::holds(ex, condition);
                    ex.step(block, number, || Outcome::Holds(holds));
                    ex.judged()?;
                    if holds { self.branch(ex, *place)? } else { Flow::On }
                }
                Step::Rewrite { pattern, to, keep_args, flag } => {
                    let rule = replace::Rule { to, keep_args: *keep_args, flag: *flag };
                    let applied = replace::apply(ex, pattern, &rule);
                    ex.step(block, number, || match applied {
                        Ok(true) => Outcome::Uri(ex.uri.clone(), ex.args.clone()),
                        Ok(false) => Outcome::Holds(false),
                        Err(_) => Outcome::Ends,
                    });
                    if applied? { self.rewritten(ex, *flag) } else { Flow::On }
                }
            };
            if flow == Flow::End {
                return Ok(Flow::End);
            }
        }
        Ok(Flow::On)
    }

    fn branch(&mut self, ex: &mut Exchange<'a>, place: usize) -> Result<Flow, Stop> {
        let Some(block) = self.level.conditions.get(place) else { return Ok(Flow::On) };
        if self.within {
            ex.location = block;
            ex.limit_methods();
        }
        self.steps(ex, block)
    }

    fn rewritten(&mut self, ex: &mut Exchange<'_>, flag: RewriteFlag) -> Flow {
        ex.raw_uri = false;
        ex.internal = true;
        self.changed = flag != RewriteFlag::Break;
        match flag {
            RewriteFlag::Next => Flow::On,
            RewriteFlag::Break => {
                ex.in_location = false;
                Flow::End
            }
            _ => Flow::End,
        }
    }
}

/// nginx: `ngx_http_variable_set_limit_rate`
fn set_limit_rate(ex: &mut Exchange<'_>, value: &Bytes) {
    let text = String::from_utf8_lossy(value);
    match Size::parse(&text) {
        Some(rate) => ex.limit_rate = Some(rate.0),
        None => ex.log(Level::Error, &format!("invalid $limit_rate \"{text}\"")),
    }
}

/// The answer of a `return` (nginx: `ngx_http_script_return_code`, `ngx_http_send_response`).
fn give(ex: &mut Exchange<'_>, answer: &Return) -> Stop {
    ex.error.returned = !matches!(answer, Return::Status(400..));
    match answer {
        Return::Status(444) => Stop::Close,
        Return::Status(status) if *status >= 400 => Stop::Status(*status),
        Return::Status(status @ (301 | 302 | 303 | 307 | 308)) => special(*status, Bytes::new()),
        Return::Redirect(status, to) => {
            let to = ex.render(to);
            special(*status, to)
        }
        Return::Status(status) => Stop::Response(text(ex, *status, Bytes::new())),
        Return::Text(status, body) => {
            ex.sent.status = *status;
            let body = ex.render(body);
            Stop::Response(text(ex, *status, body))
        }
    }
}

fn text(ex: &Exchange<'_>, status: u16, body: Bytes) -> Box<Response> {
    let mut response = boxed(|| Response::new(status));
    response.content_type = types::content_type(ex.location, &ex.uri);
    response.content_length = Some(body.len() as u64);
    response.body = Body::Bytes(body);
    response
}

fn special(status: u16, location: Bytes) -> Stop {
    let location = Some(location);
    Stop::Special(Box::new(Response { location, ..Response::new(status) }))
}

#[cfg(test)]
mod tests {
    use crate::testing::outcome;

    #[test]
    fn flags_say_what_comes_next() {
        let server = "server {
            location /last { rewrite ^/last/(.*) /found/$1?a=$1 last; return 200 no; }
            location /break { rewrite ^/break/(.*) /found/$1 break; return 200 no; }
            location /next { rewrite ^/next/(.*) /found/$1; return 200 on; }
            location /away { rewrite ^/away/(.*) /found/$1 permanent; }
            location /drop { rewrite ^/drop/(.*) /found/$1? redirect; }
            location /far { rewrite ^ https://far/; }
            location /found { return 200 $uri?$args; }
        }";
        for (line, expected) in [
            ("GET /last/x?q", "/found/x?a=x&q"),
            ("GET /break/x", "content /found/x"),
            ("GET /next/x", "on"),
            ("GET /away/x?q", "301 /found/x?q"),
            ("GET /drop/x?q", "302 /found/x"),
            ("GET /far", "302 https://far/"),
            ("GET /away/%20", "301 /found/%20"),
        ] {
            assert_eq!(outcome(server, line), expected, "{line}");
        }
    }

    #[test]
    fn a_cycle_ends() {
        let server = "server { location / { rewrite ^ /x$uri; } }";
        assert_eq!(outcome(server, "GET /"), "status 500");
    }

    #[test]
    fn conditions_have_blocks_of_steps() {
        let server = "server {
            if ($arg_x = 1) { return 403; }
            set $v a;
            location / {
                if ($arg_y ~ ^(b)(?<rest>.*)) { set $v $1-$rest; }
                if ($arg_z) { set $v $v-z; }
                return 200 $v;
            }
        }";
        for (line, expected) in [
            ("GET /?x=1", "status 403"),
            ("GET /", "a"),
            ("GET /?y=bcd", "b-cd"),
            ("GET /?y=bcd&z=1", "b-cd-z"),
            ("GET /?z=0", "a"),
        ] {
            assert_eq!(outcome(server, line), expected, "{line}");
        }
    }

    #[test]
    fn returns_are_statuses_texts_redirects_or_an_end() {
        let server = "server {
            location /404 { return 404; }
            location /444 { return 444; }
            location /301 { return 301 /x; }
            location /url { return https://$host/; }
        }";
        assert_eq!(outcome(server, "GET /404"), "status 404");
        assert_eq!(outcome(server, "GET /444"), "Close");
        assert_eq!(outcome(server, "GET /301"), "301 /x");
        assert_eq!(outcome(server, "GET /url"), "302 https://a/");
    }
}
