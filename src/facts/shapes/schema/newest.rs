//! Which migrations can still be changed where nothing says what is released: the last of each folder.
//!
//! Tools that keep a folder for each part of a project write into each migration when it was made; of those folders, only
//! the ones that were added to last count.

use std::collections::{BTreeMap, BTreeSet};

use super::groups::Group;
use crate::project::{FileId, ServiceId};

/// `days` says when files were made.
pub(super) fn newest(
    groups: &[Group<'_>],
    days: &BTreeMap<FileId, String>,
    service_of: impl Fn(FileId) -> Option<ServiceId>,
) -> BTreeSet<FileId> {
    let of_group = |group: &Group<'_>| service_of(group.files.first()?.0);
    // A file that does not say is as old as the one before it.
    let last_day = |group: &Group<'_>| group.files.iter().rev().find_map(|(file, ..)| days.get(file));
    let mut last_days: BTreeMap<Option<ServiceId>, Option<&String>> = BTreeMap::new();
    for group in groups.iter().filter(|group| group.is_one_of_several()) {
        let entry = last_days.entry(of_group(group)).or_default();
        *entry = (*entry).max(last_day(group));
    }
    let is_latest = |group: &&Group<'_>| {
        !group.is_one_of_several() || last_days.get(&of_group(group)).is_none_or(|day| *day == last_day(group))
    };
    groups.iter().filter(is_latest).filter_map(|group| group.files.last()).map(|(file, ..)| *file).collect()
}

#[cfg(test)]
mod tests {
    use super::super::groups::Group;
    use super::*;
    use crate::syntax::sql::Dialect;

    fn group(tool: &'static str, files: &[u32]) -> Group<'static> {
        let files = files.iter().map(|id| (FileId(*id), "x.py", "")).collect();
        Group { folder: String::new(), tool: Some(tool), dialect: Dialect::Unknown, files }
    }

    fn found(groups: &[Group<'_>], days: &[(u32, &str)]) -> Vec<u32> {
        let days = days.iter().map(|(file, day)| (FileId(*file), (*day).to_owned())).collect();
        newest(groups, &days, |_| Some(ServiceId(0))).into_iter().map(|file| file.0).collect()
    }

    #[test]
    fn the_parts_that_were_added_to_last() {
        let (old, new) = ("2021-05-04", "2025-02-14");
        let groups = [group("django", &[1, 2]), group("django", &[3]), group("django", &[4, 5]), group("sql", &[6, 7])];
        assert_eq!(found(&groups, &[(1, old), (2, new), (3, old), (4, new)]), [2, 5, 7]);
    }

    #[test]
    fn without_dates_the_last_of_each() {
        assert_eq!(found(&[group("django", &[1, 2]), group("django", &[3])], &[]), [2, 3]);
    }
}
