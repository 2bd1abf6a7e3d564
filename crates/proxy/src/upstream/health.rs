//! What checks have found out of a peer: no clock, no sockets.

/// What a check goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// So many failures in a row make a peer unhealthy.
    pub fails: u32,
    /// So many successes in a row make it healthy again.
    pub passes: u32,
    /// Nobody asks it before it was checked.
    pub mandatory: bool,
    /// One that was healthy before a reload need not be checked first.
    pub persistent: bool,
}

/// What all checks have found out of a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    checks: Vec<Check>,
    /// Whether any of them keeps requests away: asked by every request.
    out: bool,
}

/// What one check has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Check {
    state: State,
    /// How many times in a row it was otherwise than its state.
    against: u32,
}

/// How a peer is, as a check sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Well.
    Up,
    /// Not known yet, and nobody asks it.
    Checking,
    /// Not well: nobody asks it.
    Unhealthy,
}

/// What has become of a peer by a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Requests ask it again.
    Healthy,
    /// No more requests ask it.
    Unhealthy,
}

impl Health {
    /// A peer that has not been checked.
    pub(super) fn new(rules: &[Rule]) -> Self {
        let first = |rule: &Rule| if rule.mandatory { State::Checking } else { State::Up };
        Self::of(rules.iter().map(first))
    }

    fn of(states: impl Iterator<Item = State>) -> Self {
        let checks: Vec<Check> = states.map(|state| Check { state, against: 0 }).collect();
        let out = checks.iter().any(|check| check.state != State::Up);
        Self { checks, out }
    }

    /// The same after a reload, by other checks perhaps: one that is not well stays so until they
    /// say otherwise.
    pub(super) fn reloaded(&self, rules: &[Rule]) -> Self {
        let before = self.state();
        Self::of(rules.iter().map(|rule| match before {
            State::Up if rule.mandatory && !rule.persistent => State::Checking,
            before => before,
        }))
    }

    /// Another process has found out how it is.
    pub(super) fn is_found(&mut self, state: State) {
        *self = Self::of(self.checks.iter().map(|_| state));
    }

    /// Whether requests keep away.
    pub(crate) fn is_out(&self) -> bool {
        self.out
    }

    /// How it is, all checks taken together.
    pub(crate) fn state(&self) -> State {
        let has = |state| self.checks.iter().any(|check| check.state == state);
        match (has(State::Unhealthy), has(State::Checking)) {
            (true, _) => State::Unhealthy,
            (_, true) => State::Checking,
            _ => State::Up,
        }
    }

    /// A check has found it well, or not.
    pub(super) fn report(&mut self, number: usize, good: bool, rule: Rule) -> Option<Change> {
        let before = self.state();
        let check = self.checks.get_mut(number)?;
        let (other, enough) = match (check.state, good) {
            (State::Up, true) | (State::Unhealthy, false) => {
                check.against = 0;
                return None;
            }
            (State::Up, false) => (State::Unhealthy, rule.fails),
            (State::Unhealthy, true) => (State::Up, rule.passes),
            // The first check decides.
            (State::Checking, true) => (State::Up, 1),
            (State::Checking, false) => (State::Unhealthy, 1),
        };
        check.against += 1;
        if check.against >= enough {
            *check = Check { state: other, against: 0 };
        }
        self.out = self.state() != State::Up;
        match (before, self.state()) {
            (State::Up | State::Checking, State::Unhealthy) => Some(Change::Unhealthy),
            (State::Checking | State::Unhealthy, State::Up) => Some(Change::Healthy),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { fails: 2, passes: 3, mandatory: false, persistent: false };

    #[test]
    fn so_many_failures_in_a_row_and_so_many_successes() {
        let mut health = Health::new(&[RULE]);
        let mut found = |good: &[bool]| {
            good.iter().map(|&good| health.report(0, good, RULE)).collect::<Vec<_>>()
        };
        assert_eq!(found(&[false, true, false]), [None, None, None]);
        assert_eq!(found(&[false, false]), [Some(Change::Unhealthy), None]);
        assert_eq!(found(&[true, true, false, true, true]), [None; 5]);
        assert_eq!(found(&[true, true]), [Some(Change::Healthy), None]);
        assert!(!health.is_out());
    }

    #[test]
    fn one_check_of_several_is_enough() {
        let rule = Rule { fails: 1, passes: 1, ..RULE };
        let mut health = Health::new(&[rule, rule]);
        assert_eq!(health.report(0, false, rule), Some(Change::Unhealthy));
        assert_eq!(health.report(1, false, rule), None);
        assert_eq!(health.report(0, true, rule), None);
        assert!(health.is_out());
        assert_eq!(health.report(1, true, rule), Some(Change::Healthy));
        assert_eq!(health.report(2, false, rule), None);
    }

    #[test]
    fn what_is_mandatory_comes_first_and_a_reload_asks_for_it_again() {
        let rule = Rule { mandatory: true, ..RULE };
        let mut health = Health::new(&[rule]);
        assert_eq!((health.is_out(), health.state()), (true, State::Checking));
        assert_eq!(health.report(0, true, rule), Some(Change::Healthy));
        assert_eq!(health.reloaded(&[rule]).state(), State::Checking);
        let persistent = Rule { persistent: true, ..rule };
        assert_eq!(health.reloaded(&[persistent]).state(), State::Up);
        assert_eq!(health.reloaded(&[RULE]).state(), State::Up);
        health.report(0, false, rule);
        health.report(0, false, rule);
        assert_eq!(health.reloaded(&[persistent]).state(), State::Unhealthy);
        assert_eq!(health.reloaded(&[]).state(), State::Up);
    }
}
