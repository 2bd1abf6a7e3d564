//! Generated configurations: one directive at any level with a value, or several with an edit.

use std::collections::BTreeMap;

use tidegate_config::directive::reference::declarations;

/// What nginx's tables say: module, name, contexts, arity, block.
pub(crate) const TABLE: &str = include_str!("../nginx-directives.tsv");

/// Values, right and wrong ones, of directives that take more than the common ones.
const VALUES: &str = include_str!("../nginx-values.tsv");

/// Directives that are not tried.
const NOT_TRIED: &[(&str, &str)] = &[
    ("daemon", "-t is about the rest"),
    ("env", "it changes the process"),
    ("load_module", "nginx opens a file of its own kind"),
    ("user", "it depends on the machine"),
];

/// Values that fit many directives, by the number of words.
const COMMON: [&[&str]; 4] = [
    &[""],
    &[
        "on",
        "off",
        "1",
        "0",
        "-1",
        "8k",
        "1m",
        "30s",
        "1h30m",
        "10x",
        "x",
        "$host",
        "$nosuch",
        "/nosuch/x",
        "\"x y\"",
        "\"\"",
        "none",
        "any",
        "127.0.0.1",
        "http://127.0.0.1:1",
        "127.0.0.1:1",
        "GET",
        "200",
        "^x(.*)$",
        "\"(\"",
        "99999999999999999999",
        "$",
        "${host",
        "zone=z:64k",
    ],
    &[
        "4 8k", "8 4k", "x y", "X $host", "$a b", "/a /b", "1 2", "on off", "0 0", "x \"\"",
        "~x y", "~( y",
    ],
    &["x y z", "200 1m 2", "a b c d", "/a /b last", "1 2 3"],
];

/// The levels of a configuration, and where each stands in the frame.
const LEVELS: [&str; 8] =
    ["main", "events", "http", "upstream", "server", "location", "if-in-location", "limit_except"];

/// One directive, as far as it is tried.
pub(crate) struct Directive {
    name: String,
    levels: Vec<usize>,
    /// Right ones first.
    values: Vec<String>,
}

/// A pseudo random number, the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Whether one chance of so many comes true.
    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

/// All directives of nginx's tables, with values for each.
pub(crate) fn directives() -> Vec<Directive> {
    let mut all: BTreeMap<String, Directive> = BTreeMap::new();
    let special: BTreeMap<&str, Vec<&str>> = VALUES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| (line.split('\t').next().unwrap(), line.split('\t').skip(1).collect()))
        .collect();
    let defaults: BTreeMap<String, &str> = declarations()
        .into_iter()
        .filter_map(|declared| Some((declared.name, declared.default?)))
        .collect();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [_, name, contexts, arity, block] = columns[..] else { panic!("{line}") };
        if NOT_TRIED.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let levels = contexts
            .split(',')
            .filter_map(|context| LEVELS.iter().position(|level| *level == context));
        let entry = all.entry(name.to_owned()).or_insert_with(|| Directive {
            name: name.to_owned(),
            levels: Vec::new(),
            values: Vec::new(),
        });
        entry.levels.extend(levels);
        if !entry.values.is_empty() {
            continue;
        }
        if let Some(values) = special.get(name).or_else(|| special.get(kin(name).as_str())) {
            entry.values.extend(values.iter().map(|value| (*value).to_owned()));
            continue;
        }
        if let Some(default) = defaults.get(name) {
            let family = name.split('_').next().unwrap_or_default();
            entry.values.push(default.replace("{}", family));
        }
        let counts: &[usize] = match arity {
            "flag" | "1" => &[1],
            "noargs" | "0" => &[0],
            "2" => &[2],
            "1-2" | "take12" => &[1, 2],
            _ => &[1, 2, 3],
        };
        let end = if block == "block" { " { }" } else { "" };
        let common = counts.iter().flat_map(|count| COMMON[*count]);
        entry.values.extend(common.map(|value| format!("{value}{end}")));
    }
    all.into_values().filter(|one| !one.levels.is_empty()).collect()
}

/// The directive of `proxy` that says the same.
fn kin(name: &str) -> String {
    let families = ["uwsgi_", "fastcgi_", "scgi_", "grpc_"];
    let suffix = families.iter().find_map(|family| name.strip_prefix(family));
    suffix.map(|suffix| format!("proxy_{suffix}")).unwrap_or_default()
}

fn line(name: &str, value: &str) -> String {
    let end = if value.ends_with('}') { "" } else { ";" };
    let space = if value.is_empty() { "" } else { " " };
    format!("{name}{space}{value}{end}")
}

/// A whole configuration with these lines at each level.
pub(crate) fn whole(lines: &[String; 8]) -> String {
    let [main, events, http, upstream, server, location, condition, methods] = lines;
    let condition = match condition.as_str() {
        "" => String::new(),
        lines => format!("if ($arg_a) {{\n{lines}\n}}\n"),
    };
    let methods = match methods.as_str() {
        "" => String::new(),
        lines => format!("limit_except GET {{\n{lines}\n}}\n"),
    };
    format!(
        "pid logs/nginx.pid;\n{main}\nevents {{\n{events}\n}}\nhttp {{\nlimit_req_zone $host zone=known:1m rate=1r/s;\n\
         limit_conn_zone $host zone=knownc:1m;\n{http}\nupstream app {{\nserver 127.0.0.1:1;\n{upstream}\n}}\n\
         server {{\nlisten 127.0.0.1:8080;\n{server}\n\
         location / {{\n{location}\n{condition}{methods}}}\nlocation @x {{ return 204; }}\n}}\n}}\n"
    )
}

/// One directive with one value, mostly where it may stand.
pub(crate) fn single(directives: &[Directive], dice: &mut Dice) -> String {
    let directive = dice.of(directives);
    let level = if dice.one_in(8) { dice.below(LEVELS.len()) } else { *dice.of(&directive.levels) };
    let value = if dice.one_in(4) { &directive.values[0] } else { dice.of(&directive.values) };
    let mut lines: [String; 8] = Default::default();
    lines[level] = line(&directive.name, value);
    if dice.one_in(10) {
        lines[level] = format!("{0}\n{0}", lines[level]);
    }
    whole(&lines)
}

/// Some directives that are right, mostly; every second one with one edit.
pub(crate) fn several(directives: &[Directive], dice: &mut Dice) -> String {
    let mut lines: [String; 8] = Default::default();
    for _ in 0..=dice.below(4) {
        let directive = dice.of(directives);
        let level = *dice.of(&directive.levels);
        lines[level].push_str(&line(&directive.name, &directive.values[0]));
        lines[level].push('\n');
    }
    let text = whole(&lines);
    if dice.one_in(2) { text } else { edited(&text, dice) }
}

/// One character is taken away, put in or changed.
fn edited(text: &str, dice: &mut Dice) -> String {
    let at = dice.below(text.len());
    let mark = *dice.of(&[";", "{", "}", "\"", "'", " ", "#", "$", "\\", "\n", "x", "(", "~"]);
    let (before, behind) = text.split_at(at);
    match dice.below(3) {
        0 => format!("{before}{}", &behind[1..]),
        1 => format!("{before}{mark}{behind}"),
        _ => format!("{before}{mark}{}", &behind[1..]),
    }
}
