//! What a worker gets from the system: its priority, its processors, its environment.

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::value::{Value, number};

/// The most processors that a mask may name (nginx: `CPU_SETSIZE`).
const PROCESSORS: usize = 1024;

/// `worker_priority`: the nice value; the lower, the more time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority(pub i32);

impl Value for Priority {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let (sign, digits) = match word.text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, word.text.strip_prefix('+').unwrap_or(&word.text)),
        };
        let number = number::parse(digits).and_then(|number| i32::try_from(number).ok());
        let fault = || {
            let hint = "a number from -20, the most time, to 20, the least";
            Fault::phrase("invalid number").at(word.span).hint(hint)
        };
        number.map(|number| Self(sign * number)).ok_or_else(fault)
    }
}

/// `worker_cpu_affinity`: the processors of each worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affinity {
    /// `auto`: the workers take turns at the processors, those of the mask where there is one.
    pub auto: bool,
    /// The processors of each mask, counted from 0; the last mask is that of all further workers.
    pub masks: Vec<Vec<usize>>,
}

impl Affinity {
    /// The processors of a worker, counted from 0; `there` are those that the process may use.
    pub fn of(&self, worker: usize, there: &[usize]) -> Vec<usize> {
        if !self.auto {
            return self.masks.get(worker).or(self.masks.last()).cloned().unwrap_or_default();
        }
        let allowed = |processor: &&usize| match self.masks.first() {
            Some(mask) => mask.contains(processor),
            None => true,
        };
        let usable: Vec<usize> = there.iter().filter(allowed).copied().collect();
        usable.get(worker.checked_rem(usable.len()).unwrap_or(0)).copied().into_iter().collect()
    }
}

impl Value for Affinity {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let auto = args.first().text == "auto";
        if auto && args.words.len() > 2 {
            let fault = "invalid number of arguments in \"worker_cpu_affinity\" directive";
            return Err(Fault::sentence(fault));
        }
        let mut masks = Vec::new();
        for word in args.from(usize::from(auto)) {
            let bits: Vec<char> = word.text.chars().filter(|bit| *bit != ' ').rev().collect();
            if bits.len() > PROCESSORS {
                let fault =
                    format!("\"worker_cpu_affinity\" supports up to {PROCESSORS} CPUs only");
                return Err(Fault::sentence(fault).at(word.span));
            }
            if let Some(wrong) = bits.iter().find(|bit| !matches!(bit, '0' | '1')) {
                let fault = format!("invalid character \"{wrong}\" in \"worker_cpu_affinity\"");
                let hint = "one bit a processor, the last for the first: 0001 0010 0100 1000";
                return Err(Fault::sentence(fault).at(word.span).hint(hint));
            }
            let set = bits.iter().enumerate().filter(|(_, bit)| **bit == '1');
            masks.push(set.map(|(processor, _)| processor).collect());
        }
        Ok(Self { auto, masks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_take_turns_or_have_their_masks() {
        let there = [0, 1, 2, 3];
        let auto = Affinity { auto: true, masks: Vec::new() };
        assert_eq!((auto.of(1, &there), auto.of(5, &there)), (vec![1], vec![1]));
        let some = Affinity { auto: true, masks: vec![vec![0, 2]] };
        assert_eq!((some.of(1, &there), some.of(2, &there)), (vec![2], vec![0]));
        let masks = Affinity { auto: false, masks: vec![vec![0], vec![1, 3]] };
        assert_eq!((masks.of(0, &there), masks.of(7, &there)), (vec![0], vec![1, 3]));
    }
}
