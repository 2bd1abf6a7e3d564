//! Requests that nobody would write by hand, by the hundred, from seeds that are always the same.

mod bodies;
mod conditions;
mod encodings;
mod expressions;
mod heads;
mod hosts;
mod methods;
mod ranges;
mod rewrites;
mod uris;

/// Numbers that look like chance and are the same in every run.
pub struct Seed(u64);

impl Seed {
    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(mixed).expect("a number") % end
    }

    /// One of these.
    pub fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// Some of these, one behind the other.
    pub fn some(&mut self, of: &[&str], most: usize) -> String {
        (0..=self.below(most)).map(|_| self.one(of)).collect()
    }

    /// So many different requests.
    pub fn asks(&mut self, count: usize, make: impl Fn(&mut Self) -> String) -> Vec<String> {
        let mut asks: Vec<String> = Vec::new();
        for _ in 0..count * 20 {
            if asks.len() == count {
                break;
            }
            let ask = make(self);
            if !asks.contains(&ask) {
                asks.push(ask);
            }
        }
        // So that it is known how much is compared.
        assert_eq!(asks.len(), count, "there are not so many different ones");
        asks
    }
}

/// The texts of requests.
pub fn texts(asks: &[String]) -> Vec<&str> {
    asks.iter().map(String::as_str).collect()
}
