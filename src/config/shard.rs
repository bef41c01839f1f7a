//! Which apps this exporter reads, where several share one configuration.

use crate::metrics::Shard;

/// Whether this shard reads what is counted against the budget of this name. It is the budget that is
/// assigned, not the app, so that those who share one stay together.
///
/// The shard with the highest weight has it (rendezvous hashing): when one is added, that one takes
/// its part from the others, and nothing moves between those.
pub(super) fn owns(shard: Shard, budget_name: &str) -> bool {
    let highest = (0..shard.count).max_by_key(|index| weight(*index, budget_name));
    highest == Some(shard.index)
}

/// The weight of a shard for a name: the same in every version, on every machine. FNV-1a over the
/// number and the name, with the bits mixed as `MurmurHash3` does at its end.
fn weight(index: u32, name: &str) -> u64 {
    let bytes = index.to_le_bytes().into_iter().chain(name.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str, count: u32) -> u32 {
        let owners: Vec<_> =
            (0..count).filter(|&index| owns(Shard { index, count }, name)).collect();
        assert_eq!(owners.len(), 1, "{name} belongs to the shards {owners:?} of {count}");
        owners[0]
    }

    fn names() -> impl Iterator<Item = String> {
        (0..3000_u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    #[test]
    fn every_app_has_one_shard_and_shards_have_about_as_many() {
        for count in [1, 2, 3, 7] {
            let mut sizes = vec![0; count as usize];
            names().for_each(|name| sizes[owner(&name, count) as usize] += 1);
            let fair = 3000 / count;
            assert!(
                sizes.iter().all(|size| (fair * 4 / 5..=fair * 6 / 5).contains(size)),
                "{count} shards of 3,000 apps: {sizes:?}"
            );
        }
    }

    #[test]
    fn a_further_shard_takes_its_part_and_moves_nothing_else() {
        let moved = names().filter(|name| {
            let (before, after) = (owner(name, 3), owner(name, 4));
            assert!(after == before || after == 3, "{name} went from {before} to {after}");
            after != before
        });
        assert!((600..900).contains(&moved.count()));
    }

    /// An exporter of another version must not read other apps: the owners never change.
    #[test]
    fn owners_stay_as_they_were_released() {
        let ids = ["0123456789abcdef", "production", "staging", "a", ""];
        assert_eq!(ids.map(|id| owner(id, 3)), [2, 1, 0, 1, 1]);
    }
}
