//! Sizes of buffers and of pools against each other, as nginx has them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::block::{Location, Server};
use crate::diagnostic::Diagnostic;
use crate::directive::Cx;
use crate::http::forward::Forward;

/// What is told, and what to do.
type Told = BTreeSet<(String, String)>;

/// Looks at all levels of all servers (nginx: where levels are merged, so that no place is named).
pub(crate) fn check(servers: &[Server], cx: &mut Cx<'_>) {
    let mut told = Told::new();
    let mut seen = HashSet::new();
    for server in servers {
        heads(server, &mut told);
        within(&server.location, &mut seen, &mut told);
    }
    for (text, hint) in told {
        cx.diagnostics.push(Diagnostic::emerg(text).hint(hint));
    }
}

fn within(location: &Location, seen: &mut HashSet<*const Forward>, told: &mut Told) {
    let families = [
        ("proxy", &location.proxy_forward),
        ("uwsgi", &location.uwsgi_forward),
        ("fastcgi", &location.fastcgi_forward),
        ("scgi", &location.scgi_forward),
    ];
    for (family, forward) in families {
        // Levels that say nothing share what is said around them.
        if seen.insert(Arc::as_ptr(forward)) {
            answers(family, forward, told);
        }
    }
    let inner = location.locations.all().iter().chain(&location.conditions);
    inner.for_each(|inner| within(inner, seen, told));
}

/// The buffers of answers (nginx: `ngx_http_proxy_merge_loc_conf`).
fn answers(family: &str, forward: &Forward, told: &mut Told) {
    let (number, each) = (u64::from(forward.buffers.number), forward.buffers.size.0);
    let first = forward.buffer_size.0;
    let least = first.max(each);
    if number < 2 {
        let text = format!("there must be at least 2 \"{family}_buffers\"");
        told.insert((text, format!("{family}_buffers 8 4k; is what holds where nothing is said")));
        return;
    }
    let busy = forward.busy_buffers_size.map_or(2 * least, |size| size.0);
    let most = (number - 1).saturating_mul(each);
    let greater = |name: &str, or: &str| {
        format!(
            "\"{family}_{name}\" must be {or}equal to or greater than the maximum of the value of \
             \"{family}_buffer_size\" and one of the \"{family}_buffers\""
        )
    };
    if busy < least {
        let hint = format!("{busy} is less than {least}: take {family}_busy_buffers_size away");
        told.insert((greater("busy_buffers_size", ""), hint));
    } else if busy > most {
        let text = format!(
            "\"{family}_busy_buffers_size\" must be less than the size of all \"{family}_buffers\" \
             minus one buffer"
        );
        let count = busy.div_ceil(each.max(1)) + 1;
        let hint = format!(
            "it is {busy}, twice the largest buffer where nothing is said, and {most} are left: write \
             {family}_buffers {count} {each};"
        );
        told.insert((text, hint));
    }
    let hint = format!("give it {least} or more");
    if forward.temp_file_write_size.is_some_and(|size| size.0 < least) {
        told.insert((greater("temp_file_write_size", ""), hint.clone()));
    }
    let file = forward.max_temp_file_size.0;
    if file != 0 && file < least {
        let or = "equal to zero to disable temporary files usage or must be ";
        told.insert((greater("max_temp_file_size", or), hint));
    }
}

/// The buffers of a request's head (nginx: `ngx_http_core_merge_srv_conf`).
fn heads(server: &Server, told: &mut Told) {
    let head = &server.settings.client_header;
    for pool in [head.connection_pool_size.0, head.request_pool_size.0] {
        let hint = || "it has no effect here, and may go".to_owned();
        if pool < 112 {
            told.insert(("the pool size must be no less than 112".to_owned(), hint()));
        } else if !pool.is_multiple_of(16) {
            told.insert(("the pool size must be a multiple of 16".to_owned(), hint()));
        }
    }
    if head.large_buffers.size.0 < head.connection_pool_size.0 {
        let text = "the \"large_client_header_buffers\" size must be equal to or greater than \
                    \"connection_pool_size\"";
        told.insert((text.to_owned(), "a line of a head must fit into one: 8k".to_owned()));
    }
}
