//! Pseudo-random numbers that never change: SplitMix64, written out, so that no new version of a library can give the
//! sandbox other data than its tests, screenshots and DynamoDB items know.

/// A stream of numbers that depends on its key alone.
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// The stream of `key`; streams of different keys are unrelated.
    pub fn of(key: &[u64]) -> Self {
        Self(key.iter().fold(super::ids::SEED, |state, part| mix(state ^ mix(part.wrapping_add(GOLDEN)))))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number from 0 to `n - 1`; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // Multiply and shift: the bias is below 2^-40 for every n used here.
        u64::try_from((u128::from(self.bits()) * u128::from(n)) >> 64).unwrap_or(0)
    }

    /// A number in `0.0..1.0`.
    #[allow(clippy::cast_precision_loss)] // 53 bits fit.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True once in `n` times on average.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of `all`, evenly; the type's default if there is none.
    pub fn one_of<T: Copy + Default>(&mut self, all: &[T]) -> T {
        usize::try_from(self.below(all.len() as u64)).ok().and_then(|i| all.get(i)).copied().unwrap_or_default()
    }

    /// A number from 0 to `n - 1` of which the small ones are much likelier: the top tenth of ranks gets about half of all.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn skewed(&mut self, n: u64) -> u64 {
        let u = self.unit();
        ((u * u * u * n as f64) as u64).min(n.saturating_sub(1))
    }

    /// Appends `digits` lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize, to: &mut String) {
        let mut left = digits;
        while left > 0 {
            let mut bits = self.bits();
            for _ in 0..left.min(16) {
                to.push(char::from(HEX[(bits & 15) as usize]));
                bits >>= 4;
            }
            left = left.saturating_sub(16);
        }
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// SplitMix64's finaliser (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finaliser_is_splitmix64() {
        // The first outputs of SplitMix64 seeded with 0, as every implementation of it has them.
        let mut noise = Noise(0);
        assert_eq!(noise.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(noise.bits(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn bounds_hold() {
        let mut noise = Noise::of(&[1, 2]);
        for _ in 0..10_000 {
            assert!(noise.below(7) < 7);
            assert!(noise.skewed(5) < 5);
            assert!((0.0..1.0).contains(&noise.unit()));
        }
        assert_eq!(noise.below(0), 0);
        assert_eq!(noise.one_of::<u8>(&[]), 0);
        let mut text = String::new();
        noise.hex(24, &mut text);
        assert_eq!(text.len(), 24);
    }
}
